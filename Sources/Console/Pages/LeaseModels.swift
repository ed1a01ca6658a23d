import Events
import Identity

/// Turns leases into what their templates show.
enum LeaseModels {
    static func row(_ lease: LeaseView, now: Timestamp, signedIn: SignedIn?) -> PageModel {
        var model: PageModel = [
            "leaseID": lease.id, "verb": lease.verbWords, "target": lease.target, "hasTarget": lease.verb != "revoke_everyone",
            "scope": lease.scope, "reason": lease.reason, "incidentID": lease.incident, "enforcer": lease.enforcer,
            "incidentPath": "/incidents/\(FormFields.encode(lease.incident))", "path": "/leases/\(FormFields.encode(lease.id))",
            "requestedBy": lease.requestedBy, "requested": TimeText.model(lease.requestedAt, now: now),
            "expires": TimeText.model(lease.expiresAt, now: now), "since": TimeText.model(lease.since, now: now),
            "state": state(lease), "style": style(lease), "isOpen": lease.isOpen,
            "parameters": lease.parameters.sorted { $0.key < $1.key }.map { ["name": $0.key, "value": $0.value] as PageModel },
            "canUndo": lease.canBeUndone && (signedIn?.role ?? .viewer) >= lease.role,
        ]
        model["approvedBy"] = lease.approvedBy.map { $0 == "system" ? "policy" : $0 }
        model["problem"] = lease.problem
        model["undoneBy"] = lease.undoneBy
        model["undoReason"] = lease.undoReason
        if lease.phase == "in_force" { model["proof"] = lease.proof.map(proof) }
        if lease.phase == "in_force", let time = lease.provenAt { model["proven"] = TimeText.model(time, now: now) }
        if let person = lease.probedBy, let time = lease.probedAt {
            model["probed"] =
                [
                    "by": person, "outcome": lease.probeWasRefused == true ? "refused" : "served",
                    "at": TimeText.model(time, now: now),
                ] as PageModel
        }
        if lease.isOpen, let time = lease.checkedAt { model["checked"] = TimeText.model(time, now: now) }
        return model
    }

    /// What is claimed, and not more than that.
    private static func state(_ lease: LeaseView) -> String {
        switch lease.phase {
        case "requested": "waits for consent"
        case "refused": "refused"
        case "approved": "ordered"
        case "applied": lease.isDelivered ? "delivered, not proven" : "ordered, not proven"
        case "in_force": "in force"
        case "not_in_force": "NOT in force"
        case "lifting": lease.problem == nil ? "being lifted" : "NOT lifted yet"
        default: lease.isLiftProven ? "lifted, and shown to be" : "lifted, not shown yet"
        }
    }

    private static func style(_ lease: LeaseView) -> String {
        switch lease.phase {
        case "in_force": "holds"
        case "not_in_force": "trouble"
        case "lifting" where lease.problem != nil: "trouble"
        case "requested", "approved", "applied", "lifting": "waits"
        default: "over"
        }
    }

    private static func proof(_ proof: String) -> String {
        switch proof {
        case "read_back": "read back"
        case "observed": "observed: it refused something"
        default: proof
        }
    }

    static func preview(_ preview: LeasePreview, _ order: LeaseOrder, now: Timestamp) -> PageModel {
        var model: PageModel = [
            "verb": preview.verb.split(separator: "_").joined(separator: " "), "target": preview.target,
            "accounts": preview.accounts.map { ["name": $0.name, "requests": NumberText.grouped($0.requests)] as PageModel },
            "hasAccounts": !preview.accounts.isEmpty, "moreAccounts": preview.moreAccounts, "hasMore": preview.moreAccounts > 0,
            "isPartial": preview.isPartial, "inForce": preview.inForce, "isInForce": preview.inForce > 0,
            "needsApproval": preview.needsApproval, "isAllowed": preview.objection == nil,
            // What the form sends on.
            "hidden": [
                ("verb", order.verb), ("target", order.target), ("scope", order.scope), ("reason", order.reason),
                ("incident", order.incident), ("duration", order.duration), ("enforcer", order.enforcer),
            ].map { ["name": $0.0, "value": $0.1] as PageModel }
                + order.parameters.sorted { $0.key < $1.key }.map { ["name": $0.key, "value": $0.value] as PageModel },
        ]
        model["requests"] = preview.requests.map(NumberText.grouped)
        model["objection"] = preview.objection
        return model
    }
}
