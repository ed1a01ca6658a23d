extension DocumentFingerprint {
    /// The last digit is the version of what follows.
    private static let magic = Array("VGFP1".utf8)
    private static let pointBytes = 36

    /// Numbers are little-endian: magic, pages (16 bits); per page width, height (16 bits), thumbnail, points (16 bits); per point x and y
    /// in quarters of a pixel (16 bits), descriptor (256 bits).
    package func encoded() -> [UInt8] {
        var bytes = Self.magic
        Self.append(UInt16(clamping: pages.count), to: &bytes)
        for page in pages {
            Self.append(UInt16(clamping: page.width), to: &bytes)
            Self.append(UInt16(clamping: page.height), to: &bytes)
            bytes += page.thumbnail.values
            Self.append(UInt16(clamping: page.features.points.count), to: &bytes)
            for point in page.features.points {
                Self.append(UInt16(clamping: Int(point.x * 4)), to: &bytes)
                Self.append(UInt16(clamping: Int(point.y * 4)), to: &bytes)
                for index in 0..<4 { Self.append(point.bits[index], to: &bytes) }
            }
        }
        return bytes
    }

    /// Nil where `bytes` are not such a fingerprint, whole: the process that made it had read a stranger's document.
    package init?(encoded bytes: [UInt8]) {
        self.init()
        var reader = Reader(bytes: bytes)
        guard reader.take(Self.magic.count)?.elementsEqual(Self.magic) == true, let count = reader.short(),
            count <= Self.mostPages
        else { return nil }
        for _ in 0..<count {
            guard let width = reader.short(), let height = reader.short(), width > 0, height > 0,
                let thumbnail = reader.take(Thumbnail.side * Thumbnail.side).flatMap({ Thumbnail(values: $0) }),
                let pointCount = reader.short(), let body = reader.take(pointCount * Self.pointBytes)
            else { return nil }
            var points: [Features.Point] = []
            points.reserveCapacity(pointCount)
            var inner = Reader(bytes: Array(body))
            for _ in 0..<pointCount {
                guard let x = inner.short(), let y = inner.short(), let first = inner.long(), let second = inner.long(),
                    let third = inner.long(), let fourth = inner.long()
                else { return nil }
                points.append(
                    Features.Point(x: Double(x) / 4, y: Double(y) / 4, bits: SIMD4(first, second, third, fourth)))
            }
            append(Page(width: width, height: height, thumbnail: thumbnail, features: Features(points: points)))
        }
        guard reader.isAtEnd else { return nil }
    }

    private static func append(_ value: some FixedWidthInteger, to bytes: inout [UInt8]) {
        for index in 0..<(value.bitWidth / 8) { bytes.append(UInt8(truncatingIfNeeded: value >> (8 * index))) }
    }

    private struct Reader {
        let bytes: [UInt8]
        private var position = 0

        init(bytes: [UInt8]) { self.bytes = bytes }

        var isAtEnd: Bool { position == bytes.count }

        mutating func take(_ count: Int) -> ArraySlice<UInt8>? {
            guard count <= bytes.count - position else { return nil }
            defer { position += count }
            return bytes[position..<(position + count)]
        }

        mutating func short() -> Int? { take(2)?.reversed().reduce(0) { $0 << 8 | Int($1) } }
        mutating func long() -> UInt64? { take(8)?.reversed().reduce(0) { $0 << 8 | UInt64($1) } }
    }
}
