import Journal

/// A lease as text for a terminal. Targets and reasons may be attackers' text: control characters never reach the terminal.
enum LeaseText {
    static func line(_ lease: JSONValue) -> String {
        let text = { (name: String) in IncidentText.printable(lease[name]?.stringValue ?? "") }
        var parts = [
            text("id"), state(lease), "\(words(text("verb"))) \(text("target"))".trimmed,
            "by \(text("enforcer")) in \(text("scope"))",
            text("incident"), "until \(text("expires_at"))",
        ]
        if let problem = lease["problem"]?.stringValue { parts.append(IncidentText.printable(problem)) }
        if let person = lease["undone_by"]?.stringValue { parts.append("undone by \(IncidentText.printable(person))") }
        return parts.joined(separator: "  ")
    }

    private static func state(_ lease: JSONValue) -> String {
        switch lease["phase"]?.stringValue {
        case "in_force": "in force (\(words(lease["proof"]?.stringValue ?? "")))"
        case "not_in_force": "NOT in force"
        case "applied": lease["delivered"]?.boolValue == true ? "delivered, not proven" : "ordered, not proven"
        case "approved": "ordered"
        case "requested": "waits for consent"
        case "lifted": lease["lift_proven"]?.boolValue == true ? "lifted (shown to be)" : "lifted, not shown yet"
        case let other: other ?? ""
        }
    }

    static func preview(_ preview: JSONValue) -> [String] {
        var lines = [
            "\(words(preview["verb"]?.stringValue ?? "")) \(IncidentText.printable(preview["target"]?.stringValue ?? ""))"
        ]
        if let requests = preview["requests_in_day"]?.integerValue {
            let partial = preview["partial"]?.boolValue == true ? ", as far as was looked" : ""
            lines.append("within the last day it would have met \(requests) lines\(partial)")
        } else {
            lines.append("the archive cannot say whom it would have met")
        }
        for account in preview["accounts"]?.arrayValue ?? [] {
            let name = IncidentText.printable(account["name"]?.stringValue ?? "")
            lines.append("  account \(name): \(account["requests"]?.integerValue ?? 0)")
        }
        if let more = preview["more_accounts"]?.integerValue, more > 0 { lines.append("  and \(more) more accounts") }
        if let same = preview["already_in_force"]?.integerValue, same > 0 { lines.append("\(same) leases mean the same already") }
        if preview["needs_approval"]?.boolValue == true { lines.append("policy does not approve it by itself") }
        if let objection = preview["objection"]?.stringValue {
            lines.append("policy refuses it: \(IncidentText.printable(objection))")
        }
        return lines
    }

    private static func words(_ text: String) -> String { text.split(separator: "_").joined(separator: " ") }
}

extension String {
    fileprivate var trimmed: String { last == " " ? String(dropLast()) : self }
}
