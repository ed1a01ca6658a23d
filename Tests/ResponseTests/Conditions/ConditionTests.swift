import Journal
import Response
import Testing

@Suite struct ConditionTests {
    private static let values: [String: JSONValue] = [
        "__address__": "203.0.113.9", "__count__": "12", "__flag__": "true", "__name__": "o'neil", "__net__": "203.0.113.0/24",
        "__unknown__": .null, "__object__": ["level": "high", "score": 7], "__empty__": "",
    ]

    @Test(arguments: [
        ("__address__:value == '203.0.113.9'", true), ("[__address__:value = '203.0.113.9']", true),
        ("[__address__:value != '203.0.113.9']", false), ("[__count__:value > 9]", true), ("[__count__:value <= 11.5]", false),
        ("[__count__:value > '9']", true), ("[__flag__:value = true]", true), ("[__name__:value = 'o\\'neil']", true),
        ("[__address__:value IN ('198.51.100.1', '203.0.113.9')]", true), ("[__address__:value NOT IN ('198.51.100.1')]", true),
        ("[__address__:value LIKE '203.%.9']", true), ("[__address__:value NOT LIKE '10.%']", true),
        ("[__address__:value ISSUBSET '203.0.113.0/24']", true), ("[__address__:value ISSUBSET '198.51.100.0/24']", false),
        ("[__net__:value ISSUPERSET '203.0.113.128/25']", true), ("[__address__:value ISSUBSET __net__:value]", true),
        ("[__object__:value.level = 'high' AND __object__:value.score >= 7]", true),
        ("[EXISTS __unknown__:value]", false), ("[NOT EXISTS __unknown__:value]", true), ("[EXISTS __empty__:value]", true),
        ("[__unknown__:value = 'x' OR __flag__:value = true]", true), ("[__unknown__:value NOT = 'x']", false),
        ("[__flag__:value = false] OR [__count__:value = 12] AND [__name__:value = 'x']", false),
        ("([__flag__:value = true] OR [__count__:value = 12]) AND [__name__:value LIKE 'o%']", true),
        ("[NOT __count__:value = 12]", false), ("[__address__:value = '__address__:value']", true),
    ])
    func conditionsHoldAsWritten(text: String, isTrue: Bool) throws {
        #expect(try Condition(parsing: text).holds { Self.values[$0] } == isTrue)
    }

    @Test(arguments: [
        "", "[", "[]", "__x__:value", "__x__:value =", "__x__:value = 'a", "__x__:value = 'a' 'b'", "ipv4-addr:value = '1.2.3.4'",
        "[__x__:value = 'a'] FOLLOWEDBY [__y__:value = 'b']", "[__x__:value = 'a'] WITHIN 5 SECONDS", "__x__:value MATCHES 'a+'",
        "__x__:value === 'a'", "__x__:value = 'a\\n'", "__x__:values = 'a'", "__x__:value IN 'a'", "__x__:value. = 'a'", "{",
    ])
    func whatIsNoConditionIsRefused(text: String) {
        #expect(throws: ConditionError.self) { try Condition(parsing: text) }
    }

    @Test func nestingIsBounded() {
        let deep = String(repeating: "(", count: 5000) + "__x__:value = 1" + String(repeating: ")", count: 5000)
        #expect(throws: ConditionError.self) { try Condition(parsing: deep) }
        let shallow = String(repeating: "(", count: 20) + "__x__:value = 1" + String(repeating: ")", count: 20)
        #expect(throws: Never.self) { try Condition(parsing: shallow) }
    }

    /// Random words of the grammar: every one is answered, and what is read asks only for variables that are written in it.
    @Test func randomConditionsAreAnswered() {
        var generator = SeededGenerator(state: 11)
        let words = [
            "[", "]", "(", ")", ",", "AND", "OR", "NOT", "EXISTS", "=", "==", "!=", "<", ">=", "IN", "LIKE", "ISSUBSET", "'a'",
            "'%'",
            "12", "-3.5", "true", "__x__:value", "__y__:value.z", "FOLLOWEDBY", "'", "\\", "é", "__:value", "'__x__:value'",
            "__x__:value = 'a'", "__y__:value > 3", "[__x__:value LIKE '%']", "EXISTS __y__:value.z", "AND", "OR", "AND", "OR",
        ]
        var read = 0
        for _ in 0..<20_000 {
            let text = (0..<Int.random(in: 1...12, using: &generator)).map { _ in
                words[Int.random(in: 0..<words.count, using: &generator)]
            }.joined(separator: Bool.random(using: &generator) ? " " : "")
            guard let condition = try? Condition(parsing: text) else { continue }
            read += 1
            #expect(condition.variables.isSubset(of: ["__x__", "__y__"]))
            _ = condition.holds { _ in "a" }
            #expect(condition == (try? Condition(parsing: text)))
        }
        #expect(read > 20)
    }

    /// LIKE against the plain definition.
    @Test func likeIsWhatItsDefinitionSays() throws {
        func naive(_ text: ArraySlice<UInt8>, _ pattern: ArraySlice<UInt8>) -> Bool {
            guard let first = pattern.first else { return text.isEmpty }
            if first == UInt8(ascii: "%") {
                return (text.startIndex...text.endIndex).contains { naive(text[$0...], pattern.dropFirst()) }
            }
            guard let head = text.first, first == UInt8(ascii: "_") || first == head else { return false }
            return naive(text.dropFirst(), pattern.dropFirst())
        }
        var generator = SeededGenerator(state: 3)
        for _ in 0..<3000 {
            let letters = { (set: String) in
                String((0..<Int.random(in: 0...7, using: &generator)).map { _ in set.randomElement(using: &generator) ?? "a" })
            }
            let text = letters("ab")
            let pattern = letters("ab%_")
            let condition = try Condition(parsing: "__x__:value LIKE '\(pattern)'")
            #expect(
                condition.holds { _ in .string(text) } == naive(Array(text.utf8)[...], Array(pattern.utf8)[...]),
                "\(text) \(pattern)")
        }
    }
}
