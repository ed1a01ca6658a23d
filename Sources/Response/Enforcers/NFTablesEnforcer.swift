package import Events
import Journal

/// Blocks addresses and networks with nftables: sets whose elements time out by themselves, so that a block ends even when nobody
/// is left to lift it.
///
/// The table is Vigie's own. Its chains sit at priority `raw` on `prerouting`, before connection tracking, destination NAT and every
/// container engine's forwarding: a container behind a published port is protected like the host.
package struct NFTablesEnforcer: Enforcer {
    package let name = "nftables"
    package let verbs: Set<Lease.Verb> = [.blockAddress]
    /// Runs `nft -j` with arguments and standard input, and gives its standard output.
    package typealias Runner = @Sendable (_ arguments: [String], _ input: String?) async throws -> String

    private let table: String
    private let run: Runner

    package init(table: String = "vigie", run: @escaping Runner) {
        self.table = table
        self.run = run
    }

    /// Makes table, sets and chain; harmless where they are there.
    package func prepare() async throws {
        let set = { (name: String, type: String) -> JSONValue in
            [
                "add": [
                    "set": [
                        "family": "inet", "table": .string(table), "name": .string(name), "type": .string(type),
                        "flags": ["interval", "timeout"], "auto-merge": false,
                    ]
                ]
            ]
        }
        let listing = try? await run(["-j", "list", "table", "inet", table], nil)
        var orders: [JSONValue] = [
            ["add": ["table": ["family": "inet", "name": .string(table)]]], set("blocked4", "ipv4_addr"),
            set("blocked6", "ipv6_addr"),
        ]
        if listing == nil {
            orders.append([
                "add": [
                    "chain": [
                        "family": "inet", "table": .string(table), "name": "block", "type": "filter", "hook": "prerouting",
                        "prio": -300, "policy": "accept",
                    ]
                ]
            ])
            for (protocolName, set) in [("ip", "@blocked4"), ("ip6", "@blocked6")] {
                orders.append([
                    "add": [
                        "rule": [
                            "family": "inet", "table": .string(table), "chain": "block",
                            "expr": [
                                [
                                    "match": [
                                        "op": "==", "left": ["payload": ["protocol": .string(protocolName), "field": "saddr"]],
                                        "right": .string(set),
                                    ]
                                ],
                                ["counter": .null], ["drop": .null],
                            ],
                        ]
                    ]
                ])
            }
        }
        try await send(orders)
    }

    package func apply(_ lease: Lease, now: Timestamp) async throws {
        let block = try block(of: lease)
        let left = lease.expiresAt.nanoseconds(since: now) / 1_000_000_000
        guard left > 0 else { throw EnforcerError(enforcer: name, lease: lease.id, reason: "it has expired") }
        // An element that is there keeps its old timeout: it is taken out and put in anew, in one transaction.
        let present = try await elements(of: block.set).contains(block.element)
        let element = JSONValue.object(["elem": ["val": block.json, "timeout": .integer(left)]])
        try await send((present ? [order("delete", block.set, block.json)] : []) + [order("add", block.set, element)])
    }

    package func isInForce(_ lease: Lease) async throws -> Bool {
        let block = try block(of: lease)
        return try await elements(of: block.set).contains(block.element)
    }

    package func lift(_ lease: Lease) async throws {
        let block = try block(of: lease)
        guard try await elements(of: block.set).contains(block.element) else { return }
        try await send([order("delete", block.set, block.json)])
    }

    /// Packets that each rule has dropped: what `observed` proof counts.
    package func droppedPackets() async throws -> Int64 {
        let listing = try await parsed(["-j", "list", "chain", "inet", table, "block"])
        return (listing["nftables"]?.arrayValue ?? []).reduce(0) { sum, entry in
            sum
                + (entry["rule"]?["expr"]?.arrayValue ?? []).reduce(0) { $0 + ($1["counter"]?["packets"]?.integerValue ?? 0) }
        }
    }

    private struct Block {
        var set: String
        /// As the listing spells it.
        var element: String
        var json: JSONValue
    }

    private func block(of lease: Lease) throws -> Block {
        guard verbs.contains(lease.verb), let block = AddressBlock(lease.target) else {
            throw EnforcerError(enforcer: name, lease: lease.id, reason: "\(lease.target) is neither an address nor a network")
        }
        let isV4 = block.base.isV4
        let length = isV4 ? block.bits - 96 : block.bits
        let isWhole = length == (isV4 ? 32 : 128)
        let address = block.base.description
        return Block(
            set: isV4 ? "blocked4" : "blocked6", element: isWhole ? address : "\(address)/\(length)",
            json: isWhole ? .string(address) : ["prefix": ["addr": .string(address), "len": .integer(Int64(length))]])
    }

    private func order(_ verb: String, _ set: String, _ element: JSONValue) -> JSONValue {
        [verb: ["element": ["family": "inet", "table": .string(table), "name": .string(set), "elem": [element]]]]
    }

    private func send(_ orders: [JSONValue]) async throws {
        _ = try await run(["-j", "-f", "-"], JSONValue.object(["nftables": .array(orders)]).description)
    }

    private func parsed(_ arguments: [String]) async throws -> JSONValue {
        // A set of a hundred thousand elements is some twenty megabytes of listing.
        try JSONValue(parsing: Array(try await run(arguments, nil).utf8), limits: .init(depth: 64, bytes: 256 << 20))
    }

    private func elements(of set: String) async throws -> Set<String> {
        let listing = try await parsed(["-j", "list", "set", "inet", table, set])
        let entries = (listing["nftables"]?.arrayValue ?? []).compactMap { $0["set"]?["elem"]?.arrayValue }.joined()
        return Set(
            entries.compactMap { entry in
                let value = entry["elem"]?["val"] ?? entry
                if let text = value.stringValue { return IPAddress(text)?.description ?? text }
                guard let prefix = value["prefix"], let address = prefix["addr"]?.stringValue,
                    let length = prefix["len"]?.integerValue
                else { return nil }
                return "\(IPAddress(address)?.description ?? address)/\(length)"
            })
    }
}
