import AllocationCounter
import Events
import Foundation
import Ingest
import Testing

@testable import Detection

/// Once an engine has seen a kind of event, evaluating another one takes nothing from the heap. A match that is reported may.
/// script/allocations checks the same of the whole program as it is shipped: reading, matching and counting.
@Suite struct AllocationTests {
    private static let isCounted = allocations_of_thread() >= 0

    /// Unoptimised code puts values that are changed in place into boxes on the heap (most of all in `RegexMatcher`): what
    /// the engine itself takes shows only in a release build (`swift test -c release -Xswiftc -enable-testing`).
    private static let isOptimised: Bool = {
        #if DEBUG
        false
        #else
        true
        #endif
    }()
    private static let boxes: Comment = "unoptimised code puts values into boxes"

    private static let rules = """
        title: Literals
        id: 6f0f9d7c-1f0a-4d3e-9d51-000000000001
        logsource: {category: application}
        detection:
          contains: {message|contains: ['sekurlsa', 'whoami /all', 'x']}
          ends: {path|endswith: ['.exe', '\\cmd.exe']}
          glob: {path: 'c:*users*?.exe'}
          other: {path|fieldref|endswith: name}
          number: {size|gt: 10000000}
          regex: {message|re: '(?i)[0-9]{3} of [a-z]+ failed$'}
          bare: {message|re: '^[a-z ]{2,9}[0-9]+$'}
          time: {when|hour: 7}
          keywords: ['never to be seen', 'nor this']
          never: {name|exists: false}
          condition: 1 of them and not keywords and never
        """

    /// Lines of which no two are alike, so that hardly any value has been seen before.
    private static func batch(_ ruleSet: RuleSet, from first: Int) -> EventBatch {
        var parser = BatchParser(format: .json, plan: JSONFieldPlan(ruleSet.fields))
        let lines = (first..<first + 2000).map { number in
            """
            {"message": "\(number) of parts failed", "path": "C:\\\\Users\\\\u\(number)\\\\a.exe", "name": "\(number).EXE", \
            "size": \(number).25, "source.ip": "192.0.\(number % 7).\(number % 251)", "when": "2026-03-01T07:00:0\(number % 10)Z"}
            """
        }
        return LogStream.parse(
            lines.joined(separator: "\n") + "\n", name: "trial", parser: &parser, reference: Timestamp(seconds: 4_000_000_000))
    }

    private static func allocations(_ body: () -> Void) -> Int {
        let before = allocations_of_thread()
        body()
        return allocations_of_thread() - before
    }

    @Test(.enabled(if: isCounted, "allocations cannot be counted under a sanitizer"))
    func theCounterCounts() {
        #expect(Self.allocations { _ = [UInt8](repeating: 1, count: Int.random(in: 100...200)) } > 0)
    }

    @Test(.enabled(if: isCounted, "allocations cannot be counted under a sanitizer"))
    func matchingAllocatesNothing() throws {
        let ruleSet = RuleSet(sources: [RuleSource(path: "r.yml", text: Self.rules)])
        #expect(ruleSet.problems.isEmpty)
        var engine = Engine(ruleSet)
        let first = Self.batch(ruleSet, from: 100_000)
        let second = Self.batch(ruleSet, from: 500_000)
        var matches = 0
        for _ in 0..<2 { engine.matchLines(first) { _, _ in matches += 1 } }
        #expect(engine.statistics.candidates > 1000 && matches == 0)
        let remembered = engine.statistics.remembered
        let allocations = Self.allocations { engine.matchLines(second) { _, _ in matches += 1 } }
        withKnownIssue(Self.boxes) {
            #expect(allocations == 0)
        } when: {
            !Self.isOptimised
        }
        #expect(engine.statistics.values - engine.statistics.remembered > 4000, "the second batch is new to the engine")
        #expect(engine.statistics.remembered >= remembered)
    }

    @Test(.enabled(if: isCounted, "allocations cannot be counted under a sanitizer"))
    func theShippedRulesAllocateNothing() throws {
        let root = (0..<4).reduce(URL(filePath: #filePath)) { url, _ in url.deletingLastPathComponent() }
        let (ruleSet, problems) = RuleFolder(paths: [root.appending(path: "rules").path(percentEncoded: false)]).compile()
        #expect(problems.isEmpty)
        var engine = Engine(ruleSet)
        func batch(_ salt: Int) -> EventBatch {
            var parser = BatchParser(format: .combined, plan: JSONFieldPlan(ruleSet.fields))
            let lines = (0..<2000).map { number in
                """
                192.0.2.\(number % 200) - - [01/Mar/2026:12:00:\(10 + number / 40 % 50) +0000] "GET /items/\(salt + number)?page=\(number) HTTP/1.1" \
                200 \(number) "https://shop.example/list/\(salt + number)" "Mozilla/5.0 (X11; Linux x86_64; rv:\(number)) Firefox/128.0"
                """
            }
            return LogStream.parse(
                lines.joined(separator: "\n") + "\n", name: "trial", parser: &parser, reference: Timestamp(seconds: 1_900_000_000)
            )
        }
        let first = batch(100_000)
        let second = batch(500_000)
        for _ in 0..<2 { engine.matchLines(first) { _, _ in } }
        let allocations = Self.allocations { engine.matchLines(second) { _, _ in } }
        withKnownIssue(Self.boxes) {
            #expect(allocations == 0)
        } when: {
            !Self.isOptimised
        }
    }
}
