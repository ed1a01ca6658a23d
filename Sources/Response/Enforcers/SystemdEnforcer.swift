package import Events

/// Stops units of systemd, or cuts them off from the network, which `systemctl` takes back again. Nothing of it outlives a reboot but
/// what is ordered anew after one.
package struct SystemdEnforcer: Enforcer {
    package let name = "systemd"
    package let verbs: Set<Lease.Verb> = [.stopService, .isolateService]
    /// Runs `systemctl` with arguments, and gives its standard output.
    package typealias Runner = @Sendable (_ arguments: [String]) async throws -> String

    private let units: Set<String>
    private let run: Runner

    /// - Parameter units: what may be stopped at all.
    package init(units: Set<String>, run: @escaping Runner) {
        self.units = units
        self.run = run
    }

    package func apply(_ leases: [Lease], now: Timestamp) async throws {
        for lease in leases {
            let unit = try unit(of: lease)
            if lease.verb == .stopService {
                _ = try await run(["stop", "--", unit])
            } else {
                try await refuseOwnLists(of: unit, lease)
                try await set(unit, "IPAddressDeny=any")
            }
        }
    }

    package func lift(_ leases: [Lease]) async throws {
        for lease in leases {
            let unit = try unit(of: lease)
            if lease.verb == .stopService {
                _ = try await run(["start", "--", unit])
            } else {
                // An empty list alone is shown as such and changes nothing: systemd 252 keeps the filter of before while there is no
                // list to make another from. One that lets everything through takes its place, and stays.
                try await set(unit, "IPAddressDeny=", "IPAddressAllow=any")
                try await set(unit, "IPAddressAllow=")
            }
        }
    }

    /// Addresses that the unit lets in by itself would still get in, and its own lists would be gone once the lease has ended.
    private func refuseOwnLists(of unit: String, _ lease: Lease) async throws {
        for property in ["IPAddressAllow", "IPAddressDeny"] {
            let list = try await addresses(property, of: unit)
            guard list.isEmpty || list == Self.any else {
                throw EnforcerError(
                    enforcer: name, lease: lease.id,
                    reason: "\(unit) has an \(property) of its own (\(list.sorted().joined(separator: " "))): stop it instead")
            }
        }
    }

    /// As systemd spells `any`.
    private static let any: Set<String> = ["0.0.0.0/0", "::/0"]

    private func addresses(_ property: String, of unit: String) async throws -> Set<String> {
        Set(
            try await run(["show", "--property=\(property)", "--value", "--", unit]).split(whereSeparator: \.isWhitespace).map(
                String.init))
    }

    private func set(_ unit: String, _ properties: String...) async throws {
        _ = try await run(["set-property", "--runtime", "--", unit] + properties)
    }

    package func observe(_ leases: [Lease]) async throws -> [String: Observation] {
        var found: [String: Observation] = [:]
        for lease in leases {
            let unit = try unit(of: lease)
            if lease.verb == .stopService {
                let state = try await run(["show", "--property=ActiveState", "--value", "--", unit])
                if ["inactive", "failed"].contains(state.filter { !$0.isWhitespace }) { found[lease.id] = .shown(refusals: 0) }
            } else {
                let (allowed, denied) = (
                    try await addresses("IPAddressAllow", of: unit), try await addresses("IPAddressDeny", of: unit)
                )
                if allowed.isEmpty, denied.isSuperset(of: Self.any) { found[lease.id] = .shown(refusals: 0) }
            }
        }
        return found
    }

    private func unit(of lease: Lease) throws -> String {
        guard verbs.contains(lease.verb), units.contains(lease.target) else {
            throw EnforcerError(
                enforcer: name, lease: lease.id,
                reason: "'\(lease.target)' is not among the units that the configuration lets it touch")
        }
        return lease.target
    }
}
