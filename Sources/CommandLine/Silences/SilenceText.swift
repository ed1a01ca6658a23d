import Journal

/// A silence as text for a terminal. What it names may be attackers' text: control characters never reach the terminal.
enum SilenceText {
    static func line(_ silence: JSONValue) -> String {
        let text = { (name: String) in IncidentText.printable(silence[name]?.stringValue ?? "") }
        let taken = silence["findings"]?.integerValue ?? 0
        var parts = ["\(text("id"))  \(text("kind"))  \(text("state"))", matches(silence)]
        parts.append("until \(text("until"))  by \(text("author"))")
        parts.append("took \(taken)" + (taken > 0 ? ", the last \(text("last_finding"))" : ""))
        parts.append(text("reason"))
        if silence["ended_by"] != nil { parts.append("ended by \(text("ended_by")) \(text("ended_at")): \(text("end_reason"))") }
        return parts.joined(separator: "  ")
    }

    private static func matches(_ silence: JSONValue) -> String {
        var parts: [String] = []
        if let rule = silence["rule"]?.stringValue { parts.append("rule \(rule)") }
        let addresses = (silence["addresses"]?.arrayValue ?? []).compactMap(\.stringValue)
        if !addresses.isEmpty { parts.append("address \(addresses.joined(separator: " "))") }
        if let account = silence["account"]?.stringValue { parts.append("account \(account)") }
        if let line = silence["line"]?.stringValue { parts.append("line \"\(line)\"") }
        return IncidentText.printable(parts.joined(separator: ", "))
    }

    static func preview(_ preview: JSONValue) -> [String] {
        let number = { (name: String) in preview[name]?.integerValue ?? 0 }
        let partial = preview["partial"]?.boolValue == true ? ", as far as was looked" : ""
        var lines = ["within the last day it would have taken \(number("findings")) findings\(partial)"]
        for (name, label) in [("rules", "rule"), ("incidents", "incident")] {
            for share in preview[name]?.arrayValue ?? [] {
                let words = [share["id"], share["title"]].compactMap { $0?.stringValue }.joined(separator: "  ")
                lines.append("  \(label) \(IncidentText.printable(words)): \(share["findings"]?.integerValue ?? 0)")
            }
        }
        if number("spared") > 0 {
            lines.append("\(number("spared")) more match and would alarm all the same: they are of P0 or of canaries")
        }
        if preview["breadth"]?.stringValue == "wide" {
            lines.append("it is wide: attackers whom nobody knows yet can be among what it takes")
        }
        return lines
    }
}
