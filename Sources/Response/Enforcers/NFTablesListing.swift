import Events
import Journal

/// Reads what `nft -j list set` says.
package enum NFTablesListing {
    /// Addresses and networks of a set, as leases spell them; ranges that are no network are left out.
    package static func targets(_ text: String) throws -> Set<String> {
        let listing = try JSONValue(parsing: Array(text.utf8), limits: .init(depth: 64, bytes: 256 << 20))
        var found: Set<String> = []
        for entry in (listing["nftables"]?.arrayValue ?? []).compactMap({ $0["set"]?["elem"]?.arrayValue }).joined() {
            let value = entry["elem"]?["val"] ?? entry
            if let text = value.stringValue, let address = IPAddress(text) {
                found.insert("\(address)")
            } else if let prefix = value["prefix"], let text = prefix["addr"]?.stringValue, let address = IPAddress(text),
                let length = prefix["len"]?.integerValue
            {
                found.insert("\(address)/\(length)")
            }
        }
        return found
    }
}
