import Foundation
import Testing

@testable import Detection

@Suite("Patterns of the public Sigma rules")
struct SigmaPatternTests {
    /// Patterns that are refused, with the code. None of the rules needs what a finite automaton cannot do; a new
    /// entry here must say why the refusal is right.
    static let refused: [String: RegexError.Code] = [:]

    @Test("each compiles, within a small number of states, or is refused for a known reason")
    func compile() throws {
        let patterns = try load()
        // 217 uses at the archive's commit; fewer would mean that the reading of the rules is broken.
        #expect(patterns.count == 217)
        #expect(Set(patterns).count == 149)
        for pattern in Set(patterns) {
            do throws(RegexError) {
                let regex = try BoundedRegex(pattern.text, options: options(pattern))
                #expect(Self.refused[pattern.text] == nil, "\(pattern.text) is listed as refused")
                #expect(regex.stateCount <= 1_100, "\(pattern.text)")
            } catch {
                #expect(Self.refused[pattern.text] == error.code, "\(pattern.text): \(error)")
            }
        }
    }

    @Test("none needs its states forgotten on a long command line or a long script")
    func memory() throws {
        let line =
            #"cmd.exe /c "powershell -nop -w hidden -e SQBFAFgA0123 && set x=$env:ComSpec[4,26] `{0}` "#
            + #"C:\Users\me\a.tmp " "#
        let input = Array(String(repeating: line, count: 100).utf8)
        for pattern in Set(try load()) {
            guard let regex = try? BoundedRegex(pattern.text, options: options(pattern)) else { continue }
            var matcher = RegexMatcher(regex)
            _ = matcher.matches(input.span)
            #expect(matcher.resets == 0, "\(pattern.text)")
            let bytes = matcher.stateBytes
            #expect(bytes < 512 << 10, "\(pattern.text) \(bytes)")
        }
    }

    private func options(_ pattern: SigmaPatterns.Pattern) -> BoundedRegex.Options {
        pattern.flags.contains("i") ? .caseInsensitive : []
    }

    /// The archive is not part of the repository: without it the test says that it did not run, except where CI
    /// promises it.
    private func load() throws -> [SigmaPatterns.Pattern] {
        let archive = SigmaPatterns.archive
        if !FileManager.default.fileExists(atPath: archive.path(percentEncoded: false)) {
            if ProcessInfo.processInfo.environment["CI"] == "true" {
                Issue.record("\(archive.path(percentEncoded: false)) is missing; set VIGIE_SUITES")
            }
            try Test.cancel("not run: \(archive.lastPathComponent) is missing; set VIGIE_SUITES")
        }
        return try SigmaPatterns.load()
    }
}
