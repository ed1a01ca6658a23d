import Events
import HTTPTypes
public import Hummingbird
import Logging
import NIOCore
import Synchronization

/// A request context that Guard can work with: one stored property more than Hummingbird asks for.
///
/// ```swift
/// struct AppContext: GuardedContext {
///     var coreContext: CoreRequestContextStorage
///     var facts: RequestFacts
///     init(source: ApplicationRequestContextSource) {
///         coreContext = .init(source: source)
///         facts = .init(source: source)
///     }
/// }
/// ```
public protocol GuardedContext: RequestContext {
    /// What Guard knows about the request.
    var facts: RequestFacts { get set }
}

/// The context for applications that need nothing else in theirs.
public struct BasicGuardedContext: GuardedContext {
    /// What Hummingbird needs.
    public var coreContext: CoreRequestContextStorage
    /// What Guard knows about the request.
    public var facts: RequestFacts

    /// Made by Hummingbird for each request.
    public init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        facts = .init(source: source)
    }
}

/// What Guard knows about a request: its identifier, where it came from, and, once the application has said it, who asks.
public struct RequestFacts: Sendable {
    /// Fixed when the request comes in; one object, so that copying a context costs one reference.
    final class Arrival: Sendable {
        let id: String
        let trace: TraceParent?
        let client: IPAddress?
        let head: HTTPRequest
        let log: SecurityLog
        /// What the limits said that were asked on the way; shown in the answer.
        let quotas = Mutex<[Quota]>([])

        init(id: String, trace: TraceParent?, client: IPAddress?, head: HTTPRequest, log: SecurityLog) {
            self.id = id
            self.trace = trace
            self.client = client
            self.head = head
            self.log = log
        }
    }

    /// The request that the current task answers, for log lines written where no context is at hand.
    @TaskLocal static var current: Arrival?

    let channel: (any Channel)?
    let peer: IPAddress?
    var arrival: Arrival?

    /// Who asks; `nil` until ``Protection/admit(_:in:)``.
    public internal(set) var subject: Subject?

    /// What is known of the connection.
    public init(source: ApplicationRequestContextSource) {
        channel = source.channel
        peer = source.channel.remoteAddress.flatMap(IPAddress.init)
    }

    /// The request's identifier: from `X-Request-ID` where that has a safe form, else a new one. In every line and event about the
    /// request, and in the answer.
    public var id: String { arrival?.id ?? "" }

    /// The client's address behind trusted proxies, without port.
    public var client: String { (arrival?.client ?? peer)?.description ?? "" }

    /// The trace that the caller named, or one that begins here, as the value of a `traceparent` header for requests that the
    /// application makes on behalf of this one.
    public var traceparent: String {
        let span = RequestIdentifier.hexadecimal(UInt64.random(in: 1 ... .max))
        guard let trace = arrival?.trace else {
            return "00-\(RequestIdentifier.isTraceID(id) ? id : RequestIdentifier.make())-\(span)-00"
        }
        return "00-\(trace.traceID)-\(span)-\(trace.flags)"
    }
}

extension RequestIdentifier {
    static func isTraceID(_ id: String) -> Bool {
        id.utf8.count == 32 && id.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
            && id.utf8.contains { $0 != 0x30 }
    }
}

extension GuardedContext {
    /// The request's identifier. In place of Hummingbird's own `id`, which asks the logger, and stops the process where a log handler
    /// keeps no metadata.
    public var id: String { facts.id }

    /// Writes a security event about this request to the security log, with its identifier, address, user, method and path.
    ///
    /// Never waits: the line is queued; where the queue is full it is dropped, counted, and the count is logged.
    public func record(_ event: SecurityEvent) {
        facts.arrival?.log.record(event, facts: facts)
    }
}

extension IPAddress {
    /// The address of a connection; `nil` for a Unix socket.
    init?(_ address: SocketAddress) {
        // RFC 3493 sections 3.2 and 3.3 give both structures on every system: the address stands behind family, port, and for IPv6 flow.
        switch address {
        case .v4:
            let bits = address.withSockAddr { address, _ in
                UnsafeRawPointer(address).loadUnaligned(fromByteOffset: 4, as: UInt32.self)
            }
            self.init(v4: UInt32(bigEndian: bits))
        case .v6:
            let (high, low) = address.withSockAddr { address, _ in
                let bytes = UnsafeRawPointer(address)
                return (
                    bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self),
                    bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self)
                )
            }
            self.init(high: UInt64(bigEndian: high), low: UInt64(bigEndian: low))
        case .unixDomainSocket:
            return nil
        }
    }
}
