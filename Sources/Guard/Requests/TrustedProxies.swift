import Events
import HTTPTypes

/// Finds the client behind proxies that are trusted to say who asked them.
struct TrustedProxies: Sendable {
    private let blocks: [AddressBlock]

    /// - Throws: ``ConfigurationFailure`` for what is neither an address nor a network.
    init(_ texts: [String]) throws {
        blocks = try texts.map { text in
            guard let block = AddressBlock(text) else {
                throw ConfigurationFailure(
                    "Trusted proxy \(text) is neither an address nor a network; write 127.0.0.1, 10.0.0.0/8 or fd00::/8")
            }
            return block
        }
    }

    func trusts(_ address: IPAddress) -> Bool {
        blocks.contains { $0.contains(address) }
    }

    /// The address of the client: the peer, or, if that is trusted, the first one from the right that is not.
    ///
    /// Read from the right, because each proxy appends the address it saw (RFC 7239 section 5.2): what stands further left was
    /// sent by whoever is there, and may be invented. An entry that cannot be read ends the search: the last proxy that is trusted
    /// is then the best that is known. `Forwarded` is read where there is no `X-Forwarded-For`; where both exist and differ a proxy
    /// maintains only one of them, and `X-Forwarded-For` is the one that nginx, Caddy and HAProxy set unless told otherwise.
    func client(peer: IPAddress, headers: HTTPFields) -> IPAddress {
        guard !blocks.isEmpty, trusts(peer) else { return peer }
        let listed = headers[values: .xForwardedFor]
        let entries =
            listed.isEmpty
            ? Forwarded.clients(in: headers[values: .forwarded])
            : listed.joined(separator: ",").split(separator: ",", omittingEmptySubsequences: false).map { Forwarded.address($0) }
        var client = peer
        // More hops than any real chain has; beyond it somebody sends garbage for us to read.
        for entry in entries.reversed().prefix(32) {
            guard let entry else { return client }
            client = entry
            if !trusts(entry) { return client }
        }
        return client
    }
}

extension HTTPField.Name {
    // Names written here are tokens; the initialiser is failable for those that are not.
    static let xForwardedFor = HTTPField.Name.known("x-forwarded-for")
    static let forwarded = HTTPField.Name.known("forwarded")
    static let xRequestID = HTTPField.Name.known("x-request-id")
    static let traceparent = HTTPField.Name.known("traceparent")

    static func known(_ name: String) -> HTTPField.Name {
        guard let name = HTTPField.Name(name) else { preconditionFailure("\(name) is no header name") }
        return name
    }
}

/// `Forwarded` of RFC 7239.
enum Forwarded {
    /// The `for` of each element, in order; `nil` where it is missing, obfuscated or unreadable.
    static func clients(in values: [String]) -> [IPAddress?] {
        values.flatMap { value in
            split(value, at: UInt8(ascii: ",")).map { element in
                for pair in split(element, at: UInt8(ascii: ";")) {
                    let parts = pair.split(separator: "=", maxSplits: 1)
                    guard parts.count == 2, trimmed(parts[0]).lowercased() == "for" else { continue }
                    var name = trimmed(parts[1])
                    if name.hasPrefix("\""), name.hasSuffix("\""), name.utf8.count >= 2 { name = name.dropFirst().dropLast() }
                    return address(name)
                }
                return nil
            }
        }
    }

    /// An address with or without brackets, with or without a port.
    static func address(_ text: Substring) -> IPAddress? {
        let text = trimmed(text)
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else { return nil }
            return IPAddress(text[text.index(after: text.startIndex)..<end])
        }
        // One colon is a port; more are an IPv6 address that has no brackets.
        if text.utf8.count(where: { $0 == UInt8(ascii: ":") }) == 1, let colon = text.firstIndex(of: ":") {
            return IPAddress(text[..<colon])
        }
        return IPAddress(text)
    }

    /// Splits outside of quoted strings.
    private static func split(_ text: some StringProtocol, at separator: UInt8) -> [Substring] {
        let text = Substring(text)
        var parts: [Substring] = []
        var start = text.startIndex
        var isQuoted = false
        for index in text.utf8.indices {
            let byte = text.utf8[index]
            if byte == UInt8(ascii: "\"") {
                isQuoted.toggle()
            } else if byte == separator, !isQuoted {
                parts.append(text[start..<index])
                start = text.utf8.index(after: index)
            }
        }
        parts.append(text[start...])
        return parts
    }

    private static func trimmed(_ text: Substring) -> Substring {
        var text = text.drop { $0 == " " || $0 == "\t" }
        while let last = text.last, last == " " || last == "\t" { text = text.dropLast() }
        return text
    }
}
