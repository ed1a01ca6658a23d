package import Events
package import Journal

/// How events of leases are written to the journal and read from it.
///
/// Addresses, accounts and people's names are sealed under whom they are about. Once a subject's key is erased the lease's request reads
/// as absent, and with it everything else about it: an enforcer's sweep then takes away what is left of it.
extension LeaseEvent {
    /// - Parameter lease: the one it is about.
    package func draft(of lease: Lease, at time: Timestamp) -> EntryDraft {
        var fields: [String: JSONValue] = ["lease": .string(lease.id), "incident": .string(lease.incident)]
        var personal: [PersonalField] = []
        func seal(_ name: String, _ value: String, under subjects: [Subject]) {
            guard !value.isEmpty else { return }
            if subjects.isEmpty {
                fields[name] = .string(value)
            } else {
                personal.append(PersonalField(name: name, subjects: subjects, value: .string(value)))
            }
        }
        switch self {
        case .requested(let lease):
            fields.merge([
                "verb": .string(lease.verb.rawValue), "scope": .string(lease.scope), "enforcer": .string(lease.enforcer),
                "requested_at": .string(lease.requestedAt.rfc3339), "expires_at": .string(lease.expiresAt.rfc3339),
            ]) { $1 }
            if !lease.parameters.isEmpty { fields["parameters"] = .object(lease.parameters.mapValues { .string($0) }) }
            seal("target", lease.target, under: lease.subjects)
            seal("reason", lease.reason, under: lease.subjects)
            seal("by", lease.requestedBy, under: Self.subjects(ofActor: lease.requestedBy))
        case .refused(_, let reason), .notInForce(_, let reason), .notLifted(_, let reason):
            seal("reason", reason, under: lease.subjects)
        case .approved(_, let person): seal("by", person, under: Self.subjects(ofActor: person))
        case .undoRequested(_, let person, let reason):
            seal("by", person, under: Self.subjects(ofActor: person))
            seal("reason", reason, under: lease.subjects)
        case .proven(_, let proof): fields["proof"] = .string(proof.rawValue)
        case .probed(_, let wasRefused, let person):
            fields["refused"] = .bool(wasRefused)
            seal("by", person, under: Self.subjects(ofActor: person))
        case .lifting(_, let reason): fields["because"] = .string(reason.rawValue)
        case .lifted(_, let isProven): fields["proven"] = .bool(isProven)
        case .applied, .delivered: break
        }
        return EntryDraft(type: "lease." + kind, occurredAt: time, actor: "system", data: fields, personal: personal)
    }

    private var kind: String {
        switch self {
        case .requested: "requested"
        case .refused: "refused"
        case .approved: "approved"
        case .applied: "applied"
        case .delivered: "delivered"
        case .proven: "proven"
        case .notInForce: "not_in_force"
        case .probed: "probed"
        case .undoRequested: "undo_requested"
        case .lifting: "lifting"
        case .notLifted: "not_lifted"
        case .lifted: "lifted"
        }
    }

    /// Policy, users of this machine and runs are nobody's personal data; accounts of people are.
    private static func subjects(ofActor actor: String) -> [Subject] {
        actor == LeaseBook.policyActor || actor.hasPrefix("uid:") || actor.hasPrefix("run:")
            ? [] : [Subject(kind: .user, value: actor)]
    }

    /// The event that an entry holds; `nil` for entries about other things, and for what was erased.
    ///
    /// - Parameter personal: the entry's personal fields, opened; a `nil` value was erased.
    package init?(type: String, data: [String: JSONValue], personal: [String: JSONValue?]) {
        guard type.hasPrefix("lease."), let id = data["lease"]?.stringValue else { return nil }
        func text(_ name: String) -> String? {
            (personal[name].flatMap { $0 } ?? data[name])?.stringValue
        }
        /// What a person whose key was erased said or did stays done.
        let by = text("by") ?? "erased"
        let reason = text("reason") ?? ""
        switch type.dropFirst("lease.".count) {
        case "requested":
            guard let verb = data["verb"]?.stringValue.flatMap({ Lease.Verb(rawValue: $0) }),
                let requestedAt = data["requested_at"]?.stringValue.flatMap({ Timestamp(rfc3339: $0) }),
                let expiresAt = data["expires_at"]?.stringValue.flatMap({ Timestamp(rfc3339: $0) }),
                // Without its target there is nothing left to be done: the sweep of the enforcer takes it away.
                !personal.contains(where: { $0.key == "target" && $0.value == nil })
            else { return nil }
            self = .requested(
                Lease(
                    id: id, verb: verb, target: text("target") ?? "", scope: text("scope") ?? "platform", reason: reason,
                    incident: text("incident") ?? "", requestedBy: by, requestedAt: requestedAt, expiresAt: expiresAt,
                    enforcer: text("enforcer") ?? "",
                    parameters: (data["parameters"]?.objectValue ?? [:]).compactMapValues(\.stringValue)))
        case "refused": self = .refused(id: id, reason: reason)
        case "approved": self = .approved(id: id, by: by)
        case "applied": self = .applied(id: id)
        case "delivered": self = .delivered(id: id)
        case "proven":
            guard let proof = data["proof"]?.stringValue.flatMap({ Lease.Proof(rawValue: $0) }) else { return nil }
            self = .proven(id: id, proof)
        case "not_in_force": self = .notInForce(id: id, reason: reason)
        case "probed":
            guard let wasRefused = data["refused"]?.boolValue else { return nil }
            self = .probed(id: id, wasRefused: wasRefused, by: by)
        case "undo_requested": self = .undoRequested(id: id, by: by, reason: reason)
        case "lifting":
            guard let because = data["because"]?.stringValue.flatMap({ Lease.LiftReason(rawValue: $0) }) else { return nil }
            self = .lifting(id: id, because)
        case "not_lifted": self = .notLifted(id: id, reason: reason)
        case "lifted": self = .lifted(id: id, isProven: data["proven"]?.boolValue ?? false)
        default: return nil
        }
    }
}

extension Lease {
    /// Whom its target is about. A token's or an object's identifier names nobody.
    package var subjects: [Subject] {
        switch verb.subjectKind {
        case .address: [Subject(kind: .ip, value: AddressBlock(target).map { "\($0.base.prefix)" } ?? target)]
        case .account: [Subject(kind: .user, value: target)]
        case .thing: []
        }
    }
}
