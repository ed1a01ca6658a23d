import Events
import Incidents
import Journal
import Testing

@Suite("Saved views")
struct SavedViewTests {
    static let ana = Author(id: "a1", name: "ana")
    static let bob = Author(id: "b2", name: "bob")

    private func order(
        _ action: SavedViewOrder.Action, by author: Author = ana, mayShare: Bool = true, mayTidy: Bool = false
    ) -> SavedViewOrder {
        SavedViewOrder(action, by: author, mayShare: mayShare, mayTidy: mayTidy)
    }

    private func view(_ id: String, _ name: String = "Mine", owner: Author = ana, isShared: Bool = false) -> SavedView {
        SavedView(id: id, name: name, filter: .init(search: "web", severities: [.critical]), owner: owner, isShared: isShared)
    }

    private func refusal(_ book: SavedViewBook, _ order: SavedViewOrder) -> SavedViewRefusal.Code? {
        do throws(SavedViewRefusal) {
            _ = try book.decide(order)
            return nil
        } catch {
            return error.code
        }
    }

    private func book(_ views: SavedView...) throws -> SavedViewBook {
        var book = SavedViewBook()
        for view in views { book.apply(try book.decide(order(.save(view), by: view.owner))) }
        return book
    }

    @Test("one sees one's own and what is shared, by name")
    func visible() throws {
        let book = try book(
            view("1", "b"), view("2", "a"), view("3", "secret", owner: Self.bob), view("4", "c", owner: Self.bob, isShared: true))
        #expect(book.views(for: "a1").map(\.id) == ["2", "1", "4"])
        #expect(book.views(for: "b2").map(\.id) == ["4", "3"])
        #expect(book.views(for: "c3").map(\.id) == ["4"])
    }

    @Test("a view is changed by its owner alone; what is private is not there for others, whoever they are")
    func owners() throws {
        let book = try book(view("1"), view("2", "Shared", isShared: true))
        let change = { (id: String) in SavedViewOrder.Action.change(id: id, name: "x", isShared: nil, isPinned: false) }
        #expect(refusal(book, order(change("1"), by: Self.bob, mayTidy: true)) == .unknown)
        #expect(refusal(book, order(.delete(id: "1"), by: Self.bob, mayTidy: true)) == .unknown)
        #expect(refusal(book, order(change("2"), by: Self.bob, mayTidy: true)) == .forbidden)
        #expect(refusal(book, order(.delete(id: "2"), by: Self.bob)) == .forbidden)
        #expect(refusal(book, order(.delete(id: "2"), by: Self.bob, mayTidy: true)) == nil)
        #expect(refusal(book, order(.delete(id: "9"))) == .unknown)
        guard case .saved(let changed) = try book.decide(order(change("1"))) else {
            Issue.record("nothing is saved")
            return
        }
        #expect(changed.name == "x" && !changed.isPinned && changed.filter == view("1").filter)
    }

    @Test("names and searches have bounds, nobody has two views of a name, and fifty are enough")
    func limits() throws {
        var book = SavedViewBook()
        for name in ["", " ", String(repeating: "n", count: 61), "a\nb", "\u{7f}"] {
            #expect(refusal(book, order(.save(view("1", name)))) == .invalid, "\(name)")
        }
        var long = view("1")
        long.filter.search = String(repeating: "s", count: 201)
        #expect(refusal(book, order(.save(long))) == .invalid)
        for number in 0..<SavedViewBook.mostPerAccount {
            book.apply(try book.decide(order(.save(view("\(number)", "view \(number)")))))
        }
        #expect(refusal(book, order(.save(view("x", "one more")))) == .notAllowed)
        #expect(refusal(book, order(.change(id: "1", name: "view 2", isShared: nil, isPinned: nil))) == .notAllowed)
        #expect(refusal(book, order(.save(view("1", "again")), by: Self.ana)) == .notAllowed, "an id is given once")
        #expect(refusal(book, order(.save(view("x", "view 1", owner: Self.bob)), by: Self.bob)) == nil, "names are one's own")
    }

    @Test("viewers share nothing; what was shared before may be renamed")
    func sharing() throws {
        let book = try book(view("1"), view("2", "Shared", isShared: true))
        #expect(refusal(book, order(.save(view("3", "New", isShared: true)), mayShare: false)) == .forbidden)
        #expect(refusal(book, order(.change(id: "1", name: nil, isShared: true, isPinned: nil), mayShare: false)) == .forbidden)
        #expect(refusal(book, order(.change(id: "2", name: "y", isShared: nil, isPinned: nil), mayShare: false)) == nil)
        #expect(refusal(book, order(.change(id: "2", name: nil, isShared: false, isPinned: nil), mayShare: false)) == nil)
    }

    @Test("a replay of the journal gives the same book; erasing the owner, or an address, takes the view out of it")
    func replay() async throws {
        let folder = try TemporaryFolder()
        let keys = InMemorySubjectKeys()
        let journal = try Journal.open(directory: folder.path, keys: keys)
        var live = SavedViewBook()
        func carryOut(_ order: SavedViewOrder) async throws {
            let event = try live.decide(order)
            _ = try await journal.append([event.draft(by: order.author, at: Sample.start)], at: Sample.start)
            live.apply(event)
        }
        var address = view("2", "That address")
        address.filter.search = "ssh 203.0.113.9"
        var empty = view("3", "Everything", owner: Self.bob)
        empty.filter = SavedView.Filter(includesClosed: true)
        for saved in [view("1"), address, empty] { try await carryOut(order(.save(saved), by: saved.owner)) }
        try await carryOut(order(.change(id: "1", name: "Renamed", isShared: true, isPinned: false)))
        try await carryOut(order(.save(view("4", "Gone"))))
        try await carryOut(order(.delete(id: "4")))
        func replayed() async throws -> SavedViewBook {
            let entries = try journal.reader(from: 0).next(limit: .max)
            let personal = try await EntryOpener(keys: keys).open(entries)
            for entry in entries {
                let text = String(decoding: entry.canonicalBytes, as: UTF8.self)
                #expect(!text.contains("203.0.113.9") && !text.contains("Renamed") && !text.contains("ana"))
            }
            var book = SavedViewBook()
            for (entry, fields) in zip(entries, personal) {
                if let event = SavedViewEvent(entry, personal: fields) { book.apply(event) }
            }
            return book
        }
        #expect(try await replayed() == live)
        #expect(live.views(for: "a1").map(\.id) == ["1", "2"])
        await keys.erase(Subject(kind: .ip, value: "203.0.113.9"))
        #expect(try await replayed().views(for: "a1").map(\.id) == ["1"])
        await keys.erase(Subject(kind: .user, value: "ana"))
        #expect(try await replayed().views(for: "a1").isEmpty)
        #expect(try await replayed().views(for: "b2").map(\.id) == ["3"])
    }
}
