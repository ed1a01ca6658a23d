import Testing

@testable import Tatou

@Suite struct MultipartTests {
    /// Everything that a parser says about `bytes`, fed in pieces of `size`; data joined.
    private func events(_ bytes: [UInt8], boundary: String = "b", size: Int) throws -> [MultipartParser.Event] {
        var parser = try MultipartParser(contentType: "multipart/form-data; boundary=\(boundary)")
        var joined: [MultipartParser.Event] = []
        for start in stride(from: 0, to: bytes.count, by: size) {
            for event in try parser.feed(bytes[start..<min(start + size, bytes.count)]) {
                if case .data(let more) = event, case .data(let before)? = joined.last {
                    joined[joined.count - 1] = .data(before + more)
                } else {
                    joined.append(event)
                }
            }
        }
        try parser.finish()
        return joined
    }

    private let plain = Array(
        "preamble\r\n--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\none\r\n--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"x.pdf\"\r\nContent-Type: Application/PDF; x=y\r\n\r\n\r\n--c\r\n--\r\n--b--\r\nepilogue"
            .utf8)

    @Test(arguments: [1, 2, 3, 5, 8, 1000]) func cutAnyhowItSaysTheSame(size: Int) throws {
        let found = try events(plain, size: size)
        #expect(found == (try events(plain, size: 1)))
        #expect(found.count == 7)
        guard case .part(let first) = found[0], case .part(let second) = found[3] else {
            Issue.record("no parts: \(found)")
            return
        }
        #expect(first.name == "a")
        #expect(first.fileName == nil)
        #expect(found[1] == .data(Array("one".utf8)))
        #expect(second.fileName == "x.pdf")
        #expect(second.contentType == "application/pdf")
        #expect(found[4] == .data(Array("\r\n--c\r\n--".utf8)))
    }

    @Test(arguments: [
        "", "nothing", "--b", "--b\r\n", "--b\r\nno colon\r\n\r\n", "--b\r\nContent-Disposition: attachment; name=\"a\"\r\n\r\n",
        "--b\r\nContent-Disposition: form-data\r\n\r\n", "--bx\r\n", "--b \r\nContent-Disposition: form-data; name=a\r\n\r\n",
        "--b\r\nContent-Disposition: form-data; name=a\r\n\r\ndata without end",
    ])
    func whatIsNoFormIsRefused(text: String) {
        #expect(throws: MultipartParser.Malformation.self) { try events(Array(text.utf8), size: 3) }
    }

    @Test func everythingIsBounded() {
        let head = Array("--b\r\nX: ".utf8) + [UInt8](repeating: 0x61, count: 20_000)
        #expect(throws: MultipartParser.Malformation.headTooLong) { try events(head, size: 512) }
        let preamble = [UInt8](repeating: 0x61, count: 20_000)
        #expect(throws: MultipartParser.Malformation.headTooLong) { try events(preamble, size: 512) }
        let part = "--b\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n"
        let many = String(repeating: part, count: 17)
        #expect(throws: MultipartParser.Malformation.tooManyParts) { try events(Array(many.utf8), size: 64) }
        #expect(throws: MultipartParser.Malformation.badBoundary) {
            try MultipartParser(contentType: "multipart/form-data; boundary=\(String(repeating: "b", count: 71))")
        }
        #expect(throws: MultipartParser.Malformation.noBoundary) { try MultipartParser(contentType: "multipart/form-data") }
    }

    @Test(arguments: [
        (#"form-data; name="a;b"; filename="x\"y.pdf""#, "a;b", #"x"y.pdf"#),
        (#"form-data; filename="C:\docs\x.pdf"; name=plain"#, "plain", #"C:\docs\x.pdf"#),
        (#"form-data; name="a"; name="b"; filename="1"; filename="2""#, "a", "1"),
        (#"form-data; name="a"; filename*=UTF-8''evil.php; filename="x.pdf""#, "a", "x.pdf"),
        (#"form-data; name="unclosed; filename="x.pdf"#, "unclosed; filename=", nil),
    ])
    func headersAreReadOnce(header: String, name: String, fileName: String?) throws {
        let head = try PartHead(Array("Content-Disposition: \(header)".utf8))
        #expect(head.name == name)
        #expect(head.fileName == fileName)
    }

    /// Random cuts of random changes of a form: nothing but events and refusals comes of it, and never more data than came in.
    @Test func hostileFormsEndInARefusal() throws {
        var generator = SplitMix(state: 8)
        let alphabet = Array("-b\r\n:;=\"\\%name filename Content-Disposition: form-data".utf8)
        for _ in 0..<3000 {
            var bytes = plain
            for _ in 0..<Int.random(in: 1...12, using: &generator) {
                let place = Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0..<4, using: &generator) {
                case 0: bytes[place] = UInt8.random(in: .min ... .max, using: &generator)
                case 1: bytes.remove(at: place)
                case 2: bytes.insert(alphabet.randomElement(using: &generator) ?? 0, at: place)
                default: bytes.insert(contentsOf: Array("\r\n--b".utf8), at: place)
                }
                if bytes.isEmpty { bytes = [0] }
            }
            var parser = try MultipartParser(contentType: "multipart/form-data; boundary=b")
            var data = 0
            do {
                var rest = bytes[...]
                while !rest.isEmpty {
                    let size = Int.random(in: 1...40, using: &generator)
                    for case .data(let piece) in try parser.feed(rest.prefix(size)) { data += piece.count }
                    rest = rest.dropFirst(size)
                }
                try parser.finish()
            } catch {}
            #expect(data <= bytes.count)
        }
    }
}

/// SplitMix64 (Steele, Lea and Flood 2014): the same numbers in every run.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
