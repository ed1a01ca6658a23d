// For `stat`: its members belong to Glibc or to a module that this one exports, by which of them the compiler met first.
import Dispatch
import Foundation
import Glibc
import NIOCore

/// A file that is being served or worked on: open from before the first byte is read until after the last.
///
/// A deletion takes its name, not its bytes. What is written into it all the same ends the answer early: nobody gets a whole answer with
/// the bytes of two files.
package final class StoredFile: Sendable {
    /// By which the system says that a file is another one, or was written to.
    struct Stamp: Equatable {
        var inode: UInt
        var size: Int
        var modified: Int
        var modifiedNanoseconds: Int

        init(_ status: stat) {
            inode = status.st_ino
            size = status.st_size
            modified = status.st_mtim.tv_sec
            modifiedNanoseconds = status.st_mtim.tv_nsec
        }
    }

    /// The file was written to while it was being read.
    struct Changed: Error, CustomStringConvertible {
        let path: String
        var description: String { "\(path) changed while it was sent; the answer was ended early" }
    }

    /// What stands under the name is a link, a folder, a pipe: nothing that was written here.
    struct Irregular: Error, CustomStringConvertible {
        let path: String
        var description: String { "\(path) is no regular file" }
    }

    let path: String
    let descriptor: CInt
    /// When it was opened.
    let stamp: Stamp
    /// Of the last change to anything about it, its names included.
    let changed: [Int]

    /// - Throws: ``FileFailure``, ``Irregular``.
    init(path: String) throws {
        self.path = path
        // Without O_NONBLOCK a pipe under this name would hold us until somebody writes to it.
        descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard descriptor >= 0 else {
            // A symbolic link, a socket.
            if errno == ELOOP || errno == ENXIO { throw Irregular(path: path) }
            throw FileFailure("open", path)
        }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            let failure = FileFailure("stat", path)
            close(descriptor)
            throw failure
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw Irregular(path: path)
        }
        stamp = Stamp(status)
        changed = [status.st_ctim.tv_sec, status.st_ctim.tv_nsec]
    }

    deinit { close(descriptor) }

    /// In bytes, when it was opened.
    var size: Int { stamp.size }

    /// A piece of it, as it was when it was opened.
    ///
    /// - Throws: ``Changed``, ``FileFailure``.
    func read(_ range: Range<Int>) async throws -> ByteBuffer {
        try await DocumentFolder.blocking { [self] in
            var buffer = ByteBuffer()
            buffer.reserveCapacity(range.count)
            while buffer.readableBytes < range.count {
                let rest = range.count - buffer.readableBytes
                let offset = off_t(range.lowerBound + buffer.readableBytes)
                var failure: CInt = 0
                let count = buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: rest) { bytes in
                    let count = pread(descriptor, bytes.baseAddress, rest, offset)
                    if count < 0 { failure = errno }
                    return max(count, 0)
                }
                guard failure == 0 || failure == EINTR else { throw FileFailure("read", path) }
                guard count > 0 || failure == EINTR else { throw Changed(path: path) }
            }
            guard try isUnchanged() else { throw Changed(path: path) }
            return buffer
        }
    }

    /// Whether nobody has written to it since it was opened.
    func isUnchanged() throws -> Bool {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw FileFailure("stat", path) }
        return Stamp(status) == stamp
    }
}
