import Events
import Journal
import Synchronization

/// What the kernel is asked. Each question is one start of `nft`, and none but a listing takes longer the more is blocked:
/// `list table`, `list chain` and `get element` of nft 1.0.6 read every element there is, a terse `list ruleset` reads none.
extension NFTablesEnforcer {
    /// How many elements there are, as far as is known.
    final class ElementCount: Sendable {
        private let count = Mutex<Int?>(nil)
        func withLock<Outcome: Sendable>(_ body: (inout sending Int?) -> sending Outcome) -> Outcome { count.withLock(body) }
    }

    /// What the table looks like.
    struct Picture {
        /// The sets that there are, and whether a rule drops what is in them, in a chain that packets come through.
        var isRuled: [BlockSet: Bool] = [:]
        /// Of each set, elements and the packets that each one dropped; empty where they were not asked for.
        var elements: [BlockSet: [String: Int64]] = [:]
        var droppedPackets: Int64 = 0
    }

    /// The table without the elements of its sets: with `-t`, and of the whole family, since only that spares the elements.
    static let outline: JSONValue = ["list": ["ruleset": ["family": "inet"]]]

    /// Everything, with all elements.
    ///
    /// - Parameter counted: sets whose counters are needed. In JSON, nft 1.0.6 shows the first statement of an element only, which is
    ///   a throttle's limit; its counter stands in words.
    func listing(counted: some Collection<BlockSet>) async throws -> Picture {
        var picture = picture(try await parsed(["-j", "list", "table", "inet", table], nil))
        elementCount.withLock { $0 = picture.elements.values.reduce(0) { $0 + $1.count } }
        for set in counted where set.rate != nil && picture.elements[set]?.isEmpty == false {
            picture.elements[set] = Self.counters(try await run(["list", "set", "inet", table, set.name], nil))
        }
        return picture
    }

    /// `elements = { 192.0.2.0 limit rate over 10/day burst 10 packets counter packets 0 bytes 0 timeout 10m expires 9m59s, … }`
    private static func counters(_ listing: String) -> [String: Int64] {
        var found: [String: Int64] = [:]
        for element in listing.split(separator: "elements = {").dropFirst().joined().split(separator: ",") {
            let words = element.split { " {}\n\t".contains($0) }
            guard let address = words.first.flatMap({ IPAddress($0) }) else { continue }
            let place = words.firstIndex(of: "counter").map { words.index($0, offsetBy: 2) }
            found[address.description] = place.flatMap { $0 < words.endIndex ? Int64(words[$0]) : nil } ?? 0
        }
        return found
    }

    /// Whether these elements are there, by a transaction that would take them out and is thrown away: the kernel goes through it, and
    /// refuses it where one of them is missing (nft(8), `--check`). Nothing is known of their counters.
    ///
    /// - Returns: `nil` where some are missing of more than can be asked for one by one.
    func presence(of asked: [BlockSet: [String]]) async throws -> Picture? {
        let orders = asked.map { set, addresses in order("delete", set, addresses.map { .string($0) }) }
        if var picture = try? await send([Self.outline] + orders, isTrial: true) {
            for (set, addresses) in asked { picture.elements[set] = Dictionary(addresses.map { ($0, 0) }) { first, _ in first } }
            return picture
        }
        let addresses = asked.flatMap { set, addresses in addresses.map { (set, $0) } }
        guard addresses.count <= Self.fewSingly else { return nil }
        var picture = try await send([Self.outline])
        for (set, address) in addresses where picture.isRuled[set] != nil {
            if (try? await send([order("delete", set, [.string(address)])], isTrial: true)) != nil {
                picture.elements[set, default: [:]][address] = 0
            }
        }
        return picture
    }

    private static let fewSingly = 4

    /// Carries orders out in one transaction, or only tries whether the kernel would.
    ///
    /// - Returns: what the table looked like before, where ``outline`` is one of them.
    @discardableResult
    func send(_ orders: [JSONValue], isTrial: Bool = false) async throws -> Picture {
        let answer = try await run(
            (isTrial ? ["-c"] : []) + ["-j", "-t", "-f", "-"], JSONValue.object(["nftables": .array(orders)]).description)
        return answer.isEmpty ? Picture() : picture(try parsed(answer))
    }

    private func parsed(_ arguments: [String], _ input: String?) async throws -> JSONValue {
        try parsed(try await run(arguments, input))
    }

    private func parsed(_ answer: String) throws -> JSONValue {
        // A set of a hundred thousand elements is some ten megabytes of listing.
        try JSONValue(parsing: Array(answer.utf8), limits: .init(depth: 64, bytes: 256 << 20))
    }

    private func picture(_ listing: JSONValue) -> Picture {
        let entries = listing["nftables"]?.arrayValue ?? []
        func parts(_ kind: String) -> [JSONValue] {
            entries.compactMap { $0[kind] }.filter { $0["table"]?.stringValue == table && $0["family"]?.stringValue == "inet" }
        }
        let isHooked = parts("chain").contains {
            $0["name"]?.stringValue == "block" && $0["hook"]?.stringValue == "prerouting"
        }
        var picture = Picture()
        var ruled: Set<String> = []
        for rule in parts("rule") where rule["chain"]?.stringValue == "block" {
            let steps = rule["expr"]?.arrayValue ?? []
            picture.droppedPackets += steps.reduce(0) { $0 + ($1["counter"]?["packets"]?.integerValue ?? 0) }
            guard steps.contains(where: { $0["drop"] != nil }) else { continue }
            if let name = steps.lazy.compactMap({ $0["match"]?["right"]?.stringValue }).first(where: { $0.hasPrefix("@") }) {
                ruled.insert(name)
            }
        }
        for entry in parts("set") {
            guard let name = entry["name"]?.stringValue, let set = BlockSet(name: name) else { continue }
            picture.isRuled[set] = isHooked && ruled.contains("@" + name)
            var elements: [String: Int64] = [:]
            for entry in entry["elem"]?.arrayValue ?? [] {
                let element = entry["elem"]
                guard let text = (element?["val"] ?? entry).stringValue else { continue }
                elements[IPAddress(text)?.description ?? text] = element?["counter"]?["packets"]?.integerValue ?? 0
            }
            picture.elements[set] = elements
        }
        return picture
    }
}
