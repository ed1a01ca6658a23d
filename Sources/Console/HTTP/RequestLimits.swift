import Events
import HTTPTypes
import Hummingbird
import HummingbirdCore

/// Refuses what no honest browser sends: a foreign host name, a body beyond the limit.
struct RequestLimits: RouterMiddleware {
    let options: Console.Options

    func handle(
        _ request: Request, context: ConsoleContext, next: @concurrent (Request, ConsoleContext) async throws -> Response
    ) async throws -> Response {
        guard let authority = request.head.authority, isAllowed(HostName.part(of: authority)) else {
            throw ConsoleFailure.foreignHost
        }
        if let length = request.headers[.contentLength], Int(length).map({ $0 > ConsoleContext.maximumBody }) ?? true {
            throw ConsoleFailure.tooLarge
        }
        var context = context
        if options.trustsForwardedAddress, IPAddress(context.address)?.isLoopback == true,
            let last = request.headers[named: "x-forwarded-for"]?.split(separator: ",").last
        {
            let address = last.drop { $0 == " " }.prefix { $0 != " " }
            if !address.isEmpty { context.address = String(address.prefix(64)) }
        }
        return try await next(request, context)
    }

    private func isAllowed(_ host: String) -> Bool {
        HostName.loopback.contains(host) || options.hosts.contains(host)
    }
}

/// The host in an authority (RFC 3986 3.2): without port, lower case.
enum HostName {
    static let loopback: Set<String> = ["localhost", "127.0.0.1", "[::1]"]

    static func part(of authority: String) -> String {
        let lowered = authority.lowercased()
        if lowered.hasPrefix("[") {
            guard let end = lowered.firstIndex(of: "]") else { return lowered }
            return String(lowered[...end])
        }
        let host = lowered.prefix { $0 != ":" }
        // `localhost.` is the same host, spelled with the root.
        return String(host.hasSuffix(".") ? host.dropLast() : host)
    }
}
