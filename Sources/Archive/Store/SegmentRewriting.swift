/// Makes a segment anew from part of its lines, in blocks of the usual size, in a file beside it; then puts that in the old one's place.
struct SegmentRewriting {
    private let folder: String
    private let segment: Segment
    private let header: SegmentHeader
    private let draft: Draft
    private let writer = BlockWriter(level: 3)
    private var length: Int
    private var blocks: [Segment.Block] = []
    private(set) var lines = 0
    private(set) var hasDamage = false

    /// - Parameter header: of the segment that is to stand in its place.
    init(_ folder: String, _ segment: Segment, as header: SegmentHeader) throws(ArchiveError) {
        self.folder = folder
        self.segment = segment
        self.header = header
        draft = try Draft(ArchiveFolder.segmentPath(folder, header.number))
        length = header.encoded.count
        try draft.file.write(header.encoded, at: 0)
    }

    /// A file beside the segment, which goes with whoever writes it unless it has taken the segment's place.
    private final class Draft {
        let path: String
        let file: ArchiveFile
        var isInPlace = false

        init(_ segmentPath: String) throws(ArchiveError) {
            path = ArchiveFolder.temporaryPath(segmentPath)
            try ArchiveFolder.remove(path)
            file = try ArchiveFile(path, writing: true, isNew: true)
        }

        deinit { if !isInPlace { try? ArchiveFolder.remove(path) } }
    }

    /// Reads the segment through and keeps those lines, and all citations. Holds one block of them at a time.
    mutating func keep(where keeps: (LineBlock.Run, LineBlock.Line) -> Bool) throws(ArchiveError) {
        var pending = LineBlock()
        var firstRecord: UInt64 = 0
        for block in segment.blocks {
            switch try segment.read(block) {
            case .failure: hasDamage = true
            case .success(.citations(let citations)):
                // Their place among the lines says nothing.
                if let made = writer.encode(
                    citations, at: block.header.received.lowerBound, firstRecord: block.header.firstRecord)
                {
                    try add(made.header, made.bytes, [])
                }
            case .success(.lines(let content)):
                if pending.isEmpty { firstRecord = block.header.firstRecord }
                // A block without a filter must not look as if it held no address.
                if !block.header.isFiltered {
                    try flush(&pending, firstRecord)
                    firstRecord = block.header.firstRecord
                }
                pending.add(content, keys: block.filter, where: keeps)
                if !block.header.isFiltered {
                    try flush(&pending, firstRecord, isFiltered: false)
                } else if pending.text.count >= ArchiveFeed.blockBytes {
                    try flush(&pending, firstRecord)
                }
            }
        }
        try flush(&pending, firstRecord)
    }

    private mutating func flush(_ block: inout LineBlock, _ firstRecord: UInt64, isFiltered: Bool = true) throws(ArchiveError) {
        guard !block.isEmpty else { return }
        guard let made = writer.encode(block, firstRecord: firstRecord, isFiltered: isFiltered) else {
            throw ArchiveError(.memory, "there is no memory to compress a block in", "give Vigie more memory")
        }
        try add(made.header, made.bytes, block.keys.sorted())
        lines += block.lines.count
        block = LineBlock()
    }

    private mutating func add(_ header: BlockHeader, _ encoded: [UInt8], _ keys: [ValueKey]) throws(ArchiveError) {
        try draft.file.write(encoded, at: length)
        blocks.append(Segment.Block(offset: length, header: header, filter: header.isFiltered ? keys : []))
        length += encoded.count
    }

    /// By rename: a crash leaves the old segment or the new one, and at worst no index.
    func replace() throws(ArchiveError) {
        try draft.file.synchronise()
        try ArchiveFolder.remove(ArchiveFolder.indexPath(folder, header.number))
        try ArchiveFolder.rename(draft.path, ArchiveFolder.segmentPath(folder, header.number))
        draft.isInPlace = true
        try SegmentIndex.save(folder, header, blocks: blocks, byteCount: length)
        try ArchiveFolder.synchronise(folder)
    }
}
