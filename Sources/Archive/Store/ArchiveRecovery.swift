/// Puts an archive right after whatever ended the last run: cuts it where detection's snapshot stands, so that lines which come again
/// are not there already.
///
/// A whole segment goes only after the journal says so, and one that a legal hold covers is set aside instead.
struct ArchiveRecovery {
    struct Recovered {
        var nextSegment: UInt64 = 1
        var nextRecord: UInt64 = 0
        var open: (file: ArchiveFile, header: SegmentHeader, length: Int, blocks: [Segment.Block])?
        var notices: [String] = []
    }

    /// Below the archive's folder: a folder for each start that set segments aside. Read by nobody, and emptied by people only.
    static let asideName = "set-aside"

    let folder: String
    let holds: HoldFolder
    let journal: @Sendable (ArchiveEvent) async throws -> Void

    func run(resumingAt position: ArchivePosition?) async throws(ArchiveError) -> Recovered {
        var recovered = Recovered()
        try ArchiveFolder.make(folder)
        // What was being put in place.
        for name in try ArchiveFolder.names(folder) where name.hasSuffix(".new") { try ArchiveFolder.remove("\(folder)/\(name)") }
        if let position { try await takeAway(behind: position, &recovered) }
        let numbers = try ArchiveFolder.segments(folder)
        recovered.nextSegment = max((numbers.last ?? 0) + 1, position?.segment ?? 1)
        guard let last = numbers.last else {
            if let position, position.length > 0 { recovered.notices.append(behind) }
            return recovered
        }
        let segment = try Segment(folder: folder, number: last, isGrowing: true, usesIndex: false)
        recovered.nextRecord = try nextRecord(numbers, last: segment)
        if let position, position.length > 0 {
            guard last == position.segment, segment.byteCount >= position.length else {
                recovered.notices.append(behind)
                return recovered
            }
            try cut(segment, at: position.length, &recovered)
        } else if position == nil {
            try cut(segment, at: try lastWholeBlock(segment), &recovered)
            // Where detection stood when it was written is unknown: nothing is added to it.
            recovered.open = nil
        }
        return recovered
    }

    private var behind: String {
        "the archive \(folder) ends before what has been read of the sources: an older one was put back, or part of it was removed; "
            + "the lines between are not in it"
    }

    private func takeAway(behind position: ArchivePosition, _ recovered: inout Recovered) async throws(ArchiveError) {
        let numbers = try ArchiveFolder.segments(folder).filter {
            $0 > position.segment || ($0 == position.segment && position.length == 0)
        }
        guard !numbers.isEmpty else { return }
        // Where a hold cannot be read, everything may be meant.
        let held = try? holds.holds()
        var aside: String?
        for number in numbers {
            let segment = try Segment(folder: folder, number: number, isGrowing: true, usesIndex: false)
            try ArchiveFolder.remove(ArchiveFolder.indexPath(folder, number))
            let path = ArchiveFolder.segmentPath(folder, number)
            guard !segment.holdsNothing else {
                try ArchiveFolder.remove(path)
                continue
            }
            let summary = SegmentSummary(segment)
            guard held?.contains(where: { $0.covers(summary) }) ?? true else {
                try await say(.deleted(summary, reason: .recovery), of: number)
                try ArchiveFolder.remove(path)
                continue
            }
            try await say(.setAside(summary), of: number)
            let place: String
            if let aside { place = aside } else { place = try newAside() }
            aside = place
            try ArchiveFolder.rename(path, ArchiveFolder.segmentPath(place, number))
            try ArchiveFolder.synchronise(place)
            recovered.notices.append(
                "segment \(number) stands behind what detection had saved, so its lines come again; a legal hold may mean it: it is in "
                    + place)
        }
        try ArchiveFolder.synchronise(folder)
    }

    private func say(_ event: ArchiveEvent, of number: UInt64) async throws(ArchiveError) {
        do {
            try await journal(event)
        } catch {
            throw ArchiveError(
                .file, "segment \(number) of \(folder) stays, since the journal cannot say that it goes: \(error)",
                "see what is wrong with the journal; nothing is archived meanwhile")
        }
    }

    private func newAside() throws(ArchiveError) -> String {
        let parent = "\(folder)/\(Self.asideName)"
        try ArchiveFolder.make(parent)
        let taken = try ArchiveFolder.names(parent).compactMap { UInt64($0) }.max() ?? 0
        let place = "\(parent)/\(taken + 1)"
        try ArchiveFolder.make(place)
        try ArchiveFolder.synchronise(parent)
        return place
    }

    /// Where the last block ends that can be read. Only the end can have been cut off: a damaged block in the middle stays.
    private func lastWholeBlock(_ segment: Segment) throws(ArchiveError) -> Int {
        for block in segment.blocks.reversed() {
            if case .success = try segment.read(block) { return block.end }
        }
        return segment.headerBytes
    }

    private func cut(
        _ segment: Segment, at length: Int, _ recovered: inout Recovered
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
        recovered.nextRecord = blocks.last.map(Self.end) ?? recovered.nextRecord
        let damages = segment.damages.filter { $0.offset < length }
        guard segment.headerBytes > 0, damages.isEmpty, blocks.last?.end ?? segment.headerBytes == length else {
            // Damage is kept as it is, for people to look at; writing goes on behind it.
            recovered.notices += damages.map(\.description)
            return
        }
        recovered.open = (file, segment.header, length, blocks)
    }

    /// The number behind the last line that is there.
    private func nextRecord(_ numbers: [UInt64], last: Segment) throws(ArchiveError) -> UInt64 {
        if let block = last.blocks.last { return Self.end(of: block) }
        for number in numbers.dropLast().reversed() {
            let segment = try Segment(folder: folder, number: number, isGrowing: false)
            if let block = segment.blocks.last { return Self.end(of: block) }
        }
        return 0
    }

    private static func end(of block: Segment.Block) -> UInt64 { block.header.firstRecord + UInt64(block.header.lines) }
}
