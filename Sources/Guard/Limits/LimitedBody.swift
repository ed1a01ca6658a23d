import Hummingbird
import NIOCore
import Synchronization

/// A request's body that ends with a ``Refusal`` when it grows beyond a limit, whatever `Content-Length` said, or comes too slowly.
struct LimitedBody: AsyncSequence, Sendable {
    typealias Element = ByteBuffer

    let body: RequestBody
    let limit: Int
    let deadline: BodyDeadline?

    struct AsyncIterator: AsyncIteratorProtocol {
        var base: RequestBody.AsyncIterator
        var left: Int
        let deadline: BodyDeadline?

        // Where Hummingbird's own iterator runs.
        @concurrent mutating func next() async throws -> ByteBuffer? {
            let buffer: ByteBuffer?
            do {
                buffer = try await base.next()
            } catch {
                throw deadline?.hasPassed == true ? Refusal.tooSlow : error
            }
            // A connection that is closed for reading looks like a body that ended.
            if deadline?.hasPassed == true { throw Refusal.tooSlow }
            guard let buffer else {
                deadline?.cancel()
                return nil
            }
            left -= buffer.readableBytes
            guard left >= 0 else { throw Refusal.tooLarge }
            return buffer
        }
    }

    func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(base: body.makeAsyncIterator(), left: limit, deadline: deadline)
    }
}

/// Closes a connection for reading when the body of its request takes too long: a task that waits for the next piece goes on, and
/// finds out why.
final class BodyDeadline: Sendable {
    private struct State {
        var hasPassed = false
        var scheduled: Scheduled<Void>?
    }

    private let state = Mutex(State())

    init(_ limit: Duration, channel: any Channel) {
        let scheduled = channel.eventLoop.scheduleTask(in: TimeAmount(limit)) { [weak self] in
            self?.state.withLock { $0.hasPassed = true }
            channel.close(mode: .input, promise: nil)
        }
        state.withLock { $0.scheduled = scheduled }
    }

    var hasPassed: Bool { state.withLock { $0.hasPassed } }

    func cancel() {
        state.withLock { state in
            let scheduled = state.scheduled
            state.scheduled = nil
            return scheduled
        }?.cancel()
    }
}
