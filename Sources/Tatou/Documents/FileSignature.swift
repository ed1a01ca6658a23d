import Guard

/// What a file is by its first and last bytes. A look at signatures, no parsing: that is the worker's.
enum FileSignature {
    static let headLength = 1024
    /// The longest tail in which an archive's directory may end (APPNOTE.TXT 4.3.16: 22 bytes and a comment of 65,535).
    static let tailLength = 22 + 65_535

    static func fault(head: [UInt8], tail: [UInt8]) -> SecurityEvent.UploadFault? {
        guard head.starts(with: "%PDF-".utf8) else { return .typeMismatch }
        let start = head.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }
        if pages.contains(where: { find(Array($0.utf8), in: start) != nil }) { return .polyglot }
        // An archive that is embedded ends before the document does; one that is appended ends after it.
        if let end = findLast(archiveEnd, in: tail), end > findLast(Array("%%EOF".utf8), in: tail) ?? -1 { return .polyglot }
        return nil
    }

    private static let pages = ["<html", "<script", "<?php", "<!doctype", "<svg"]
    private static let archiveEnd: [UInt8] = [0x50, 0x4B, 0x05, 0x06]

    private static func find(_ pattern: [UInt8], in bytes: [UInt8]) -> Int? {
        guard bytes.count >= pattern.count else { return nil }
        return (0...(bytes.count - pattern.count)).first { bytes[$0..<($0 + pattern.count)].elementsEqual(pattern) }
    }

    private static func findLast(_ pattern: [UInt8], in bytes: [UInt8]) -> Int? {
        guard bytes.count >= pattern.count else { return nil }
        return (0...(bytes.count - pattern.count)).last {
            bytes[$0] == pattern[0] && bytes[$0..<($0 + pattern.count)].elementsEqual(pattern)
        }
    }
}
