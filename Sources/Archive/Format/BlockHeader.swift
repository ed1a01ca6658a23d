package import Events

/// What stands before a block: enough to know whether the block is worth reading. Numbers are big-endian; see docs/archive.md.
///
/// | bytes | what |
/// |---|---|
/// | 4 | `VGB1` |
/// | 1 | kind: 1 lines, 2 citations |
/// | 1 | flags: bit 0, some line is a security event; bit 1, the value filter holds every address and account |
/// | 2 | entries of the value filter, two bytes each |
/// | 4 | bytes stored: the zstd frame |
/// | 4 | bytes of the payload it holds |
/// | 4 | lines |
/// | 4 | 0 |
/// | 8 | number of the first line, counted over the whole archive |
/// | 8, 8 | first and last time of receipt, nanoseconds since 1970 |
/// | 8, 8 | least and greatest event time |
/// | 8 | sources: one bit of 64 per source, by hash |
/// | 4 | CRC-32C over filter and frame |
/// | 4 | CRC-32C over the 76 bytes before: a length is believed only when this fits |
package struct BlockHeader: Sendable, Hashable {
    package enum Kind: UInt8, Sendable {
        case lines = 1
        case citations = 2
    }

    package static let byteCount = 80
    static let magic = Array("VGB1".utf8)
    /// A block holds at most one batch more than it aims at; anything larger is damage.
    package static let maximumPayload = 16 << 20
    static let maximumStored = maximumPayload + 64 * 1024

    package var kind: Kind
    package var hasSecurityLines = false
    package var isFiltered = false
    package var filterCount = 0
    package var storedBytes = 0
    package var payloadBytes = 0
    package var lines = 0
    package var firstRecord: UInt64 = 0
    package var received: ClosedRange<Timestamp>
    package var times: ClosedRange<Timestamp>
    package var sources: UInt64 = 0
    package var checksum: UInt32 = 0

    /// Bytes of the whole block: header, filter, frame.
    package var blockBytes: Int { BlockHeader.byteCount + 2 * filterCount + storedBytes }

    package init(kind: Kind, received: ClosedRange<Timestamp>, times: ClosedRange<Timestamp>) {
        self.kind = kind
        self.received = received
        self.times = times
    }

    /// `nil` when the bytes are no whole header.
    package init?(_ bytes: ArraySlice<UInt8>) {
        guard bytes.count >= BlockHeader.byteCount, bytes.starts(with: BlockHeader.magic) else { return nil }
        let covered = bytes.prefix(BlockHeader.byteCount - 4)
        var reader = NumberReader(Array(bytes.prefix(BlockHeader.byteCount)), from: 4)
        guard let kind = reader.fixed(UInt8.self).flatMap(Kind.init), let flags = reader.fixed(UInt8.self),
            let filterCount = reader.fixed(UInt16.self), let stored = reader.fixed(UInt32.self),
            let payload = reader.fixed(UInt32.self), let lines = reader.fixed(UInt32.self), reader.fixed(UInt32.self) != nil,
            let firstRecord = reader.fixed(UInt64.self), let firstReceived = reader.fixed(Int64.self),
            let lastReceived = reader.fixed(Int64.self), let firstTime = reader.fixed(Int64.self),
            let lastTime = reader.fixed(Int64.self), let sources = reader.fixed(UInt64.self),
            let checksum = reader.fixed(UInt32.self), let own = reader.fixed(UInt32.self), own == CRC32C.checksum(covered),
            stored <= BlockHeader.maximumStored, payload <= BlockHeader.maximumPayload, firstReceived <= lastReceived,
            firstTime <= lastTime, lines <= payload, firstRecord < UInt64(Int64.max)
        else { return nil }
        self.kind = kind
        hasSecurityLines = flags & 1 == 1
        isFiltered = flags & 2 == 2
        self.filterCount = Int(filterCount)
        storedBytes = Int(stored)
        payloadBytes = Int(payload)
        self.lines = Int(lines)
        self.firstRecord = firstRecord
        received = Timestamp(nanoseconds: firstReceived)...Timestamp(nanoseconds: lastReceived)
        times = Timestamp(nanoseconds: firstTime)...Timestamp(nanoseconds: lastTime)
        self.sources = sources
        self.checksum = checksum
    }

    package var encoded: [UInt8] {
        var writer = NumberWriter(bytes: BlockHeader.magic)
        writer.fixed(kind.rawValue)
        writer.fixed(UInt8((hasSecurityLines ? 1 : 0) | (isFiltered ? 2 : 0)))
        writer.fixed(UInt16(filterCount))
        writer.fixed(UInt32(storedBytes))
        writer.fixed(UInt32(payloadBytes))
        writer.fixed(UInt32(lines))
        writer.fixed(UInt32(0))
        writer.fixed(firstRecord)
        writer.fixed(received.lowerBound.nanoseconds)
        writer.fixed(received.upperBound.nanoseconds)
        writer.fixed(times.lowerBound.nanoseconds)
        writer.fixed(times.upperBound.nanoseconds)
        writer.fixed(sources)
        writer.fixed(checksum)
        writer.fixed(CRC32C.checksum(writer.bytes[...]))
        return writer.bytes
    }

    /// The bit that stands for a source.
    package static func bit(source: String) -> UInt64 {
        1 << (ValueKey.hash(of: source.utf8, kind: 0) >> 58)
    }
}
