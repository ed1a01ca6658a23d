/// How coarsely a JPEG picture was compressed: its quantisation of brightness, in the numbers that libjpeg calls quality.
///
/// Encoded again at the same quality, a picture keeps what it had and loses nothing new; and it stays as large as it was.
enum JPEGQuality {
    /// Table K.1 of ITU-T T.81, in the order in which files have it.
    private static let standard: [Int] = [
        16, 11, 12, 14, 12, 10, 16, 14, 13, 14, 18, 17, 16, 19, 24, 40, 26, 24, 22, 22, 24, 49, 35, 37, 29, 40, 58, 51, 61, 60,
        57, 51,
        56, 55, 64, 72, 92, 78, 64, 68, 87, 69, 55, 56, 80, 109, 81, 87, 95, 98, 103, 104, 103, 62, 77, 113, 121, 112, 100, 120,
        92,
        101, 103, 99,
    ]
    /// 1 to 100; nil where no table was found.
    static func estimate(_ bytes: [UInt8]) -> Int? {
        guard let table = brightnessTable(bytes) else { return nil }
        return (1...100).min { distance($0, table) < distance($1, table) }
    }

    private static func distance(_ quality: Int, _ table: [Int]) -> Int {
        let scale = quality < 50 ? 5_000 / quality : 200 - 2 * quality
        return zip(standard, table).reduce(0) { $0 + abs(min(max(($1.0 * scale + 50) / 100, 1), 255) - $1.1) }
    }

    /// The first table of number 0 (T.81 §B.2.4.1).
    private static func brightnessTable(_ bytes: [UInt8]) -> [Int]? {
        JPEGSegments.before(dataOf: bytes).lazy.filter { $0.marker == 0xDB }.compactMap { table(bytes[$0.content]) }.first
    }

    private static func table(_ segment: ArraySlice<UInt8>) -> [Int]? {
        var position = segment.startIndex
        while position < segment.endIndex {
            let (precision, number) = (Int(segment[position] >> 4), segment[position] & 15)
            let size = precision == 0 ? 64 : 128
            guard position + 1 + size <= segment.endIndex else { return nil }
            let values = segment[(position + 1)..<(position + 1 + size)]
            if number == 0 {
                let start = values.startIndex
                return (0..<64).map {
                    precision == 0 ? Int(values[start + $0]) : Int(values[start + 2 * $0]) << 8 | Int(values[start + 2 * $0 + 1])
                }
            }
            position += 1 + size
        }
        return nil
    }
}
