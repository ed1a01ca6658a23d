import Ingest

/// A file that two sources stand for: each of its lines would be read, and counted, twice.
package struct SourceOverlap: Sendable, Equatable, CustomStringConvertible {
    /// As they are configured.
    package var first: String
    package var second: String
    /// One such file, as the second source has it; there may be more.
    package var file: String

    /// One of the two is the file's own name: it was meant to be read once. Of two patterns, both may be needed for other files.
    package var isNamed: Bool { !PathPattern.isPattern(first) || !PathPattern.isPattern(second) }

    package var description: String { "\(reason); \(advice)" }

    private var reason: String {
        "the sources \(first) and \(second) both stand for the file \(file), so that each of its lines counts twice"
    }

    private var advice: String { "leave one of the two out, or let \(isNamed ? "the pattern" : "the patterns") match less" }

    /// Which sources have files in common now, whatever they are called there: one for each two of them.
    package static func find(_ sources: [SourceOption]) -> [SourceOverlap] {
        let sources = SourceOption.each(sources)
        var owners: [FileIdentity: Int] = [:]
        var found: [SourceOverlap] = []
        for (number, source) in sources.enumerated() {
            var others: Set<Int> = []
            for path in PathPattern.isPattern(source.path) ? PathPattern.matches(source.path) : [source.path] {
                guard let file = FileIdentity(ofFile: path) else { continue }
                guard let owner = owners[file] else {
                    owners[file] = number
                    continue
                }
                guard owner != number, others.insert(owner).inserted else { continue }
                found.append(SourceOverlap(first: sources[owner].path, second: source.path, file: path))
            }
        }
        return found
    }

    /// Refuses sources of which one names a file that another one stands for, too.
    ///
    /// - Returns: what two patterns have in common: to be warned of.
    package static func check(_ sources: [SourceOption]) throws(ServerError) -> [SourceOverlap] {
        let found = find(sources)
        if let named = found.first(where: \.isNamed) { throw ServerError(.sources, named.reason, named.advice) }
        return found
    }
}
