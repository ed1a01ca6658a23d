/// Random detections and events out of one small alphabet, so that they meet often.
struct RandomDetection {
    typealias Random = SeededGenerator

    private static let fields = ["a", "b", "nested.c"]
    private static let letters = ["x", "Y", "ab", "-", "/", "1", "20", "é", " ", ".", "\"", "\\", "*", "?", "_", "Bar", "foo"]
    /// What rules encode, as events hold it.
    private static let encoded = [
        "Zm9v", "ZgBvAG8A", "QmFy", "eHNlY3JldA==", "c2VjcmV0eA==", "YQBiAA==", "AGEAYg==", "f\0o\0o\0", "\0a\0b", "/\u{4}",
        "BC8=",
        "LwQ=", "//5hAGIA", "WgBtADkAdgA=",
    ]
    private static let addresses = [
        "192.0.2.1", "192.0.2.200", "10.1.2.3", "2001:db8::1", "2001:db8:ffff::2", "::1", "no address",
    ]
    private static let networks = ["192.0.2.0/24", "192.0.2.128/25", "10.0.0.0/8", "2001:db8::/32", "::/0", "0.0.0.0/0"]
    private static let times = [
        "2026-03-01T10:05:00Z", "2026-12-31T23:59:59.5Z", "2027-01-01T00:30:00+01:00", "2024-02-29T12:00:00Z", "no time",
    ]
    private static let timeParts = [
        ("minute", 5), ("minute", 59), ("hour", 10), ("hour", 23), ("day", 1), ("day", 31), ("week", 53), ("week", 9),
        ("month", 3),
        ("month", 12), ("year", 2026), ("year", 2024),
    ]
    private static let expressions = [
        "x+", "^ab", "b$", "(x|y)z?", "[a-f]{2,3}", "\\d+", "foo.ar", "^.$", "\\\\", "a\\.b", "\\w-", "(ab)*c?", "[^x]$",
        "\\x22\\w",
        "\\s", "\\S{3}$", "é", "x|^y|foo$", "\\W", "ab.foo",
    ]
    private static let flags = [
        [], [], ["i"], ["ignorecase"], ["m"], ["multiline"], ["s"], ["dotall"], ["i", "s"], ["i", "m", "s"],
    ]
    private static let comparisons = ["lt", "lte", "gt", "gte"]
    private static let anchors = [[], ["contains"], ["startswith"], ["endswith"]]
    private static let encodings = ["wide", "utf16le", "utf16be", "utf16"]

    var random: Random

    init(seed: UInt64) {
        random = Random(seed: seed)
    }

    private mutating func one<Value>(of values: [Value]) -> Value {
        values[Int.random(in: values.indices, using: &random)]
    }

    private mutating func chance(_ share: Double) -> Bool { Double.random(in: 0..<1, using: &random) < share }

    private mutating func some(_ most: Int = 3, _ make: (inout Self) -> String) -> [String] {
        (0..<Int.random(in: 1...most, using: &random)).map { _ in make(&self) }
    }

    private mutating func word() -> String { some { $0.one(of: Self.letters) }.joined() }

    private mutating func plain() -> String { NaiveText.escaped(word()) }

    /// What is special in Sigma is escaped, or meant.
    private mutating func pattern() -> String {
        switch Int.random(in: 0..<7, using: &random) {
        case 0: plain() + "*"
        case 1: "*" + plain()
        case 2: plain() + "?" + plain()
        case 3: plain() + "*" + plain()
        case 4: "*" + plain() + "*"
        case 5: word()
        default: plain()
        }
    }

    // MARK: - Detections

