import Events
import Guard

/// The name that a client gave a file. Shown and sent back, never part of a path.
enum FileName {
    static let longest = 255

    /// - Returns: the name without folders, or why it is refused.
    static func checked(_ text: String) -> Result<String, Fault> {
        var plain = text
        // Escaped twice is an attempt, too.
        for _ in 0..<2 {
            if leavesItsFolder(plain) { return .failure(.pathTraversal) }
            plain = unescaped(plain)
        }
        if leavesItsFolder(plain) { return .failure(.pathTraversal) }
        let last = text.split(whereSeparator: { $0 == "/" || $0 == "\\" }).last.map(String.init) ?? ""
        let name = String(last.unicodeScalars.filter { $0.value >= 0x20 && $0.value != 0x7F }).trimmed
        guard !name.isEmpty, name != "." else { return .failure(.empty) }
        guard name.unicodeScalars.count <= longest else { return .failure(.tooLong) }
        return .success(name)
    }

    enum Fault: Error, Equatable {
        case pathTraversal
        case empty
        case tooLong
    }

    /// Whether a file of this name may be of one of these kinds; names without extension say nothing.
    static func hasExtension(_ name: String, of kinds: Set<String>) -> Bool {
        guard let dot = name.lastIndex(of: "."), dot != name.startIndex else { return true }
        return kinds.contains(name[name.index(after: dot)...].lowercased())
    }

    /// Without its extension, in letters, digits and dashes: part of the name of a copy.
    static func slug(_ text: String, longest: Int = 80) -> String {
        var slug = ""
        for byte in text.lowercased().utf8 {
            switch byte {
            case 0x30...0x39, 0x61...0x7A: slug.unicodeScalars.append(Unicode.Scalar(byte))
            default: if !slug.hasSuffix("-"), !slug.isEmpty { slug += "-" }
            }
            if slug.utf8.count >= longest { break }
        }
        while slug.hasSuffix("-") { slug.removeLast() }
        return slug.isEmpty ? "document" : slug
    }

    static func stem(_ name: String) -> String {
        guard let dot = name.lastIndex(of: "."), dot != name.startIndex else { return name }
        return String(name[..<dot])
    }

    private static func leavesItsFolder(_ text: String) -> Bool {
        if text.unicodeScalars.contains("\0") || text.hasPrefix("/") { return true }
        return text.split(whereSeparator: { $0 == "/" || $0 == "\\" }).contains { $0.allSatisfy { $0 == "." } && $0.count > 1 }
    }

    private static func unescaped(_ text: String) -> String {
        var bytes: [UInt8] = []
        var rest = Substring(text).utf8
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), rest.count >= 2, let high = hexadecimalValue(rest[rest.startIndex]),
                let low = hexadecimalValue(rest[rest.index(after: rest.startIndex)])
            {
                bytes.append(high << 4 | low)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension String {
    /// Without the white space around it.
    var trimmed: String {
        var view = self[...]
        while let first = view.first, first.isWhitespace { view.removeFirst() }
        while let last = view.last, last.isWhitespace { view.removeLast() }
        return String(view)
    }
}
