import Events
import Identity
import Incidents

/// Turns silences into what their templates show.
enum SilenceModels {
    static func path(_ id: String) -> String { "/silences/\(FormFields.encode(id))" }

    /// The fields of a form or of a program, each as one text.
    static func texts(_ fields: FormFields) -> [String: String] {
        SilenceDraft.fields.reduce(into: [:]) { texts, name in
            let values = fields.all(name)
            if !values.isEmpty { texts[name] = name == "address" ? values.joined(separator: " ") : values[0] }
        }
    }

    static func row(_ view: SilenceView, titles: [String: String], now: Timestamp, signedIn: SignedIn?) -> PageModel {
        let (silence, matcher) = (view.silence, view.silence.matcher)
        let state = silence.state(at: now)
        var model: PageModel = [
            "silenceID": silence.id, "path": path(silence.id), "what": silence.kind.rawValue, "state": state.rawValue,
            "style": state == .active ? "holds" : "over", "isActive": state == .active,
            "isException": silence.kind == .exception, "isWithheld": view.isWithheld,
            "author": silence.author.label, "made": TimeText.model(silence.createdAt, now: now),
            "ends": TimeText.model(silence.until, now: now), "taken": NumberText.grouped(view.tally.findings),
            "takesCritical": silence.takesCritical, "matches": matches(matcher, titles: titles),
            "canEnd": (state == .active || state == .erased) && (signedIn?.role ?? .viewer) >= .responder,
        ]
        model["reason"] = view.isWithheld ? nil : silence.reason ?? "(erased)"
        model["lastTaken"] = view.tally.last.map { TimeText.model($0, now: now) }
        if let incident = silence.incident {
            model["origin"] = ["label": incident, "path": "/incidents/\(FormFields.encode(incident))"] as PageModel
        }
        if case .ended(let author, let time, let reason) = silence.end {
            var end: PageModel = ["by": author.label, "at": TimeText.model(time, now: now)]
            end["because"] = view.isWithheld ? nil : reason ?? "(erased)"
            model["end"] = end
        }
        if state == .expired || state == .ended, !view.isWithheld, (signedIn?.role ?? .viewer) >= .responder {
            model["againPath"] = newPath(kind: silence.kind, matcher, incident: silence.incident)
        }
        return model
    }

    /// What it takes, in words, one for each part.
    static func matches(_ matcher: SilenceMatcher, titles: [String: String]) -> [PageModel] {
        var parts: [PageModel] = []
        if let rule = matcher.rule { parts.append(["part": "rule", "text": titles[rule] ?? rule]) }
        for address in matcher.addresses { parts.append(["part": "IP", "text": address.text]) }
        if let account = matcher.account { parts.append(["part": "user", "text": account]) }
        if let line = matcher.line { parts.append(["part": "line has", "text": line]) }
        return parts
    }

    static func newPath(kind: Silence.Kind, _ matcher: SilenceMatcher, incident: String?) -> String {
        var fields = [("kind", kind.rawValue)]
        if let rule = matcher.rule { fields.append(("rule", rule)) }
        if !matcher.addresses.isEmpty { fields.append(("address", matcher.addresses.map(\.text).joined(separator: " "))) }
        if let account = matcher.account { fields.append(("account", account)) }
        if let line = matcher.line { fields.append(("line", line)) }
        if let incident { fields.append(("incident", incident)) }
        return "/silences/new?" + fields.map { "\($0)=\(FormFields.encode($1))" }.joined(separator: "&")
    }

    /// What a page tells of a finding: who silenced it, or how that would be done.
    static func note(_ finding: FindingView, silences: [String: Silence], maySilence: Bool, now: Timestamp) -> PageModel {
        if let id = finding.silence {
            var model: PageModel = ["id": id, "path": path(id)]
            if let silence = silences[id] {
                model["by"] = silence.author.label
                model["until"] = TimeText.model(silence.until, now: now)
            }
            return ["silenced": model]
        }
        guard maySilence, let incident = finding.incident else { return [:] }
        var addresses: [AddressBlock] = []
        for entity in finding.entities where entity.kind == .address {
            guard let block = entity.value.flatMap({ IPAddress($0) }).flatMap(AddressBlock.one), !addresses.contains(block) else {
                continue
            }
            addresses.append(block)
        }
        let matcher = SilenceMatcher(
            rule: finding.ruleID, addresses: Array(addresses.prefix(SilenceBook.mostAddresses)),
            account: addresses.isEmpty ? finding.entities.first { $0.kind == .account }?.value : nil)
        return [
            "muting": [
                "silencePath": newPath(kind: .silence, matcher, incident: incident),
                "exceptionPath": newPath(kind: .exception, matcher, incident: incident),
            ] as PageModel
        ]
    }

    // MARK: The form

    static func form(_ fields: FormFields, rules: [RuleSummary]) -> PageModel {
        let texts = texts(fields)
        let chosen = texts["rule"] ?? ""
        let isException = texts["kind"] == Silence.Kind.exception.rawValue
        var options = rules.filter { $0.problem == nil && $0.isReported && !$0.id.isEmpty }.map { (id: $0.id, title: $0.title) }
            .sorted { ($0.title, $0.id) < ($1.title, $1.id) }
        // Vigie's own, and those that are gone.
        if !chosen.isEmpty, !options.contains(where: { $0.id == chosen }) { options.insert((id: chosen, title: chosen), at: 0) }
        return [
            "isException": isException, "isSilence": !isException, "address": texts["address"] ?? "",
            "account": texts["account"] ?? "", "line": texts["line"] ?? "", "reason": texts["reason"] ?? "",
            "incidentID": texts["incident"] ?? "", "hasIncident": !(texts["incident"] ?? "").isEmpty,
            "duration": texts["for"] ?? (isException ? "30d" : "4h"),
            "rules": options.map { ["id": $0.id, "label": $0.title, "isChosen": $0.id == chosen] as PageModel },
        ]
    }

    static func preview(_ preview: SilencePreview, _ fields: FormFields, now: Timestamp) -> PageModel {
        let shares = { (shares: [SilencePreview.Share], most: Int, path: (String) -> String?) -> [PageModel] in
            shares.prefix(most).map { share in
                var model: PageModel = [
                    "id": share.id, "label": share.title.isEmpty ? share.id : share.title,
                    "count": NumberText.grouped(share.findings),
                ]
                model["path"] = path(share.id)
                return model
            }
        }
        var model: PageModel = [
            "findings": NumberText.grouped(preview.findings), "isNone": preview.findings == 0, "isOne": preview.findings == 1,
            "spared": NumberText.grouped(preview.spared), "sparesSome": preview.spared > 0, "isPartial": preview.isPartial,
            "isWide": preview.breadth == .wide, "rules": shares(preview.rules, 20) { _ in nil },
            "hasRules": !preview.rules.isEmpty,
            "incidents": shares(preview.incidents, 20) { "/incidents/\(FormFields.encode($0))" },
            "hasIncidents": !preview.incidents.isEmpty,
            "moreIncidents": max(0, preview.incidents.count - 20), "hasMore": preview.incidents.count > 20,
            // What the form sends on.
            "hidden": texts(fields).sorted { $0.key < $1.key }.map { ["name": $0.key, "value": $0.value] as PageModel },
        ]
        model["last"] = preview.last.map { TimeText.model($0, now: now) }
        return model
    }
}
