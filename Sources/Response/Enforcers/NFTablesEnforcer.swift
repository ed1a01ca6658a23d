package import Events
import Journal

/// Blocks and throttles addresses and networks with nftables: sets whose elements time out by themselves, so that a block ends even
/// when nobody is left to lift it, and count what they dropped.
///
/// The table is Vigie's own. Its chain sits at priority `raw` on `prerouting`, before connection tracking, destination NAT and every
/// container engine's forwarding: a container behind a published port is protected like the host. There is one hash set for each
/// length of prefix: networks that overlap, and addresses inside of them, are blocked and lifted each by itself.
///
/// What is throttled is new TCP connections, for each element by itself: packets say nothing of requests. There is one set for each
/// rate, whose elements each hold a token bucket (nft(8), "limit") of as many connections as may come at once.
package struct NFTablesEnforcer: Enforcer {
    package let name = "nftables"
    package let verbs: Set<Lease.Verb> = [.blockAddress, .throttleAddress]
    /// Runs `nft` with arguments and standard input, and gives its standard output; throws with what it said.
    package typealias Runner = @Sendable (_ arguments: [String], _ input: String?) async throws -> String

    /// Elements of one transaction: what the kernel takes in one message is bounded.
    private static let transactionElements = 5_000
    /// Up to so many, elements are asked for one by one: a listing of a hundred thousand takes a second.
    private static let fewElements = 4

    private let table: String
    private let run: Runner

    package init(table: String = "vigie", run: @escaping Runner) {
        self.table = table
        self.run = run
    }

    /// Makes table and chain; harmless where they are there.
    package func prepare() async throws {
        try await send([
            ["add": ["table": ["family": "inet", "name": .string(table)]]],
            [
                "add": [
                    "chain": [
                        "family": "inet", "table": .string(table), "name": "block", "type": "filter", "hook": "prerouting",
                        "prio": -300, "policy": "accept",
                    ]
                ]
            ],
        ])
    }

    package func apply(_ leases: [Lease], now: Timestamp) async throws {
        var orders: [BlockSet: [(element: JSONValue, timed: JSONValue)]] = [:]
        for lease in leases {
            let left = lease.expiresAt.nanoseconds(since: now) / 1_000_000_000
            guard left > 0 else { throw EnforcerError(enforcer: name, lease: lease.id, reason: "it has expired") }
            let (set, address) = try block(of: lease)
            orders[set, default: []].append(
                (.string(address), .object(["elem": ["val": .string(address), "timeout": .integer(left)]])))
        }
        let known = try await sets()
        for (set, elements) in orders {
            if known[set] != true { try await make(set, hasSet: known[set] != nil) }
            for start in stride(from: 0, to: elements.count, by: Self.transactionElements) {
                let some = elements[start..<min(start + Self.transactionElements, elements.count)]
                let plain = some.map(\.element)
                // An element that is there keeps its old timeout: it is taken out, which fails where it is not there, and put in anew.
                try await send([
                    order("add", set, plain), order("delete", set, plain), order("add", set, some.map(\.timed)),
                ])
            }
        }
    }

    package func lift(_ leases: [Lease]) async throws {
        var orders: [BlockSet: [JSONValue]] = [:]
        for lease in leases {
            guard let (set, address) = try? block(of: lease) else { continue }
            orders[set, default: []].append(.string(address))
        }
        let known = try await sets()
        for (set, elements) in orders where known[set] != nil {
            for start in stride(from: 0, to: elements.count, by: Self.transactionElements) {
                let some = Array(elements[start..<min(start + Self.transactionElements, elements.count)])
                // Put in first, so that taking out does not fail where it has timed out by itself.
                try await send([order("add", set, some), order("delete", set, some)])
            }
        }
    }

    package func observe(_ leases: [Lease]) async throws -> [String: Observation] {
        var asked: [BlockSet: [(id: String, address: String)]] = [:]
        for lease in leases {
            guard let (set, address) = try? block(of: lease) else { continue }
            asked[set, default: []].append((lease.id, address))
        }
        let known = try await sets()
        var found: [String: Observation] = [:]
        // An element of a set that no rule looks into blocks nobody.
        for (set, leases) in asked where known[set] == true {
            let elements =
                leases.count <= Self.fewElements
                ? try await elements(of: set, leases.map(\.address)) : try await elements(of: set)
            for lease in leases {
                if let packets = elements[lease.address] { found[lease.id] = .shown(refusals: packets) }
            }
        }
        return found
    }

    package func resume(with leases: [Lease], ended: [Lease]) async throws {
        var wanted: [BlockSet: Set<String>] = [:]
        for lease in leases {
            guard let (set, address) = try? block(of: lease) else { continue }
            wanted[set, default: []].insert(address)
        }
        for set in try await sets().keys {
            let stray = try await elements(of: set).keys.filter { wanted[set]?.contains($0) != true }.sorted()
            for start in stride(from: 0, to: stray.count, by: Self.transactionElements) {
                let some = stray[start..<min(start + Self.transactionElements, stray.count)].map { JSONValue.string($0) }
                try await send([order("add", set, some), order("delete", set, some)])
            }
        }
    }

    /// Packets that all rules together have dropped.
    package func droppedPackets() async throws -> Int64 {
        let listing = try await parsed(["-j", "list", "chain", "inet", table, "block"])
        return (listing["nftables"]?.arrayValue ?? []).reduce(0) { sum, entry in
            sum
                + (entry["rule"]?["expr"]?.arrayValue ?? []).reduce(0) { $0 + ($1["counter"]?["packets"]?.integerValue ?? 0) }
        }
    }

    // MARK: Sets

    /// How many connections a throttle lets through in how many seconds.
    private struct Rate: Hashable {
        var requests: Int64
        var seconds: Int64

        /// Beyond a day's share, with as many at once as the lease names.
        var limit: JSONValue {
            ["limit": ["rate": .integer(requests * 86_400 / seconds), "per": "day", "burst": .integer(requests), "inv": true]]
        }
    }

    /// The blocks of one length of prefix, or its throttles of one rate.
    private struct BlockSet: Hashable {
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

    private func block(of lease: Lease) throws -> (BlockSet, address: String) {
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

    /// The sets that there are, and whether a rule drops what is in them, in a chain that packets come through.
    private func sets() async throws -> [BlockSet: Bool] {
        let entries = (try await parsed(["-j", "-t", "list", "table", "inet", table]))["nftables"]?.arrayValue ?? []
        let isHooked = entries.contains {
            $0["chain"]?["name"]?.stringValue == "block" && $0["chain"]?["hook"]?.stringValue == "prerouting"
        }
        let ruled = entries.compactMap { entry -> String? in
            guard let steps = entry["rule"]?["expr"]?.arrayValue, entry["rule"]?["chain"]?.stringValue == "block",
                steps.contains(where: { $0["drop"] != nil })
            else { return nil }
            return steps.lazy.compactMap { $0["match"]?["right"]?.stringValue }.first { $0.hasPrefix("@") }
        }
        var sets: [BlockSet: Bool] = [:]
        for entry in entries {
            guard let name = entry["set"]?["name"]?.stringValue, let set = BlockSet(name: name) else { continue }
            sets[set] = isHooked && ruled.contains("@" + name)
        }
        return sets
    }

    private func make(_ set: BlockSet, hasSet: Bool) async throws {
        var orders: [JSONValue] = []
        if !hasSet {
            orders.append([
                "add": [
                    "set": [
                        "family": "inet", "table": .string(table), "name": .string(set.name),
                        "type": set.isV4 ? "ipv4_addr" : "ipv6_addr", "flags": ["timeout"], "stmt": .array(set.statements),
                    ]
                ]
            ])
        }
        orders.append([
            "add": [
                "rule": [
                    "family": "inet", "table": .string(table), "chain": "block",
                    "expr": .array(
                        set.matches + [
                            ["match": ["op": "==", "left": set.source, "right": .string("@" + set.name)]], ["counter": .null],
                            ["drop": .null],
                        ]),
                ]
            ]
        ])
        try await send(orders)
    }

    private func order(_ verb: String, _ set: BlockSet, _ elements: [JSONValue]) -> JSONValue {
        [
            verb: [
                "element": ["family": "inet", "table": .string(table), "name": .string(set.name), "elem": .array(elements)]
            ]
        ]
    }

    private func send(_ orders: [JSONValue]) async throws {
        _ = try await run(["-j", "-f", "-"], JSONValue.object(["nftables": .array(orders)]).description)
    }

    private func parsed(_ arguments: [String]) async throws -> JSONValue {
        // A set of a hundred thousand elements is some twenty megabytes of listing.
        try JSONValue(parsing: Array(try await run(arguments, nil).utf8), limits: .init(depth: 64, bytes: 256 << 20))
    }

    /// All elements, each with the packets it dropped.
    private func elements(of set: BlockSet) async throws -> [String: Int64] {
        let listing = try await parsed(["-j", "list", "set", "inet", table, set.name])
        var found: [String: Int64] = [:]
        for entry in (listing["nftables"]?.arrayValue ?? []).compactMap({ $0["set"]?["elem"]?.arrayValue }).joined() {
            let element = entry["elem"]
            guard let text = (element?["val"] ?? entry).stringValue else { continue }
            found[IPAddress(text)?.description ?? text] = element?["counter"]?["packets"]?.integerValue ?? 0
        }
        return found
    }

    /// These elements alone. `nft` answers this one in words even where JSON is asked for.
    private func elements(of set: BlockSet, _ addresses: [String]) async throws -> [String: Int64] {
        var found: [String: Int64] = [:]
        for address in addresses {
            let text: String
            do {
                text = try await run(["get", "element", "inet", table, set.name, "{ \(address) }"], nil)
            } catch  where "\(error)".contains("No such file or directory") {
                continue
            }
            // elements = { 192.0.2.0 counter packets 0 bytes 0 timeout 10m expires 9m59s832ms }, with `limit rate over 10/minute
            // burst 10 packets` before the counter of a throttle.
            let words = text.split(whereSeparator: { " {},\n\t".contains($0) })
            guard words.contains(where: { IPAddress($0)?.description == address }) else { continue }
            let place = words.firstIndex(of: "counter").map { words.index($0, offsetBy: 2) }
            found[address] = place.flatMap { $0 < words.endIndex ? Int64(words[$0]) : nil } ?? 0
        }
        return found
    }
}
