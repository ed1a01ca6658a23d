import Foundation
import Testing
import Watermark

@Suite("Tokens and stamps")
struct TokenMethodTests {
    private static let methods: [any WatermarkMethod] = [SealedTokenMethod(), RobustXMPMethod(), ToyEOFMethod()]

    @Test("A token carries its secret to whoever has the key", arguments: [0, 1, 2])
    func roundTrip(index: Int) throws {
        let method = Self.methods[index]
        let original = WordShiftTests.mixed().bytes()
        let copy = try method.embed(original, secret: "réf. 42 ✓", key: "key", position: nil)
        #expect(try method.extract(copy, key: "key") == "réf. 42 ✓")
        #expect(try method.embed(original, secret: "réf. 42 ✓", key: "key", position: nil) == copy)
        #expect(copy.count >= original.count && copy.starts(with: "%PDF-".utf8))
        func code(_ pdf: [UInt8], _ key: String) -> WatermarkError.Code? {
            do throws(WatermarkError) {
                _ = try method.extract(pdf, key: key)
                return nil
            } catch { return error.code }
        }
        #expect(code(copy, "other") == .invalidKey)
        #expect(code(copy, "") == .invalidKey)
        #expect(code(original, "key") == .notFound)
        #expect(code([1, 2, 3], "key") == .badInput)
    }

    @Test("A copy of the platform's first version is read, and what is damaged is no copy")
    func firstVersion() throws {
        // {"alg":"HMAC-SHA256","mac":…,"secret":"aGVsbG8=","v":1}: HMAC of "wm:add-after-eof:v1:hello" under "key".
        let mac = "41909eb0dd568cd8714f9a034c7e24fb4e93c5ffcde86d1fdcf52081a13169f3"
        func copy(_ json: String) -> [UInt8] {
            let line = Data(json.utf8).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_")
            return Array("%PDF-1.4\n%%EOF\n%%WM-ADD-AFTER-EOF:v1\n\(line)\n".utf8)
        }
        func json(_ mac: String, secret: String = "aGVsbG8=") -> String {
            #"{"v":1,"alg":"HMAC-SHA256","mac":"\#(mac)","secret":"\#(secret)"}"#
        }
        let method = ToyEOFMethod()
        #expect(try method.extract(copy(json(mac)), key: "key") == "hello")
        for wrong in [json("00" + mac.dropFirst(2)), json("zz"), json(""), json(mac, secret: "aGVsbG9v")] {
            #expect { try method.extract(copy(wrong), key: "key") } throws: { ($0 as? WatermarkError)?.code == .invalidKey }
        }
        for none in ["", "{}", "[]", json(mac).replacing("SHA256", with: "MD5"), json(mac).replacing("aGVsbG8=", with: "%")] {
            #expect { try method.extract(copy(none), key: "key") } throws: { ($0 as? WatermarkError)?.code == .notFound }
        }
    }

    @Test("Metadata that is there stays, beside the token")
    func existingMetadata() throws {
        var builder = PDFBuilder.text(pages: 1)
        builder.catalog = "/Metadata 5000 0 R"
        builder.objects = [
            PDFBuilder.stream(
                "<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='r'><rdf:Description>kept</rdf:Description></rdf:RDF></x:xmpmeta>",
                "/Type /Metadata /Subtype /XML")
        ]
        let copy = try RobustXMPMethod().embed(builder.bytes(), secret: "s", key: "k", position: nil)
        let packet = String(decoding: try PDFDocument(copy).root["/Metadata"].streamBytes, as: UTF8.self)
        #expect(packet.contains("<rdf:Description>kept</rdf:Description>") && packet.contains(SealedToken.prefix))
    }

    @Test("Text that is not painted carries a token where metadata and page keys are gone")
    func invisibleText() throws {
        let copy = try SealedTokenMethod().embed(WordShiftTests.mixed().bytes(), secret: "s", key: "k", position: "text")
        let document = try PDFDocument(copy)
        document.root.removeKey("/Metadata")
        for index in 0..<2 {
            document.page(index)?.removeKey("/PieceInfo")
            document.page(index)?.removeKey("/VigieToken")
        }
        #expect(try SealedTokenMethod().extract(try document.write(), key: "k") == "s")
        // And moves no word of the page.
        let before = try LayoutReader.read(PDFDocument(WordShiftTests.mixed().bytes()))
        let after = try LayoutReader.read(PDFDocument(copy))
        #expect(before.carrierCount == after.carrierCount)
    }

    @Test("A token that was changed in any place does not open")
    func tampered() throws {
        let key = [UInt8](repeating: 7, count: 32)
        let token = try SealedToken.seal("copy 9", key: key)
        #expect(SealedToken.open(token, key: key) == "copy 9")
        for position in token.utf8.indices {
            var bytes = Array(token.utf8)
            let offset = token.utf8.distance(from: token.utf8.startIndex, to: position)
            bytes[offset] = bytes[offset] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
            let changed = String(decoding: bytes, as: UTF8.self)
            // The last digit has bits that stand for nothing.
            if offset < bytes.count - 1 { #expect(SealedToken.open(changed, key: key) == nil, "at \(offset)") }
        }
        #expect(SealedToken.open("", key: key) == nil && SealedToken.open("VGT1.", key: key) == nil)
    }

    @Test(
        "A stamp is words at the foot of each page, whatever its rotation",
        arguments: ["", "/Rotate 90", "/Rotate 180", "/Rotate 270"])
    func stamp(rotation: String) throws {
        var builder = PDFBuilder.text(pages: 2, lines: 3)
        builder.mediaBox += " " + rotation
        let before = try LayoutReader.read(PDFDocument(builder.bytes()))
        let copy = try VisibleStampMethod().embed(builder.bytes(), secret: "For (Zoë) only", key: "-", position: nil)
        let after = try LayoutReader.read(PDFDocument(copy))
        #expect(after.carrierCount == before.carrierCount + 6)
        let foot = after.pages[0].words.suffix(3)
        #expect(
            foot.map { String(String.UnicodeScalarView($0.text.compactMap(Unicode.Scalar.init))) } == ["for", "(zoë)", "only"])
        #expect(foot.allSatisfy { $0.x > 0 && $0.x < 595 && $0.y > 0 && $0.y < 842 })
    }
}
