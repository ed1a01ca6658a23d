/// Documents that tests make themselves.
enum SamplePDF {
    /// One page with some words; different texts are different documents.
    ///
    /// - Parameter padding: bytes of a stream that no page shows.
    static func make(_ text: String = "A document of a test", padding: Int = 0) -> [UInt8] {
        let escaped = text.filter { $0 != "(" && $0 != ")" && $0 != "\\" }
        let content = "BT /F1 12 Tf 72 720 Td (\(escaped)) Tj ET"
        let objects =
            [
                "<< /Type /Catalog /Pages 2 0 R\(padding == 0 ? "" : " /Padding 6 0 R") >>",
                "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
                "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
                "<< /Length \(content.utf8.count) >>\nstream\n\(content)\nendstream",
                "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
            ] + (padding == 0 ? [] : ["<< /Length \(padding) >>\nstream\n\(String(repeating: "x", count: padding))\nendstream"])
        var file = "%PDF-1.4\n"
        var offsets: [Int] = []
        for (index, object) in objects.enumerated() {
            offsets.append(file.utf8.count)
            file += "\(index + 1) 0 obj\n\(object)\nendobj\n"
        }
        let table = file.utf8.count
        file += "xref\n0 \(objects.count + 1)\n0000000000 65535 f \n"
        for offset in offsets { file += String(repeating: "0", count: 10 - String(offset).count) + "\(offset) 00000 n \n" }
        file += "trailer\n<< /Size \(objects.count + 1) /Root 1 0 R >>\nstartxref\n\(table)\n%%EOF\n"
        return Array(file.utf8)
    }
}
