import Testing

/// Documents made to break their reader, from a few lines each.
enum HostileDocuments {
    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var bytes: [UInt8]
        var testDescription: String { name }
    }

    static let all: [Case] =
        trees + tables + streams + pictures + nesting + polyglots
        + [3, 10, 100, 1_000, 2_000].map { Case(name: "cut off after \($0) bytes", bytes: Array(Documents.text().prefix($0))) }

    private static func page(_ entries: String = "") -> String {
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] \(entries) >>"
    }

    private static func with(_ pages: String, _ more: [(Int, String)] = [], name: String) -> Case {
        Case(name: name, bytes: Documents.file([(1, "<< /Type /Catalog /Pages 2 0 R >>"), (2, pages)] + more))
    }

    private static let trees: [Case] = [
        with("<< /Type /Pages /Kids [2 0 R] /Count 1 >>", name: "page tree that holds itself"),
        with(
            "<< /Type /Pages /Kids [3 0 R] /Count 1 >>", [(3, "<< /Type /Pages /Kids [2 0 R] /Count 1 /Parent 2 0 R >>")],
            name: "page tree in a circle"),
        with("<< /Type /Pages /Kids [3 0 R] /Count -1 >>", [(3, page())], name: "count of -1"),
        with("<< /Type /Pages /Kids [3 0 R] /Count 2147483647 >>", [(3, page())], name: "count of two billion"),
        with("<< /Type /Pages /Kids [3 0 R] /Count 99999999999999999999 >>", [(3, page())], name: "count beyond 64 bits"),
        with("<< /Type /Pages /Kids [] /Count 0 >>", name: "no pages"),
        with("<< /Type /Pages /Kids 3 0 R /Count 1 >>", [(3, page())], name: "kids that are no array"),
        with(
            "<< /Type /Pages /Kids [\(String(repeating: "3 0 R ", count: 20_000))] /Count 20000 >>", [(3, page())],
            name: "one page 20,000 times"),
        Case(
            name: "page tree 2,000 deep",
            bytes: Documents.file(
                [(1, "<< /Type /Catalog /Pages 2 0 R >>")]
                    + (2..<2_002).map { ($0, "<< /Type /Pages /Kids [\($0 + 1) 0 R] /Count 1 >>") } + [(2_002, page())])),
        with(
            "<< /Type /Pages /Kids [3 0 R] /Count 1 >>", [(3, page("/Contents [3 0 R 3 0 R]"))],
            name: "page that is its own content"),
        with(
            "<< /Type /Pages /Kids [3 0 R] /Count 1 >>", [(3, "<< /Type /Page /Parent 3 0 R >>")],
            name: "page that is its own parent"),
        with(
            "<< /Type /Pages /Kids [3 0 R] /Count 1 >>", [(3, page("/MediaBox [0 0 1e38 -1e38] /Rotate 123456789012345678901"))],
            name: "page without measure"),
        Case(name: "catalog that is a number", bytes: Documents.file([(1, "42")])),
        Case(name: "no objects", bytes: Documents.file([])),
        Case(name: "header alone", bytes: Array("%PDF-1.7".utf8)),
        Case(name: "header and noise", bytes: Array("%PDF-1.7\n".utf8) + noise(100_000)),
    ]

    private static let tables: [Case] = [
        Case(name: "no cross-reference table", bytes: Documents.file(Documents.textObjects(), table: false)),
        Case(name: "previous table is this one", bytes: Documents.file(Documents.textObjects(), trailer: "/Root 1 0 R /Prev 9")),
        Case(name: "root that is not there", bytes: Documents.file(Documents.textObjects(), trailer: "/Root 77 0 R")),
        Case(
            name: "encryption that is nonsense",
            bytes: Documents.file(
                Documents.textObjects(), trailer: "/Root 1 0 R /Encrypt << /Filter /Standard /V 9 /R 99 /O () /U () /P -1 >>")),
        replaced("xref\n0 1\n", "xref\n0 4294967295\n", name: "table of four billion entries"),
        replaced("0000000009", "9999999999", name: "offsets beyond the file"),
        replaced("0000000009", "0000000060", name: "offsets into other objects"),
        replaced("/Size 9999", "/Size 2147483647", name: "size of two billion"),
        replaced("/Size 9999", "/Size -5", name: "negative size"),
    ]

    private static func replaced(_ text: String, _ other: String, name: String) -> Case {
        let whole = String(decoding: Documents.text(), as: UTF8.self)
        return Case(name: name, bytes: Array(whole.replacing(text, with: other, maxReplacements: 1).utf8))
    }

    /// A page whose content is the stream.
    private static func content(_ stream: [UInt8], _ entries: String, name: String) -> Case {
        let head = Documents.file(
            [
                (1, "<< /Type /Catalog /Pages 2 0 R >>"), (2, "<< /Type /Pages /Kids [3 0 R] /Count 1 >>"),
                (3, page("/Contents 4 0 R /Resources << /XObject << /X 4 0 R >> >>")),
            ], table: false)
        var bytes = Array(head)
        bytes +=
            Array("4 0 obj\n<< \(entries) /Length \(stream.count) >>\nstream\n".utf8) + stream
            + Array("\nendstream\nendobj\n".utf8)
        return Case(name: name, bytes: bytes + Array("trailer\n<< /Size 5 /Root 1 0 R >>\n%%EOF\n".utf8))
    }

    private static let streams: [Case] = {
        let once = Deflate.zeros(256 << 20)
        let twice = Deflate.stored(once)
        return [
            content(once, "/Filter /FlateDecode", name: "Flate of 256 MiB of zeros"),
            content(Deflate.threeLayers(once), "/Filter [/FlateDecode /FlateDecode /FlateDecode]", name: "Flate three deep"),
            content(twice, "/Filter [/FlateDecode /FlateDecode]", name: "Flate of Flate"),
            content(Array("x".utf8), "/Filter [\(String(repeating: "/FlateDecode ", count: 5_000))]", name: "5,000 filters"),
            content(Array("x".utf8), "/Filter /NoSuchFilter", name: "unknown filter"),
            content(Array("zzz".utf8), "/Filter /FlateDecode", name: "no Flate at all"),
            content(noise(50_000), "/Filter /LZWDecode", name: "LZW noise"),
            content(Array(repeating: 0x80, count: 10), "/Filter /RunLengthDecode", name: "run-length end"),
            content(
                once, "/Filter /FlateDecode /DecodeParms << /Predictor 15 /Columns 2147483647 /Colors 32 >>",
                name: "predictor of two billion columns"),
            content(
                Array("/X Do".utf8), "/Type /XObject /Subtype /Form /Resources << /XObject << /X 4 0 R >> >>",
                name: "form that shows itself"),
            content(Array(String(repeating: "q ", count: 500_000).utf8), "", name: "500,000 saved states"),
            content(Array(String(repeating: "[", count: 500_000).utf8), "", name: "500,000 arrays in content"),
            content(
                Array("BT /F1 1e308 Tf 1e308 Tc 1e308 0 0 -1e308 nan inf Tm (a b c) Tj ET".utf8), "", name: "numbers without end"),
            content(Array("(".utf8) + Array(repeating: 0x28, count: 1_000_000), "", name: "a million open strings"),
            content(Array("BI /W 999999999 /H 999999999 /BPC 8 ID ".utf8) + noise(1_000), "", name: "inline image without end"),
            content(noise(200_000), "", name: "content of noise"),
        ]
    }()

    /// A page that is all picture, as a scan is.
    private static func picture(_ stream: [UInt8], _ entries: String, name: String, pages: Int = 1) -> Case {
        let kids = (0..<pages).map { "\(10 + $0) 0 R" }.joined(separator: " ")
        let objects =
            [
                (1, "<< /Type /Catalog /Pages 2 0 R >>"), (2, "<< /Type /Pages /Kids [\(kids)] /Count \(pages) >>"),
                (5, Documents.stream("q 595 0 0 842 0 0 cm /X Do Q")),
            ] + (0..<pages).map { (10 + $0, page("/Contents 5 0 R /Resources << /XObject << /X \(1_000 + $0) 0 R >> >>")) }
        var bytes = Documents.file(objects, table: false)
        for index in 0..<pages {
            bytes +=
                Array(
                    "\(1_000 + index) 0 obj\n<< /Type /XObject /Subtype /Image \(entries) /Length \(stream.count) >>\nstream\n"
                        .utf8)
                + stream + Array("\nendstream\nendobj\n".utf8)
        }
        return Case(name: name, bytes: bytes + Array("trailer\n<< /Size 9999 /Root 1 0 R >>\n%%EOF\n".utf8))
    }

    private static let pictures: [Case] = {
        let zeros = Deflate.zeros(256 << 20)
        let grey = "/ColorSpace /DeviceGray /BitsPerComponent 8"
        // A JPEG picture of 60,000 x 60,000 pixels, and nothing of them.
        let jpeg: [UInt8] =
            [0xFF, 0xD8, 0xFF, 0xDB, 0, 0x43, 0] + [UInt8](repeating: 8, count: 64)
            + [0xFF, 0xC0, 0, 0x0B, 8, 0xEA, 0x60, 0xEA, 0x60, 1, 1, 0x11, 0, 0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 63, 0]
        return [
            picture(zeros, "/Width 200 /Height 200 \(grey) /Filter /FlateDecode", name: "picture of 200 x 200 in 256 MiB"),
            picture(zeros, "/Width 6000 /Height 8000 \(grey) /Filter /FlateDecode", name: "picture of 48 megapixels of zeros"),
            picture(
                Deflate.zeros(46 << 20), "/Width 6000 /Height 8000 \(grey) /Filter /FlateDecode",
                name: "twelve pictures of 48 megapixels", pages: 12),
            picture(zeros, "/Width 2147483647 /Height 2147483647 \(grey) /Filter /FlateDecode", name: "picture beyond 62 bits"),
            picture(zeros, "/Width -200 /Height 200 \(grey) /Filter /FlateDecode", name: "picture of negative width"),
            picture(
                Deflate.stored(zeros), "/Width 200 /Height 200 \(grey) /Filter [/FlateDecode /FlateDecode]",
                name: "picture compressed twice"),
            picture(
                zeros, "/Width 200 /Height 200 \(grey) /Filter /FlateDecode /DecodeParms << /Predictor 15 /Columns 2147483647 >>",
                name: "picture with a predictor of two billion columns"),
            picture(jpeg, "/Width 60000 /Height 60000 \(grey) /Filter /DCTDecode", name: "JPEG of 3,600 megapixels"),
            picture(jpeg, "/Width 200 /Height 200 \(grey) /Filter /DCTDecode", name: "JPEG larger than it says"),
            picture(Array(jpeg.prefix(9)), "/Width 200 /Height 200 \(grey) /Filter /DCTDecode", name: "JPEG of nine bytes"),
            picture(noise(50_000), "/Width 200 /Height 200 \(grey) /Filter /DCTDecode", name: "JPEG of noise"),
        ]
    }()

    private static let nesting: [Case] = [
        Case(name: "100,000 nested arrays", bytes: nested("[", "]", 100_000)),
        Case(name: "100,000 nested dictionaries", bytes: nested("<< /A ", " >>", 100_000)),
        Case(
            name: "100,000 arrays without end", bytes: Array("%PDF-1.7\n1 0 obj\n".utf8) + Array(repeating: 0x5B, count: 100_000)),
        Case(
            name: "fields that hold themselves",
            bytes: Documents.file(
                Documents.textObjects(catalog: "/AcroForm << /Fields [50 0 R] >>") + [(50, "<< /Kids [50 0 R 50 0 R] >>")])),
        Case(
            name: "names of 200 kB",
            bytes: Documents.text(catalog: "/" + String(repeating: "A", count: 200_000) + " 1")),
    ]

    private static func nested(_ opening: String, _ closing: String, _ depth: Int) -> [UInt8] {
        Documents.file(
            [(1, "<< /Type /Catalog /Pages 2 0 R /X 3 0 R >>"), (2, "<< /Type /Pages /Kids [] /Count 0 >>")]
                + [(3, String(repeating: opening, count: depth) + "1" + String(repeating: closing, count: depth))])
    }

    static let polyglots: [Case] = [
        Case(name: "also a ZIP archive", bytes: Documents.text() + [0x50, 0x4B, 5, 6] + [UInt8](repeating: 0, count: 18)),
        Case(name: "also a page", bytes: Documents.text(end: "<html><script>alert(1)</script></html>")),
        Case(
            name: "also PHP",
            bytes: Array("%PDF-1.7\n%<?php system($_GET[0]); __halt_compiler();\n".utf8) + Documents.text().dropFirst(9)),
    ]

    static func noise(_ count: Int) -> [UInt8] {
        var state: UInt64 = 42
        return (0..<count).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt8(truncatingIfNeeded: state >> 33)
        }
    }
}

