import Incidents

struct APIViewList: Encodable {
    var views: [APIView]
}

struct APIView: Encodable {
    var id: String
    var name: String
    var search: String
    /// `P0` to `P3`; empty for all.
    var severities: [String]
    var closed: Bool
    var owner: String
    var shared: Bool
    var pinned: Bool
    var own: Bool
    /// Below the address of the console.
    var path: String

    init(_ view: SavedView, account: String) {
        id = view.id
        name = view.name
        search = view.filter.search
        severities = view.filter.severities.sorted(by: >).map(\.code)
        closed = view.filter.includesClosed
        owner = view.owner.label
        shared = view.isShared
        pinned = view.isPinned
        own = view.owner.id == account
        path = IncidentFilter(view.filter).path(page: 1)
    }
}
