import Crypto
import Events
import Glibc
import Synchronization

/// Whether files are still what was written. A file is read through when it is asked for first and whenever the system says that it
/// changed; between, its times and its size vouch for it.
final class FileIntegrity: Sendable {
    private struct Seen: Equatable {
        var stamp: StoredFile.Stamp
        var changed: [Int]
    }

    private let checked = Mutex<[String: Seen]>([:])
    /// Beyond so many all is forgotten: files are then read again.
    private static let most = 10_000

    /// What stands where a file should.
    enum Finding {
        /// It, and open: what is read from now on is what was looked at, whatever happens to its name.
        case intact(StoredFile)
        /// It was written into, or something else stands in its place.
        case changed
        case missing
    }

    /// Opens a file, and holds it against its digest.
    ///
    /// - Throws: ``FileFailure`` where the system keeps us from looking.
    func find(_ path: String, sha256: String) async throws -> Finding {
        let file: StoredFile
        do {
            file = try await DocumentFolder.blocking { try StoredFile(path: path) }
        } catch let failure as FileFailure where failure.code == ENOENT {
            return .missing
        } catch is StoredFile.Irregular {
            return .changed
        }
        return try await isIntact(file, sha256: sha256) ? .intact(file) : .changed
    }

    /// Whether an open file has this digest.
    private func isIntact(_ file: StoredFile, sha256: String) async throws -> Bool {
        try await DocumentFolder.blocking { [self] in
            let seen = Seen(stamp: file.stamp, changed: file.changed)
            if checked.withLock({ $0[file.path] }) == seen { return true }
            guard try Self.digest(file.descriptor, file.path) == sha256 else { return false }
            checked.withLock { checked in
                if checked.count >= Self.most { checked.removeAll() }
                checked[file.path] = seen
            }
            return true
        }
    }

    static func digest(_ descriptor: CInt, _ path: String) throws -> String {
        var digest = SHA256()
        var buffer = [UInt8](repeating: 0, count: 1 << 18)
        var offset: off_t = 0
        while true {
            let count = pread(descriptor, &buffer, buffer.count, offset)
            if count < 0 {
                if errno == EINTR { continue }
                throw FileFailure("read", path)
            }
            if count == 0 { return digest.finalize().hexadecimal }
            buffer.withUnsafeBytes { digest.update(bufferPointer: UnsafeRawBufferPointer(rebasing: $0[..<count])) }
            offset += off_t(count)
        }
    }
}
