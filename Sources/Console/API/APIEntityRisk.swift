import Events
import Incidents

struct APIEntityRiskList: Encodable {
    var entities: [APIEntityRisk]
}

struct APIEntityRisk: Encodable {
    struct Rule: Encodable {
        var id: String
        var title: String
        var level: String
    }

    struct Finding: Encodable {
        var id: String
        var incident: String
        var at: String
    }

    struct Part: Encodable {
        var rule: Rule
        var category: String
        var points: Double
        var findings: [Finding]
    }

    var type: String
    var value: String
    var risk: Double
    var lastSeen: String
    var riskNow: Double
    var sharedBy: Int?
    var parts: [Part]

    init(_ view: RiskView) {
        let risk = view.risk
        type = risk.entity.kind.rawValue
        value = risk.entity.value ?? ""
        self.risk = APIEntityRisk.rounded(risk.score)
        lastSeen = risk.lastSeen.rfc3339
        riskNow = APIEntityRisk.rounded(view.now)
        sharedBy = risk.sharedBy
        parts = risk.parts.map { part in
            Part(
                rule: Rule(id: part.ruleID, title: part.ruleTitle, level: part.level), category: part.category,
                points: APIEntityRisk.rounded(part.points),
                findings: part.findings.map { Finding(id: $0.id, incident: $0.incident, at: $0.at.rfc3339) })
        }
    }

    /// To one digit behind the point, as people are shown it.
    private static func rounded(_ points: Double) -> Double { (points * 10).rounded() / 10 }
}