/// RFC 1950 and 1951, as much as bombs need.
enum Deflate {
    /// So many zero bytes, in a thousandth of them.
    ///
    /// One block with fixed codes: a literal 0, then matches of length 258 at distance 1.
    static func zeros(_ count: Int) -> [UInt8] {
        var bits = Bits()
        bits.append(0b011, 3)  // last block, fixed codes
        bits.appendCode(0x30, 8)  // literal 0
        var left = count - 1
        while left >= 258 {
            bits.appendCode(0b1100_0101, 8)  // length 258
            bits.appendCode(0, 5)  // distance 1
            left -= 258
        }
        bits.appendCode(0, 7)  // end of block
        return [0x78, 0x9C] + bits.bytes + checksumOfZeros(count - left)
    }

    /// Adler-32 of zeros: 1 and the count, modulo 65,521.
    private static func checksumOfZeros(_ count: Int) -> [UInt8] {
        let high = count % 65_521
        return [UInt8(high >> 8), UInt8(high & 0xFF), 0, 1]
    }

    /// The bytes as they are, in blocks that are not compressed.
    static func stored(_ bytes: [UInt8]) -> [UInt8] {
        var output: [UInt8] = [0x78, 0x01]
        var index = 0
        while index < bytes.count {
            let size = min(65_535, bytes.count - index)
            let low = UInt8(size & 0xFF)
            let high = UInt8(size >> 8)
            output += [index + size == bytes.count ? 1 : 0, low, high, ~low, ~high] + bytes[index..<(index + size)]
            index += size
        }
        var (one, two) = (1, 0)
        for byte in bytes {
            one = (one + Int(byte)) % 65_521
            two = (two + one) % 65_521
        }
        return output + [UInt8(two >> 8), UInt8(two & 0xFF), UInt8(one >> 8), UInt8(one & 0xFF)]
    }

