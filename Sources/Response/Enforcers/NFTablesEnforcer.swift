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
    /// Up to so many, all are listed for the sake of a few: that gives their counters, too, and takes some ten milliseconds. A listing
    /// of a hundred thousand takes two seconds.
    static let fewElements = 1_000

    let table: String
    let run: Runner
    /// As the last listing had it, and what was put in since; `nil` before the first one.
    let elementCount = ElementCount()

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
        for (set, elements) in orders {
            for start in stride(from: 0, to: elements.count, by: Self.transactionElements) {
                let some = elements[start..<min(start + Self.transactionElements, elements.count)]
                let plain = some.map(\.element)
                // An element that is there keeps its old timeout: it is taken out, which fails where it is not there, and put in anew.
                try await put(
                    into: set,
                    [order("add", set, plain), order("delete", set, plain), order("add", set, some.map(\.timed))])
                elementCount.withLock { if let count = $0 { $0 = count + some.count } }
            }
        }
    }

    /// Elements go in and the table is looked at in one start of `nft`: hardly ever is there more to be done.
    private func put(into set: BlockSet, _ orders: [JSONValue]) async throws {
        if let picture = try? await send([Self.outline] + orders) {
            if picture.isRuled[set] != true { try await make(set, hasSet: true) }
            return
        }
        let picture = try await send([Self.outline])
        if picture.isRuled[set] != true { try await make(set, hasSet: picture.isRuled[set] != nil) }
        try await send(orders)
    }

    package func lift(_ leases: [Lease]) async throws {
        var orders: [BlockSet: [JSONValue]] = [:]
        for lease in leases {
            guard let (set, address) = try? block(of: lease) else { continue }
            orders[set, default: []].append(.string(address))
        }
        for (set, elements) in orders {
            for start in stride(from: 0, to: elements.count, by: Self.transactionElements) {
                let some = Array(elements[start..<min(start + Self.transactionElements, elements.count)])
                // Put in first, so that taking out does not fail where it has timed out by itself.
                if (try? await send([order("add", set, some), order("delete", set, some)])) != nil { continue }
                guard try await send([Self.outline]).isRuled[set] != nil else { break }
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
        guard !asked.isEmpty else { return [:] }
        if let count = elementCount.withLock(\.self), count > Self.fewElements, leases.count * 8 < count,
            let picture = try await presence(of: asked.mapValues { $0.map(\.address) })
        {
            return Self.observations(of: asked, picture)
        }
        return Self.observations(of: asked, try await listing(counted: asked.keys))
    }

    /// An element of a set that no rule looks into blocks nobody.
    private static func observations(
        of asked: [BlockSet: [(id: String, address: String)]], _ picture: Picture
    ) -> [String: Observation] {
        var found: [String: Observation] = [:]
        for (set, leases) in asked where picture.isRuled[set] == true {
            for lease in leases {
                if let packets = picture.elements[set]?[lease.address] { found[lease.id] = .shown(refusals: packets) }
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
        for (set, elements) in try await listing(counted: []).elements {
            let stray = elements.keys.filter { wanted[set]?.contains($0) != true }.sorted()
            for start in stride(from: 0, to: stray.count, by: Self.transactionElements) {
                let some = stray[start..<min(start + Self.transactionElements, stray.count)].map { JSONValue.string($0) }
                try await send([order("add", set, some), order("delete", set, some)])
            }
        }
    }

    /// Packets that all rules together have dropped.
    package func droppedPackets() async throws -> Int64 { try await send([Self.outline]).droppedPackets }

    // MARK: Orders

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

    func order(_ verb: String, _ set: BlockSet, _ elements: [JSONValue]) -> JSONValue {
        [
            verb: [
                "element": ["family": "inet", "table": .string(table), "name": .string(set.name), "elem": .array(elements)]
            ]
        ]
    }
}
