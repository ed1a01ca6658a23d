import Crypto
import Events
import Glibc
import NIOCore
import Synchronization

/// A file that is coming in: written piece by piece, digested on the way.
final class StagedFile: Sendable {
    private struct State {
        var descriptor: CInt
        var digest = SHA256()
        var size = 0
    }

    let path: String
    private let state: Mutex<State>

    init(path: String) throws {
        self.path = path
        let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw FileFailure("create", path) }
        state = Mutex(State(descriptor: descriptor))
    }

    deinit {
        state.withLock { _ = close($0.descriptor) }
    }

    func append(_ buffer: ByteBuffer) async throws {
        try await DocumentFolder.blocking { [self] in
            try state.withLock { state in
                try buffer.withUnsafeReadableBytes { bytes in
                    var written = 0
                    while written < bytes.count {
                        let count = write(state.descriptor, bytes.baseAddress?.advanced(by: written), bytes.count - written)
                        if count < 0 {
                            if errno == EINTR { continue }
                            throw FileFailure("write", path)
                        }
                        written += count
                    }
                    state.digest.update(bufferPointer: bytes)
                    state.size += bytes.count
                }
            }
        }
    }

    /// What came in so far, to be read.
    func opened() async throws -> StoredFile {
        try await DocumentFolder.blocking { [path] in try StoredFile(path: path) }
    }

    var size: Int { state.withLock { $0.size } }

    /// Of what was written so far, in hexadecimal.
    var sha256: String { state.withLock { $0.digest }.finalize().hexadecimal }

    /// The first and the last bytes, for a look at what kind of file it is.
    func ends(head: Int, tail: Int) async throws -> (head: [UInt8], tail: [UInt8]) {
        try await DocumentFolder.blocking { [self] in
            try state.withLock { state in
                let first = try read(state.descriptor, count: min(head, state.size), at: 0)
                let last = min(tail, state.size)
                return (first, try read(state.descriptor, count: last, at: state.size - last))
            }
        }
    }

    private func read(_ descriptor: CInt, count: Int, at offset: Int) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        guard pread(descriptor, &bytes, count, off_t(offset)) == count else { throw FileFailure("read", path) }
        return bytes
    }
}
