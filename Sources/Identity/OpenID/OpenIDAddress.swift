/// An address of a provider: `https`, or `http` on this machine's loopback, where nobody is in between.
package struct OpenIDAddress: Sendable, Hashable, CustomStringConvertible {
    private static let maximumBytes = 2000
    private static let loopback: Set<String> = ["localhost", "127.0.0.1", "[::1]"]

    package let text: String
    /// Without TLS, on loopback.
    package let isPlain: Bool

    /// - Parameter allowsPlain: whether `http` on loopback will do. A provider reached by `https` may not send us there: what listens
    ///   on loopback trusts whoever comes from this machine.
    package init?(_ text: String, allowsPlain: Bool = true) {
        guard text.utf8.count <= Self.maximumBytes, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }),
            !text.utf8.contains(where: { "\"<>\\^`{|}#".utf8.contains($0) })
        else { return nil }
        let rest: Substring
        if text.hasPrefix("https://") {
            (rest, isPlain) = (text.dropFirst(8), false)
        } else if allowsPlain, text.hasPrefix("http://") {
            (rest, isPlain) = (text.dropFirst(7), true)
        } else {
            return nil
        }
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        // No user in front of the host: `https://login.example.org@evil.example/` is not what it looks like.
        guard let host = Self.host(authority), !isPlain || Self.loopback.contains(host) else { return nil }
        self.text = text
    }

    /// RFC 3986 3.2, without user information; lower case.
    private static func host(_ authority: Substring) -> String? {
        let host: Substring
        let port: Substring
        if authority.hasPrefix("[") {
            guard let end = authority.firstIndex(of: "]") else { return nil }
            (host, port) = (authority[...end], authority[end...].dropFirst())
            guard host.dropFirst().dropLast().allSatisfy({ $0.isHexDigit || $0 == ":" || $0 == "." }) else { return nil }
        } else {
            host = authority.prefix { $0 != ":" }
            port = authority[host.endIndex...]
            guard host.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == "." || $0 == "_") }) else {
                return nil
            }
        }
        guard !host.isEmpty, port.isEmpty || port.hasPrefix(":") && UInt16(port.dropFirst()) != nil else { return nil }
        return host.lowercased()
    }

    /// The same with more behind its question mark.
    func adding(_ parameters: [(name: String, value: String)]) -> String {
        text + (text.contains("?") ? "&" : "?") + Self.form(parameters)
    }

    /// `application/x-www-form-urlencoded`, with everything but unreserved characters escaped (RFC 3986 2.3).
    static func form(_ parameters: [(name: String, value: String)]) -> String {
        parameters.map { "\(escape($0.name))=\(escape($0.value))" }.joined(separator: "&")
    }

    static func escape(_ text: String) -> String {
        var escaped = ""
        for byte in text.utf8 {
            let scalar = Unicode.Scalar(byte)
            if scalar.isASCII, scalar.properties.isAlphabetic || (0x30...0x39).contains(byte) || "-._~".utf8.contains(byte) {
                escaped.unicodeScalars.append(scalar)
            } else {
                escaped += (byte < 16 ? "%0" : "%") + String(byte, radix: 16, uppercase: true)
            }
        }
        return escaped
    }

    package var description: String { text }
}
