/// Why a pattern is refused, where, and what to write instead.
package struct RegexError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The kind of refusal; raw values are stable and may be shown or stored.
    package enum Code: String, Sendable, CaseIterable {
        case backReference = "regex.back_reference"
        case lookAround = "regex.look_around"
        case recursion = "regex.recursion"
        case conditional = "regex.conditional"
        case atomicGroup = "regex.atomic_group"
        case possessiveRepeat = "regex.possessive_repeat"
        case verb = "regex.verb"
        case unbalancedGroup = "regex.unbalanced_group"
        case unbalancedClass = "regex.unbalanced_class"
        case badGroup = "regex.bad_group"
        case badFlag = "regex.bad_flag"
        case badEscape = "regex.bad_escape"
        case badClass = "regex.bad_class"
        case badRepeat = "regex.bad_repeat"
        case nothingToRepeat = "regex.nothing_to_repeat"
        case repeatOfRepeat = "regex.repeat_of_repeat"
        case tooLarge = "regex.too_large"
        case tooDeep = "regex.too_deep"
    }

    package let code: Code
    /// Where the refused construct begins, in bytes of the pattern's UTF-8.
    package let offset: Int
    /// The refused construct, as written.
    package let construct: String

    package init(_ code: Code, at offset: Int, construct: String) {
        self.code = code
        self.offset = offset
        self.construct = construct
    }

    /// What happened, to what, and what to do about it.
    package var description: String {
        "\(code.rawValue): “\(construct)” at byte \(offset): \(reason). \(advice)"
    }

    /// What is wrong.
    package var reason: String {
        switch code {
        case .backReference: "a back-reference cannot be matched in linear time"
        case .lookAround: "look-ahead and look-behind are not supported"
        case .recursion: "a pattern cannot call itself or one of its groups"
        case .conditional: "conditional groups are not supported"
        case .atomicGroup: "atomic groups depend on backtracking, which this engine does not do"
        case .possessiveRepeat: "possessive repeats depend on backtracking, which this engine does not do"
        case .verb: "backtracking verbs are not supported"
        case .unbalancedGroup: "the parenthesis has no partner"
        case .unbalancedClass: "the character class is not closed"
        case .badGroup: "the group is malformed"
        case .badFlag: "only the flags i, m and s are known"
        case .badEscape: "the escape is malformed or unknown"
        case .badClass: "the character class is malformed"
        case .badRepeat: "the repeat is malformed, or its bounds are out of order or out of range"
        case .nothingToRepeat: "there is nothing here that can be repeated"
        case .repeatOfRepeat: "a repeat directly follows a repeat"
        case .tooLarge: "the pattern is too large once its repeats are written out"
        case .tooDeep: "the groups are nested too deeply"
        }
    }

    /// What the rule's author can do.
    package var advice: String {
        switch code {
        case .backReference, .recursion, .conditional: "Spell the alternatives out, or split the rule."
        case .lookAround: "Use a second field condition, negated for a negative look-around."
        case .atomicGroup: "Write (?:…)."
        case .possessiveRepeat: "Drop the second +."
        case .verb: "Remove it."
        case .unbalancedGroup: "Close it, or write \\( or \\) for the character itself."
        case .unbalancedClass: "Close it with ], or write \\[ for the character itself."
        case .badGroup: "Write (…), (?:…), (?<name>…) or (?i:…)."
        case .badFlag: "Remove the flag."
        case .badEscape: "Write \\\\ for a backslash, or \\xHH or \\x{H…} for a character."
        case .badClass: "Order the range, and put a literal - first or last."
        case .badRepeat: "Write {n}, {n,} or {n,m} with n no greater than m."
        case .nothingToRepeat: "Escape the character, or put what it repeats before it."
        case .repeatOfRepeat: "Put the inner repeat in (?:…)."
        case .tooLarge:
            "At most \(BoundedRegex.maximumPatternBytes) bytes, \(BoundedRegex.maximumStates) states and "
                + "\(BoundedRegex.maximumClasses) distinct character classes are accepted: lower the counts."
        case .tooDeep: "At most \(BoundedRegex.maximumDepth) levels are accepted."
        }
    }
}
