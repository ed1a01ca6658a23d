import Detection
import Events
import Journal

/// What the journal says about the rules in force.
enum RuleEntries {
    static let loadedType = "rules.loaded"
    static let refusedType = "rules.refused"

    /// An entry is bounded: of so many rules or problems the ids or reasons are named, of the others the number.
    static let maximumIDs = 200
    static let maximumProblems = 20
    static let maximumReasonCharacters = 300

    /// - Parameter letGo: correlations whose windows are not gone on with.
    static func loaded(
        _ ruleSet: RuleSet, change: RuleSetChange, refused: Int, letGo: [String], at now: Timestamp
    ) -> EntryDraft {
        EntryDraft(
            type: loadedType, occurredAt: now, actor: "system",
            data: [
                "hash": .string(ruleSet.hash), "rules": .integer(Int64(ruleSet.count)), "refused": .integer(Int64(refused)),
                "added": ids(change.added), "changed": ids(change.changed), "removed": ids(change.removed),
                "windows_let_go": ids(letGo),
            ])
    }

    /// - Parameter kept: the hash of the set that stays in force.
    static func refused(_ problems: [RuleProblem], kept: String, at now: Timestamp) -> EntryDraft {
        EntryDraft(
            type: refusedType, occurredAt: now, actor: "system",
            data: [
                "kept": .string(kept), "count": .integer(Int64(problems.count)),
                "problems": .array(
                    problems.prefix(maximumProblems).map { problem in
                        [
                            "file": .string(String(problem.file.suffix(maximumReasonCharacters))),
                            "line": .integer(Int64(problem.line)),
                            "reason": .string(String(problem.reason.prefix(maximumReasonCharacters))),
                        ]
                    }),
            ])
    }

    private static func ids(_ ids: [String]) -> JSONValue {
        ["count": .integer(Int64(ids.count)), "ids": .array(ids.prefix(maximumIDs).map { .string($0) })]
    }
}
