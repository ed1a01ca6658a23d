package import Archive
package import Detection
package import Events
import Ingest

/// A question to the archive: rules, or conditions on fields, over a time. Immutable; `run` may be called any number of times.
///
/// With rules, events that meet the filter go through the engine that watches live, and its findings are the results. Without rules,
/// the events themselves are.
package struct Hunt: Sendable {
    package let query: ArchiveQuery
    package let countBy: String?
    package let hasRules: Bool
    /// Rules that were refused; the others hunt.
    package let problems: [RuleProblem]

    /// Of the rules that hunt; `nil` where there are none.
    package var rulesHash: String? { hasRules ? ruleSet.hash : nil }

    let ruleSet: RuleSet
    let formats: FormatSet
    let filter: CompiledFilter
    let countField: FieldID?
    /// Those of the filter, and what is counted by.
    let namedFields: [FieldID]

    /// - Parameters:
    ///   - rules: what is hunted with; may be none.
    ///   - base: rules folders, for their formats and pipelines: what lines are read with.
    ///   - countBy: a field by whose values results are counted.
    /// - Throws: `HuntError` where no rule can be used, or a field cannot be looked at.
    package init(
        rules: [RuleSource], base: [String], filter: HuntFilter = HuntFilter(), countBy: String? = nil,
        since: Timestamp = Timestamp(nanoseconds: .min), until: Timestamp = Timestamp(nanoseconds: .max),
        sources: Set<String>? = nil
    ) throws(HuntError) {
        var folder = RuleFolder(paths: base)
        let formatFolder = FormatFolder(paths: base)
        formatFolder.intern(into: &folder.logSources)
        let named = filter.fields + (countBy.map { [$0] } ?? [])
        ruleSet = RuleSet(
            sources: rules + Hunt.naming(named), pipelines: folder.pipelines, logSources: folder.logSources)
        formats = FormatSet(
            formatFolder, fields: ruleSet.fields, logSources: ruleSet.logSources, taxonomy: ruleSet.taxonomy)
        problems = folder.problems + ruleSet.problems
        hasRules = !rules.isEmpty
        self.filter = try CompiledFilter(filter, ruleSet.fields)
        self.countBy = countBy
        if let countBy {
            guard let field = ruleSet.fields.find(countBy) else {
                throw HuntError(
                    "the field '\(countBy)' cannot be counted by", "use a field's name as `vigie rules explain` shows it")
            }
            countField = field
        } else {
            countField = nil
        }
        let fields = ruleSet.fields
        namedFields = Set(named).sorted().compactMap { fields.find($0) }
        guard !hasRules || ruleSet.headers.contains(where: { $0.header.id != Hunt.namingID }) else {
            throw HuntError(
                "no rule can be used\(problems.first.map { ": \($0)" } ?? "")", "put the rule right; `vigie rules lint` helps")
        }
        query = ArchiveQuery(
            since: since, until: until, sources: sources, keys: filter.keys,
            fingerprint: ArchiveReading.fingerprint(formats, pipelines: ruleSet.pipelinesHash))
    }

    static let namingID = "00000000-0000-4000-8000-68756e740000"

    /// A rule that no event can match, because no log source is called so: it makes the filter's fields known to the formats.
    private static func naming(_ fields: [String]) -> [RuleSource] {
        guard !fields.isEmpty else { return [] }
        let searches = Set(fields).sorted().map { field in
            "    '\(field.filter { $0 != "'" && $0 != "\n" && $0 != "|" })|exists': true\n"
        }
        let text = """
            title: Fields of the filter
            id: \(namingID)
            logsource: {product: vigie_hunt_names}
            detection:
              fields:
            \(searches.joined())
              condition: fields
            level: informational
            vigie: {category: other}

            """
        return [RuleSource(path: "filter", text: text)]
    }
}

/// What a hunt has found: a finding of its rules, or an event that meets its filter.
package struct HuntResult: Sendable {
    package var finding: Finding?
    package var origin: BatchOrigin
    /// Where the line begins, and its number.
    package var offset: Int64
    package var line: Int64
    package var time: Timestamp
    /// The line, for people.
    package var text: String
}

/// How far a hunt is.
package struct HuntProgress: Sendable, Equatable {
    /// Of segments, on disk.
    package var bytesDone = 0
    package var bytesTotal = 0
    package var lines = 0
    package var results = 0
    package var blocksRead = 0
    /// Not read, because nothing in them can be meant.
    package var blocksSkipped = 0
    package var damages: [ArchiveDamage] = []
    /// Of the sources that are asked for, those of which lines were read.
    package internal(set) var sources: Set<String> = []
    /// Of the fields that are named, those that some line had.
    package internal(set) var fields: Set<FieldID> = []
    /// By the value of `countBy`; of so many different ones at most.
    package var counts: [String: Int] = [:]
    /// Results that no value could be counted for, because there is none or there are too many different ones.
    package var uncounted = 0

    package static let maximumCounts = 100_000

    package init() {}

    package var fraction: Double { bytesTotal == 0 ? 1 : min(1, Double(bytesDone) / Double(bytesTotal)) }
}
