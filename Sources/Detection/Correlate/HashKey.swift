/// The secret of one data folder's hashes: without it nobody can write values that collide.
///
/// Made at random with the first snapshot and kept in it. Findings do not depend on it.
package struct HashKey: Sendable, Hashable {
    package var low: UInt64
    package var high: UInt64

    package init(low: UInt64, high: UInt64) {
        self.low = low
        self.high = high
    }

    /// For runs that end with their input, and for tests: no attacker can learn from one run for the next.
    package static let fixed = HashKey(low: 0x0706_0504_0302_0100, high: 0x0F0E_0D0C_0B0A_0908)
}

/// 128 bits that stand for a group: two groups in a million share them with a probability of 2^-89.
struct GroupHash: Hashable, Sendable, BitwiseCopyable {
    var high: UInt64
    var low: UInt64
}

/// SipHash-2-4 (Aumasson and Bernstein 2012), with 64 and 128 bits of output.
struct SipHash {
    private var v0: UInt64
    private var v1: UInt64
    private var v2: UInt64
    private var v3: UInt64

    private init(_ key: HashKey, isWide: Bool) {
        v0 = key.low ^ 0x736F_6D65_7073_6575
        v1 = key.high ^ 0x646F_7261_6E64_6F6D ^ (isWide ? 0xEE : 0)
        v2 = key.low ^ 0x6C79_6765_6E65_7261
        v3 = key.high ^ 0x7465_6462_7974_6573
    }

    static func hash64(_ bytes: Span<UInt8>, _ key: HashKey) -> UInt64 {
        var state = SipHash(key, isWide: false)
        state.absorb(bytes)
        state.v2 ^= 0xFF
        return state.squeeze()
    }

    static func hash128(_ bytes: Span<UInt8>, _ key: HashKey) -> GroupHash {
        var state = SipHash(key, isWide: true)
        state.absorb(bytes)
        state.v2 ^= 0xEE
        let low = state.squeeze()
        state.v1 ^= 0xDD
        return GroupHash(high: state.squeeze(), low: low)
    }

    private mutating func squeeze() -> UInt64 {
        for _ in 0..<4 { round() }
        return v0 ^ v1 ^ v2 ^ v3
    }

    private mutating func absorb(_ bytes: Span<UInt8>) {
        var index = 0
        while index + 8 <= bytes.count {
            var word: UInt64 = 0
            for place in 0..<8 { word |= UInt64(bytes[index + place]) << UInt64(8 * place) }
            absorb(word)
            index += 8
        }
        var last = UInt64(truncatingIfNeeded: bytes.count) << 56
        var place: UInt64 = 0
        while index < bytes.count {
            last |= UInt64(bytes[index]) << place
            place += 8
            index += 1
        }
        absorb(last)
    }

    private mutating func absorb(_ word: UInt64) {
        v3 ^= word
        round()
        round()
        v0 ^= word
    }

    @inline(__always)
    private mutating func round() {
        v0 &+= v1
        v1 = (v1 << 13 | v1 >> 51) ^ v0
        v0 = v0 << 32 | v0 >> 32
        v2 &+= v3
        v3 = (v3 << 16 | v3 >> 48) ^ v2
        v0 &+= v3
        v3 = (v3 << 21 | v3 >> 43) ^ v0
        v2 &+= v1
        v1 = (v1 << 17 | v1 >> 47) ^ v2
        v2 = v2 << 32 | v2 >> 32
    }
}
