import Events

/// A segment file, opened to be read: its header, where its blocks stand, and what of it is damaged.
///
/// Owned by one task. Keeps its descriptor: a segment that is replaced or removed meanwhile is read on as it was.
package final class Segment {
    package struct Block: Sendable, Hashable {
        package var offset: Int
        package var header: BlockHeader
        var filter: [ValueKey]

        var end: Int { offset + header.blockBytes }
    }

    package let header: SegmentHeader
    package let byteCount: Int
    package private(set) var blocks: [Block] = []
    package private(set) var damages: [ArchiveDamage] = []
    /// Where the last whole block ends: what follows was being written.
    package private(set) var wholeBytes: Int
    let headerBytes: Int
    private let file: ArchiveFile
    private let reader = BlockReader()

    /// - Parameters:
    ///   - isGrowing: the newest segment: a block whose end is missing is being written, and not damaged.
    ///   - usesIndex: believes the index beside it, where there is one that fits.
    package init(folder: String, number: UInt64, isGrowing: Bool, usesIndex: Bool = true) throws(ArchiveError) {
        let path = ArchiveFolder.segmentPath(folder, number)
        file = try ArchiveFile(path)
        byteCount = try file.size()
        let start = try file.read(min(byteCount, SegmentHeader.maximumBytes), at: 0)
        if let header = SegmentHeader(start), header.number == number {
            self.header = header
            headerBytes = header.encoded.count
        } else {
            // Its blocks may be whole all the same.
            header = SegmentHeader(number: number, created: Timestamp(nanoseconds: 0), fingerprint: 0, trustedProxies: [])
            headerBytes = 0
            if !isGrowing || byteCount >= SegmentHeader.minimumBytes {
                damages.append(ArchiveDamage(segment: number, offset: 0, reason: .segmentHeader))
            }
        }
        wholeBytes = headerBytes
        if usesIndex, headerBytes > 0, let blocks = SegmentIndex.load(folder, header, byteCount: byteCount) {
            self.blocks = blocks
            wholeBytes = byteCount
        } else {
            try walk(isGrowing: isGrowing)
        }
    }

    /// Whether it is no more than a header, or the beginning of one, as a failed attempt to begin a segment leaves it behind.
    var holdsNothing: Bool {
        blocks.isEmpty && damages.isEmpty && byteCount < max(headerBytes + 1, SegmentHeader.minimumBytes)
    }

    /// From header to header; where one is damaged, on to the next one that is whole.
    private func walk(isGrowing: Bool) throws(ArchiveError) {
        // Where the segment's header is damaged, the first block is looked for.
        var offset = headerBytes
        if headerBytes == 0 { offset = try nextHeader(after: -1) ?? byteCount }
        while offset < byteCount {
            let bytes = try file.read(min(BlockHeader.byteCount, byteCount - offset), at: offset)
            guard let header = BlockHeader(bytes[...]) else {
                guard let next = try nextHeader(after: offset) else {
                    if !isGrowing || bytes.count == BlockHeader.byteCount {
                        damages.append(ArchiveDamage(segment: self.header.number, offset: offset, reason: .header))
                    }
                    return
                }
                damages.append(ArchiveDamage(segment: self.header.number, offset: offset, reason: .header))
                offset = next
                continue
            }
            guard offset + header.blockBytes <= byteCount else {
                // A length that reaches past the end: the end of the file is missing, or this is an old header's copy in a frame.
                if !isGrowing { damages.append(ArchiveDamage(segment: self.header.number, offset: offset, reason: .cutShort)) }
                return
            }
            let filter = try file.read(2 * header.filterCount, at: offset + BlockHeader.byteCount)
            blocks.append(Block(offset: offset, header: header, filter: BlockReader.keys(filter[...])))
            offset += header.blockBytes
            wholeBytes = offset
        }
    }

    /// The next place behind `offset` where a whole header stands.
    private func nextHeader(after offset: Int) throws(ArchiveError) -> Int? {
        let window = 1 << 20
        var start = offset + 1
        while start + BlockHeader.byteCount <= byteCount {
            let bytes = try file.read(min(window, byteCount - start), at: start)
            var index = 0
            while index + BlockHeader.byteCount <= bytes.count {
                if bytes[index] == BlockHeader.magic[0], BlockHeader(bytes[index...]) != nil { return start + index }
                index += 1
            }
            start += max(bytes.count - BlockHeader.byteCount + 1, 1)
        }
        return nil
    }

    /// The bytes of a block behind its header, to be read by a `BlockReader`, here or in another task.
    package func body(_ block: Block) throws(ArchiveError) -> [UInt8] {
        try file.read(block.header.blockBytes - BlockHeader.byteCount, at: block.offset + BlockHeader.byteCount)
    }

    /// - Returns: what the block holds, or how it is damaged.
    package func read(_ block: Block) throws(ArchiveError) -> Result<BlockReader.Content, ArchiveDamage> {
        reader.read(block.header, body: try body(block)[...]).mapError { reason in
            ArchiveDamage(segment: header.number, offset: block.offset, reason: reason)
        }
    }
}

/// A place in the archive that cannot be read.
package struct ArchiveDamage: Error, Sendable, Hashable, CustomStringConvertible {
    package var segment: UInt64
    package var offset: Int
    package var reason: DamageReason

    package init(segment: UInt64, offset: Int, reason: DamageReason) {
        self.segment = segment
        self.offset = offset
        self.reason = reason
    }

    package var description: String { "segment \(segment), block at byte \(offset): \(reason.rawValue)" }
}
