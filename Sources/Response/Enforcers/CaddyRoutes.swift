package import Journal

/// Reads what a running Caddy has loaded, as `GET /config/` of its admin API gives it.
package enum CaddyRoutes {
    /// Networks whose requests are aborted before anything else of their site is asked. Behind a route that answers, as the default
    /// order of directives puts it, a block would hold for some paths only: such a one does not count.
    package static func aborted(_ configuration: JSONValue) -> Set<String> {
        var found: Set<String> = []
        collect(configuration, &found)
        return found
    }

    private static func collect(_ value: JSONValue, _ found: inout Set<String>) {
        if let members = value.objectValue {
            if let first = members["routes"]?.arrayValue?.first, aborts(first) {
                for match in first["match"]?.arrayValue ?? [] where match.objectValue?.count == 1 {
                    for range in match["remote_ip"]?["ranges"]?.arrayValue ?? [] {
                        found.formUnion(range.stringValue.map { [$0] } ?? [])
                    }
                }
            }
            for member in members.values { collect(member, &found) }
        }
        for element in value.arrayValue ?? [] { collect(element, &found) }
    }

    private static func aborts(_ route: JSONValue) -> Bool {
        let handlers = route["handle"]?.arrayValue ?? []
        return handlers.contains { $0["handler"]?.stringValue == "static_response" && $0["abort"]?.boolValue == true }
    }
}
