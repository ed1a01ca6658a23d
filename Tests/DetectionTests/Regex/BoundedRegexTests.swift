import Foundation
import Testing

@testable import Detection

@Suite("Bounded regex")
struct BoundedRegexTests {
    @Test(
        "finds what the fixtures say",
        arguments: RegexCase.load(
            "literals-and-escapes.cases", "classes.cases", "utf8-units.cases", "repeats.cases",
            "groups-and-alternation.cases", "flags.cases", "anchors.cases"))
    func found(_ fixture: RegexCase) throws {
        try #require(fixture.fields.count == 4)
        let regex = try BoundedRegex(fixture.pattern, options: fixture.options)
        var matcher = RegexMatcher(regex)
        let input = RegexCase.bytes(fixture.fields[2])
        let expected = fixture.fields[3] == "found"
        let first = matcher.matches(input.span)
        let second = matcher.matches(input.span)
        #expect(first == expected)
        #expect(second == expected, "the second run uses the states of the first")
    }

    @Test("refuses what it cannot do, with the code and the place", arguments: RegexCase.load("refused.cases"))
    func refused(_ fixture: RegexCase) throws {
        try #require(fixture.fields.count == 4)
        let error = #expect(throws: RegexError.self) { _ = try BoundedRegex(fixture.pattern, options: fixture.options) }
        #expect(error?.code.rawValue == fixture.fields[2])
        #expect(error.map { "\($0.offset)" } == fixture.fields[3])
    }

    @Test("knows the literals that a match must contain", arguments: RegexCase.load("required-literals.cases"))
    func literals(_ fixture: RegexCase) throws {
        try #require(fixture.fields.count == 3)
        let regex = try BoundedRegex(fixture.pattern, options: fixture.options)
        let found = regex.requiredLiterals.map { $0.map { String(decoding: $0, as: UTF8.self) }.joined(separator: " ") }
        #expect(found ?? "-" == fixture.fields[2])
    }

    @Test("every fixture file was read")
    func fixtures() {
        for name in [
            "literals-and-escapes", "classes", "utf8-units", "repeats", "groups-and-alternation", "flags", "anchors",
            "refused", "required-literals",
        ] {
            #expect(RegexCase.load("\(name).cases").count >= 10, "\(name)")
        }
    }

    @Test("a range counts as a whole input")
    func range() throws {
        var matcher = RegexMatcher(try BoundedRegex("^b+$"))
        let input = Array("aabbbcc".utf8)
        let found = [2..<5, 1..<5, 2..<6, 7..<7].map { matcher.matches(input.span, in: $0) }
        #expect(found == [true, false, false, false])
    }

    @Test("depth and length are limited, not the stack")
    func limits() throws {
        let deep = String(repeating: "(", count: 100) + "a" + String(repeating: ")", count: 100)
        _ = try BoundedRegex(deep)
        let deeper = #expect(throws: RegexError.self) { _ = try BoundedRegex("(" + deep + ")") }
        #expect(deeper?.code == .tooDeep)
        #expect(deeper?.offset == 100)
        let long = #expect(throws: RegexError.self) { _ = try BoundedRegex(String(repeating: "a", count: 8_193)) }
        #expect(long?.code == .tooLarge)
        _ = try BoundedRegex("(?:a{199}b){100}")
        // Every scalar is a class of its own.
        let ideographs = (0x4E00..<0x5100).compactMap { Unicode.Scalar($0) }
        let wide = String(String.UnicodeScalarView(ideographs))
        #expect(throws: RegexError.self) { _ = try BoundedRegex(wide) }
    }

    @Test("an error says what happened, to what, where and what to do")
    func message() {
        let error = #expect(throws: RegexError.self) { _ = try BoundedRegex("a(?=b)") }
        #expect(
            error?.description == """
                regex.look_around: “(?=” at byte 1: look-ahead and look-behind are not supported. Use a second field \
                condition, negated for a negative look-around.
                """)
    }
}
