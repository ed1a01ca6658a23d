package import Events

/// A filter of the incident list that somebody keeps under a name.
package struct SavedView: Sendable, Hashable {
    /// What the list is narrowed to. Who reads it sees what they may see of it.
    package struct Filter: Sendable, Hashable {
        package var search: String
        /// Empty for all.
        package var severities: Set<Severity>
        package var includesClosed: Bool

        package init(search: String = "", severities: Set<Severity> = [], includesClosed: Bool = false) {
            self.search = search
            self.severities = severities
            self.includesClosed = includesClosed
        }
    }

    /// 64 random bits in hex.
    package var id: String
    package var name: String
    package var filter: Filter
    package var owner: Author
    /// With everybody.
    package var isShared: Bool
    /// A tab above the list, for everybody who sees the view.
    package var isPinned: Bool

    package init(id: String, name: String, filter: Filter, owner: Author, isShared: Bool = false, isPinned: Bool = true) {
        self.id = id
        self.name = name
        self.filter = filter
        self.owner = owner
        self.isShared = isShared
        self.isPinned = isPinned
    }
}

/// What somebody wants done about views.
package struct SavedViewOrder: Sendable {
    package enum Action: Sendable {
        case save(SavedView)
        /// What is `nil` stays.
        case change(id: String, name: String?, isShared: Bool?, isPinned: Bool?)
        case delete(id: String)
    }

    package var action: Action
    package var author: Author
    /// Whether they may show others a view.
    package var mayShare: Bool
    /// Whether they may delete what others share: somebody has to when the owner is gone.
    package var mayTidy: Bool

    package init(_ action: Action, by author: Author, mayShare: Bool, mayTidy: Bool) {
        self.action = action
        self.author = author
        self.mayShare = mayShare
        self.mayTidy = mayTidy
    }
}

/// Why nothing was done about a view.
package typealias SavedViewRefusal = OrderRefusal<SavedViewRefusalCode>

package enum SavedViewRefusalCode: String, RefusalCode {
    /// Also for views of others that are not shared: they are nobody else's business.
    case unknown = "unknown_view"
    case notAllowed = "not_allowed"
    case invalid
    case forbidden

    package var kind: RefusalKind {
        switch self {
        case .unknown: .unknown
        case .notAllowed: .conflict
        case .invalid: .invalid
        case .forbidden: .forbidden
        }
    }
}
