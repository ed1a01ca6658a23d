/// Files that are of several kinds at once.
enum Polyglot {
    /// Whether the file is also an archive, a script or a page to programs that look elsewhere than at its first bytes.
    ///
    /// Archives are opened from their end: the last record of a ZIP file, whose own length field has to fit (APPNOTE 4.3.16), in the last
    /// 65,557 bytes. Pages and scripts are looked for where no document of PDF has text in the clear: its first kilobyte, and behind its
    /// last `%%EOF`.
    static func isOne(_ pdf: [UInt8]) -> Bool {
        let zipEnd: [UInt8] = [0x50, 0x4B, 0x05, 0x06]
        var index = max(0, pdf.count - 65_557)
        while index + 22 <= pdf.count {
            if pdf[index] == zipEnd[0], pdf[index..<(index + 4)].elementsEqual(zipEnd),
                index + 22 + Int(pdf[index + 20]) + Int(pdf[index + 21]) << 8 <= pdf.count
            {
                return true
            }
            index += 1
        }
        let edges = [pdf.prefix(1_024), pdf[tail(pdf)...].prefix(65_536)]
        let openings = ["<?php", "<script", "<html", "<!doctype html", "#!/"].map { Array($0.utf8) }
        return edges.contains { edge in
            let lower = edge.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }
            return openings.contains { Bytes.position(of: $0, in: lower) != nil }
        }
    }

    /// Behind the last `%%EOF`.
    private static func tail(_ pdf: [UInt8]) -> Int {
        let end = Array("%%EOF".utf8)
        var index = pdf.count - end.count
        while index > 0 {
            if pdf[index] == end[0], pdf[index..<(index + end.count)].elementsEqual(end) { return index + end.count }
            index -= 1
        }
        return pdf.count
    }
}
