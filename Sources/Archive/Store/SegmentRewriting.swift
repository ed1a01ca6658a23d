/// Makes a segment anew from part of its lines, in blocks of the usual size; then puts it in the old one's place.
struct SegmentRewriting {
    private let segment: Segment
    private let writer = BlockWriter(level: 3)
    private var bytes: [UInt8] = []
    private var blocks: [Segment.Block] = []
    private(set) var lines = 0
    private(set) var hasDamage = false

    init(_ segment: Segment) {
        self.segment = segment
    }

    /// Reads the segment through and keeps those lines, and all citations. Holds the compressed result, at most `Archive.segmentBytes`.
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
                    add(made.header, made.bytes, [])
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
        add(made.header, made.bytes, block.keys.sorted())
        lines += block.lines.count
        block = LineBlock()
    }

    private mutating func add(_ header: BlockHeader, _ encoded: [UInt8], _ keys: [ValueKey]) {
        blocks.append(Segment.Block(offset: bytes.count, header: header, filter: header.isFiltered ? keys : []))
        bytes += encoded
    }

    /// By rename: a crash leaves the old segment or the new one, and at worst no index.
    func replace(_ folder: String, _ header: SegmentHeader) throws(ArchiveError) {
        let start = header.encoded
        try ArchiveFolder.remove(ArchiveFolder.indexPath(folder, header.number))
        try ArchiveFolder.replace(ArchiveFolder.segmentPath(folder, header.number), with: start + bytes)
        let moved = blocks.map { Segment.Block(offset: $0.offset + start.count, header: $0.header, filter: $0.filter) }
        try SegmentIndex.save(folder, header, blocks: moved, byteCount: start.count + bytes.count)
        try ArchiveFolder.synchronise(folder)
    }
}
