package import Events

/// A file that a web server includes, with one line per block; written whole, checked by the server itself, then loaded. A file that
/// the server refuses is put back as it was.
package struct DenyFileEnforcer: Enforcer {
    package enum Server: String, Sendable, Hashable {
        case nginx
        case caddy
    }

    /// The outside world of a deny file.
    package struct Hands: Sendable {
        package var read: @Sendable () async throws -> String
        /// Writes beside it and renames: the server never sees half a file.
        package var write: @Sendable (String) async throws -> Void
        /// Lets the server check its whole configuration; throws with what it said.
        package var check: @Sendable () async throws -> Void
        package var reload: @Sendable () async throws -> Void
        /// What the server says is loaded; `nil` where it cannot be asked, and the file it has checked and loaded has to do.
        package var loaded: (@Sendable () async throws -> String)?

        package init(
            read: @escaping @Sendable () async throws -> String, write: @escaping @Sendable (String) async throws -> Void,
            check: @escaping @Sendable () async throws -> Void, reload: @escaping @Sendable () async throws -> Void,
            loaded: (@Sendable () async throws -> String)? = nil
        ) {
            self.read = read
            self.write = write
            self.check = check
            self.reload = reload
            self.loaded = loaded
        }
    }

    package var name: String { server.rawValue }
    package let verbs: Set<Lease.Verb> = [.blockAddress]
    private let server: Server
    private let hands: Hands

    package init(_ server: Server, hands: Hands) {
        self.server = server
        self.hands = hands
    }

    package func apply(_ leases: [Lease], now: Timestamp) async throws {
        let targets = try leases.map { try target(of: $0) }
        try await change { $0.formUnion(targets) }
    }

    package func lift(_ leases: [Lease]) async throws {
        let targets = leases.compactMap { try? target(of: $0) }
        try await change { $0.subtract(targets) }
    }

    package func observe(_ leases: [Lease]) async throws -> [String: Observation] {
        let text = if let loaded = hands.loaded { try await loaded() } else { try await hands.read() }
        let present = targets(in: text)
        var found: [String: Observation] = [:]
        for lease in leases {
            if let target = try? target(of: lease), present.contains(target) { found[lease.id] = .shown(refusals: 0) }
        }
        return found
    }

    package func resume(with leases: [Lease], ended: [Lease]) async throws {
        let wanted = Set(leases.compactMap { try? target(of: $0) })
        try await change { $0.formIntersection(wanted) }
    }

    private func change(_ body: (inout Set<String>) -> Void) async throws {
        let before = try await hands.read()
        var targets = targets(in: before)
        body(&targets)
        let text = text(for: targets)
        if text != before {
            try await hands.write(text)
            do {
                try await hands.check()
            } catch {
                try await hands.write(before)
                throw error
            }
        }
        // Also where the file has it: a reload may have failed the last time.
        try await hands.reload()
    }

    private func target(of lease: Lease) throws -> String {
        // Only what was read as a network is ever written: nothing of an attacker's can become a directive.
        guard let block = AddressBlock(lease.target) else {
            throw EnforcerError(enforcer: name, lease: lease.id, reason: "\(lease.target) is neither an address nor a network")
        }
        let isV4 = block.base.isV4
        return "\(block.base)/\(isV4 ? block.bits - 96 : block.bits)"
    }

    func text(for targets: Set<String>) -> String {
        let sorted = targets.sorted()
        switch server {
        case .nginx: return "# Written by Vigie; changes are lost.\n" + sorted.map { "deny \($0);\n" }.joined()
        case .caddy:
            guard !sorted.isEmpty else { return "# Written by Vigie; changes are lost.\n" }
            return
                "# Written by Vigie; changes are lost.\n@vigie_blocked remote_ip \(sorted.joined(separator: " "))\nabort @vigie_blocked\n"
        }
    }

    private func targets(in text: String) -> Set<String> {
        var found: Set<String> = []
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            for word in line.split(whereSeparator: { $0 == " " || $0 == ";" }) where AddressBlock(word) != nil {
                found.insert(String(word))
            }
        }
        return found
    }
}
