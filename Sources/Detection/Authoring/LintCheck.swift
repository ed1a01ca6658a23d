/// Everything that `vigie rules lint` looks for. docs/rule-lint.md is made from it, and a test runs every example.
package enum LintCheck: String, Sendable, CaseIterable {
    case refused
    case neverMatches = "never-matches"
    case correlationNever = "correlation-never"
    case contradiction
    case alwaysMatches = "always-matches"
    case unusedSearch = "unused-search"
    case unknownField = "unknown-field"
    case unknownLogSource = "unknown-log-source"
    case unknownGroupField = "unknown-group-field"
    case impossibleText = "impossible-text"
    case impossibleValue = "impossible-value"
    case duplicateValue = "duplicate-value"
    case keywordsEverywhere = "keywords-everywhere"
    case uncounted
    case longTimespan = "long-timespan"
    case duplicateTitle = "duplicate-title"
    case missingLevel = "missing-level"
    case missingDescription = "missing-description"
    case noSamples = "no-samples"
    case invalidDate = "invalid-date"
    case invalidTag = "invalid-tag"
    case redundantValue = "redundant-value"
    case everyEvent = "every-event"
    case regexWithoutLiteral = "regex-without-literal"
    case shortLiteral = "short-literal"
    case quantifierOfOne = "quantifier-of-one"
    case correlationAlways = "correlation-always"
    case missingMetadata = "missing-metadata"

    package var severity: LintFinding.Severity {
        switch self {
        case .refused, .neverMatches, .correlationNever: .error
        case .redundantValue, .everyEvent, .regexWithoutLiteral, .shortLiteral, .quantifierOfOne, .correlationAlways,
            .missingMetadata:
            .advice
        default: .warning
        }
    }

    /// What is wrong, in general.
    package var summary: String {
        switch self {
        case .refused: "The file or the rule is refused, and does not run."
        case .neverMatches: "No event can make the condition true, whatever its fields hold."
        case .correlationNever: "No number satisfies all comparisons of the correlation, or it counts what it groups by."
        case .contradiction: "Two things are asked of one field that no single value can satisfy."
        case .alwaysMatches: "Every event of the log source makes the condition true."
        case .unusedSearch: "The condition does not use a search-identifier."
        case .unknownField: "No format and no pipeline gives this field to events of the rule's log source."
        case .unknownLogSource: "No format gives events of the log source that the rule asks for."
        case .unknownGroupField: "The correlation groups by, or counts values of, a field that no format gives."
        case .impossibleText: "The text cannot occur in a decoded field: white space and control bytes become one space there."
        case .impossibleValue: "The field holds numbers or addresses, and the value is none."
        case .duplicateValue: "A value stands twice in one list."
        case .keywordsEverywhere: "Keywords without a log source are sought in every line of every log."
        case .uncounted: "The rule says `hostile: false`, and no correlation counts it."
        case .longTimespan: "The timespan is longer than 30 days."
        case .duplicateTitle: "Two rules have one title, and people cannot tell their findings apart."
        case .missingLevel: "The rule has no level; it is taken for medium."
        case .missingDescription: "The rule does not say what it finds."
        case .noSamples: "There is no sample that shows what the rule finds and what it leaves alone."
        case .invalidDate: "A date is none of the calendar, or not of the form YYYY-MM-DD."
        case .invalidTag: "A tag has capital letters, or names no tactic or technique of ATT&CK."
        case .redundantValue: "A value can be left out: whatever contains it contains another one of the list, too."
        case .everyEvent: "The rule has nothing that could be looked for, and is tried on every event of its log source."
        case .regexWithoutLiteral: "The regular expression has no text that every match contains, and is tried by itself."
        case .shortLiteral: "The text that makes the rule a candidate is so short that it occurs in most lines."
        case .quantifierOfOne: "`all of` or `1 of` names a single search-identifier."
        case .correlationAlways: "One event is enough: the correlation adds nothing to the rule that it counts."
        case .missingMetadata: "Status, date or tags are missing."
        }
    }

    /// What to do about it.
    package var advice: String {
        switch self {
        case .refused: "mend it; the reason says what is wrong"
        case .neverMatches: "remove one of the two, or write `or`"
        case .correlationNever: "correct the comparison, or what is grouped by"
        case .contradiction: "write a list of values, or remove one"
        case .alwaysMatches: "say what the rule looks for"
        case .unusedSearch: "name it in the condition, or remove it"
        case .unknownField: "use a field of docs/rules.md, or add it to a pipeline"
        case .unknownLogSource: "use a log source of docs/rules.md"
        case .unknownGroupField: "group by a field that the counted events have"
        case .impossibleText: "write one space, or read url.original"
        case .impossibleValue: "correct it; `|gte`, `|lt` and `|cidr` ask for a range"
        case .duplicateValue: "remove one"
        case .keywordsEverywhere: "add a logsource"
        case .uncounted: "write a correlation that counts it, or remove `hostile: false`"
        case .longTimespan: "shorten it: state is kept for that long"
        case .duplicateTitle: "say in the title what tells them apart"
        case .missingLevel: "add `level`"
        case .missingDescription: "add `description`"
        case .noSamples: "add NAME.samples.yml beside it, or `vigie: {samples: […]}`"
        case .invalidDate: "write it as 2026-11-21"
        case .invalidTag: "correct it, such as attack.t1110.001 or attack.credential-access"
        case .redundantValue: "remove the longer one"
        case .everyEvent: "add a text or a number that every match has, or narrow the log source"
        case .regexWithoutLiteral: "add a `contains` beside it, or a longer literal in it"
        case .shortLiteral: "add a longer text beside it"
        case .quantifierOfOne: "name it directly, or mend the pattern"
        case .correlationAlways: "raise the threshold, or let the rule speak for itself"
        case .missingMetadata: "add them"
        }
    }
}
