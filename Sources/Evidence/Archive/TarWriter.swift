/// Writes a POSIX ustar archive of regular files (IEEE Std 1003.1, pax), front to back. Sizes from 8 GiB on go into a pax header.
package final class TarWriter {
    private let output: ByteFile

    package init(_ output: ByteFile) {
        self.output = output
    }

    package func add(_ path: String, _ bytes: [UInt8]) throws {
        try begin(path, size: UInt64(bytes.count))
        try output.write(bytes)
        try end(size: UInt64(bytes.count))
    }

    /// - Parameter body: writes exactly `size` bytes with the function it is given.
    package func add(_ path: String, size: UInt64, _ body: ((_ bytes: [UInt8]) throws -> Void) throws -> Void) throws {
        try begin(path, size: size)
        var written: UInt64 = 0
        try body { bytes in
            written += UInt64(bytes.count)
            try self.output.write(bytes)
        }
        guard written == size else { throw EvidenceError(.archive, "\(path) has \(written) bytes where \(size) were expected") }
        try end(size: size)
    }

    /// Two empty blocks.
    package func finish() throws {
        try output.write(Array(repeating: 0, count: 1024))
        try output.synchronise()
    }

    private func begin(_ path: String, size: UInt64) throws {
        guard TarReader.isSafe(path), path.utf8.count <= 250 else {
            throw EvidenceError(.archive, "\(path) cannot be a name in an archive")
        }
        let needsPax = size >= 1 << 33 || Self.split(path) == nil
        if needsPax {
            let records = Self.record("path", path) + Self.record("size", String(size))
            try output.write(Self.header("pax", size: UInt64(records.count), kind: "x"))
            try output.write(records)
            try end(size: UInt64(records.count))
        }
        try output.write(Self.header(needsPax ? "long" : path, size: size >= 1 << 33 ? 0 : size, kind: "0"))
    }

    private func end(size: UInt64) throws {
        try output.write(Array(repeating: 0, count: Int((512 - size % 512) % 512)))
    }

    /// Its own length, in decimal, is the first word of a record.
    private static func record(_ name: String, _ value: String) -> [UInt8] {
        let rest = " \(name)=\(value)\n"
        var length = rest.utf8.count + 1
        while String(length).utf8.count + rest.utf8.count != length { length += 1 }
        return Array("\(length)\(rest)".utf8)
    }

    /// Prefix and name; `nil` when the path fits into no header.
    private static func split(_ path: String) -> (prefix: String, name: String)? {
        if path.utf8.count <= 100 { return ("", path) }
        for slash in path.indices where path[slash] == "/" {
            let name = path[path.index(after: slash)...]
            if name.utf8.count <= 100, path[..<slash].utf8.count <= 155 { return (String(path[..<slash]), String(name)) }
        }
        return nil
    }

    private static func header(_ path: String, size: UInt64, kind: String) -> [UInt8] {
        let (prefix, name) = split(path) ?? ("", "long")
        func octal(_ value: UInt64, _ count: Int) -> [UInt8] {
            let digits = String(value, radix: 8)
            return Array((String(repeating: "0", count: max(0, count - 1 - digits.utf8.count)) + digits + "\0").utf8)
        }
        func field(_ text: String, _ count: Int) -> [UInt8] {
            Array(text.utf8) + Array(repeating: 0, count: count - text.utf8.count)
        }
        // Mode, owner and time are the same for all: an archive depends on what is in it, not on where it was made.
        let before = field(name, 100) + octal(0o600, 8) + octal(0, 8) + octal(0, 8) + octal(size, 12) + octal(0, 12)
        let after =
            field(kind, 1) + field("", 100) + field("ustar", 6) + Array("00".utf8) + field("", 32) + field("", 32) + octal(0, 8)
            + octal(0, 8)
            + field(prefix, 155) + field("", 12)
        let sum = (before + Array(repeating: 0x20, count: 8) + after).reduce(UInt64(0)) { $0 + UInt64($1) }
        let digits = String(sum, radix: 8)
        return before + Array((String(repeating: "0", count: 6 - digits.utf8.count) + digits + "\0 ").utf8) + after
    }
}
