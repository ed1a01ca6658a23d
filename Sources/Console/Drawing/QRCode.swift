/// A QR code (ISO/IEC 18004:2015) in byte mode with error correction level M, versions 1 to 15: up to 412 bytes, far more than an
/// authenticator's address needs.
struct QRCode: Equatable {
    /// Of each version from 1: error correction codewords of a block, and how many blocks (table 9, level M).
    private static let blocks: [(correction: Int, count: Int)] = [
        (10, 1), (16, 1), (26, 1), (18, 2), (24, 2), (16, 4), (18, 4), (22, 4), (22, 5), (26, 5), (30, 5), (22, 8), (22, 9),
        (24, 9), (24, 10),
    ]

    private(set) var version: Int
    /// Modules on a side.
    private(set) var size: Int
    /// Row by row; true is dark.
    private(set) var modules: [Bool]
    /// Finder, timing and alignment patterns, and what says format and version: no data there.
    private var isFunction: [Bool]

    /// `nil` for a text that is too long.
    ///
    /// - Parameter mask: 0 to 7; `nil` takes the one that readers like best (7.8.3).
    init?(_ text: String, mask: Int? = nil) {
        let bytes = Array(text.utf8)
        // A header of mode and length takes 12 bits, from version 10 on 20.
        let fits = { (version: Int) in 4 + (version < 10 ? 8 : 16) + bytes.count * 8 <= Self.dataCodewords(version) * 8 }
        guard let version = (1...Self.blocks.count).first(where: fits) else { return nil }
        self.version = version
        size = 17 + 4 * version
        modules = Array(repeating: false, count: size * size)
        isFunction = modules
        drawFunctionPatterns()
        place(Self.codewords(bytes, version: version))
        let unmasked = self
        var best: (penalty: Int, code: QRCode)?
        for candidate in mask.map({ [$0] }) ?? Array(0..<8) {
            var code = unmasked
            code.apply(mask: candidate)
            code.drawFormat(mask: candidate)
            let penalty = code.penalty
            if best.map({ penalty < $0.penalty }) ?? true { best = (penalty, code) }
        }
        guard let best else { return nil }
        self = best.code
    }

    subscript(x: Int, y: Int) -> Bool { modules[y * size + x] }

    mutating func transformData(_ body: (_ x: Int, _ y: Int, _ isDark: Bool) -> Bool) {
        for y in 0..<size {
            for x in 0..<size where !isFunction[y * size + x] { modules[y * size + x] = body(x, y, modules[y * size + x]) }
        }
    }

    // MARK: Codewords

    /// All codewords of a version: what the function patterns leave free (table 1).
    static func rawCodewords(_ version: Int) -> Int {
        let side = 17 + 4 * version
        let alignments = alignmentPositions(version).count
        var free = side * side - 3 * 64 - 2 * 15 - 1 - 2 * (side - 16)
        if alignments > 0 { free -= (alignments * alignments - 3) * 25 - (alignments - 2) * 10 }
        if version >= 7 { free -= 36 }
        return free / 8
    }

    static func dataCodewords(_ version: Int) -> Int {
        let (correction, count) = blocks[version - 1]
        return rawCodewords(version) - correction * count
    }

    /// Data and error correction, block by block, interleaved (7.6).
    private static func codewords(_ bytes: [UInt8], version: Int) -> [UInt8] {
        var bits: [Bool] = []
        func append(_ value: Int, _ count: Int) {
            for shift in (0..<count).reversed() { bits.append(value >> shift & 1 == 1) }
        }
        append(0b0100, 4)
        append(bytes.count, version < 10 ? 8 : 16)
        for byte in bytes { append(Int(byte), 8) }
        let capacity = dataCodewords(version) * 8
        append(0, min(4, capacity - bits.count))
        append(0, (8 - bits.count % 8) % 8)
        var data = stride(from: 0, to: bits.count, by: 8).map { start in
            bits[start..<start + 8].reduce(UInt8(0)) { $0 << 1 | ($1 ? 1 : 0) }
        }
        for pad in 0..<dataCodewords(version) - data.count { data.append(pad % 2 == 0 ? 0xec : 0x11) }

        let (correction, count) = blocks[version - 1]
        // Where it does not divide evenly, the last blocks hold one more.
        let (short, longer) = (data.count / count, data.count % count)
        var parts: [[UInt8]] = []
        var start = 0
        for index in 0..<count {
            let length = short + (index >= count - longer ? 1 : 0)
            parts.append(Array(data[start..<start + length]))
            start += length
        }
        let corrections = parts.map { ReedSolomon.correction(of: $0, count: correction) }
        var result: [UInt8] = []
        for index in 0...short { for part in parts where index < part.count { result.append(part[index]) } }
        for index in 0..<correction { for part in corrections { result.append(part[index]) } }
        return result
    }