    /// As the lines of a rule's `detection`.
    mutating func detection() -> String {
        let names = ["s1", "s2", "_hidden"].prefix(Int.random(in: 1...3, using: &random))
        var lines = names.map { search($0) }
        let conditions = [
            "s1", "not s1", "1 of s*", "all of them", "1 of them", names.count > 1 ? "s1 and not s2" : "s1",
            names.count > 1 ? "(s1 or s2) and not (s1 and s2)" : "not (not s1)", names.count > 2 ? "s1 or _hidden" : "all of s*",
        ]
        lines.append(
            chance(0.8) ? "condition: \(one(of: conditions))" : "condition: ['\(one(of: conditions))', '\(one(of: conditions))']")
        return lines.joined(separator: "\n")
    }

    private mutating func search(_ name: String) -> String {
        switch Int.random(in: 0..<9, using: &random) {
        case 0: "\(name): \(Self.list(some { $0.keyword() }))"
        case 1: "\(name): '\(keyword())'"
        case 2: "\(name):\n  \(keywordItem())"
        case 3: "\(name):\n  - \(items("    "))\n  - \(items("    "))"
        default: "\(name):\n  \(items("  "))"
        }
    }

    private mutating func items(_ indent: String) -> String {
        let chosen = (Self.fields + ["amount", "network", "moment"]).shuffled(using: &random)
        return chosen.prefix(Int.random(in: 1...2, using: &random)).map { item($0) }.joined(separator: "\n\(indent)")
    }

    private static func list(_ values: [String]) -> String { "[" + values.map { "'\($0)'" }.joined(separator: ", ") + "]" }

    private func written(_ field: String, _ modifiers: [String], _ values: String) -> String {
        "'\(([field] + modifiers).joined(separator: "|"))': \(values)"
    }

    /// Both ways that `neq` may stand.
    private mutating func perhapsNegated(_ modifiers: [String]) -> [String] {
        chance(0.12) ? (chance(0.5) ? ["neq"] + modifiers : modifiers + ["neq"]) : modifiers
    }

    private mutating func item(_ field: String) -> String {
        switch field {
        case "amount":
            let number = one(of: [0, 1, 20, -1])
            return chance(0.5)
                ? written(field, perhapsNegated([one(of: Self.comparisons)]), "\(number)")
                : written(field, perhapsNegated([]), one(of: ["[\(number), 20]", "true", "'2*'", "[1, null]"]))
        case "network":
            return written(field, perhapsNegated(["cidr"]), Self.list(some { $0.one(of: Self.networks) }))
        case "moment":
            let (part, value) = one(of: Self.timeParts)
            return written(field, perhapsNegated(chance(0.6) ? [part, one(of: Self.comparisons)] : [part]), "\(value)")
        default: return textItem(field)
        }
    }

    private mutating func textItem(_ field: String) -> String {
        switch Int.random(in: 0..<14, using: &random) {
        case 0: return written(field, perhapsNegated(["exists"]), "\(chance(0.5))")
        case 1: return written(field, perhapsNegated([]), one(of: ["null", "''", "[null, '\(plain())']"]))
        case 2:
            let cased = chance(0.4) ? ["cased"] : []
            return written(field, perhapsNegated(["fieldref"] + one(of: Self.anchors) + cased), one(of: Self.fields))
        case 3: return written(field, perhapsNegated(["contains", "all"]), Self.list(some { $0.plain() }))
        case 4: return written(field, perhapsNegated(one(of: Self.anchors) + ["cased"]), Self.list(some { $0.pattern() }))
        case 5...9:
            let (modifiers, values) = special()
            return written(field, perhapsNegated(modifiers), Self.list(values))
        default: return written(field, perhapsNegated(one(of: Self.anchors)), Self.list(some { $0.pattern() }))
        }
    }

