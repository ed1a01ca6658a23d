package import Events
package import Ingest

/// What becomes of one source's newest lines, and what is wrong with it: `vigie check sources`.
package struct SourceCheck: Sendable {
    /// A line that no format read, and why the nearest one did not.
    package struct Sample: Sendable {
        package var line: String
        package var nearest: NearestFormat?
    }

    package var path: String
    package var format: String
    /// Files that there are, and how many of them were looked at.
    package var files: Int
    package var filesRead: Int
    /// Why it, or one of its files, cannot be read; `nil` where all can.
    package var problem: String?
    package var warnings: [String] = []
    /// What became of the lines at the end of each file.
    package var counters: SourceCounters
    package var samples: [Sample]
    /// Lines of which no format knows more than the words.
    package var plainSamples: [String]
    /// What a server on that data folder had counted when it last saved its positions, and what has been written since.
    package var server: (counters: SourceCounters, lagBytes: Int)?

    /// Of a pattern so many files are looked at, the first in the order of their names.
    package static let maximumFiles = 64

    /// Most of what was read is nothing that any format knows.
    package var isMostlyUnparsed: Bool { counters.unparsed > counters.parsed }

    package var isTroubled: Bool { problem != nil || isMostlyUnparsed }

    /// Looks at every source.
    ///
    /// - Throws: `ServerError` where a source's format is not known, or there is a snapshot that cannot be read.
    package static func run(_ options: ServerOptions, now: Timestamp) throws -> [SourceCheck] {
        let formats = SourceFormats.load(options.rules)
        try SourceFormats.check(options.sources, formats)
        let snapshot = try DetectionSnapshot.load(DataFolder(path: options.dataFolder))
        let overlaps = SourceOverlap.find(options.sources)
        return SourceOption.each(options.sources).map { source in
            let parser = BatchParser(
                format: source.format, plan: formats.plan, formats: formats, proxies: TrustedProxies(options.trustedProxies))
            var check = SourceCheck(source, parser, formats, now: now)
            for overlap in overlaps where overlap.first == source.path || overlap.second == source.path {
                if overlap.isNamed, check.problem == nil {
                    check.problem = overlap.description
                } else {
                    check.warnings.append(overlap.description)
                }
            }
            if let state = snapshot?.states.first(where: { $0.path == source.path }) {
                let followed = FileSource(path: source.path, parser: parser, resumingAt: state.positions, now: now)
                check.server = (state.counters, followed.measureLag())
            }
            return check
        }
    }

    private init(_ source: SourceOption, _ parser: BatchParser, _ formats: FormatSet, now: Timestamp) {
        path = source.path
        let isPattern = PathPattern.isPattern(source.path)
        let paths = isPattern ? PathPattern.matches(source.path) : [source.path]
        files = paths.count
        var parser = parser
        var problems: [String] = []
        for path in paths.prefix(SourceCheck.maximumFiles) {
            do {
                try SourceProbe.read(path, parser: &parser, now: now)
            } catch {
                problems.append(error.description)
            }
        }
        filesRead = min(paths.count, SourceCheck.maximumFiles)
        if paths.isEmpty { problems = ["no file matches \(source.path); check it"] }
        problem = problems.first.map { problems.count == 1 ? $0 : "\(problems.count) files cannot be read, the first: \($0)" }
        counters = parser.counters
        format = parser.recognised?.rawValue ?? source.format.rawValue
        samples = parser.unparsedSamples.map { Sample(line: $0, nearest: formats.nearestFormat($0, reference: now)) }
        plainSamples = parser.plainSamples
        if counters.plain * 2 > counters.parsed {
            warnings.append(
                "most of its lines are plain text: addresses and accounts in them are told by the words alone; docs/formats.md says how a format is added"
            )
        }
        if let warning = parser.counters.privateAddressWarning(source.path) { warnings.append(warning) }
        if problem == nil, counters.lines == 0 { warnings.append("it has no lines yet") }
    }
}

extension SourceStatus {
    /// With the reasons why its samples were not read.
    func explained(by formats: FormatSet, now: Timestamp) -> SourceStatus {
        var status = self
        status.unparsedReasons = unparsedSamples.map {
            formats.nearestFormat($0, reference: now)?.explanation(of: $0) ?? ""
        }
        return status
    }
}

extension NearestFormat {
    /// In a sentence.
    package func explanation(of line: String) -> String {
        let read = String(decoding: Array(line.utf8).prefix(position).suffix(40), as: UTF8.self)
        let place = position == 0 ? "at its beginning" : "after “\(read.count < line.count ? "…" : "")\(read)”"
        return "nearest is \(format), which expects \(expected) \(place)"
    }
}
