/// Puts an archive right after whatever ended the last run: cuts it where detection's snapshot stands, so that lines which come again
/// are not there already.
enum ArchiveRecovery {
    struct Recovered {
        var nextSegment: UInt64 = 1
        var nextRecord: UInt64 = 0
        var open: (file: ArchiveFile, header: SegmentHeader, length: Int, blocks: [Segment.Block])?
        var notices: [String] = []
    }

    static func run(_ folder: String, resumingAt position: ArchivePosition?) throws(ArchiveError) -> Recovered {
        var recovered = Recovered()
        try ArchiveFolder.make(folder)
        // What was being put in place.
        for name in try ArchiveFolder.names(folder) where name.hasSuffix(".new") { try ArchiveFolder.remove("\(folder)/\(name)") }
        if let position {
            for number in try ArchiveFolder.segments(folder)
            where number > position.segment || (number == position.segment && position.length == 0) {
                try remove(folder, number)
            }
        }
        let numbers = try ArchiveFolder.segments(folder)
        recovered.nextSegment = max((numbers.last ?? 0) + 1, position?.segment ?? 1)
        guard let last = numbers.last else {
            if let position, position.length > 0 { recovered.notices.append(behind(folder)) }
            return recovered
        }
        let segment = try Segment(folder: folder, number: last, isGrowing: true, usesIndex: false)
        recovered.nextRecord = try nextRecord(folder, numbers, last: segment)
        if let position, position.length > 0 {
            guard last == position.segment, segment.byteCount >= position.length else {
                recovered.notices.append(behind(folder))
                return recovered
            }
            try cut(folder, segment, at: position.length, &recovered)
        } else if position == nil {
            try cut(folder, segment, at: try lastWholeBlock(segment), &recovered)
            // Where detection stood when it was written is unknown: nothing is added to it.
            recovered.open = nil
        }
        return recovered
    }

    private static func behind(_ folder: String) -> String {
        "the archive \(folder) ends before what has been read of the sources: an older one was put back, or part of it was removed; "
            + "the lines between are not in it"
    }

    private static func remove(_ folder: String, _ number: UInt64) throws(ArchiveError) {
        try ArchiveFolder.remove(ArchiveFolder.indexPath(folder, number))
        try ArchiveFolder.remove(ArchiveFolder.segmentPath(folder, number))
    }

    /// Where the last block ends that can be read. Only the end can have been cut off: a damaged block in the middle stays.
    private static func lastWholeBlock(_ segment: Segment) throws(ArchiveError) -> Int {
        for block in segment.blocks.reversed() {
            if case .success = try segment.read(block) { return block.end }
        }
        return segment.headerBytes
    }

    private static func cut(
        _ folder: String, _ segment: Segment, at length: Int, _ recovered: inout Recovered
    ) throws(ArchiveError) {
        let number = segment.header.number
        // The index of a segment that goes on being written would not fit it.
        try ArchiveFolder.remove(ArchiveFolder.indexPath(folder, number))
        let file = try ArchiveFile(ArchiveFolder.segmentPath(folder, number), writing: true)
        if try file.size() > length {
            try file.truncate(to: length)
            try file.synchronise()
        }
        let blocks = segment.blocks.filter { $0.end <= length }
        recovered.nextRecord = blocks.last.map(end) ?? recovered.nextRecord
        let damages = segment.damages.filter { $0.offset < length }
        guard segment.headerBytes > 0, damages.isEmpty, blocks.last?.end ?? segment.headerBytes == length else {
            // Damage is kept as it is, for people to look at; writing goes on behind it.
            recovered.notices += damages.map(\.description)
            return
        }
        recovered.open = (file, segment.header, length, blocks)
    }

    /// The number behind the last line that is there.
    private static func nextRecord(_ folder: String, _ numbers: [UInt64], last: Segment) throws(ArchiveError) -> UInt64 {
        if let block = last.blocks.last { return end(of: block) }
        for number in numbers.dropLast().reversed() {
            let segment = try Segment(folder: folder, number: number, isGrowing: false)
            if let block = segment.blocks.last { return end(of: block) }
        }
        return 0
    }

    private static func end(of block: Segment.Block) -> UInt64 { block.header.firstRecord + UInt64(block.header.lines) }
}
