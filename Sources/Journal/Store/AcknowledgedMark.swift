import Crypto
import Events

/// How many entries were acknowledged, beside the segments in the file `acknowledged`.
///
/// Written after each commit, but not synchronised with it, so it costs no second fsync: after a killed process it is exact, after a
/// power failure it may lag behind, and it is never ahead. It separates a write that was torn (may be cut off) from an acknowledged
/// entry that is gone or changed (damage). Without the file, or with an unreadable one, nothing is known to be acknowledged.
///
/// One line: the count in 20 digits, a space, the first 8 bytes of the digits' SHA-256 in hexadecimal.
struct AcknowledgedMark: ~Copyable, Sendable {
    static let fileName = "acknowledged"
    /// The same kind of mark beside a tree: how many entries the newest checkpoint is about.
    static let publishedFileName = "published"
    private static let byteCount = 38
    private let file: JournalFile

    /// Opens or makes the file; a new one says 0 and is durable.
    init(directory: String, fileName: String = AcknowledgedMark.fileName) throws(JournalError) {
        file = try JournalFile.open("\(directory)/\(fileName)", .writing)
    }

    func write(_ count: UInt64) throws(JournalError) {
        try file.write(Self.line(count), at: 0)
    }

    func sync() throws(JournalError) {
        try file.sync()
    }

    /// What the file of a journal says; 0 when it says nothing.
    static func read(directory: String, fileName: String = AcknowledgedMark.fileName) throws(JournalError) -> UInt64 {
        let bytes: [UInt8]
        do {
            bytes = try JournalFile.open("\(directory)/\(fileName)", .reading).read(at: 0, count: byteCount + 1)
        } catch {
            if case .file(let cause) = error, FileSystem.isMissing(cause.code) { return 0 }
            throw error
        }
        guard let count = UInt64(String(decoding: bytes.prefix(20), as: UTF8.self)), bytes == line(count) else { return 0 }
        return count
    }

    /// Whether there is a file that says nothing, although somebody wrote to it: neither empty nor zeros, as a power failure may leave it.
    static func isDamaged(directory: String, fileName: String = AcknowledgedMark.fileName) throws(JournalError) -> Bool {
        guard let bytes = try FileSystem.contents("\(directory)/\(fileName)", limit: byteCount + 1),
            bytes.contains(where: { $0 != 0 })
        else { return false }
        return UInt64(String(decoding: bytes.prefix(20), as: UTF8.self)).map { bytes != line($0) } ?? true
    }

    private static func line(_ count: UInt64) -> [UInt8] {
        let digits = String(count)
        let padded = Array((String(repeating: "0", count: 20 - digits.utf8.count) + digits).utf8)
        let check = SHA256.hash(data: padded).prefix(8).hexadecimal
        return padded + Array(" \(check)\n".utf8)
    }
}
