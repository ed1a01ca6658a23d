import Foundation
import Testing

@testable import Console

/// The fixtures are symbols that another encoder (qrcode 8.2 for Python) makes of the same text with the same mask: text, mask, modules.
@Suite("QR codes")
struct QRCodeTests {
    private static let folder: URL = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("Fixtures/QR")

    static let names: [String] = ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []).sorted()

    @Test("the fixtures are there")
    func present() { #expect(Self.names.count == 8) }

    @Test("every module is where another encoder puts it", arguments: QRCodeTests.names)
    func matrix(name: String) throws {
        let lines = try String(contentsOf: Self.folder.appendingPathComponent(name), encoding: .utf8)
            .split(separator: "\n").map(String.init)
        let code = try #require(QRCode(lines[0], mask: Int(lines[1])))
        #expect(code.size == lines.count - 2)
        let drawn = (0..<code.size).map { y in String((0..<code.size).map { code[$0, y] ? "#" : "." }) }
        #expect(drawn == Array(lines.dropFirst(2)))
    }

    @Test(
        "of the eight masks, the one with the least penalty is taken", arguments: ["HELLO", String(repeating: "x", count: 120)])
    func mask(text: String) throws {
        let penalties = (0..<8).compactMap { QRCode(text, mask: $0)?.penalty }
        #expect(penalties.count == 8 && Set(penalties).count > 1)
        #expect(QRCode(text)?.penalty == penalties.min())
    }

    @Test("error correction of the example in ISO/IEC 18004, annex I")
    func reedSolomon() {
        let data: [UInt8] = [
            0x10, 0x20, 0x0c, 0x56, 0x61, 0x80, 0xec, 0x11, 0xec, 0x11, 0xec, 0x11, 0xec, 0x11, 0xec, 0x11,
        ]
        #expect(
            ReedSolomon.correction(of: data, count: 10) == [0xa5, 0x24, 0xd4, 0xc1, 0xed, 0x36, 0xc7, 0x87, 0x2c, 0x55])
    }

    @Test("format and version bits of the examples in annexes C and D")
    func bits() {
        #expect(QRCode.formatBits(mask: 5) == 0b100_0000_1100_1110)
        #expect(QRCode.versionBits(7) == 0b00_0111_1100_1001_0100)
    }

    @Test("what does not fit is none; the longest that fits is one")
    func length() {
        #expect(QRCode(String(repeating: "y", count: 412))?.version == 15)
        #expect(QRCode(String(repeating: "y", count: 413)) == nil)
        #expect(QRCode("")?.version == 1)
    }

    @Test("the drawing has a quiet zone, and covers the dark modules and no other")
    func drawing() throws {
        let code = try #require(QRCode("HELLO"))
        #expect(code.drawingSide == 29)
        var drawn: Set<[Int]> = []
        for run in code.drawing.matches(of: #/M(\d+) (\d+)h(\d+)v1h-(\d+)z/#) {
            let (x, y, width) = (try #require(Int(run.1)), try #require(Int(run.2)), try #require(Int(run.3)))
            #expect(run.3 == run.4)
            for dx in 0..<width { drawn.insert([x + dx - 4, y - 4]) }
        }
        let dark = (0..<code.size).flatMap { y in (0..<code.size).filter { code[$0, y] }.map { [$0, y] } }
        #expect(drawn == Set(dark))
    }
}
