import Incidents

/// What adds up against the entities of an incident, as its page shows it.
enum RiskModels {
    /// Incidents of a part that are named; the rest is a number.
    private static let incidentsInRow = 3

    static func model(_ detail: IncidentDetail, _ views: [RiskView]) -> PageModel {
        let scores = Dictionary(views.map { ($0.risk.entity, $0) }) { first, _ in first }
        return [
            "entities": detail.summary.entities.map { entity -> PageModel in
                var model = IncidentModels.entity(entity)
                model["risk"] = scores[entity.subjectOfRisk].map { EntityRisk.text($0.risk.score) }
                return model
            },
            "risks": views.map { row($0, in: detail.summary.id) },
            "hasRisks": !views.isEmpty,
        ]
    }

    private static func row(_ view: RiskView, in incident: String) -> PageModel {
        let risk = view.risk
        var model = IncidentModels.entity(risk.entity)
        model["key"] = "risk-\(risk.entity.kind.rawValue)-\(risk.entity.value ?? "")"
        model["score"] = EntityRisk.text(risk.score)
        model["now"] = EntityRisk.text(view.now)
        model["sharedBy"] = risk.sharedBy
        model["parts"] = risk.parts.map { part -> PageModel in
            var ids: [String] = []
            for finding in part.findings where finding.incident != incident && !ids.contains(finding.incident) {
                ids.append(finding.incident)
            }
            var model: PageModel = [
                "rule": part.ruleTitle, "level": part.level, "category": IncidentModels.words(part.category),
                "points": EntityRisk.text(part.points), "findingCount": part.findings.count,
                "others": ids.prefix(incidentsInRow).map { id -> PageModel in
                    ["id": id, "path": "/incidents/\(FormFields.encode(id))"]
                },
            ]
            if ids.count > incidentsInRow { model["more"] = ids.count - incidentsInRow }
            return model
        }
        return model
    }
}
