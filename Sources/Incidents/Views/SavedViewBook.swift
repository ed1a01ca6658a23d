import Events

/// All saved views, as the journal has them. Pure: the same entries give the same book.
package struct SavedViewBook: Sendable, Equatable {
    /// Of one account; a stolen session must not fill the journal.
    package static let mostPerAccount = 50
    package static let longestName = 60
    package static let longestSearch = 200

    private var views: [String: SavedView] = [:]

    package init() {}

    package mutating func apply(_ event: SavedViewEvent) {
        switch event {
        case .saved(let view): views[view.id] = view
        case .gone(let id): views[id] = nil
        }
    }

    package subscript(id: String) -> SavedView? { views[id] }

    /// One's own and those that are shared, by name.
    package func views(for account: String) -> [SavedView] {
        views.values.filter { $0.isShared || $0.owner.id == account }.sorted { ($0.name, $0.id) < ($1.name, $1.id) }
    }

    /// What an order comes to.
    package func decide(_ order: SavedViewOrder) throws(SavedViewRefusal) -> SavedViewEvent {
        switch order.action {
        case .save(let view):
            try check(view, order)
            guard views[view.id] == nil else {
                throw SavedViewRefusal(.notAllowed, "that view is there already", "save it under another name")
            }
            guard views.values.count(where: { $0.owner.id == order.author.id }) < Self.mostPerAccount else {
                throw SavedViewRefusal(
                    .notAllowed, "you have \(Self.mostPerAccount) views already", "delete those that you do not use any more")
            }
            return .saved(view)
        case .change(let id, let name, let isShared, let isPinned):
            var view = try view(id, for: order.author)
            guard view.owner.id == order.author.id else {
                throw SavedViewRefusal(.forbidden, "this view is somebody else's", "save one of your own")
            }
            view.name = name ?? view.name
            view.isShared = isShared ?? view.isShared
            view.isPinned = isPinned ?? view.isPinned
            view.owner = order.author
            try check(view, order)
            return .saved(view)
        case .delete(let id):
            let view = try view(id, for: order.author)
            guard view.owner.id == order.author.id || order.mayTidy else {
                throw SavedViewRefusal(.forbidden, "this view is somebody else's", "ask its owner, or an admin")
            }
            return .gone(id)
        }
    }

    private func view(_ id: String, for author: Author) throws(SavedViewRefusal) -> SavedView {
        guard let view = views[id], view.isShared || view.owner.id == author.id else {
            throw SavedViewRefusal(.unknown, "there is no such view", "the page of views has those that you can use")
        }
        return view
    }

    private func check(_ view: SavedView, _ order: SavedViewOrder) throws(SavedViewRefusal) {
        let isPrintable = { (text: String) in text.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F } }
        guard (1...Self.longestName).contains(view.name.count), isPrintable(view.name),
            view.name.contains(where: { !$0.isWhitespace })
        else {
            throw SavedViewRefusal(.invalid, "a view needs a name of 1 to \(Self.longestName) characters", "say what it shows")
        }
        guard view.filter.search.count <= Self.longestSearch, isPrintable(view.filter.search) else {
            throw SavedViewRefusal(.invalid, "the search is longer than \(Self.longestSearch) characters", "shorten it")
        }
        let isNewlyShared = view.isShared && views[view.id]?.isShared != true
        guard !isNewlyShared || order.mayShare else {
            throw SavedViewRefusal(.forbidden, "viewers show others no views", "save it for yourself, or ask a responder")
        }
        guard !views.values.contains(where: { $0.id != view.id && $0.owner.id == view.owner.id && $0.name == view.name }) else {
            throw SavedViewRefusal(.notAllowed, "you have a view of that name", "choose another, or delete the old one")
        }
    }
}
