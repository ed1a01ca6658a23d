package import Events
import Foundation
import Journal

/// Stops containers, or freezes them with all that is in their memory, by the Docker API; podman speaks it, too.
///
/// A frozen container answers nobody and keeps what an investigation wants to see: that is what isolation means here.
package struct DockerEnforcer: Enforcer {
    package let name = "docker"
    package let verbs: Set<Lease.Verb> = [.stopService, .isolateService]
    /// Asks the API: method and path to status and body.
    package typealias Call = @Sendable (_ method: String, _ path: String) async throws -> (status: Int, body: String)

    private let containers: Set<String>
    private let call: Call

    /// - Parameter containers: what may be stopped at all, by name.
    package init(containers: Set<String>, call: @escaping Call) {
        self.containers = containers
        self.call = call
    }

    package func apply(_ leases: [Lease], now: Timestamp) async throws {
        for lease in leases { try await order(lease, lease.verb == .stopService ? "stop" : "pause", undoes: false) }
    }

    package func lift(_ leases: [Lease]) async throws {
        for lease in leases { try await order(lease, lease.verb == .stopService ? "start" : "unpause", undoes: true) }
    }

    package func observe(_ leases: [Lease]) async throws -> [String: Observation] {
        var found: [String: Observation] = [:]
        for lease in leases where try await holds(lease) { found[lease.id] = .shown(refusals: 0) }
        return found
    }

    private func order(_ lease: Lease, _ verb: String, undoes: Bool) async throws {
        // Pausing what is paused is an error there; done twice is done once here.
        guard try await holds(lease) == undoes else { return }
        let answer = try await call("POST", "/containers/\(try path(of: lease))/\(verb)")
        guard (200..<300).contains(answer.status) || answer.status == 304 else {
            throw EnforcerError(enforcer: name, lease: lease.id, reason: "the API answers \(verb) with \(answer.status)")
        }
    }

    private func holds(_ lease: Lease) async throws -> Bool {
        let answer = try await call("GET", "/containers/\(try path(of: lease))/json")
        guard answer.status == 200, let state = try JSONValue(parsing: Array(answer.body.utf8))["State"] else {
            throw EnforcerError(enforcer: name, lease: lease.id, reason: "the API knows no container '\(lease.target)'")
        }
        if lease.verb == .stopService { return state["Running"]?.boolValue == false }
        return state["Paused"]?.boolValue == true
    }

    private func path(of lease: Lease) throws -> String {
        guard verbs.contains(lease.verb), containers.contains(lease.target),
            let path = lease.target.addingPercentEncoding(withAllowedCharacters: .alphanumerics.union(.init(charactersIn: "-_.")))
        else {
            throw EnforcerError(
                enforcer: name, lease: lease.id,
                reason: "'\(lease.target)' is not among the containers that the configuration lets it touch")
        }
        return path
    }
}
