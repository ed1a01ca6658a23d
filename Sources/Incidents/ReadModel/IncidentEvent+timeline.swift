import Events

extension IncidentEvent {
    /// What a timeline says of it, in one sentence; `nil` where another entry says it.
    package var timelineText: String? {
        switch self {
        case .opened(let opened):
            return opened.author == .system
                ? "Opened at \(opened.severity.code) by rule '\(opened.title)'"
                : "Opened at \(opened.severity.code)\(opened.kind == .real ? "" : " as a \(opened.kind.rawValue)"): \(opened.title)"
        case .findingRecorded(let finding):
            let events = finding.count == 1 ? "" : " (\(finding.isLowerBound ? "at least " : "")\(finding.count) counted)"
            return finding.ruleTitle + events + (finding.silence.map { ", taken by \($0)" } ?? "")
        case .severityChanged(let change):
            return "Severity \(change.from.code) → \(change.to.code): \(change.reason ?? "(erased)")"
        case .changed(let change): return change.timelineText
        case .clockMissed(let missed): return "Clock '\(missed.clock)' missed; it was due \(missed.due.rfc3339)"
        case .page(let page): return page.timelineText
        }
    }
}

extension IncidentChange {
    fileprivate var timelineText: String {
        let reason = text.map { ": \($0)" } ?? ""
        return action.timelineText + reason
    }
}

extension IncidentChange.Action {
    fileprivate var timelineText: String {
        switch self {
        case .acknowledge: "Acknowledged"
        case .phase(let from, let to): "Phase \(from.rawValue) → \(to.rawValue)"
        case .close(_, let resolution): "Closed as \(resolution.rawValue.replacing("_", with: " "))"
        case .reopen: "Opened again"
        case .note: "Note"
        case .statusUpdate: "Status update"
        case .say: "War room"
        case .assign(let role, let person): "\(person ?? "(erased)") has the role \(role)"
        case .release(let role, let person): "\(person ?? "(erased)") has the role \(role) no more"
        case .addEntity(let entity): "About \(entity.kind.rawValue) \(entity.value ?? "(erased)")"
        case .affected(let users, let data):
            "Affected: \(users.map { "\($0) users" } ?? "an unknown number of users")"
                + (data.isEmpty ? "" : "; \(data.joined(separator: ", "))")
        case .trafficLight(let light): "Marked \(light.rawValue)"
        case .restrict: "Restricted to those who need to know"
        case .unrestrict: "Not restricted any more"
        case .link(let kind, let other): "Linked: \(kind.rawValue.replacing("_", with: " ")) \(other)"
        case .unlink(let kind, let other): "Link taken back: \(kind.rawValue.replacing("_", with: " ")) \(other)"
        case .merge(let other): "Merged into \(other)"
        case .split(let other, let findings, _): "\(findings.count) of its findings split off into \(other)"
        case .milestone(let milestone): "Stated: \(milestone.rawValue.replacing("_", with: " "))"
        case .pauseClock(let clock): clock.map { "Clock '\($0)' paused" } ?? "All clocks paused"
        case .resumeClock(let clock): clock.map { "Clock '\($0)' goes on" } ?? "All clocks go on"
        }
    }
}

extension PageEvent {
    fileprivate var timelineText: String? {
        // What was written says so itself; here is told what did not get through.
        let isOfRoom = key.hasPrefix("\(incident)/room/")
        switch what {
        case .intended(let intent):
            if isOfRoom { return nil }
            let whom = intent.person.map { "\($0) (\(intent.target))" } ?? intent.target
            return switch intent.purpose {
            case .page: "\(intent.step): paging \(whom) by \(intent.channel)"
            case .clock: "Clock '\(intent.step)': telling \(whom) by \(intent.channel)"
            case .containment: "\(intent.step): telling \(whom) by \(intent.channel)"
            case .stop: "Telling \(intent.channel) to stop paging"
            case .room: nil
            }
        case .attempted: return nil
        case .sent where isOfRoom: return nil
        case .sent(let number, _): return "Sent: \(key)" + (number > 1 ? ", at attempt \(number)" : "")
        case .failed(let number, let reason, _): return "Not sent at attempt \(number): \(key): \(reason)"
        case .dead(_, let reason): return "Given up: \(key): \(reason)"
        case .cancelled(let reason): return "Not paged: \(key): \(reason)"
        }
    }
}
