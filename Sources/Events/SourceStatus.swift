/// How one source is doing, as `check sources` and the console show it. All counts are since the source's first line.
package struct SourceStatus: Sendable, Equatable {
    /// The path, or the name of the receiver.
    package var name: String
    /// The format the lines have: `combined`, `sshd`, … or `auto` while none was recognised.
    package var format: String
    /// `following`, `waiting` (not there yet), `unreadable`, `finished`.
    package var state: String
    /// What is wrong and what to do about it; empty when nothing is.
    package var problem: String
    package var counters: SourceCounters
    /// Bytes written to the source but not yet read.
    package var lagBytes: Int
    /// Event time of the newest event.
    package var lastEvent: Timestamp?
    /// Up to a handful of lines that no format could read, newest last, cut to a length one can read.
    package var unparsedSamples: [String]
    /// Of each of these lines, in the same order: the nearest format and what it missed; empty where none comes near.
    package var unparsedReasons: [String] = []
    /// Likewise of the lines that count as `SourceCounters.plain`.
    package var plainSamples: [String] = []
    /// What is odd about it although it is read, with what to do.
    package var warnings: [String] = []
    /// Files that it consists of, where it is a pattern.
    package var files: Int?

    package init(
        name: String, format: String, state: String, problem: String = "", counters: SourceCounters = SourceCounters(),
        lagBytes: Int = 0, lastEvent: Timestamp? = nil, unparsedSamples: [String] = []
    ) {
        self.name = name
        self.format = format
        self.state = state
        self.problem = problem
        self.counters = counters
        self.lagBytes = lagBytes
        self.lastEvent = lastEvent
        self.unparsedSamples = unparsedSamples
    }
}

/// What became of a source's lines.
package struct SourceCounters: Sendable, Equatable, Codable {
    package var bytes = 0
    package var lines = 0
    package var parsed = 0
    /// Of the parsed ones those whose text no format knows: kept with what their words name, in a wrapper, behind a date or
    /// behind a syslog header.
    package var plain = 0
    /// No format could read it. Keyword rules still see the raw line. Also what begins as a format's lines do and goes on
    /// otherwise, whatever else could be told of it.
    package var unparsed = 0
    /// Blank lines: neither parsed nor unparsed.
    package var blank = 0
    /// Longer than the limit; the beginning was read as the line, the rest skipped.
    package var overlong = 0
    /// Not UTF-8.
    package var invalidUTF8 = 0
    package var containingNUL = 0
    /// Ended by the file's end or its replacement rather than by a line break.
    package var partial = 0
    /// Parsed, but without a time of its own.
    package var undated = 0
    /// Events so far, where every one of them came from the same private address: most likely a reverse proxy's, whose
    /// clients Vigie does not see (`trusted_proxies`); `nil` where addresses differ, or while there are too few to tell.
    package var fromOnePrivateAddress: Int?
    /// How often the file was replaced or cut.
    package var rotations = 0
    /// How many of these were cuts in place: what was written between the copy and the cut is in neither.
    package var truncations = 0
    /// Times when something that had been written could not be read: cut or taken away before, and no copy found.
    package var gaps = 0
    /// Compressed files that were given up: damaged, or far too large.
    package var damaged = 0
    /// Records that a receiver refused or gave up.
    package var dropped = 0

    package init() {}
}

extension SourceCounters {
    /// A counter that was not there when the snapshot was made is zero.
    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        func count(_ key: CodingKeys) throws -> Int { try container.decodeIfPresent(Int.self, forKey: key) ?? 0 }
        bytes = try count(.bytes)
        lines = try count(.lines)
        parsed = try count(.parsed)
        plain = try count(.plain)
        unparsed = try count(.unparsed)
        blank = try count(.blank)
        overlong = try count(.overlong)
        invalidUTF8 = try count(.invalidUTF8)
        containingNUL = try count(.containingNUL)
        partial = try count(.partial)
        undated = try count(.undated)
        fromOnePrivateAddress = try container.decodeIfPresent(Int.self, forKey: .fromOnePrivateAddress)
        rotations = try count(.rotations)
        truncations = try count(.truncations)
        gaps = try count(.gaps)
        damaged = try count(.damaged)
        dropped = try count(.dropped)
    }

    /// What to do about `fromOnePrivateAddress`.
    package func privateAddressWarning(_ path: String) -> String? {
        fromOnePrivateAddress.map { events in
            "all \(events) events of \(path) that name an address name the same private one: most likely a reverse proxy's, behind "
                + "which clients cannot be told apart; name it under trusted_proxies, or log the client's address"
        }
    }

    /// Of several files that are one source.
    package mutating func add(_ other: SourceCounters) {
        bytes += other.bytes
        lines += other.lines
        parsed += other.parsed
        plain += other.plain
        unparsed += other.unparsed
        blank += other.blank
        overlong += other.overlong
        invalidUTF8 += other.invalidUTF8
        containingNUL += other.containingNUL
        partial += other.partial
        undated += other.undated
        rotations += other.rotations
        truncations += other.truncations
        gaps += other.gaps
        damaged += other.damaged
        dropped += other.dropped
    }
}
