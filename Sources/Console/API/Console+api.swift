import Hummingbird
import Incidents

extension Console {
    /// Of a name that is asked for: what a finding may hold of one.
    static let maximumEntityText = 512

    /// The pages' twins for programs, below `/api/v1`. Errors are RFC 9457 problems.
    func addAPIRoutes(to routes: ConsoleRoutes) {
        routes.get("incidents", .viewer) { request, context in
            let fields = FormFields(query: request.uri.query)
            let filter = IncidentFilter(fields, includesClosedByDefault: true)
            var query = filter.query(rows: Self.rowsPerPage)
            query = IncidentQuery(
                search: query.search, severities: query.severities, includesClosed: query.includesClosed,
                limit: fields["limit"].flatMap { Int($0) } ?? 100, offset: fields["offset"].flatMap { Int($0) } ?? 0,
                reader: context.reader)
            let page = try await dependencies.incidents.incidents(matching: query)
            return try HTTPAnswer.json(
                APIIncidentList(
                    incidents: page.incidents.map(APIIncident.init), total: page.total, limit: query.limit, offset: query.offset))
        }
        routes.get("incidents/:id", .viewer) { _, context in
            let id = try context.parameters.require("id")
            guard
                let detail = try await dependencies.incidents.incident(
                    id: id, maximumFindings: Self.allFindings, maximumTimeline: IncidentDetail.allTimeline, reader: context.reader
                )
            else { throw ConsoleFailure.noIncident(id) }
            return try HTTPAnswer.json(APIIncidentDetail(detail, risks: await risks(of: detail, context: context)))
        }
        routes.post("incidents/:id/orders", .responder) { request, context in
            let id = try await carryOut(request, context: context)
            guard
                let detail = try await dependencies.incidents.incident(
                    id: id, maximumFindings: Self.someFindings, reader: context.reader)
            else { throw ConsoleFailure.noIncident(id) }
            return try HTTPAnswer.json(APIIncidentDetail(detail, risks: await risks(of: detail, context: context)))
        }
        routes.get("incidents/:id/evidence", .viewer) { _, context in
            let id = try context.parameters.require("id")
            guard try await !isHidden(id, from: context) else { throw ConsoleFailure.noIncident(id) }
            let items = try await dependencies.ledger.evidence(of: id)
            return try HTTPAnswer.json(APIEvidenceList(evidence: items.map(APIEvidence.init)))
        }
        routes.get("journal/:sequence", .viewer) { _, context in
            guard let sequence = Int(try context.parameters.require("sequence")), sequence >= 0,
                let proof = try await dependencies.ledger.proof(of: sequence),
                try await !isHidden(proof.entry.incident, from: context)
            else { throw ConsoleFailure.noEntry }
            return try HTTPAnswer.json(APIProof(proof))
        }
        routes.get("metrics", .viewer) { request, context in
            let metrics = try await metrics(MetricsChoice(FormFields(query: request.uri.query)), context: context)
            return HTTPAnswer.json(text: try MetricsJSON.text(metrics))
        }
        routes.get("entities", .viewer) { request, context in
            let fields = FormFields(query: request.uri.query)
            let limit = min(max(fields["limit"].flatMap { Int($0) } ?? 100, 1), 500)
            let now = dependencies.now()
            let views: [RiskView]
            if let value = fields["value"].map({ String($0.prefix(Self.maximumEntityText)) }), !value.isEmpty {
                views = await dependencies.states.risks(
                    of: IncidentEntity.Kind.allCases.map { IncidentEntity(kind: $0, value: value) }, for: context.reader, at: now)
            } else {
                views = await dependencies.states.worstRisks(for: context.reader, at: now, limit: limit)
            }
            return try HTTPAnswer.json(APIEntityRiskList(entities: views.prefix(limit).map(APIEntityRisk.init)))
        }
        routes.get("sources", .viewer) { _, _ in
            try HTTPAnswer.json(APISourceList(sources: await dependencies.sources().map(APISource.init)))
        }
        routes.get("detection", .viewer) { _, _ in
            try HTTPAnswer.json(APIDetection(await dependencies.detection()))
        }
        routes.get("rules", .viewer) { _, _ in
            try HTTPAnswer.json(APIRuleList(rules: await dependencies.rules().map(APIRule.init)))
        }
    }
}
