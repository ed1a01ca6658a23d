import Logging

/// A request's identifier and trace in every line that is written with the request's logger.
///
/// They are added when a line is written. As metadata of the handler beneath they would be set for each request, which some handlers
/// answer by formatting all of their metadata anew, whether a line is written or not.
struct RequestLogHandler: LogHandler {
    private var handler: any LogHandler
    private let arrival: RequestFacts.Arrival

    init(_ handler: any LogHandler, arrival: RequestFacts.Arrival) {
        self.handler = handler
        self.arrival = arrival
    }

    var logLevel: Logger.Level {
        get { handler.logLevel }
        set { handler.logLevel = newValue }
    }

    var metadataProvider: Logger.MetadataProvider? {
        get { handler.metadataProvider }
        set { handler.metadataProvider = newValue }
    }

    var metadata: Logger.Metadata {
        get { handler.metadata.merging(added) { _, added in added } }
        set { handler.metadata = newValue }
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { added[key] ?? handler[metadataKey: key] }
        set { handler[metadataKey: key] = newValue }
    }

    func log(event: LogEvent) {
        var event = event
        // What the line itself says has the last word, as everywhere in swift-log.
        event.metadata = added.merging(event.metadata ?? [:]) { _, said in said }
        handler.log(event: event)
    }

    /// Hummingbird's own key for the identifier: its middleware then shows the same one.
    private var added: Logger.Metadata {
        var added: Logger.Metadata = ["hb.request.id": .string(arrival.id)]
        if let trace = arrival.trace { added["trace.id"] = .string(trace.traceID) }
        return added
    }
}
