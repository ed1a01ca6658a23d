import Events
import Journal

/// What stands in Vigie's table: a set for each length of prefix, and for each rate of a throttle.
extension NFTablesEnforcer {
    /// How many connections a throttle lets through in how many seconds.
    struct Rate: Hashable {
        var requests: Int64
        var seconds: Int64

        /// Beyond a day's share, with as many at once as the lease names.
        var limit: JSONValue {
            ["limit": ["rate": .integer(requests * 86_400 / seconds), "per": "day", "burst": .integer(requests), "inv": true]]
        }
    }

    /// The blocks of one length of prefix, or its throttles of one rate.
    struct BlockSet: Hashable {
        var isV4: Bool
        var length: Int
        /// `nil` for blocks.
        var rate: Rate?

        var name: String {
            let name = "\(rate == nil ? "blocked" : "throttled")\(isV4 ? 4 : 6)_\(length)"
            return rate.map { "\(name)_\($0.requests)_\($0.seconds)" } ?? name
        }

        init(isV4: Bool, length: Int, rate: Rate? = nil) {
            self.isV4 = isV4
            self.length = length
            self.rate = rate
        }

        init?(name: String) {
            let parts = name.split(separator: "_")
            let numbers = parts.dropFirst().compactMap { Int64($0) }
            guard numbers.count == parts.count - 1, let length = numbers.first else { return nil }
            switch (parts.first, numbers.count) {
            case ("blocked4", 1), ("blocked6", 1): self.init(isV4: parts[0] == "blocked4", length: Int(length))
            case ("throttled4", 3), ("throttled6", 3):
                guard numbers[1] > 0, numbers[2] > 0 else { return nil }
                self.init(
                    isV4: parts[0] == "throttled4", length: Int(length), rate: Rate(requests: numbers[1], seconds: numbers[2]))
            default: return nil
            }
        }

        /// What an element holds, in the order in which it is asked: a throttle counts what is beyond its limit only.
        var statements: [JSONValue] { (rate.map { [$0.limit] } ?? []) + [["counter": .null]] }

        /// What a rule asks for besides the source: a throttle looks at the first packet of each connection.
        var matches: [JSONValue] {
            guard rate != nil else { return [] }
            let flags: JSONValue = ["&": [["payload": ["protocol": "tcp", "field": "flags"]], ["fin", "syn", "rst", "ack"]]]
            return [["match": ["op": "==", "left": flags, "right": "syn"]]]
        }

        var source: JSONValue {
            let address: JSONValue = ["payload": ["protocol": isV4 ? "ip" : "ip6", "field": "saddr"]]
            guard length < (isV4 ? 32 : 128), let mask = AddressBlock("\(isV4 ? "255.255.255.255" : Self.ones)/\(length)") else {
                return address
            }
            return ["&": [address, .string("\(mask.base)")]]
        }

        private static let ones = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"
    }

    func block(of lease: Lease) throws -> (BlockSet, address: String) {
        guard verbs.contains(lease.verb), let block = AddressBlock(lease.target) else {
            throw EnforcerError(enforcer: name, lease: lease.id, reason: "\(lease.target) is neither an address nor a network")
        }
        let isV4 = block.base.isV4
        let number = { (name: String, otherwise: Int64) in lease.parameters[name].flatMap { Int64($0) } ?? otherwise }
        let rate =
            lease.verb == .throttleAddress
            ? Rate(requests: max(1, number("requests", 10)), seconds: max(1, number("seconds", 60))) : nil
        return (BlockSet(isV4: isV4, length: isV4 ? block.bits - 96 : block.bits, rate: rate), block.base.description)
    }
}