    /// In columns of two from the right, up and down by turns, around the function patterns (7.7.3).
    private mutating func place(_ codewords: [UInt8]) {
        var bit = 0
        var right = size - 1
        while right >= 1 {
            // The vertical timing pattern has a column of its own.
            if right == 6 { right = 5 }
            let isUpward = (right + 1) & 2 == 0
            for step in 0..<size {
                let y = isUpward ? size - 1 - step : step
                for x in [right, right - 1] where !isFunction[y * size + x] && bit < codewords.count * 8 {
                    modules[y * size + x] = codewords[bit >> 3] >> UInt8(7 - bit & 7) & 1 == 1
                    bit += 1
                }
            }
            right -= 2
        }
    }

    // MARK: Patterns

    /// Centres of alignment patterns, in both directions (annex E).
    static func alignmentPositions(_ version: Int) -> [Int] {
        guard version > 1 else { return [] }
        let count = version / 7 + 2
        let last = 10 + 4 * version
        let step = count == 2 ? last - 6 : (last - 6 + 2 * (count - 1) - 1) / (2 * (count - 1)) * 2
        return [6] + (0..<count - 1).reversed().map { last - $0 * step }
    }

    private mutating func draw(_ x: Int, _ y: Int, _ isDark: Bool) {
        guard (0..<size).contains(x), (0..<size).contains(y) else { return }
        modules[y * size + x] = isDark
        isFunction[y * size + x] = true
    }

    private mutating func drawFunctionPatterns() {
        for index in 0..<size {
            draw(6, index, index % 2 == 0)
            draw(index, 6, index % 2 == 0)
        }
        for (x, y) in [(3, 3), (size - 4, 3), (3, size - 4)] {
            for dy in -4...4 {
                for dx in -4...4 {
                    let ring = max(abs(dx), abs(dy))
                    draw(x + dx, y + dy, ring != 2 && ring != 4)
                }
            }
        }
        let positions = Self.alignmentPositions(version)
        for y in positions {
            for x in positions {
                // Not where the finder patterns are.
                if (x == 6 && y == 6) || (x == 6 && y == size - 7) || (x == size - 7 && y == 6) { continue }
                for dy in -2...2 { for dx in -2...2 { draw(x + dx, y + dy, max(abs(dx), abs(dy)) != 1) } }
            }
        }
        // Keeps the place free; the mask is not known yet.
        drawFormat(mask: 0)
        if version >= 7 {
            let bits = Self.versionBits(version)
            for index in 0..<18 {
                let isDark = bits >> index & 1 == 1
                draw(size - 11 + index % 3, index / 3, isDark)
                draw(index / 3, size - 11 + index % 3, isDark)
            }
        }
    }

    /// Level M and the mask, protected by BCH(15,5) (annex C).
    static func formatBits(mask: Int) -> Int {
        // Level M is 00.
        var remainder = mask
        for _ in 0..<10 { remainder = remainder << 1 ^ (remainder >> 9) * 0x537 }
        return (mask << 10 | remainder) ^ 0x5412
    }

    /// BCH(18,6) (annex D).
    static func versionBits(_ version: Int) -> Int {
        var remainder = version
        for _ in 0..<12 { remainder = remainder << 1 ^ (remainder >> 11) * 0x1f25 }
        return version << 12 | remainder
    }

    private mutating func drawFormat(mask: Int) {
        let bits = Self.formatBits(mask: mask)
        let isDark = { (index: Int) in bits >> index & 1 == 1 }
        for index in 0..<6 { draw(8, index, isDark(index)) }
        draw(8, 7, isDark(6))
        draw(8, 8, isDark(7))
        draw(7, 8, isDark(8))
        for index in 9..<15 { draw(14 - index, 8, isDark(index)) }
        for index in 0..<8 { draw(size - 1 - index, 8, isDark(index)) }
        for index in 8..<15 { draw(8, size - 15 + index, isDark(index)) }
        // Dark in every code (7.9.1).
        draw(8, size - 8, true)
    }
}
