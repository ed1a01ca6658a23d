package import Events
import Foundation

/// What a rules folder holds: rules, pipelines (`pipelines/`), and samples beside the rules. Log formats (`formats/`) are read by
/// whoever reads logs.
package struct RuleFolder: Sendable {
    package private(set) var rules: [RuleSource] = []
    package private(set) var pipelines: [Pipeline] = []
    /// Every log source that events can come from: with those of the log formats, once they have been made known.
    package var logSources = LogSourceTable()
    package private(set) var samples: [RuleSource] = []
    /// Files that could not be read.
    package private(set) var problems: [RuleProblem] = []

    static let samplesSuffix = ".samples.yml"

    /// Rules that are in memory already.
    package init(rules: [RuleSource], pipelines: [Pipeline] = [], samples: [RuleSource] = []) {
        self.rules = rules
        self.pipelines = pipelines
        self.samples = samples
    }

    /// Reads every `.yml` and `.yaml` below the paths; a path may also be one file, which is read with its samples. In the order of
    /// their names.
    package init(paths: [String]) {
        let tree = RuleFileTree(paths: paths)
        problems = tree.problems
        for file in tree.files { add(file) }
        let read = Set(tree.files.map(\.path))
        let beside = Set(paths.filter(read.contains).map { RuleFolder.stem($0) + RuleFolder.samplesSuffix }).subtracting(read)
        for file in RuleFileTree(paths: beside.sorted().filter(FileManager.default.fileExists)).files { add(file) }
    }

    private mutating func add(_ file: RuleFileTree.File) {
        let path = file.path
        if path.contains("/formats/") { return }
        guard file.size <= SigmaParser.maximumBytes else {
            problems.append(RuleProblem(file: path, line: 0, reason: "the file is larger than 1 MiB; split it"))
            return
        }
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
            problems.append(
                RuleProblem(file: path, line: 0, reason: "it cannot be read as UTF-8 text; check its permissions and encoding"))
            return
        }
        let source = RuleSource(path: path, text: text)
        if path.hasSuffix(RuleFolder.samplesSuffix) {
            samples.append(source)
        } else if path.contains("/pipelines/") {
            do throws(RuleProblem) {
                pipelines += try Pipeline.parse(source)
            } catch {
                problems.append(error)
            }
        } else {
            rules.append(source)
        }
    }

    /// The samples of a rule file: those in it, under `vigie.samples`, and those beside it.
    ///
    /// - Throws: `RuleProblem` where they cannot be read.
    package func samples(of rule: RuleSource) throws(RuleProblem) -> [RuleSample] {
        var found = try RuleSample.within(rule)
        for beside in samples where RuleFolder.stem(beside.path) == RuleFolder.stem(rule.path) {
            found += try RuleSample.parse(beside)
        }
        return found
    }

    /// Files of samples that stand beside no rule file.
    package var strayedSamples: [RuleSource] {
        let stems = Set(rules.map { RuleFolder.stem($0.path) })
        return samples.filter { !stems.contains(RuleFolder.stem($0.path)) }
    }

    /// Where the samples of a rule file stand.
    package static func samplesPath(of rule: RuleSource) -> String { stem(rule.path) + samplesSuffix }

    /// A path without what tells a rule from its samples.
    private static func stem(_ path: String) -> Substring {
        for suffix in [samplesSuffix, ".yml", ".yaml"] where path.hasSuffix(suffix) { return path.dropLast(suffix.count) }
        return path[...]
    }

    /// The compiled rules, with the files that could not be read among the problems.
    ///
    /// - Parameters:
    ///   - cachePath: a file that keeps what was parsed for the next time; it is made, or made anew, as needed.
    ///   - logSources: every log source that events can come from, with those of the formats that will be read.
    ///   - cacheRefused: told why a cache that is there is not used; the rules load all the same.
    package func compile(
        cachePath: String? = nil, logSources: LogSourceTable = LogSourceTable(), cacheRefused: (String) -> Void = { _ in }
    ) -> (ruleSet: RuleSet, problems: [RuleProblem]) {
        guard let cachePath else {
            let ruleSet = RuleSet(sources: rules, pipelines: pipelines, logSources: logSources)
            return (ruleSet, problems + ruleSet.problems)
        }
        var cache = RuleCacheFile.read(cachePath, refused: cacheRefused) ?? RuleCache(keeps: true)
        let ruleSet = RuleSet(sources: rules, pipelines: pipelines, logSources: logSources, cache: &cache)
        if cache.isStale { RuleCacheFile.write(cache, to: cachePath) }
        return (ruleSet, problems + ruleSet.problems)
    }

    /// The rules of one file and those in other files that its correlations count: what its samples are run with.
    package func compile(file path: String, logSources: LogSourceTable = LogSourceTable()) -> RuleSet {
        var wanted: [String: RuleSource] = [:]
        var queue = rules.filter { $0.path == path }
        while let source = queue.popLast() {
            guard wanted.updateValue(source, forKey: source.path) == nil else { continue }
            let counted = SigmaParser.parse(source).compactMap { try? $0.get() }.flatMap(\.countedRules)
            queue += rules.filter { rule in
                wanted[rule.path] == nil && counted.contains { rule.text.contains($0) } && defines(rule, counted)
            }
        }
        return RuleSet(sources: rules.filter { wanted[$0.path] != nil }, pipelines: pipelines, logSources: logSources)
    }

    private func defines(_ source: RuleSource, _ names: [String]) -> Bool {
        SigmaParser.parse(source).contains { result in
            guard let header = try? result.get().header else { return false }
            return names.contains(header.id) || header.name.map(names.contains) ?? false
        }
    }
}

extension SigmaDocument {
    fileprivate var countedRules: [String] {
        if case .correlation(let correlation) = body { correlation.rules } else { [] }
    }
}
