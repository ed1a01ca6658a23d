package import Events
import Journal

/// Whether a playbook may run here and now. Asked before a run's first entry; a refusal names every reason.
package struct RunAdmission: Sendable {
    package enum Origin: Sendable, Hashable {
        /// Shipped, or written by the installation's own people.
        case own
        case outside
    }

    package var policy: ExecutionPolicy
    /// Content hashes of outside playbooks that a person with the role has trusted.
    package var trustedHashes: Set<String>
    /// Public keys (base64 DER, SubjectPublicKeyInfo) whose signatures count.
    package var trustedKeys: Set<String>

    package init(policy: ExecutionPolicy = ExecutionPolicy(), trustedHashes: Set<String> = [], trustedKeys: Set<String> = []) {
        self.policy = policy
        self.trustedHashes = trustedHashes
        self.trustedKeys = trustedKeys
    }

    /// - Throws: ``PlaybookRefusal``.
    package func admit(_ playbook: Playbook, from origin: Origin, now: Timestamp) throws {
        var problems = PlaybookLinter.lint(playbook, now: now).filter { $0.severity == .error }
        // What the linter only warns about, a run cannot pass over.
        if case .notYetValid(let start) = playbook.validity(at: now) {
            problems.append(PlaybookProblem(.error, .notYetValid, at: "/valid_from", "it is valid from \(start.rfc3339) on"))
        }
        let isSigned = playbook.signatures.contains { signature in
            isInForce(signature, now) && signature["related_version"]?.stringValue == playbook.version
                && trustedKeys.contains {
                    (try? PlaybookSignature.verify(playbook.document, signature: signature, publicKey: $0)) != nil
                }
        }
        if policy.demandsSignature, !isSigned {
            problems.append(PlaybookProblem(.error, .signature, at: "/signatures", "policy demands a signature by a trusted key"))
        }
        if origin == .outside, !isSigned, !trustedHashes.contains(playbook.contentHash) {
            for step in playbook.orderedSteps {
                guard case .action(let action) = step.kind,
                    action.commands.contains(where: { [.bash, .ssh, .powershell].contains($0.kind) })
                else { continue }
                problems.append(
                    PlaybookProblem(
                        .error, .signature, at: "/workflow/\(step.id)",
                        "a playbook from outside runs commands; a person has to trust its hash \(playbook.contentHash) first"))
            }
        }
        guard problems.isEmpty else { throw PlaybookRefusal(problems: problems) }
    }

    /// §10.15: `revoked` wins over both times.
    private func isInForce(_ signature: JSONValue, _ now: Timestamp) -> Bool {
        if signature["revoked"]?.boolValue == true { return false }
        let time = { (name: String) in signature[name]?.stringValue.flatMap { Timestamp(rfc3339: $0) } }
        if let from = time("valid_from"), now < from { return false }
        if let until = time("valid_until"), now >= until { return false }
        return true
    }
}
