import HTTPTypes
import Hummingbird
import HummingbirdCore
import Identity
import Incidents
import NIOCore
import ServiceLifecycle

/// How the event stream is paced.
enum EventPace {
    /// After each delivery; what happens meanwhile goes out together. Well inside the promised second.
    static let rest = Duration.milliseconds(200)
}

extension Console {
    /// Server-sent events (WHATWG HTML 9.2): `incident` with the journal sequence as its id, or `refresh` when the client missed something.
    ///
    /// The client says where it stands with `Last-Event-ID`, or with `?since=` on its first connection.
    func eventStream(_ request: Request, context: ConsoleContext) -> Response {
        guard let signedIn = context.signedIn else { return Response(status: .unauthorized) }
        let fields = FormFields(query: request.uri.query)
        let since = (request.headers[named: "last-event-id"] ?? fields["since"]).flatMap { Int($0) }
        let updates = dependencies.updates
        let channel = context.channel
        let body = ResponseBody { writer in
            // Subscribing here rather than in the handler: a body that is never asked for (HEAD) must not hold a place.
            let subscription = updates.subscribe(owner: signedIn.accountID) { channel?.close(promise: nil) }
            guard let subscription else {
                try await writer.write(ByteBuffer(string: "retry: 15000\n: too many open pages\n\n"))
                return try await writer.finish(nil)
            }
            defer { updates.end(subscription) }
            let isBehind = since.map { $0 != subscription.sequence } ?? false
            let event = isBehind ? "refresh" : "hello"
            try await writer.write(
                ByteBuffer(string: "retry: 2000\nid: \(subscription.sequence)\nevent: \(event)\ndata: {}\n\n"))
            // A server that stops waits for its requests, and this one would never end by itself.
            try await withGracefulShutdownHandler {
                try await follow(subscription, of: signedIn, writer: &writer)
            } onGracefulShutdown: {
                updates.end(subscription)
            }
            try await writer.finish(nil)
        }
        var headers = HTTPFields()
        headers[.contentType] = "text/event-stream"
        // nginx would hold events back in its buffer.
        headers[named: "x-accel-buffering"] = "no"
        return Response(status: .ok, headers: headers, body: body)
    }

    @concurrent private func follow(
        _ subscription: ConsoleUpdates.Subscription, of signedIn: SignedIn, writer: inout any ResponseBodyWriter
    ) async throws {
        let heartbeat = Task {
            while !Task.isCancelled {
                try await Task.sleep(for: options.heartbeat)
                subscription.wake()
            }
        }
        defer { heartbeat.cancel() }
        for await _ in subscription.wakes {
            guard var delivery = dependencies.updates.take(subscription) else { return }
            let reader = IncidentReader(account: signedIn.accountID, name: signedIn.accountName)
            var known: [ConsoleUpdates.Change] = []
            for change in delivery.changes
            where try await !dependencies.incidents.isHidden(id: change.incidentID, from: reader) { known.append(change) }
            // Not even a sign of life: it would tell that something happened to what this person may not know of.
            if known.isEmpty, !delivery.changes.isEmpty, !delivery.isRefresh { continue }
            delivery.changes = known
            let text = EventStreamText.render(delivery)
            if text.isEmpty {
                // A stream must not outlive its session; watching is not activity.
                let now = dependencies.now()
                guard try await dependencies.identity.isStillValid(signedIn, at: now) else {
                    return
                }
                try await writer.write(ByteBuffer(string: ":\n\n"))
            } else {
                try await writer.write(ByteBuffer(string: text))
                try await Task.sleep(for: EventPace.rest)
            }
        }
    }
}

enum EventStreamText {
    static func render(_ delivery: ConsoleUpdates.Delivery) -> String {
        if delivery.isRefresh { return "id: \(delivery.sequence)\nevent: refresh\ndata: {}\n\n" }
        return delivery.changes.map { change in
            // Ids are ours (`SEC-YYYY-NNNN`); the filter keeps the framing safe whatever they become.
            let id = String(decoding: change.incidentID.utf8.filter(isPlain), as: UTF8.self)
            return "id: \(change.sequence)\nevent: incident\ndata: {\"id\":\"\(id)\",\"sequence\":\(change.sequence)}\n\n"
        }.joined()
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "-"): true
        default: false
        }
    }
}
