import Evidence
import Foundation
import Journal
import Testing

@Suite("Sealed streams")
struct SealedStreamTests {
    private let secret = Array(repeating: UInt8(7), count: 32)

    private func seal(_ bytes: [UInt8], pieces: Int) throws -> [UInt8] {
        var sealer = SealedStream.Sealer(secret: secret)
        var sealed: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: pieces) {
            sealed += try sealer.add(Array(bytes[start..<min(start + pieces, bytes.count)]))
        }
        return sealed + (try sealer.finish())
    }

    private func open(_ bytes: [UInt8], pieces: Int = 50_000, secret: [UInt8]? = nil) throws -> [UInt8] {
        var opener = SealedStream.Opener(secret: secret ?? self.secret)
        var opened: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: pieces) {
            opened += try opener.add(Array(bytes[start..<min(start + pieces, bytes.count)]))
        }
        return opened + (try opener.finish())
    }

    @Test("opens to what was sealed, however it was cut up", arguments: [0, 1, 65_535, 65_536, 65_537, 200_000])
    func roundTrip(size: Int) throws {
        let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        for pieces in [1_000, 65_536, 1 << 20] {
            let sealed = try seal(bytes, pieces: pieces)
            #expect(sealed.count == Int(SealedStream.sealedSize(UInt64(size))))
            #expect(try open(sealed, pieces: pieces + 7) == bytes)
        }
    }

    @Test("changed, cut, extended, reordered or under another key it does not open")
    func changes() throws {
        let bytes = (0..<150_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let sealed = try seal(bytes, pieces: 65_536)
        for position in stride(from: 0, to: sealed.count, by: 997) {
            var changed = sealed
            changed[position] ^= 1
            #expect(throws: EvidenceError.self) { try open(changed) }
        }
        let piece = 65_536 + 16
        for length in [0, 3, 20, 36, 20 + piece, 20 + 2 * piece, sealed.count - 1] {
            #expect(throws: EvidenceError.self, "\(length)") { try open(Array(sealed[..<length])) }
        }
        #expect(throws: EvidenceError.self) { try open(sealed + [0]) }
        let swapped =
            Array(sealed[..<20]) + sealed[(20 + piece)..<(20 + 2 * piece)] + sealed[20..<(20 + piece)]
            + sealed[(20 + 2 * piece)...]
        #expect(throws: EvidenceError.self) { try open(Array(swapped)) }
        #expect(throws: EvidenceError.self) { try open(sealed, secret: Array(repeating: 8, count: 32)) }
    }
}
