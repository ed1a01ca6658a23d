/// The sparse index beside a finished segment: headers and value filters of all its blocks, read at once. Can be made anew from the
/// segment at any time; one that does not fit its segment is ignored.
///
/// | bytes | what |
/// |---|---|
/// | 4 | `VGI1` |
/// | 4 | the checksum at the end of the segment's header |
/// | 8 | bytes of the segment |
/// | 4 | number of blocks |
/// | … | for each block: where it begins (8), its header (80), its filter |
/// | 4 | CRC-32C over all of the above |
enum SegmentIndex {
    private static let magic = Array("VGI1".utf8)
    /// Larger ones are damage: a segment of this format has at most some ten thousand blocks.
    private static let maximumBytes = 256 << 20

    static func save(_ folder: String, _ header: SegmentHeader, blocks: [Segment.Block], byteCount: Int) throws(ArchiveError) {
        var writer = NumberWriter(bytes: magic)
        writer.bytes += header.encoded.suffix(4)
        writer.fixed(UInt64(byteCount))
        writer.fixed(UInt32(blocks.count))
        for block in blocks {
            writer.fixed(UInt64(block.offset))
            writer.bytes += block.header.encoded
            for key in block.filter { writer.fixed(key.rawValue) }
        }
        writer.fixed(CRC32C.checksum(writer.bytes[...]))
        try ArchiveFolder.replace(ArchiveFolder.indexPath(folder, header.number), with: writer.bytes)
    }

    /// - Returns: `nil` where there is none that fits.
    static func load(_ folder: String, _ header: SegmentHeader, byteCount: Int) -> [Segment.Block]? {
        guard let file = try? ArchiveFile(ArchiveFolder.indexPath(folder, header.number)), let size = try? file.size(),
            size <= maximumBytes, let bytes = try? file.read(size, at: 0), bytes.count == size, size >= 24
        else { return nil }
        return read(bytes, header, byteCount: byteCount)
    }

    static func read(_ bytes: [UInt8], _ header: SegmentHeader, byteCount: Int) -> [Segment.Block]? {
        guard bytes.starts(with: magic), bytes.count >= 24, bytes[4..<8].elementsEqual(header.encoded.suffix(4)) else {
            return nil
        }
        var tail = NumberReader(bytes, from: bytes.count - 4)
        guard tail.fixed(UInt32.self) == CRC32C.checksum(bytes.dropLast(4)) else { return nil }
        var reader = NumberReader(bytes, from: 8, to: bytes.count - 4)
        guard reader.fixed(UInt64.self) == UInt64(byteCount), let count = reader.fixed(UInt32.self) else { return nil }
        var blocks: [Segment.Block] = []
        for _ in 0..<count {
            guard let offset = reader.fixed(UInt64.self), offset <= UInt64(byteCount), reader.left >= BlockHeader.byteCount,
                let block = BlockHeader(bytes[reader.index...])
            else { return nil }
            reader = NumberReader(bytes, from: reader.index + BlockHeader.byteCount, to: bytes.count - 4)
            guard reader.left >= 2 * block.filterCount else { return nil }
            let end = reader.index + 2 * block.filterCount
            let filter = BlockReader.keys(bytes[reader.index..<end])
            reader = NumberReader(bytes, from: end, to: bytes.count - 4)
            guard Int(offset) + block.blockBytes <= byteCount else { return nil }
            blocks.append(Segment.Block(offset: Int(offset), header: block, filter: filter))
        }
        return reader.left == 0 ? blocks : nil
    }
}
