extension RegexMatcher {
    /// The unit that begins at a byte from 0x80 up: a scalar of well-formed UTF-8 (Unicode 15, table 3-7), else the
    /// byte itself as a stray one.
    @inline(__always)
    func decode(_ input: Span<UInt8>, at index: Int) -> (unit: UInt32, width: Int) {
        let first = input[index]
        let stray = (UnitSet.raw(first), 1)
        guard index + 1 < input.count else { return stray }
        let second = input[index + 1]
        // The second byte's range keeps out overlong forms, surrogates and what lies beyond U+10FFFF.
        let seconds: ClosedRange<UInt8>
        switch first {
        case 0xC2...0xDF:
            guard isContinuation(second) else { return stray }
            return (UInt32(first & 0x1F) << 6 | UInt32(second & 0x3F), 2)
        case 0xE0: seconds = 0xA0...0xBF
        case 0xED: seconds = 0x80...0x9F
        case 0xE1...0xEF: seconds = 0x80...0xBF
        case 0xF0: seconds = 0x90...0xBF
        case 0xF1...0xF3: seconds = 0x80...0xBF
        case 0xF4: seconds = 0x80...0x8F
        default: return stray
        }
        guard seconds.contains(second), index + 2 < input.count, isContinuation(input[index + 2]) else { return stray }
        let head = UInt32(second & 0x3F) << 6 | UInt32(input[index + 2] & 0x3F)
        if first < 0xF0 { return (UInt32(first & 0x0F) << 12 | head, 3) }
        guard index + 3 < input.count, isContinuation(input[index + 3]) else { return stray }
        return (UInt32(first & 0x07) << 18 | head << 6 | UInt32(input[index + 3] & 0x3F), 4)
    }

    @inline(__always)
    private func isContinuation(_ byte: UInt8) -> Bool {
        byte & 0xC0 == 0x80
    }
}
