import GRDB
package import Journal

extension Entry {
    /// The incident of an entry about a lease.
    private var leaseIncident: String? { type.hasPrefix("lease.") ? data["incident"]?.stringValue : nil }

    /// The incident on whose timeline an entry stands that is none of the incident's own.
    package var timelineIncident: String? { evidenceIncident ?? leaseIncident }
}

extension Projections {
    /// What becomes of a lease stands on its incident's timeline. Its target does not: it is personal, and the timeline is not erased.
    static func noteLease(_ entry: Entry, _ database: Database) throws {
        guard entry.type.hasPrefix("lease."), let incident = entry.data["incident"]?.stringValue, let words = words(entry) else {
            return
        }
        try addToTimeline(incident, entry, words, database)
    }

    private static func words(_ entry: Entry) -> String? {
        let text = { (name: String) in entry.data[name]?.stringValue ?? "" }
        let id = text("lease")
        return switch entry.type {
        case "lease.requested":
            "Containment ordered: \(text("verb").split(separator: "_").joined(separator: " ")) by \(text("enforcer")) "
                + "until \(text("expires_at")) (\(id))"
        case "lease.refused": "Containment refused (\(id))"
        case "lease.approved": "Containment approved (\(id))"
        case "lease.delivered": "Containment delivered, not proven (\(id))"
        case "lease.proven": "Containment in force: \(text("proof").split(separator: "_").joined(separator: " ")) (\(id))"
        case "lease.not_in_force": "Containment NOT in force (\(id))"
        case "lease.probed":
            entry.data["refused"]?.boolValue == true
                ? "Containment tried: refused (\(id))" : "Containment tried: served, so NOT in force (\(id))"
        case "lease.undo_requested": "Containment to be undone (\(id))"
        case "lease.not_lifted": "Containment could not be lifted yet (\(id))"
        case "lease.lifted": entry.data["proven"]?.boolValue == true ? "Containment lifted, and shown to be (\(id))" : nil
        default: nil
        }
    }
}
