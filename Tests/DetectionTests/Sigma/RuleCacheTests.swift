import Events
import Foundation
import Testing

@testable import Detection

@Suite struct RuleCacheTests {
    private static let rules = URL(fileURLWithPath: WindowsEvents.pipelines).deletingLastPathComponent().path

    /// What a rule set comes to, as text.
    private func described(_ rules: RuleSet) -> String {
        // Not the witnesses: sets have no order.
        let lines = rules.rules.map { "\($0.header) \($0.logSource) \($0.expression) \($0.feeds) \($0.isReported)" }
        let correlations = rules.correlations.map {
            "\($0.header) \($0.definitionHash) \($0.kind) \($0.members) \($0.bounds) \($0.clear) \($0.feeds) \($0.isReported)"
        }
        let regexes = rules.regexes.map { "\($0.pattern) \($0.options.rawValue) \($0.requiredLiterals ?? [])" }
        return """
            \(lines.joined(separator: "\n"))
            \(correlations.joined(separator: "\n"))
            \(regexes.joined(separator: "\n"))
            \(rules.headers)
            \(rules.problems)
            \(rules.fields.names)
            """
    }

    private func sources() -> [RuleSource] {
        let conformance = ConformanceTests.Case.all.enumerated().map { index, example in
            RuleSource(
                path: "conformance-\(index).yml",
                text: EngineTrial.rule(example.detection).replacing(
                    "0123456789ab", with: String(String(index + 1_000_000_000_000).suffix(12))))
        }
        let filter = RuleSource(
            path: "filter.yml",
            text: "title: F\nlogsource: {category: application}\nfilter:\n  rules: any\n  s: {zz: 1}\n  condition: not s\n")
        return RuleFolder(paths: [Self.rules]).rules + conformance + [filter]
    }

    @Test func cachedIsFresh() throws {
        let sources = sources()
        var cache = RuleCache(keeps: true)
        let fresh = RuleSet(sources: sources, cache: &cache)
        #expect(cache.isStale && fresh.problems == [] && fresh.count > 200)
        var read = try #require(RuleCache(cache.encoded))
        let cached = RuleSet(sources: sources, cache: &read)
        #expect(!read.isStale)
        #expect(described(cached) == described(fresh))
        #expect(read.encoded == cache.encoded)
    }

    @Test func whatChangedIsParsedAnew() throws {
        var cache = RuleCache(keeps: true)
        let before = RuleSource(path: "r.yml", text: EngineTrial.rule("s: {a: one}\ncondition: s"))
        let after = RuleSource(path: "r.yml", text: EngineTrial.rule("s: {a: two}\ncondition: s"))
        _ = RuleSet(sources: [before], cache: &cache)
        var read = try #require(RuleCache(cache.encoded))
        #expect(described(RuleSet(sources: [after], cache: &read)) == described(RuleSet(sources: [after])))
        #expect(read.isStale)
    }

    @Test func refusedFilesAreNotKept() throws {
        var cache = RuleCache(keeps: true)
        let broken = RuleSource(path: "r.yml", text: "title: x\n")
        #expect(RuleSet(sources: [broken], cache: &cache).problems.count == 1)
        var read = try #require(RuleCache(cache.encoded))
        #expect(RuleSet(sources: [broken], cache: &read).problems.count == 1)
    }

    @Test func damagedBytesAreNoCache() throws {
        var cache = RuleCache(keeps: true)
        _ = RuleSet(sources: [RuleSource(path: "r.yml", text: EngineTrial.rule("s: {a: one}\ncondition: s"))], cache: &cache)
        let bytes = cache.encoded
        for index in bytes.indices {
            var damaged = bytes
            damaged[index] ^= 0x41
            #expect(RuleCache(damaged) == nil)
            #expect(RuleCache(Array(bytes[..<index])) == nil)
        }
    }

    @Test("bytes whose checksum was made to fit neither trap nor hang")
    func hostileBytes() throws {
        var cache = RuleCache(keeps: true)
        _ = RuleSet(sources: Array(sources().suffix(20)), cache: &cache)
        let bytes = Array(cache.encoded.dropLast(32))
        var random = SeededGenerator(seed: 5)
        for _ in 0..<2_000 {
            var damaged = bytes
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                damaged[Int.random(in: 0..<damaged.count, using: &random)] = .random(in: .min ... .max, using: &random)
            }
            _ = RuleCache(unsealed: damaged)
        }
    }

    @Test func theFileIsItsOwnersAlone() throws {
        let folder = NSTemporaryDirectory() + "rule-cache-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let path = folder + "/deep/rules-cache"
        let rules = RuleFolder(paths: [Self.rules])
        let first = rules.compile(cachePath: path)
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        #expect(mode == 0o600)
        #expect(described(rules.compile(cachePath: path).ruleSet) == described(first.ruleSet))
        #expect(RuleCacheFile.read(path) != nil)
        try FileManager.default.setAttributes([.posixPermissions: 0o622], ofItemAtPath: path)
        #expect(RuleCacheFile.read(path) == nil, "others could have written it")
        try Data("rubbish".utf8).write(to: URL(fileURLWithPath: path))
        #expect(described(rules.compile(cachePath: path).ruleSet) == described(first.ruleSet))
        #expect(RuleCacheFile.read(path) != nil, "it is made anew")
    }
}
