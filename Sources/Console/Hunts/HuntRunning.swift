package import Events

/// Starts hunts over the archive and tells how they are doing. The server implements it.
package protocol HuntRunning: Sendable {
    /// Starts one, once the journal says who hunts for what.
    ///
    /// - Returns: its id.
    /// - Throws: `HuntRefusal` for what cannot be hunted for, or when too many run; what the journal throws.
    func start(_ question: HuntQuestion, by account: String) async throws -> String
    /// Newest first; a bounded number.
    func hunts() async -> [HuntView]
    func hunt(_ id: String) async -> HuntView?
    /// Stops it where it is; what it has found stays. Nothing where it has ended.
    func cancel(_ id: String, by account: String) async throws
}

/// What a person asks for, as the form has it.
package struct HuntQuestion: Sendable, Equatable {
    /// Sigma documents; empty for none.
    package var rule: String
    /// Conditions on fields; empty for none.
    package var filter: String
    /// A field; empty for none.
    package var countBy: String
    package var since: Timestamp
    package var until: Timestamp

    package init(rule: String, filter: String, countBy: String, since: Timestamp, until: Timestamp) {
        self.rule = rule
        self.filter = filter
        self.countBy = countBy
        self.since = since
        self.until = until
    }
}

/// Why a hunt does not begin, in words for the one who asked.
package struct HuntRefusal: Error, Sendable, Equatable {
    package var reason: String

    package init(_ reason: String) {
        self.reason = reason
    }
}

/// A hunt as its page shows it, running or ended.
package struct HuntView: Sendable, Equatable {
    package enum State: String, Sendable {
        case running, done, cancelled, failed
    }

    package struct Row: Sendable, Equatable {
        package var time: Timestamp
        /// The rule's title, or empty.
        package var title: String
        package var source: String
        package var line: Int64
        package var text: String

        package init(time: Timestamp, title: String, source: String, line: Int64, text: String) {
            self.time = time
            self.title = title
            self.source = source
            self.line = line
            self.text = text
        }
    }

    package var id: String
    package var question: HuntQuestion
    package var account: String
    package var started: Timestamp
    package var state = State.running
    /// From 0 to 1.
    package var fraction = 0.0
    package var lines = 0
    package var results = 0
    /// The first results; there may be more.
    package var rows: [Row] = []
    /// The most frequent values, and how many different ones there are.
    package var counts: [(value: String, count: Int)] = []
    package var distinct = 0
    /// What went wrong, or which part of the archive is damaged.
    package var problems: [String] = []

    package init(id: String, question: HuntQuestion, account: String, started: Timestamp) {
        self.id = id
        self.question = question
        self.account = account
        self.started = started
    }

    package static func == (left: HuntView, right: HuntView) -> Bool {
        left.id == right.id && left.question == right.question && left.account == right.account && left.started == right.started
            && left.state == right.state && left.fraction == right.fraction && left.lines == right.lines
            && left.results == right.results && left.rows == right.rows && left.distinct == right.distinct
            && left.problems == right.problems && left.counts.elementsEqual(right.counts) { $0 == $1 }
    }
}
