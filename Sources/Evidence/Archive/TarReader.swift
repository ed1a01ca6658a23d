/// Reads what ``TarWriter`` writes, and nothing else: regular files with plain relative names, each once. Links, devices, absolute names,
/// `..` and other dialects are refused. Nothing is ever written to disk by it.
package final class TarReader {
    package struct Header: Hashable, Sendable {
        package var path: String
        package var size: UInt64
    }

    private let input: ByteFile
    private var names: Set<String> = []
    /// Bytes of the current file that were not read yet, and those that fill its last block.
    private var remaining: UInt64 = 0
    private var filling: UInt64 = 0
    private var buffer: [UInt8] = []
    private var position = 0

    /// More files than this are refused: a reader's memory grows with their names.
    package static let fileLimit = 200_000

    package init(_ input: ByteFile) {
        self.input = input
    }

    /// The next file; `nil` at the end. What was not read of the one before is skipped.
    package func next() throws -> Header? {
        while case let piece = try read(1 << 16), !piece.isEmpty {}
        try skipFilling()
        var block = try take(512)
        if block.allSatisfy({ $0 == 0 }) { return try end() }
        var pax: (path: String?, size: UInt64?) = (nil, nil)
        if try parse(block).kind == UInt8(ascii: "x") {
            let size = try parse(block).size
            guard size <= 64 << 10 else { throw EvidenceError(.archive, "an extended header has \(size) bytes") }
            pax = try records(try take(Int(size)))
            _ = try take(Int((512 - size % 512) % 512))
            block = try take(512)
        }
        let header = try parse(block)
        guard header.kind == UInt8(ascii: "0") else {
            throw EvidenceError(
                .archive, "\(header.path.debugDescription) is no regular file; an evidence archive holds nothing else")
        }
        let path = pax.path ?? header.path
        let size = pax.size ?? header.size
        guard Self.isSafe(path) else {
            throw EvidenceError(.archive, "the name \(path.debugDescription) could leave the archive's folder")
        }
        guard names.insert(path).inserted else { throw EvidenceError(.archive, "\(path) is there twice") }
        guard names.count <= Self.fileLimit else { throw EvidenceError(.archive, "there are more than \(Self.fileLimit) files") }
        guard size <= 1 << 62 else { throw EvidenceError(.archive, "\(path) claims \(size) bytes") }
        remaining = size
        filling = (512 - size % 512) % 512
        return Header(path: path, size: size)
    }

    /// More of the current file; nothing at its end.
    package func read(_ count: Int = ByteFile.pieceSize) throws -> [UInt8] {
        guard remaining > 0 else { return [] }
        let bytes = try some(Int(min(UInt64(count), remaining)))
        guard !bytes.isEmpty else { throw EvidenceError(.archive, "the archive ends in the middle of a file") }
        remaining -= UInt64(bytes.count)
        return bytes
    }

    /// All of the current file, which has to be small.
    package func contents(limit: Int) throws -> [UInt8] {
        guard remaining <= UInt64(limit) else {
            throw EvidenceError(.archive, "a file of \(remaining) bytes stands where at most \(limit) are expected")
        }
        var bytes: [UInt8] = []
        while case let piece = try read(), !piece.isEmpty { bytes += piece }
        return bytes
    }

    /// Whether a name stays inside the folder that an archive is unpacked in, on any system.
    package static func isSafe(_ path: String) -> Bool {
        guard !path.isEmpty, path.utf8.count <= 1024 else { return false }
        let isPlain = path.unicodeScalars.allSatisfy {
            $0.isASCII && $0.value > 0x20 && $0.value != 0x7F && $0 != "\\" && $0 != ":"
        }
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        return isPlain && parts.allSatisfy { !$0.isEmpty && $0 != "." && $0 != ".." }
    }

    private func end() throws -> Header? {
        guard try take(512).allSatisfy({ $0 == 0 }) else { throw EvidenceError(.archive, "the archive's end is not one") }
        // Other programs fill the last record with zeros. Anything else behind the end would be there for somebody else to find.
        while case let rest = try some(ByteFile.pieceSize), !rest.isEmpty {
            guard rest.allSatisfy({ $0 == 0 }) else {
                throw EvidenceError(.archive, "there is something behind the archive's end")
            }
        }
        return nil
    }

    private func skipFilling() throws {
        let bytes = try take(Int(filling))
        filling = 0
        guard bytes.allSatisfy({ $0 == 0 }) else {
            throw EvidenceError(.archive, "there is something between two files of the archive")
        }
    }

    private func parse(_ block: [UInt8]) throws -> (path: String, size: UInt64, kind: UInt8) {
        guard block[257..<263].elementsEqual("ustar\0".utf8) else {
            throw EvidenceError(.archive, "it is no ustar archive, or it is damaged")
        }
        let sum = block.enumerated().reduce(UInt64(0)) { $0 + UInt64((148..<156).contains($1.offset) ? 0x20 : $1.element) }
        guard octal(block[148..<154]) == sum, block[154] == 0, block[155] == 0x20 else {
            throw EvidenceError(.archive, "a header of the archive was changed")
        }
        guard let size = octal(block[124..<135]) else { throw EvidenceError(.archive, "a header of the archive has no size") }
        let text = { (range: Range<Int>) in String(decoding: block[range].prefix { $0 != 0 }, as: UTF8.self) }
        let prefix = text(345..<500)
        return (prefix.isEmpty ? text(0..<100) : "\(prefix)/\(text(0..<100))", size, block[156])
    }

    private func octal(_ bytes: ArraySlice<UInt8>) -> UInt64? {
        UInt64(String(decoding: bytes, as: UTF8.self), radix: 8)
    }

    private func records(_ bytes: [UInt8]) throws -> (path: String?, size: UInt64?) {
        var found: (path: String?, size: UInt64?) = (nil, nil)
        var rest = bytes[...]
        while !rest.isEmpty {
            guard let space = rest.firstIndex(of: 0x20), let length = Int(String(decoding: rest[..<space], as: UTF8.self)),
                length <= rest.count, length > space - rest.startIndex + 2
            else { throw EvidenceError(.archive, "an extended header is malformed") }
            let record = String(decoding: rest[(space + 1)..<(rest.startIndex + length - 1)], as: UTF8.self)
            rest = rest.dropFirst(length)
            if record.hasPrefix("path="), found.path == nil {
                found.path = String(record.dropFirst(5))
            } else if record.hasPrefix("size="), found.size == nil, let size = UInt64(record.dropFirst(5)) {
                found.size = size
            } else {
                throw EvidenceError(.archive, "an extended header says something that is not understood here")
            }
        }
        return found
    }

    /// Exactly so many bytes.
    private func take(_ count: Int) throws -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count {
            let piece = try some(count - bytes.count)
            guard !piece.isEmpty else { throw EvidenceError(.archive, "the archive ends too early") }
            bytes += piece
        }
        return bytes
    }

    /// At most so many bytes; none at the end of the input.
    private func some(_ count: Int) throws -> [UInt8] {
        if position == buffer.count {
            buffer = try input.next()
            position = 0
        }
        let end = min(buffer.count, position + count)
        defer { position = end }
        return Array(buffer[position..<end])
    }
}
