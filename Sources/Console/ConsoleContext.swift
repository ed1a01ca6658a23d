package import Hummingbird
package import Identity
import Incidents
package import Logging
package import NIOCore

/// What the console knows about a request while it answers it.
package struct ConsoleContext: RequestContext {
    package var coreContext: CoreRequestContextStorage
    /// Where the connection comes from, without the port; empty for a connection without an address.
    package var address: String
    /// `nil` in tests that call the router without a connection.
    package let channel: (any Channel)?
    /// Set by the authentication middleware.
    package var signedIn: SignedIn?

    /// Appears in each answer as `X-Request-Id` and in each log line about the request.
    package let requestID: String

    /// RFC 9112 sets no limit; forms here are a few hundred bytes.
    package static let maximumBody = 64 * 1024
    package var maxUploadSize: Int { Self.maximumBody }

    package init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        channel = source.channel
        // A log handler may throw metadata away; the id has to exist all the same.
        requestID = source.logger[metadataKey: "hb.request.id"]?.description ?? RequestID().description
        address = source.channel.remoteAddress?.ipAddress ?? ""
    }

    /// For whom incidents are read.
    var reader: IncidentReader? {
        signedIn.map { IncidentReader(account: $0.accountID, name: $0.accountName) }
    }

    /// A request without a connection.
    package init(logger: Logger, address: String) {
        coreContext = CoreRequestContextStorage(source: DetachedSource(logger: logger))
        channel = nil
        requestID = RequestID().description
        self.address = address
    }
}

private struct DetachedSource: RequestContextSource {
    let logger: Logger
}
