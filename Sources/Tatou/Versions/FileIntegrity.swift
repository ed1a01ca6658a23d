import Crypto
import Events
// For `stat`: its members belong to Glibc or to a module that this one exports, by which of them the compiler met first.
import Foundation
import Glibc
import Synchronization

/// Whether files are still what was written. A file is read through when it is asked for first and whenever the system says that it
/// changed; between, its times and its size vouch for it.
final class FileIntegrity: Sendable {
    private struct Stamp: Equatable {
        var inode: UInt
        var size: Int
        var modified: Int
        var modifiedNanoseconds: Int
        var changed: Int
        var changedNanoseconds: Int
    }

    enum Verdict: Sendable {
        case intact
        case changed
        case missing
    }

    private let checked = Mutex<[String: Stamp]>([:])
    /// Beyond so many all is forgotten: files are then read again.
    private static let most = 10_000

    func verdict(path: String, sha256: String) async throws -> Verdict {
        try await DocumentFolder.blocking { [self] in
            let descriptor = open(path, O_RDONLY | O_CLOEXEC)
            guard descriptor >= 0 else {
                guard errno == ENOENT else { throw FileFailure("open", path) }
                return .missing
            }
            defer { close(descriptor) }
            var status = stat()
            guard fstat(descriptor, &status) == 0 else { throw FileFailure("stat", path) }
            let stamp = Stamp(
                inode: status.st_ino, size: status.st_size, modified: status.st_mtim.tv_sec,
                modifiedNanoseconds: status.st_mtim.tv_nsec, changed: status.st_ctim.tv_sec,
                changedNanoseconds: status.st_ctim.tv_nsec)
            if checked.withLock({ $0[path] }) == stamp { return .intact }
            guard try Self.digest(descriptor, path) == sha256 else { return .changed }
            checked.withLock { checked in
                if checked.count >= Self.most { checked.removeAll() }
                checked[path] = stamp
            }
            return .intact
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
