/// What stands before the data of a JPEG file: markers, and where their segments are (ITU-T T.81 §B.1.1).
enum JPEGSegments {
    /// Further bytes than these are not looked through.
    private static let reach = 16 << 20

    struct Segment {
        var marker: UInt8
        /// With the marker and the length.
        var range: Range<Int>

        var content: Range<Int> { (range.lowerBound + 4)..<range.upperBound }
    }

    /// In the order of the file; what is malformed ends the list.
    static func before(dataOf bytes: [UInt8]) -> [Segment] {
        var segments: [Segment] = []
        var position = 2
        while position + 4 <= min(bytes.count, reach), bytes[position] == 0xFF {
            let marker = bytes[position + 1]
            // A byte that fills, or a marker without length.
            if marker == 0xFF || marker == 0x01 || (0xD0...0xD8).contains(marker) {
                position += marker == 0xFF ? 1 : 2
                continue
            }
            let length = Int(bytes[position + 2]) << 8 | Int(bytes[position + 3])
            // The data begins, or ends.
            guard marker != 0xDA, marker != 0xD9, length >= 2, position + 2 + length <= bytes.count else { break }
            segments.append(Segment(marker: marker, range: position..<(position + 2 + length)))
            position += 2 + length
        }
        return segments
    }

    /// Colour profiles, orientation and the like, which say how the data is to be shown; not JFIF's and Adobe's, which encoders write.
    static func metadata(of bytes: [UInt8]) -> [UInt8] {
        before(dataOf: bytes).filter { (0xE1...0xEF).contains($0.marker) && $0.marker != 0xEE }.flatMap { bytes[$0.range] }
    }

    /// The file with segments of another one, behind those that it begins with.
    static func insert(_ metadata: [UInt8], into bytes: [UInt8]) -> [UInt8] {
        guard !metadata.isEmpty else { return bytes }
        var first = 2
        for segment in before(dataOf: bytes) where segment.marker == 0xE0 { first = segment.range.upperBound }
        return Array(bytes[..<first]) + metadata + bytes[first...]
    }
}
