/// A regular expression whose matching time is linear in the input, whatever the pattern and whatever the input.
///
/// Detection rules come from many hands and the input from attackers, so a pattern must never become a way to stop the
/// engine. Only what a finite automaton can do is accepted: back-references, look-around, recursion, atomic groups and
/// possessive repeats are refused when the rule is loaded, with the byte offset of the construct.
///
/// **Input.** Bytes, read as UTF-8 from the first byte on. A *unit* is one well-formed scalar or, where the bytes are
/// not well-formed UTF-8, one byte. `.`, negated classes and `\D \W \S` match one unit; literals and classes match
/// scalars. `\xHH` from `\x80` up stands for U+00HH and for the stray byte HH.
///
/// **Meaning.** A search: true if any part of the input matches. Captures are not reported; greedy and lazy repeats
/// are the same thing here. `\d \w \s \b` and the POSIX classes know ASCII only. `$` and `\Z` also match before a line
/// feed that ends the input, `\z` does not. A line break is `\n` alone.
///
/// **Letter case.** `caseInsensitive` covers ASCII, Latin-1, Greek (with its accented letters and the final sigma) and
/// Cyrillic U+0400…U+045F. No letter outside ASCII folds into ASCII (the Kelvin sign is not a `k`).
///
/// **Limits.** ``maximumPatternBytes``, ``maximumStates``, ``maximumDepth``, ``maximumClasses``.
///
/// Immutable, so it can be shared; matching needs a ``RegexMatcher`` per thread.
package struct BoundedRegex: Sendable {
    /// How letters, dots and line anchors are read; inline flags such as `(?i)` change them inside the pattern.
    package struct Options: OptionSet, Hashable, Sendable {
        package let rawValue: UInt8

        package init(rawValue: UInt8) {
            self.rawValue = rawValue
        }

        /// Upper and lower case are the same letter (`i`).
        package static let caseInsensitive = Options(rawValue: 1)
        /// `^` and `$` also match at line breaks (`m`).
        package static let multiline = Options(rawValue: 2)
        /// `.` also matches a line feed (`s`).
        package static let dotMatchesNewline = Options(rawValue: 4)
    }

    /// The longest accepted pattern, in bytes of UTF-8.
    package static let maximumPatternBytes = 8_192
    /// The largest accepted automaton, in states after counted repeats are written out.
    package static let maximumStates = 20_000
    /// The deepest accepted nesting of groups; the parser recurses, so this bounds its stack.
    package static let maximumDepth = 100
    /// The largest number of character classes that a pattern may tell apart.
    package static let maximumClasses = 512

    /// The source text.
    package let pattern: String
    /// The options it was compiled with.
    package let options: Options
    /// Lower-cased ASCII literals such that every input that matches contains at least one of them, ignoring ASCII
    /// letter case. At most 32, each of at least two bytes and three where the pattern allows. `nil`: none are known,
    /// and the regex must be run.
    package private(set) var requiredLiterals: [[UInt8]]?

    let program: RegexProgram

    /// Compiles a pattern.
    ///
    /// - Parameter findsLiterals: false leaves `requiredLiterals` unknown and saves the time to find them.
    /// - Throws: why and where the pattern is refused.
    package init(_ pattern: String, options: Options = [], findsLiterals: Bool = true) throws(RegexError) {
        var parser = try RegexParser(pattern, options: options)
        let tree = try parser.parse()
        self.pattern = pattern
        self.options = options
        self.requiredLiterals = findsLiterals ? RequiredLiterals.useful(tree) : nil
        self.program = try RegexCompiler.compile(tree.trimmedForSearch)
    }

    /// Compiles a pattern whose literals are known.
    ///
    /// - Throws: why and where the pattern is refused.
    init(_ pattern: String, options: Options, literals: [[UInt8]]?) throws(RegexError) {
        try self.init(pattern, options: options, findsLiterals: false)
        requiredLiterals = literals
    }

    /// The number of automaton states, for tests and for the rule linter.
    package var stateCount: Int { program.nodes.count }
}