    /// Modifiers that make something else of a value, in a field or in the whole event.
    private mutating func special() -> (modifiers: [String], values: [String]) {
        switch Int.random(in: 0..<6, using: &random) {
        case 0:
            let contains = chance(0.2) ? ["contains"] : []
            return (["re"] + one(of: Self.flags) + contains, some(2) { $0.one(of: Self.expressions) })
        case 1:
            let cased = chance(0.2) ? ["cased"] : []
            return (["windash", "contains"] + cased, some(2) { $0.one(of: ["-", "/", "a -", "--", "x -b /"]) + $0.plain() })
        case 2:
            let wide = chance(0.4) ? [one(of: Self.encodings)] : []
            return (wide + ["base64offset", "contains"], some(2) { $0.one(of: ["foo", "Bar", "secret", "ab"]) })
        case 3, 4:
            let twice = chance(0.2) ? ["base64"] : []
            let encoding = one(of: Self.encodings + [""])
            // The byte order mark is in no text.
            let base64 = encoding.isEmpty || encoding == "utf16" || chance(0.6) ? ["base64"] : []
            let steps = twice + (encoding.isEmpty ? [] : [encoding]) + base64
            return (steps + one(of: Self.anchors), some(2) { $0.one(of: ["foo", "ab", "Bar", "Я", "x\\*"]) })
        default:
            let modifiers = one(of: [
                ["expand"], ["expand", "contains"], ["startswith", "expand"], ["expand", "endswith"], ["expand", "cased"],
                ["cased", "contains", "expand"], ["re", "expand"], ["re", "i", "expand"], ["contains", "expand", "all"],
            ])
            // As parts of an expression some of the values are none.
            let names = modifiers.contains("re") ? ["Names", "numbers"] : NaiveEvaluator.placeholders.keys.sorted()
            let shapes = modifiers.contains("re") ? ["^%N%", "%N%$", "(%N%|y)+"] : ["%N%", "%N%", "*%N%", "x%N%", "%N%*%marks%"]
            return (modifiers, some(2) { $0.one(of: shapes).replacing("%N%", with: "%" + $0.one(of: names) + "%") })
        }
    }

    private mutating func keyword() -> String {
        let text = pattern()
        // Of a wildcard alone every event is full.
        return text.allSatisfy { $0 == "*" } ? "x" : text
    }

    private mutating func keywordItem() -> String {
        switch Int.random(in: 0..<4, using: &random) {
        case 0: return written("", perhapsNegated(["all"]), Self.list(some { $0.plain() }))
        case 1: return written("", perhapsNegated(["cased"]), Self.list(some { $0.keyword() }))
        default:
            let (modifiers, values) = special()
            return written(
                "", perhapsNegated(modifiers.map { ["startswith", "endswith"].contains($0) ? "contains" : $0 }), Self.list(values)
            )
        }
    }

    // MARK: - Events

    /// An event and the line of JSON that says it.
    mutating func event() -> (NaiveEvaluator.Event, String) {
        var event: NaiveEvaluator.Event = [:]
        var members: [String] = []
        func add(_ field: String, _ values: [String], _ text: String) {
            event[field] = values
            members.append("\"\(field)\": \(text)")
        }
        for field in Self.fields where chance(0.75) {
            let values = chance(0.2) ? [one(of: Self.encoded)] : some(2) { $0.word() }
            let texts = values.map { quoted($0) }
            add(field, values, texts.count == 1 ? texts[0] : "[" + texts.joined(separator: ", ") + "]")
        }
        if chance(0.7) {
            let amount = one(of: ["0", "1", "20", "-1", "2.5", "true", "false", "\"1\"", "\"2x\""])
            add("amount", [amount.replacing("\"", with: "")], amount)
        }
        for (field, values) in [("network", Self.addresses), ("moment", Self.times)] where chance(0.7) {
            let value = one(of: values)
            add(field, [value], quoted(value))
        }
        return (event, "{" + members.joined(separator: ", ") + "}")
    }

    /// In one of the ways to write it in JSON: rules see what it means.
    private mutating func quoted(_ text: String) -> String {
        let share = one(of: [0, 0, 0.3, 1])
        var quoted = ""
        for scalar in text.unicodeScalars {
            if scalar.value < 0x20 || chance(share) && scalar.value < 0x10000 {
                let digits = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            } else {
                quoted += scalar == "\"" || scalar == "\\" ? "\\\(scalar)" : String(scalar)
            }
        }
        return "\"\(quoted)\""
    }
}
