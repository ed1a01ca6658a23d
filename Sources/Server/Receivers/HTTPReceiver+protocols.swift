import Events
import Foundation
import HTTPTypes
import Hummingbird
import Ingest
import NIOCore

/// What each path speaks.
extension HTTPReceiver {
    private enum Encoding {
        case protobuf, json
    }

    private static func encoding(_ request: Request) throws(HTTPRefusal) -> Encoding {
        let type = mediaType(request)
        switch type {
        case "application/x-protobuf", "application/vnd.google.protobuf", "application/protobuf": return .protobuf
        case "application/json": return .json
        default:
            throw HTTPRefusal(
                .unsupportedMediaType, "unsupported",
                "the content type '\(type)' is not known here; application/x-protobuf and application/json are",
                isBodyUnread: true)
        }
    }

    private static func mediaType(_ request: Request) -> String {
        let field = request.headers[.contentType] ?? ""
        return String(field.prefix { $0 != ";" }).trimmingCharacters(in: .whitespaces).lowercased()
    }

    func loki(_ request: Request, _ intake: Intake) async throws -> Response {
        // Loki's clients that name no type speak protobuf.
        let encoding = HTTPReceiver.mediaType(request).isEmpty ? .protobuf : try HTTPReceiver.encoding(request)
        let body = try await body(request)
        var lines = intake.lines(options.format)
        var content = body.bytes
        switch encoding {
        case .json: try LokiPush.decode(json: content.span, into: &lines)
        case .protobuf:
            try body.count(more: min(body.bytes.count * 24, options.limits.decompressedBytes))
            content = try SnappyBlock.decode(content.span, limit: options.limits.decompressedBytes)
            try LokiPush.decode(protobuf: content.span, into: &lines)
        }
        try await intake.commit(&lines, as: try HTTPReceiver.identity(of: request, content, lines))
        return Response(status: .noContent)
    }

    func otlp(_ request: Request, _ intake: Intake) async throws -> Response {
        let encoding = try HTTPReceiver.encoding(request)
        let body = try await body(request)
        var lines = intake.lines(options.format)
        switch encoding {
        case .json: try OTLPLogs.decode(json: body.bytes.span, into: &lines)
        case .protobuf: try OTLPLogs.decode(protobuf: body.bytes.span, into: &lines)
        }
        try await intake.commit(&lines, as: try HTTPReceiver.identity(of: request, body.bytes, lines))
        // An `ExportLogsServiceResponse` without a `partialSuccess`: everything was taken.
        return encoding == .json
            ? HTTPReceiver.answer(.ok, "{}", type: "application/json")
            : HTTPReceiver.answer(.ok, "", type: "application/x-protobuf")
    }

    func events(_ request: Request, _ intake: Intake) async throws -> Response {
        let isText = HTTPReceiver.mediaType(request) == "text/plain"
        let body = try await body(request)
        var lines = intake.lines(options.format)
        if isText {
            try EventLines.decode(text: body.bytes.span, into: &lines)
        } else {
            try EventLines.decode(ndjson: body.bytes.span, into: &lines)
        }
        let (accepted, counters) = (lines.count, lines.counters)
        try await intake.commit(&lines, as: try HTTPReceiver.identity(of: request, body.bytes, lines))
        let status: HTTPResponse.Status = accepted == 0 && counters.rejected > 0 ? .badRequest : .ok
        var answer: [String: Any] = ["accepted": accepted, "rejected": counters.rejected]
        if let first = counters.firstRejection { answer["first_rejection"] = first }
        return HTTPReceiver.json(status, answer)
    }

    func alertmanager(_ request: Request, _ intake: Intake) async throws -> Response {
        let body = try await body(request)
        let taken = try await intake.commit(options.format) { (states, lines) throws(ReceiverRefusal) in
            try AlertEvents.decode(alertmanager: body.bytes.span, states: &states, into: &lines)
            return lines.count
        }
        return HTTPReceiver.json(.ok, ["accepted": taken.answer, "repeated": taken.counters.repeated])
    }

    func pagerDuty(_ request: Request, _ intake: Intake) async throws -> Response {
        let body = try await body(request, ofStranger: true)
        let newKey = UUID().uuidString.lowercased().replacing("-", with: "")
        // Who may send is said in the body: it is looked at before anything is remembered.
        var unused = AlertStates()
        var draft = intake.lines(options.format)
        let claimed = try AlertEvents.decode(pagerDuty: body.bytes.span, newKey: newKey, states: &unused, into: &draft)
        try await checkToken(claimed.routingKey)
        let taken = try await intake.commit(options.format) { (states, lines) throws(ReceiverRefusal) in
            try AlertEvents.decode(pagerDuty: body.bytes.span, newKey: newKey, states: &states, into: &lines)
        }
        return HTTPReceiver.json(
            .accepted, ["status": "success", "message": "Event processed", "dedup_key": taken.answer.deduplicationKey])
    }

    /// `systemd-journal-upload`: one request holds whatever the journal has, so it is taken piece by piece, each durable before the next
    /// is read, and acknowledged as a whole. Sent again after a failure, entries that were taken are not taken twice.
    func upload(_ request: Request, _ intake: Intake) async throws -> Response {
        let type = HTTPReceiver.mediaType(request)
        guard type == "application/vnd.fdo.journal" else {
            throw HTTPRefusal(
                .unsupportedMediaType, "unsupported",
                "the content type '\(type)' is not known here; application/vnd.fdo.journal is",
                isBodyUnread: true)
        }
        let encoding = request.headers[.contentEncoding]?.lowercased() ?? "identity"
        guard ["identity", ""].contains(encoding) else {
            // An upload has no end that a limit of what comes out could be held against.
            throw HTTPRefusal(
                .unsupportedMediaType, "unsupported",
                "the encoding '\(encoding)' is not taken here; send the journal as it is, without compression", isBodyUnread: true
            )
        }
        var export = JournalExport()
        var piece: [UInt8] = []
        var pace = options.patience.entry
        for try await buffer in request.body {
            try pace.take(buffer.readableBytesView, at: .now)
            // Each piece waits for room by itself: a long upload must not fill the spool past its limit.
            if let refusal = intake.refusal(), refusal.code == .full { throw refusal }
            piece.append(contentsOf: buffer.readableBytesView)
            guard piece.count >= 1 << 20 else { continue }
            export = try await intake.commit(options.format, piece, of: export, isLast: false)
            piece.removeAll(keepingCapacity: true)
        }
        _ = try await intake.commit(options.format, piece, of: export, isLast: true)
        return HTTPReceiver.answer(.accepted, "OK.\n")
    }

    private static func json(_ status: HTTPResponse.Status, _ object: [String: Any]) -> Response {
        let data = (try? JSONSerialization.data(withJSONObject: object, options: .sortedKeys)) ?? Data()
        return answer(status, String(decoding: data, as: UTF8.self) + "\n", type: "application/json")
    }
}
