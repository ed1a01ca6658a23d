import Foundation

/// Documents for tests, written by hand so that nothing here reads one.
enum Documents {
    /// Objects by their number, without a cross-reference table unless asked for: readers have to find them.
    static func file(_ objects: [(Int, String)], trailer: String = "/Root 1 0 R", table: Bool = true, end: String = "") -> [UInt8]
    {
        var text = "%PDF-1.7\n"
        var offsets: [(Int, Int)] = []
        for (number, body) in objects {
            offsets.append((number, text.utf8.count))
            text += "\(number) 0 obj\n\(body)\nendobj\n"
        }
        let start = text.utf8.count
        if table {
            text += "xref\n0 1\n0000000000 65535 f \n"
            for (number, offset) in offsets {
                let digits = String(offset)
                text += "\(number) 1\n\(String(repeating: "0", count: 10 - digits.count))\(digits) 00000 n \n"
            }
        }
        text += "trailer\n<< /Size 9999 \(trailer) >>\nstartxref\n\(start)\n%%EOF\n" + end
        return Array(text.utf8)
    }

    /// The same with every object but streams in an object stream, whose bytes are written in hexadecimal so that nothing of them is in the clear.
    static func compressed(_ objects: [(Int, String)]) -> [UInt8] {
        let packed = objects.filter { !$0.1.contains("endstream") }
        var index = ""
        var bodies = ""
        for (number, body) in packed {
            index += "\(number) \(bodies.utf8.count) "
            bodies += body + "\n"
        }
        let hidden = hexadecimal(index + bodies)
        let entries = "/Type /ObjStm /N \(packed.count) /First \(index.utf8.count) /Filter /ASCIIHexDecode"
        var file = Array("%PDF-1.7\n".utf8)
        // Kind, place, and place within the stream, by number: ISO 32000-1 §7.5.8.
        var table = [[Int]](repeating: [0, 0, 0], count: 200)
        for (place, entry) in packed.enumerated() { table[entry.0] = [2, 190, place] }
        for (number, body) in objects.filter({ $0.1.contains("endstream") }) + [(190, stream(hidden, entries))] {
            table[number] = [1, file.count, 0]
            file += Array("\(number) 0 obj\n\(body)\nendobj\n".utf8)
        }
        table[191] = [1, file.count, 0]
        let start = file.count
        let rows = table.map { row in
            [(row[0], 2), (row[1], 8), (row[2], 4)].map { value, digits in
                let text = String(value, radix: 16)
                return String(repeating: "0", count: digits - text.count) + text
            }.joined()
        }.joined()
        let head = "/Type /XRef /Size \(table.count) /W [1 4 2] /Root 1 0 R /Filter /ASCIIHexDecode"
        file += Array("191 0 obj\n\(stream(rows + ">", head))\nendobj\nstartxref\n\(start)\n%%EOF\n".utf8)
        return file
    }

    private static func hexadecimal(_ text: String) -> String {
        text.utf8.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() + ">"
    }

    static func stream(_ text: String, _ entries: String = "") -> String {
        "<< \(entries) /Length \(text.utf8.count) >>\nstream\n\(text)\nendstream"
    }

    private static let vocabulary = [
        "worker", "limit", "copy", "page", "a", "the", "recipient", "of", "trace", "paper", "moved", "word", "evidence", "to",
        "signal", "sealed", "margin", "is", "in", "light", "letter", "printed", "and", "found", "scanner", "quiet",
    ]

    /// Running text: 40 lines of 11 words on each page.
    static func text(pages: Int = 1, catalog: String = "", end: String = "", words: Int = 11) -> [UInt8] {
        file(textObjects(pages: pages, catalog: catalog, words: words), end: end)
    }

    /// One page of a hand's breadth: 18 lines of 9 words, others for another seed.
    static func small(seed: Int) -> [UInt8] {
        var next = seed
        var content = "BT /F1 9 Tf 13 TL 60 780 Td\n"
        for _ in 0..<18 {
            let line = (0..<9).map { _ in
                next = (next * 75 + 74) % 65_537
                return vocabulary[next % vocabulary.count]
            }
            content += "(\(line.joined(separator: " "))) Tj T*\n"
        }
        let page =
            "<< /Type /Page /Parent 2 0 R /MediaBox [50 530 400 800] /Contents 5 0 R /Resources << /Font << /F1 3 0 R >> >> >>"
        return file([
            (1, "<< /Type /Catalog /Pages 2 0 R >>"), (2, "<< /Type /Pages /Kids [4 0 R] /Count 1 >>"),
            (3, "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"), (4, page), (5, stream(content + "ET\n")),
        ])
    }

    /// A page that is all picture, as a scan is: text in 420 by 594 pixels of grey.
    static func scan() throws -> [UInt8] {
        let fixture = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
            "../../WatermarkTests/Fixtures/scan.jpg")
        let jpeg = [UInt8](try Data(contentsOf: fixture))
        let picture = "<< /Type /XObject /Subtype /Image /Width 420 /Height 594 /ColorSpace /DeviceGray /BitsPerComponent 8"
        let page = "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 320 440] /Contents 4 0 R"
        let objects = [
            Array("<< /Type /Catalog /Pages 2 0 R >>".utf8), Array("<< /Type /Pages /Kids [3 0 R] /Count 1 >>".utf8),
            Array("\(page) /Resources << /XObject << /P 5 0 R >> >> >>".utf8),
            Array(stream("q 300 0 0 420 10 10 cm /P Do Q").utf8),
            Array("\(picture) /Filter /DCTDecode /Length \(jpeg.count) >>\nstream\n".utf8) + jpeg + Array("\nendstream".utf8),
        ]
        var bytes = Array("%PDF-1.7\n".utf8)
        var table = "xref\n0 \(objects.count + 1)\n0000000000 65535 f \n"
        for (index, object) in objects.enumerated() {
            let digits = String(bytes.count)
            table += "\(String(repeating: "0", count: 10 - digits.count))\(digits) 00000 n \n"
            bytes += Array("\(index + 1) 0 obj\n".utf8) + object + Array("\nendobj\n".utf8)
        }
        let start = bytes.count
        return bytes + Array("\(table)trailer\n<< /Size \(objects.count + 1) /Root 1 0 R >>\nstartxref\n\(start)\n%%EOF\n".utf8)
    }

    static func textObjects(pages: Int = 1, catalog: String = "", words: Int = 11) -> [(Int, String)] {
        let kids = (0..<pages).map { "\(10 + 2 * $0) 0 R" }.joined(separator: " ")
        var objects = [
            (1, "<< /Type /Catalog /Pages 2 0 R \(catalog) >>"), (2, "<< /Type /Pages /Kids [\(kids)] /Count \(pages) >>"),
            (3, "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"),
        ]
        var next = 7
        for page in 0..<pages {
            var content = "BT /F1 11 Tf 15 TL 60 780 Td\n"
            for _ in 0..<40 {
                let line = (0..<words).map { _ in
                    next = (next * 75 + 74) % 65_537
                    return vocabulary[next % vocabulary.count]
                }
                content += "(\(line.joined(separator: " "))) Tj T*\n"
            }
            let number = 10 + 2 * page
            objects.append(
                (
                    number,
                    "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents \(number + 1) 0 R "
                        + "/Resources << /Font << /F1 3 0 R >> >> >>"
                ))
            objects.append((number + 1, stream(content + "ET\n")))
        }
        return objects
    }
}
