package import Events

/// Which part of the archive is wanted.
package struct ArchiveQuery: Sendable {
    /// Event times; the end is not part of it.
    package var since: Timestamp
    package var until: Timestamp
    /// Only these sources; `nil` for all.
    package var sources: Set<String>?
    /// Each event wanted has one value of each group.
    package var keys: [[ValueKey]]
    /// What lines are going to be read with; value filters made with anything else are not believed.
    package var fingerprint: UInt64

    package init(
        since: Timestamp = Timestamp(nanoseconds: .min), until: Timestamp = Timestamp(nanoseconds: .max),
        sources: Set<String>? = nil, keys: [[ValueKey]] = [], fingerprint: UInt64 = 0
    ) {
        self.since = since
        self.until = until
        self.sources = sources
        self.keys = keys
        self.fingerprint = fingerprint
    }

    /// Whether the block may hold something that is wanted.
    package func wants(_ block: Segment.Block, of segment: SegmentHeader) -> Bool {
        let header = block.header
        guard header.kind == .lines, header.times.upperBound >= since, header.times.lowerBound < until else { return false }
        if let sources, !sources.contains(where: { header.sources & BlockHeader.bit(source: $0) != 0 }) { return false }
        guard header.isFiltered, segment.fingerprint == fingerprint else { return true }
        return keys.allSatisfy { group in group.contains { block.filter.containsSorted($0) } }
    }

    /// Whether a line of a wanted block is wanted itself, as far as can be told before it is parsed.
    func wants(_ run: LineBlock.Run) -> Bool { sources?.contains(run.origin.source) ?? true }
    func wants(_ line: LineBlock.Line) -> Bool { line.time >= since && line.time < until }
}

extension [ValueKey] {
    fileprivate func containsSorted(_ key: ValueKey) -> Bool {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if self[middle] < key { low = middle + 1 } else { high = middle }
        }
        return low < count && self[low] == key
    }
}
