import Testing

@testable import Detection

/// A pattern that ruins backtracking engines, and what ruins them.
struct HostileCase: Sendable, CustomTestStringConvertible {
    let pattern: String
    /// Repeated to the wanted length.
    let piece: String
    /// Steps for each byte that may be needed once the states exist.
    let perByte: Int

    var testDescription: String { pattern }

    func input(_ count: Int) -> [UInt8] {
        Array(String(repeating: piece, count: count / piece.utf8.count + 1).utf8.prefix(count))
    }
}

/// Work is counted in steps, not in time: bytes looked at and automaton nodes visited.
@Suite("Bounded regex work")
struct RegexLinearTimeTests {
    static let hostile = [
        HostileCase(pattern: "(a*)*b", piece: "a", perByte: 1),
        HostileCase(pattern: "(a|a)*b", piece: "a", perByte: 1),
        HostileCase(pattern: "^(a|a)*b", piece: "a", perByte: 1),
        HostileCase(pattern: "^(a*)*$", piece: "aaaaaaaaab", perByte: 1),
        HostileCase(pattern: "(x+x+)+y", piece: "x", perByte: 1),
        HostileCase(pattern: "^(x+x+)+y$", piece: "x", perByte: 1),
        HostileCase(pattern: ".*.*.*=.*", piece: "x", perByte: 1),
        HostileCase(pattern: "^.*.*.*=.*;$", piece: "x=", perByte: 1),
        HostileCase(pattern: "(?:a?){30}a{30}b", piece: "a", perByte: 1),
        HostileCase(pattern: "^(([a-z])+.)+[A-Z]([a-z])+$", piece: "a", perByte: 1),
        HostileCase(pattern: ".{1000,}=", piece: "x", perByte: 1),
        HostileCase(pattern: "[^/]{100,}$", piece: "0123456789/", perByte: 1),
        HostileCase(pattern: #"\w{1,64}-\w{1,64}\\"#, piece: "abc-def", perByte: 1),
    ]

    @Test("nested and overlapping repeats cost one step for each byte", arguments: hostile)
    func nested(_ hostile: HostileCase) throws {
        let regex = try BoundedRegex(hostile.pattern)
        var matcher = RegexMatcher(regex)
        let input = hostile.input(100_000)
        let first = matcher.matches(input.span)
        let cold = matcher.steps
        let second = matcher.matches(input.span)
        #expect(first == second)
        #expect(matcher.resets == 0)
        #expect(matcher.steps - cold <= hostile.perByte * input.count + 1)
        // The states are built once: their cost does not depend on the input's length.
        #expect(cold <= 2 * input.count + 4_000_000)
    }

    @Test(
        "a pattern with too many states is simulated, still in linear time",
        arguments: ["[ab]*a[ab]{14}c", "(?:a|b)+a(?:a|b){40}c", #"(\w+\s){1,20}a.{30}!"#])
    func thrash(_ pattern: String) throws {
        let regex = try BoundedRegex(pattern)
        var generator = RegexRandom(seed: 11)
        let letters = Array("abbaabababbabaa ".utf8)
        let input = (0..<20_000).map { _ in letters[Int.random(in: 0..<letters.count, using: &generator)] }
        for limit in [0, 10_000, 200_000] {
            var half = RegexMatcher(regex, cacheLimit: limit)
            var whole = RegexMatcher(regex, cacheLimit: limit)
            let inHalf = half.matches(input.span, in: 0..<10_000)
            let inWhole = whole.matches(input.span)
            #expect(!inHalf && !inWhole)
            // A node is visited at most a few times for each byte, whatever the memory.
            #expect(whole.steps <= 4 * (regex.stateCount + 2) * input.count)
            // Twice the input, twice the work; building states makes it uneven.
            #expect(whole.steps <= 3 * half.steps)
            // Four states are always kept, and each must have served ten bytes before all are forgotten.
            #expect(whole.resets <= input.count / 40 + 1)
        }
    }

    @Test("the search stops at the first match")
    func earlyExit() throws {
        var matcher = RegexMatcher(try BoundedRegex("=.*"))
        let input = Array(("ab=" + String(repeating: "x", count: 100_000)).utf8)
        let found = matcher.matches(input.span)
        #expect(found)
        #expect(matcher.steps < 100)
    }

    @Test("an anchored search stops when nothing can match any more")
    func anchoredExit() throws {
        var matcher = RegexMatcher(try BoundedRegex("^ab+c"))
        let input = Array(("abbd" + String(repeating: "x", count: 100_000)).utf8)
        let found = matcher.matches(input.span)
        #expect(!found)
        #expect(matcher.steps < 100)
    }

    @Test("memory for states stays below its limit, and the answer is the same")
    func memory() throws {
        let regex = try BoundedRegex("[ab]*a[ab]{9}c")
        var ample = RegexMatcher(regex)
        var scarce = RegexMatcher(regex, cacheLimit: 4_000)
        var generator = RegexRandom(seed: 12)
        for round in 0..<300 {
            var input: [UInt8] = (0..<300).map { _ in Bool.random(using: &generator) ? 0x61 : 0x62 }
            if round % 3 == 0 { input.append(0x63) }
            let a = ample.matches(input.span)
            let b = scarce.matches(input.span)
            #expect(a == b)
        }
        #expect(scarce.stateBytes <= 4_000)
        #expect(scarce.resets > 0)
        #expect(ample.resets == 0)
    }
}
