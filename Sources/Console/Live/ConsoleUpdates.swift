import Synchronization

/// Tells open pages which incidents changed.
///
/// Memory is bounded whatever the clients do: at most `maximumSubscribers` streams, and for each at most `maximumPending` incident ids;
/// beyond that its ids collapse into one "refresh". A subscriber that has not taken its news for `patience` is dropped.
///
/// Thread-safe; `publish` takes a lock for a few microseconds and never waits for a client.
package final class ConsoleUpdates: Sendable {
    /// What a subscriber has to be told, oldest first.
    package struct Delivery: Sendable, Equatable {
        package var changes: [Change]
        /// Too much happened to name it: read everything again.
        package var isRefresh: Bool
        /// The newest sequence that this delivery covers.
        package var sequence: Int
    }

    package struct Change: Sendable, Equatable {
        package var incidentID: String
        /// Of the newest journal entry about it.
        package var sequence: Int

        package init(incidentID: String, sequence: Int) {
            self.incidentID = incidentID
            self.sequence = sequence
        }
    }

    /// One open stream. `wakes` yields when there may be something to ``ConsoleUpdates/take(_:)``, and ends when the stream has to.
    package struct Subscription: Sendable {
        package let id: Int
        /// Where the journal stood when the subscription began.
        package let sequence: Int
        package let wakes: AsyncStream<Void>
        let continuation: AsyncStream<Void>.Continuation

        /// Makes `wakes` yield once more: the heartbeat.
        package func wake() {
            continuation.yield()
        }
    }

    private struct Subscriber {
        var owner: String
        var pending: [String: Int] = [:]
        var isOverflowing = false
        var pendingSince: ContinuousClock.Instant?
        let continuation: AsyncStream<Void>.Continuation
        let onDrop: @Sendable () -> Void
    }

    private struct State {
        var sequence: Int
        var subscribers: [Int: Subscriber] = [:]
        var nextID = 0
        var isClosed = false
    }

    private let state: Mutex<State>
    private let maximumSubscribers: Int
    private let maximumPerOwner: Int
    private let maximumPending: Int
    private let patience: Duration

    /// - Parameter sequence: the newest journal entry whose effect the tables already show.
    package init(
        sequence: Int = 0, maximumSubscribers: Int = 256, maximumPerOwner: Int = 24, maximumPending: Int = 64,
        patience: Duration = .seconds(60)
    ) {
        state = Mutex(State(sequence: sequence))
        self.maximumSubscribers = maximumSubscribers
        self.maximumPerOwner = maximumPerOwner
        self.maximumPending = maximumPending
        self.patience = patience
    }

    /// The newest sequence published. Read it *before* the tables when rendering a page, so that nothing falls between.
    package var sequence: Int { state.withLock { $0.sequence } }

    package var subscriberCount: Int { state.withLock { $0.subscribers.count } }

    /// Says that the tables now show journal entry `sequence` about `incidentID`. Call it after the write is visible to readers.
    package func publish(sequence: Int, incidentID: String, at now: ContinuousClock.Instant = .now) {
        let dropped = state.withLock { state -> [Subscriber] in
            state.sequence = max(state.sequence, sequence)
            var dropped: [Subscriber] = []
            for (id, var subscriber) in state.subscribers {
                if let since = subscriber.pendingSince, now - since > patience {
                    dropped.append(subscriber)
                    state.subscribers[id] = nil
                    continue
                }
                if subscriber.pending[incidentID] == nil, subscriber.pending.count >= maximumPending {
                    subscriber.isOverflowing = true
                    subscriber.pending = [:]
                }
                if !subscriber.isOverflowing {
                    subscriber.pending[incidentID] = max(sequence, subscriber.pending[incidentID] ?? 0)
                }
                if subscriber.pendingSince == nil { subscriber.pendingSince = now }
                state.subscribers[id] = subscriber
                // bufferingNewest(1): a burst leaves one wake-up behind, not thousands.
                subscriber.continuation.yield()
            }
            return dropped
        }
        for subscriber in dropped { Self.drop(subscriber) }
    }

    /// Opens a stream; `nil` when there are too many or the server is stopping.
    ///
    /// - Parameters:
    ///   - owner: whose stream it is. Past `maximumPerOwner`, the owner's oldest stream makes room: it is most likely a closed tab.
    ///   - onDrop: called when the stream is thrown out, outside the lock; has to end a write that may be stuck.
    package func subscribe(owner: String, onDrop: @escaping @Sendable () -> Void = {}) -> Subscription? {
        let (wakes, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let (subscription, dropped) = state.withLock { state -> (Subscription?, Subscriber?) in
            guard !state.isClosed else { return (nil, nil) }
            var dropped: Subscriber?
            let own = state.subscribers.filter { $0.value.owner == owner }
            if own.count >= maximumPerOwner, let oldest = own.keys.min() {
                dropped = state.subscribers.removeValue(forKey: oldest)
            }
            guard state.subscribers.count < maximumSubscribers else { return (nil, dropped) }
            let id = state.nextID
            state.nextID += 1
            state.subscribers[id] = Subscriber(owner: owner, continuation: continuation, onDrop: onDrop)
            return (Subscription(id: id, sequence: state.sequence, wakes: wakes, continuation: continuation), dropped)
        }
        if let dropped { Self.drop(dropped) }
        return subscription
    }

    /// Hands over what has gathered; `nil` when the subscription is over.
    package func take(_ subscription: Subscription) -> Delivery? {
        state.withLock { state in
            guard var subscriber = state.subscribers[subscription.id] else { return nil }
            let changes = subscriber.pending.map { Change(incidentID: $0.key, sequence: $0.value) }
            let delivery = Delivery(
                changes: changes.sorted { ($0.sequence, $0.incidentID) < ($1.sequence, $1.incidentID) },
                isRefresh: subscriber.isOverflowing, sequence: state.sequence)
            subscriber.pending = [:]
            subscriber.isOverflowing = false
            subscriber.pendingSince = nil
            state.subscribers[subscription.id] = subscriber
            return delivery
        }
    }

    package func end(_ subscription: Subscription) {
        let ended = state.withLock { $0.subscribers.removeValue(forKey: subscription.id) }
        ended?.continuation.finish()
    }

    /// Ends every stream and accepts no more. Streams also end by themselves when their server begins to stop.
    package func close() {
        let all = state.withLock { state in
            state.isClosed = true
            defer { state.subscribers = [:] }
            return Array(state.subscribers.values)
        }
        for subscriber in all { subscriber.continuation.finish() }
    }

    private static func drop(_ subscriber: Subscriber) {
        subscriber.continuation.finish()
        subscriber.onDrop()
    }
}
