import Events
public import NIOCore

/// Where Vigie is, and how this application may ask it.
public struct Vigie: Sendable {
    /// What is done with requests between a start without a cache and the first word from Vigie.
    public enum ColdStart: Sendable {
        /// Anonymous requests are served; whoever shows a token or a session gets 503, because it may be a revoked one. The default.
        case refuseSubjects
        /// Nothing is served but the routes of ``Protection/addRoutes(to:)``.
        case refuseAll
        /// Everything is served, revoked tokens, too. Only where serving them is the lesser harm.
        case serve
    }

    /// `http://127.0.0.1:8632`, `https://vigie.example`, or `unix:/run/vigie/guard.sock`.
    public var url: String
    /// Sent as `Authorization: Bearer …`; Vigie's console makes one per application.
    public var token: String
    /// The file that keeps what is in force over a restart. The folder must survive the process and belong to it alone.
    public var cache: String
    /// What is done before anything is known.
    public var coldStart: ColdStart
    /// Whether the token and the decisions may cross a network unencrypted. Needed for `http` to anything but this machine: for
    /// example inside a compose network of its own.
    public var allowsPlaintext: Bool
    /// Adds the handlers of TLS for `https`, on the channel's event loop; Guard itself brings no TLS library.
    ///
    /// ```swift
    /// { channel, host in
    ///     try channel.pipeline.syncOperations.addHandler(NIOSSLClientHandler(context: context, serverHostname: host))
    /// }
    /// ```
    public var secure: (@Sendable (any Channel, _ host: String) throws -> Void)?

    /// Where Vigie is.
    public init(
        url: String, token: String, cache: String = "state/decisions.ndjson", coldStart: ColdStart = .refuseSubjects,
        allowsPlaintext: Bool = false, secure: (@Sendable (any Channel, _ host: String) throws -> Void)? = nil
    ) {
        self.url = url
        self.token = token
        self.cache = cache
        self.coldStart = coldStart
        self.allowsPlaintext = allowsPlaintext
        self.secure = secure
    }
}

/// ``Vigie/url``, taken apart and checked.
struct VigieEndpoint: Sendable {
    enum Place: Sendable, Equatable {
        case host(String, port: Int)
        case socket(String)
    }

    let place: Place
    let host: String
    let isSecure: Bool
    /// What stands before the paths of the API; no slash at its end.
    let base: String

    init(_ vigie: Vigie) throws {
        guard !vigie.token.isEmpty, vigie.token.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw ConfigurationFailure("The token for Vigie is empty or has characters that a header cannot carry; copy it again")
        }
        let url = vigie.url
        if url.hasPrefix("unix:") {
            let path = String(url.dropFirst("unix:".count))
            guard path.hasPrefix("/") else {
                throw ConfigurationFailure("Vigie's address \(url) names no absolute path; write unix:/run/vigie/guard.sock")
            }
            (place, host, isSecure, base) = (.socket(path), "localhost", false, "")
            return
        }
        isSecure = url.hasPrefix("https://")
        guard isSecure || url.hasPrefix("http://") else {
            throw ConfigurationFailure("Vigie's address \(url) begins with none of http://, https:// and unix:")
        }
        let rest = url.dropFirst(isSecure ? 8 : 7)
        let authority = rest.prefix { $0 != "/" }
        let path = rest.dropFirst(authority.count)
        base = String(path.hasSuffix("/") ? path.dropLast() : path)
        let name: Substring
        let portText: Substring
        if authority.hasPrefix("["), let end = authority.firstIndex(of: "]") {
            name = authority[authority.index(after: authority.startIndex)..<end]
            portText = authority[authority.index(after: end)...]
        } else {
            name = authority.prefix { $0 != ":" }
            portText = authority.dropFirst(name.count)
        }
        let port = portText.isEmpty ? (isSecure ? 443 : 80) : Int(portText.dropFirst())
        guard !name.isEmpty, let port, (1...65_535).contains(port), portText.isEmpty || portText.hasPrefix(":"),
            authority.utf8.allSatisfy({ (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "@") })
        else { throw ConfigurationFailure("Vigie's address \(url) cannot be read; write http://127.0.0.1:8632") }
        host = String(name)
        place = .host(host, port: port)
        if isSecure {
            guard vigie.secure != nil else {
                throw ConfigurationFailure(
                    "Vigie's address is \(url), and `secure` is not set: Guard brings no TLS library of its own")
            }
        } else if !vigie.allowsPlaintext, !Self.isThisMachine(host) {
            throw ConfigurationFailure(
                "The token would cross a network unencrypted to \(host); use https, a tunnel, or set `allowsPlaintext`")
        }
    }

    private static func isThisMachine(_ host: String) -> Bool {
        guard let address = IPAddress(host) else { return host == "localhost" }
        return address.isV4 ? address.low >> 24 & 0xFF == 127 : address.high == 0 && address.low == 1
    }
}
