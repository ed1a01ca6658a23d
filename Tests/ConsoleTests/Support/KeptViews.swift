import Console
import Events
import Incidents

/// Views without a journal.
final class KeptViews: ViewKeeping {
    private let book = Shared(SavedViewBook())

    func views(for account: String) async -> [SavedView] { book.withLock { $0.views(for: account) } }

    func carryOut(_ order: SavedViewOrder) async throws -> SavedView? {
        let outcome = book.withLock { book -> Result<SavedViewEvent, SavedViewRefusal> in
            do throws(SavedViewRefusal) {
                let event = try book.decide(order)
                book.apply(event)
                return .success(event)
            } catch {
                return .failure(error)
            }
        }
        if case .saved(let view) = try outcome.get() { return view }
        return nil
    }
}
