import Events

/// Makes the bytes of blocks. Owned by one task.
final class BlockWriter {
    private let compressor: ZstandardCompressor

    init(level: Int) {
        compressor = ZstandardCompressor(level: level)
    }

    /// - Returns: `nil` where there is no memory to compress in.
    ///
    /// - Parameter isFiltered: whether the block's keys are all that its lines have.
    func encode(_ block: LineBlock, firstRecord: UInt64, isFiltered: Bool = true) -> (header: BlockHeader, bytes: [UInt8])? {
        guard let first = block.lines.first, let run = block.runs.first else { return nil }
        var header = BlockHeader(kind: .lines, received: run.received...run.received, times: first.time...first.time)
        for run in block.runs {
            header.received = min(header.received.lowerBound, run.received)...max(header.received.upperBound, run.received)
            header.sources |= BlockHeader.bit(source: run.origin.source)
        }
        for line in block.lines {
            if line.time < header.times.lowerBound { header.times = line.time...header.times.upperBound }
            if line.time > header.times.upperBound { header.times = header.times.lowerBound...line.time }
            if line.isSecurity { header.hasSecurityLines = true }
        }
        header.lines = block.lines.count
        header.firstRecord = firstRecord
        // More keys than this would skip almost nothing: such a block goes without.
        header.isFiltered = isFiltered && block.keys.count <= BlockWriter.maximumKeys
        let keys = header.isFiltered ? block.keys.sorted() : []
        header.filterCount = keys.count
        return seal(&header, keys, block.payload)
    }

    func encode(_ citations: [Citation], at now: Timestamp, firstRecord: UInt64) -> (header: BlockHeader, bytes: [UInt8])? {
        var header = BlockHeader(kind: .citations, received: now...now, times: now...now)
        header.firstRecord = firstRecord
        return seal(&header, [], Citation.payload(of: citations))
    }

    static let maximumKeys = 16_384

    private func seal(
        _ header: inout BlockHeader, _ keys: [ValueKey], _ payload: [UInt8]
    ) -> (header: BlockHeader, bytes: [UInt8])? {
        guard let frame = compressor.compress(payload) else { return nil }
        var filter = NumberWriter()
        for key in keys { filter.fixed(key.rawValue) }
        header.storedBytes = frame.count
        header.payloadBytes = payload.count
        let body = filter.bytes + frame
        header.checksum = CRC32C.checksum(body[...])
        return (header, header.encoded + body)
    }
}

/// Reads blocks back. Owned by one task.
package final class BlockReader {
    private let decompressor = ZstandardDecompressor()

    package init() {}

    /// What a block holds.
    package enum Content: Sendable {
        case lines(LineBlock)
        case citations([Citation])
    }

    /// - Parameter body: filter and frame.
    /// - Returns: the reason why it cannot be read, in words, where it is damaged.
    package func read(_ header: BlockHeader, body: ArraySlice<UInt8>) -> Result<Content, DamageReason> {
        guard body.count == header.blockBytes - BlockHeader.byteCount else { return .failure(.cutShort) }
        guard CRC32C.checksum(body) == header.checksum else { return .failure(.checksum) }
        guard let payload = decompressor.decompress(body.dropFirst(2 * header.filterCount), size: header.payloadBytes) else {
            return .failure(.frame)
        }
        switch header.kind {
        case .lines:
            return LineBlock(payload: payload, lineCount: header.lines).map { .success(.lines($0)) } ?? .failure(.payload)
        case .citations: return Citation.read(payload: payload).map { .success(.citations($0)) } ?? .failure(.payload)
        }
    }

    /// The keys of a filter.
    static func keys(_ filter: ArraySlice<UInt8>) -> [ValueKey] {
        var reader = NumberReader(Array(filter))
        var keys: [ValueKey] = []
        while let key = reader.fixed(UInt16.self) { keys.append(ValueKey(rawValue: key)) }
        return keys
    }
}

/// How a block is damaged.
package enum DamageReason: String, Error, Sendable {
    case header = "its header does not agree with its checksum"
    case cutShort = "the file ends within it"
    case checksum = "its bytes do not agree with its checksum"
    case frame = "it cannot be decompressed"
    case payload = "its lines cannot be told apart"
    case segmentHeader = "the segment's own header is damaged"
}
