package import Events

/// A log format as its file describes it: `rules/formats/NAME.yml`, see `docs/formats.md`.
package struct FormatDefinition: Sendable {
    package var name = ""
    package var title = ""
    package var description = ""
    package var file = ""
    /// The file as it was written: what tells whether the format has changed.
    package var text = ""
    /// Lower ones are tried first where several formats could have written a line.
    var order = 100
    var logSource = LogSource()
    /// The names under which the program logs to syslog or the journal; `*` at the end stands for any ending.
    var programs: [String] = []
    /// Whether its messages are also looked for under a program or container of another name.
    var isAnywhere = true
    /// How its own files begin a line; each ends in `{message:rest}`, on which the patterns are matched.
    var headers: [PatternText] = []
    /// Whether a header alone tells that a line is of this format.
    var recognisesHeader = false
    var constants: [Constant] = []
    var patterns: [PatternDefinition] = []
    var maps: [ValueMap] = []
    /// For lines of keys and values (JSON, logfmt, key=value, CEF): which key fills a field, best first.
    var keys: [(field: String, keys: [String])] = []
    var cases: [KeyedCase] = []
    package var samples: [FormatSample] = []

    struct PatternText: Sendable {
        var text: String
        var line: Int
    }

    struct Constant: Sendable {
        var field: String
        var value: String
    }

    struct PatternDefinition: Sendable {
        var texts: [PatternText]
        var constants: [Constant] = []
        /// Lines that the program writes and that say nothing about anybody: recognised, given no constants of the format.
        var logSource: LogSource?
    }

    struct ValueMap: Sendable {
        var field: String
        var values: [(from: String, to: String)]
    }

    /// Constants for lines whose values say something.
    struct KeyedCase: Sendable {
        var conditions: [KeyedCondition]
        var constants: [Constant]
        var logSource: LogSource?
        var line: Int
    }

    struct KeyedCondition: Sendable {
        var key: String
        var values: [String]
    }
}

/// A line and the fields it must give.
package struct FormatSample: Sendable {
    package var text: String
    package var line: Int
    /// `nil`: the field must be absent.
    package var fields: [(name: String, value: String?)]
    /// Resolves dates without a year.
    package var reference: Timestamp?
    /// Whether the format must also be found without being named.
    package var isRecognised: Bool
}

/// Why a format was refused.
package struct FormatProblem: Error, Sendable, Hashable, CustomStringConvertible {
    package var file: String
    /// From 1; 0 where the problem is the file as a whole.
    package var line: Int
    package var reason: String

    package var description: String { line > 0 ? "\(file):\(line): \(reason)" : "\(file): \(reason)" }
}
