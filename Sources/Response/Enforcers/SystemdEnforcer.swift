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
            _ = try await run(
                lease.verb == .stopService
                    ? ["stop", "--", unit] : ["set-property", "--runtime", "--", unit, "IPAddressDeny=any"])
        }
    }

    package func lift(_ leases: [Lease]) async throws {
        for lease in leases {
            let unit = try unit(of: lease)
            _ = try await run(
                lease.verb == .stopService ? ["start", "--", unit] : ["set-property", "--runtime", "--", unit, "IPAddressDeny="])
        }
    }

    package func observe(_ leases: [Lease]) async throws -> [String: Observation] {
        var found: [String: Observation] = [:]
        for lease in leases {
            let unit = try unit(of: lease)
            if lease.verb == .stopService {
                let state = try await run(["show", "--property=ActiveState", "--value", "--", unit])
                if ["inactive", "failed"].contains(state.filter { !$0.isWhitespace }) { found[lease.id] = .shown(refusals: 0) }
            } else {
                let denied = try await run(["show", "--property=IPAddressDeny", "--value", "--", unit])
                // As systemd spells `any`.
                if denied.contains("0.0.0.0/0"), denied.contains("::/0") { found[lease.id] = .shown(refusals: 0) }
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
