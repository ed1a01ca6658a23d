import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import Synchronization

@testable import Guard

/// What Vigie's side of the contract says, for one application: answers come from a list that the test extends.
final class FakeVigie: Sendable {
    struct State {
        var epoch = "e1"
        var first = 0
        var initial: [DecisionMessage.Record] = []
        var changes: [DecisionMessage.Change] = []
        var streams: [AsyncStream<ByteBuffer>.Continuation] = []
        var snapshots = 0
        var continued: [Int] = []
        var isDown = false
        var tokens: [String] = []
        /// Raw bytes instead of a document.
        var garbage: String?
    }

    let state: Mutex<State>

    init(epoch: String = "e1", first: Int = 0, _ initial: [DecisionMessage.Record] = []) {
        state = Mutex(State(epoch: epoch, first: first, initial: initial))
    }

    func router() -> Router<BasicRequestContext> {
        let router = Router()
        router.get("/api/guard/v1/decisions") { [self] request, _ in
            let document = try state.withLock { state -> ByteBuffer? in
                state.tokens.append(request.headers[.authorization] ?? "")
                guard !state.isDown else { return nil }
                state.snapshots += 1
                if let garbage = state.garbage { return ByteBuffer(string: garbage) }
                var records = state.initial
                for change in state.changes {
                    if let record = change.decision { records.append(record) }
                    if let id = change.id { records.removeAll { $0.id == id } }
                }
                let snapshot = DecisionMessage.Snapshot(
                    version: 1, epoch: state.epoch, sequence: state.first + state.changes.count, decisions: records)
                return ByteBuffer(bytes: try JSONEncoder().encode(snapshot))
            }
            guard let document else { return Response(status: .serviceUnavailable) }
            return Response(status: .ok, body: ResponseBody(byteBuffer: document))
        }
        router.get("/api/guard/v1/decisions/stream") { [self] request, _ in
            let after = Int(request.uri.queryParameters["after"] ?? "") ?? -1
            let epoch = request.uri.queryParameters["epoch"].map(String.init)
            let (stream, continuation) = AsyncStream.makeStream(of: ByteBuffer.self)
            let status = try state.withLock { state -> HTTPResponse.Status in
                guard !state.isDown else { return .serviceUnavailable }
                guard epoch == state.epoch, after >= state.first, after <= state.first + state.changes.count else { return .gone }
                state.continued.append(after)
                continuation.yield(ByteBuffer(string: "{\"sequence\":\(after),\"change\":\"heartbeat\"}\n"))
                for change in state.changes where change.sequence > after { continuation.yield(try Self.line(change)) }
                state.streams.append(continuation)
                return .ok
            }
            guard status == .ok else { return Response(status: status) }
            return Response(
                status: .ok, headers: [.contentType: "application/x-ndjson"], body: ResponseBody(asyncSequence: stream))
        }
        return router
    }

    /// Decides something, and tells whoever listens.
    func add(_ record: DecisionMessage.Record) throws {
        try tell { DecisionMessage.Change(sequence: $0, change: "add", decision: record, id: nil) }
    }

    func remove(_ id: String) throws {
        try tell { DecisionMessage.Change(sequence: $0, change: "remove", decision: nil, id: id) }
    }

    private func tell(_ make: (Int) -> DecisionMessage.Change) throws {
        try state.withLock { state in
            let change = make(state.first + state.changes.count + 1)
            state.changes.append(change)
            for stream in state.streams { stream.yield(try Self.line(change)) }
        }
    }

    /// Sends a line as it stands.
    func say(_ line: String) {
        state.withLock { state in
            for stream in state.streams { stream.yield(ByteBuffer(string: line)) }
        }
    }

    /// Ends every stream, and answers nothing more until it is back.
    func setDown(_ isDown: Bool) {
        state.withLock { state in
            state.isDown = isDown
            guard isDown else { return }
            for stream in state.streams { stream.finish() }
            state.streams = []
        }
    }

    func hangUp() {
        state.withLock { state in
            for stream in state.streams { stream.finish() }
            state.streams = []
        }
    }

    private static func line(_ change: DecisionMessage.Change) throws -> ByteBuffer {
        ByteBuffer(bytes: try JSONEncoder().encode(change) + Data("\n".utf8))
    }
}

/// Runs it for the length of `body`; streams that are still open end with it, as a server that stops waits for them.
func withVigie(_ vigie: FakeVigie, _ body: (_ port: Int) async throws -> Void) async throws {
    try await withApplication(vigie.router()) { port async throws in
        defer { vigie.setDown(true) }
        try await body(port)
    }
}
