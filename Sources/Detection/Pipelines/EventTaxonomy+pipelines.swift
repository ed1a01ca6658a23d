import Events

extension EventTaxonomy {
    /// What the pipelines say of events, with numbers for fields and log sources.
    init(
        _ pipelines: [Pipeline], fields: inout FieldTable, logSources: inout LogSourceTable, problems: inout [RuleProblem]
    ) {
        self.init()
        var isFull = false
        func field(_ name: String) -> FieldID? {
            let found = fields.intern(name)
            isFull = isFull || found == nil
            return found
        }
        for pipeline in pipelines {
            for (name, meant) in pipeline.events.names { names[name] = field(meant) }
            // What a rule's name is mapped to is what the event's name becomes.
            if !pipeline.events.origins.isEmpty {
                for (name, meant) in pipeline.fields { names[name] = meant.first.flatMap(field) }
            }
            for (name, other) in pipeline.events.copies {
                if let from = field(name), let to = field(other) { copies[from] = to }
            }
            for (list, parts) in pipeline.events.assignments {
                guard let list = field(list) else { continue }
                assignments.append(Assignments(list: list, fields: parts.compactMapValues(field)))
            }
            if !pipeline.events.origins.isEmpty, otherwise == .unknown {
                otherwise = logSources.intern(pipeline.logSource) ?? .unknown
            }
            for origin in pipeline.events.origins {
                guard let source = logSources.intern(origin.source) else {
                    isFull = true
                    continue
                }
                let conditions = origin.conditions.compactMap { condition in
                    field(condition.field).map { Condition(field: $0, values: condition.values) }
                }
                origins.append(Origin(conditions: conditions, source: source))
            }
        }
        if isFull {
            problems.append(
                RuleProblem(file: "pipelines", line: 0, reason: "there are more than 65,535 different fields or log sources"))
        }
    }
}

extension LogSource {
    /// Whether a rule of this log source is one of those that `other` describes.
    func isWithin(_ other: LogSource) -> Bool {
        other.categories.isSubset(of: categories) && (other.product == nil || other.product == product)
            && (other.service == nil || other.service == service)
    }
}
