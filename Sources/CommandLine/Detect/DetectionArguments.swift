import Detection
import Events
import Foundation
import Ingest
import Server

enum LogFormatArgument {
    /// - Parameter formats: those beside the built-in ones; `nil` where they are not loaded yet and will be asked later.
    static func parse(_ text: String, formats: FormatSet? = nil) throws -> LogFormat {
        if let format = LogFormat(rawValue: text), formats.map(format.isKnown) ?? true { return format }
        let names = LogFormat.allCases.map(\.rawValue) + (formats?.names ?? [])
        let nearest = NearestName.find(text, among: names).map { " Did you mean '\($0)'?" } ?? ""
        throw CommandFailure(.usage, "format '\(text)' is not known; known are \(names.joined(separator: ", ")).\(nearest)")
    }
}

enum ReferenceTimeArgument {
    static func parse(_ text: String?) throws -> Timestamp {
        guard let text else { return .system }
        guard let time = Timestamp(rfc3339: text) else {
            throw CommandFailure(.usage, "--reference-time '\(text)' is not an RFC 3339 time, such as 2026-03-01T12:00:00Z")
        }
        return time
    }
}

/// What stands behind `--since` and `--until`.
enum TimeRangeArgument {
    static func parse(since: String?, until: String?) throws -> (since: Timestamp?, until: Timestamp?) {
        let range = (since: try time(since, "--since"), until: try time(until, "--until"))
        guard let first = range.since, let end = range.until, first >= end else { return range }
        throw CommandFailure(
            .usage,
            "--since \(first.rfc3339) is not before --until \(end.rfc3339): nothing lies between; swap them, or leave one out")
    }

    private static func time(_ text: String?, _ option: String) throws -> Timestamp? {
        guard let text else { return nil }
        guard let time = Timestamp(rfc3339: text) else {
            throw CommandFailure(.usage, "\(option) '\(text)' is not an RFC 3339 time, such as 2026-03-01T12:00:00Z")
        }
        return time
    }
}

extension RuleFolder {
    /// Rules, and the log formats beside them, whose log sources the rules are held against.
    static func read(_ paths: [String]) -> (rules: RuleFolder, formats: FormatFolder) {
        var folder = RuleFolder(paths: paths)
        let formats = FormatFolder(paths: paths)
        formats.intern(into: &folder.logSources)
        return (folder, formats)
    }
}

enum LoadedRules {
    /// `$XDG_CACHE_HOME/vigie/rules-cache`, or below `~/.cache`; `nil` without a home.
    private static var cachePath: String? {
        let environment = ProcessInfo.processInfo.environment
        if let folder = environment["XDG_CACHE_HOME"], folder.hasPrefix("/") { return folder + "/vigie/rules-cache" }
        return environment["HOME"].flatMap { $0.hasPrefix("/") ? $0 + "/.cache/vigie/rules-cache" : nil }
    }

    /// Loads and compiles; refused rules are named on standard error while the others run.
    static func load(_ paths: [String]) throws -> RuleSet { try load(paths, against: formatFolder(paths)) }

    /// Likewise, with the log formats of the same folders.
    static func loadWithFormats(_ paths: [String]) throws -> (rules: RuleSet, formats: FormatSet) {
        let folder = formatFolder(paths)
        let ruleSet = try load(paths, against: folder)
        for problem in folder.problems { Output.note("refused: \(problem)") }
        return (
            ruleSet, FormatSet(folder, fields: ruleSet.fields, logSources: ruleSet.logSources, taxonomy: ruleSet.taxonomy)
        )
    }

    private static func formatFolder(_ paths: [String]) -> FormatFolder { FormatFolder(paths: paths.isEmpty ? ["rules"] : paths) }

    /// - Parameter formats: whose log sources the rules are held against.
    private static func load(_ paths: [String], against formats: FormatFolder) throws -> RuleSet {
        let folder = RuleFolder(paths: paths.isEmpty ? ["rules"] : paths)
        var logSources = LogSourceTable()
        formats.intern(into: &logSources)
        let (ruleSet, problems) = folder.compile(cachePath: cachePath, logSources: logSources)
        for problem in problems { Output.note("refused: \(problem)") }
        guard ruleSet.count > 0 else {
            throw CommandFailure(.usage, "no rule could be loaded; name a folder of rules with --rules")
        }
        return ruleSet
    }
}
