import Console
import Events
import Incidents

/// Where views of the incident list are kept: decided on one after the other, in the book once the journal has them.
actor ViewDesk: ViewKeeping {
    private var book: SavedViewBook
    private let recorder: Recorder
    private let now: @Sendable () -> Timestamp
    private var turn: Task<Void, Never>?

    /// - Parameter book: of everything that the journal holds.
    init(book: SavedViewBook, recorder: Recorder, now: @escaping @Sendable () -> Timestamp) {
        self.book = book
        self.recorder = recorder
        self.now = now
    }

    func views(for account: String) -> [SavedView] { book.views(for: account) }

    func carryOut(_ order: SavedViewOrder) async throws -> SavedView? {
        // An actor may be entered again while it waits for the disk; what was decided on has to hold until it is recorded.
        let previous = turn
        let task = Task {
            await previous?.value
            return try await self.record(order)
        }
        turn = Task { _ = await task.result }
        return try await task.value
    }

    private func record(_ order: SavedViewOrder) async throws -> SavedView? {
        let event = try book.decide(order)
        let time = now()
        try await recorder.record(event.draft(by: order.author, at: time), at: time)
        book.apply(event)
        return if case .saved(let view) = event { view } else { nil }
    }
}