    /// 256 MiB of zeros in three layers: eight matches of zeros are 13 bytes, and eight matches of those are 15.
    static func threeLayers(_ zeros: [UInt8]) -> [UInt8] { periodic(periodic(zeros, 13), 15) }

    /// What repeats with a period of 13 to 16 bytes, compressed by that.
    private static func periodic(_ bytes: [UInt8], _ period: Int) -> [UInt8] {
        var bits = Bits()
        bits.append(0b011, 3)
        var index = 0
        var (one, two) = (1, 0)
        for byte in bytes {
            one = (one + Int(byte)) % 65_521
            two = (two + one) % 65_521
        }
        while index < bytes.count {
            var length = 0
            if index >= period {
                while length < 258, index + length < bytes.count, bytes[index + length] == bytes[index + length - period] {
                    length += 1
                }
            }
            if length == 258 {
                bits.appendCode(0b1100_0101, 8)
                bits.appendCode(7, 5)  // distances 13 to 16, two bits more
                bits.append(period - 13, 2)
                index += 258
            } else {
                let byte = Int(bytes[index])
                if byte < 144 { bits.appendCode(0x30 + byte, 8) } else { bits.appendCode(0x190 + byte - 144, 9) }
                index += 1
            }
        }
        bits.appendCode(0, 7)
        return [0x78, 0x9C] + bits.bytes + [UInt8(two >> 8), UInt8(two & 0xFF), UInt8(one >> 8), UInt8(one & 0xFF)]
    }

    private struct Bits {
        var bytes: [UInt8] = []
        private var used = 8

        mutating func append(_ value: Int, _ count: Int) {
            for index in 0..<count {
                if used == 8 {
                    bytes.append(0)
                    used = 0
                }
                if value >> index & 1 == 1 { bytes[bytes.count - 1] |= 1 << UInt8(used) }
                used += 1
            }
        }

        /// Huffman codes come with their most significant bit first.
        mutating func appendCode(_ value: Int, _ count: Int) {
            for index in (0..<count).reversed() { append(value >> index & 1, 1) }
        }
    }
}
