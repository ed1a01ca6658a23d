import Events
import Mustache

/// How every `{{value}}` of our templates becomes HTML: by ``HTMLText``, not by Mustache's own escaping, which works on `Character`.
struct HTMLEscaping: MustacheContentType {
    static let name = "VIGIE"

    func escapeText(_ text: String) -> String { HTMLText.escaped(text) }
}
