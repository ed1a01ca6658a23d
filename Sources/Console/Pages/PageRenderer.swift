import HTTPTypes
import Mustache

/// Renders the embedded templates.
struct PageRenderer: Sendable {
    private let library: MustacheLibrary

    init(assets: ConsoleAssets) throws {
        MustacheContentTypes.register(HTMLEscaping(), named: HTMLEscaping.name)
        var library = MustacheLibrary()
        for (name, text) in assets.templates {
            // In front of each template and partial: Mustache falls back to its own escaping at every partial.
            try library.register("{{% CONTENT_TYPE:\(HTMLEscaping.name)}}" + text, named: name)
        }
        self.library = library
    }

    /// A whole page: `template` inside the layout.
    func page(_ template: String, model: PageModel, shell: PageModel) -> String {
        var all = shell.merging(model)
        all["content"] = template
        return library.render(all, withTemplate: "layout") ?? ""
    }

    /// Only what stands inside `<main>`: what an open page swaps in.
    func partial(_ template: String, model: PageModel) -> String {
        library.render(model, withTemplate: template) ?? ""
    }

    func failure(_ failure: ConsoleFailure, shell: PageModel, id: String) -> String {
        var model: PageModel = ["status": failure.status.code, "title": failure.title, "requestID": id]
        // Mustache takes an empty text for something worth showing.
        if !failure.advice.isEmpty { model["advice"] = failure.advice }
        return page("error", model: model, shell: shell)
    }

    /// A page that leads on to `path` by itself.
    func hop(to path: String, shell: PageModel) -> String {
        page("error", model: ["title": "Opening", "hop": path, "hopPath": path], shell: shell)
    }
}
