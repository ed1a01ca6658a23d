package import Events
import Journal

/// What the journal says of a hunt, whoever hunts and however: who, for what, over which time, and what came of it.
package struct HuntRecord: Sendable, Equatable {
    package enum Step: String, Sendable {
        case started = "hunt.started"
        case cancelled = "hunt.cancelled"
        case ended = "hunt.ended"
    }

    package enum Through: String, Sendable {
        case console, command
    }

    /// What is asked; personal, since conditions name addresses and accounts.
    package struct Question: Sendable, Equatable {
        /// Sigma documents as they were written.
        package var rule = ""
        /// Files and folders that rules were taken from.
        package var rules: [String] = []
        package var filter = ""
        package var countBy = ""
        /// Sources whose lines alone are meant; empty for all.
        package var sources: [String] = []

        package init() {}
    }

    package struct Outcome: Sendable, Equatable {
        /// `done`, `cancelled` or `failed`.
        package var state: String
        package var results: Int
        package var lines: Int

        package init(state: String, results: Int, lines: Int) {
            self.state = state
            self.results = results
            self.lines = lines
        }
    }

    package var id: String
    package var through: Through
    /// Of the console an account's name, of a command the system's.
    package var person: String
    package var question: Question
    /// `nil` for the beginning.
    package var since: Timestamp?
    package var until: Timestamp
    /// Of the rules that were hunted with, whatever stood in the files later.
    package var rulesHash: String?

    package init(
        id: String, through: Through, person: String, question: Question, since: Timestamp?, until: Timestamp, rulesHash: String?
    ) {
        self.id = id
        self.through = through
        self.person = person
        self.question = question
        self.since = since
        self.until = until
        self.rulesHash = rulesHash
    }

    func draft(_ step: Step, by other: String? = nil, outcome: Outcome? = nil, at now: Timestamp) -> EntryDraft {
        var data: [String: JSONValue] = [
            "hunt": .string(id), "through": .string(through.rawValue), "until": .string(until.rfc3339),
        ]
        data["since"] = since.map { .string($0.rfc3339) }
        data["rules_hash"] = rulesHash.map { .string($0) }
        if let outcome {
            data["state"] = .string(outcome.state)
            data["results"] = .integer(Int64(outcome.results))
            data["lines"] = .integer(Int64(outcome.lines))
        }
        let subject = Subject(kind: .user, value: other ?? person)
        return EntryDraft(
            type: step.rawValue, occurredAt: now, actor: "system", data: data,
            personal: [
                PersonalField(name: "user.name", subjects: [subject], value: .string(other ?? person)),
                PersonalField(name: "hunt.question", subjects: [subject], value: question.value),
            ])
    }
}

extension HuntRecord.Question {
    /// Bounded, whatever was written.
    fileprivate var value: JSONValue {
        var value: [String: JSONValue] = [
            "rule": .string(String(rule.prefix(8_000))), "filter": .string(String(filter.prefix(2_000))),
            "count_by": .string(String(countBy.prefix(200))),
        ]
        if !rules.isEmpty { value["rules"] = Self.list(rules) }
        if !sources.isEmpty { value["sources"] = Self.list(sources) }
        return .object(value)
    }

    private static func list(_ texts: [String]) -> JSONValue { .array(texts.prefix(50).map { .string(String($0.prefix(500))) }) }

    fileprivate init(_ value: JSONValue) {
        func texts(_ name: String) -> [String] { value[name]?.arrayValue?.compactMap(\.stringValue) ?? [] }
        rule = value["rule"]?.stringValue ?? ""
        filter = value["filter"]?.stringValue ?? ""
        countBy = value["count_by"]?.stringValue ?? ""
        rules = texts("rules")
        sources = texts("sources")
    }
}

// MARK: As an order

/// What a command asks the server to write down.
struct HuntOrder: Sendable, Equatable {
    var record: HuntRecord
    var step: HuntRecord.Step
    var outcome: HuntRecord.Outcome?

    var document: JSONValue {
        var document: [String: JSONValue] = [
            "hunt": .string(record.id), "step": .string(step.rawValue), "person": .string(record.person),
            "question": record.question.value, "until": .string(record.until.rfc3339),
        ]
        document["since"] = record.since.map { .string($0.rfc3339) }
        document["rules_hash"] = record.rulesHash.map { .string($0) }
        document["state"] = outcome.map { .string($0.state) }
        document["results"] = outcome.map { .integer(Int64($0.results)) }
        document["lines"] = outcome.map { .integer(Int64($0.lines)) }
        return .object(document)
    }

    init(_ step: HuntRecord.Step, of record: HuntRecord, outcome: HuntRecord.Outcome?) {
        self.record = record
        self.step = step
        self.outcome = outcome
    }

    init?(_ document: JSONValue) {
        func text(_ name: String) -> String? { document[name]?.stringValue }
        func number(_ name: String) -> Int? {
            if case .integer(let number)? = document[name] { Int(number) } else { nil }
        }
        guard let id = text("hunt"), let step = text("step").flatMap(HuntRecord.Step.init), let person = text("person"),
            let until = text("until").flatMap({ Timestamp(rfc3339: $0) }), let question = document["question"]
        else { return nil }
        self.step = step
        record = HuntRecord(
            id: id, through: .command, person: person, question: HuntRecord.Question(question),
            since: text("since").flatMap { Timestamp(rfc3339: $0) }, until: until, rulesHash: text("rules_hash"))
        if let state = text("state"), let results = number("results"), let lines = number("lines") {
            outcome = HuntRecord.Outcome(state: state, results: results, lines: lines)
        }
    }
}
