import Foundation

/// A file read or written from front to back, in pieces: memory does not grow with it. Owned by one task.
package final class ByteFile {
    package static let pieceSize = 1 << 20

    package let path: String
    private let handle: FileHandle
    private let limit: UInt64
    private var count: UInt64 = 0

    private init(path: String, handle: FileHandle, limit: UInt64 = .max) {
        self.path = path
        self.handle = handle
        self.limit = limit
    }

    deinit {
        try? handle.close()
    }

    /// - Parameter path: `-` is standard input.
    package static func reading(_ path: String) throws(EvidenceError) -> ByteFile {
        if path == "-" { return ByteFile(path: "standard input", handle: .standardInput) }
        guard let handle = FileHandle(forReadingAtPath: path) else {
            throw EvidenceError(.file, "\(path) cannot be read; check its path and permissions")
        }
        return ByteFile(path: path, handle: handle)
    }

    /// A file in a folder that others write to: a link or a device in its place is refused, and more than `limit` bytes are.
    package static func readingForeign(_ path: String, limit: UInt64) throws(EvidenceError) -> ByteFile {
        // Without O_NONBLOCK, opening a pipe that nobody writes to would wait for ever.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard descriptor >= 0 else {
            throw EvidenceError(.file, "\(path) cannot be read: \(String(cString: strerror(errno)))")
        }
        let file = ByteFile(path: path, handle: FileHandle(fileDescriptor: descriptor, closeOnDealloc: false), limit: limit)
        guard file.isRegular else { throw EvidenceError(.file, "\(path) is no regular file") }
        return file
    }

    /// A new file with mode 0600; an error when there is one.
    package static func creating(_ path: String) throws(EvidenceError) -> ByteFile {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else {
            throw EvidenceError(
                .file, "\(path) cannot be made: \(String(cString: strerror(errno))); check its folder, or name another file")
        }
        return ByteFile(path: path, handle: FileHandle(fileDescriptor: descriptor, closeOnDealloc: false))
    }

    /// Goes on where the last `count` bytes begin.
    ///
    /// - Returns: how many bytes stand before them.
    package func skip(toLast count: Int) throws(EvidenceError) -> UInt64 {
        do {
            let size = try handle.seekToEnd()
            let start = size > UInt64(count) ? size - UInt64(count) : 0
            try handle.seek(toOffset: start)
            return start
        } catch {
            throw EvidenceError(.file, "\(path) cannot be read: \(error.localizedDescription)")
        }
    }

    /// The next bytes; none at the end.
    package func next(_ count: Int = ByteFile.pieceSize) throws(EvidenceError) -> [UInt8] {
        let bytes: [UInt8]
        do {
            bytes = Array(try handle.read(upToCount: count) ?? Data())
        } catch {
            throw EvidenceError(.file, "\(path) cannot be read: \(error.localizedDescription)")
        }
        self.count += UInt64(bytes.count)
        guard self.count <= limit else { throw EvidenceError(.file, "\(path) has more than \(limit >> 20) MiB") }
        return bytes
    }

    package func write(_ bytes: [UInt8]) throws(EvidenceError) {
        guard !bytes.isEmpty else { return }
        do {
            try handle.write(contentsOf: Data(bytes))
        } catch {
            throw EvidenceError(
                .file, "\(path) cannot be written: \(error.localizedDescription); make room on that disk, then try again")
        }
    }

    package func synchronise() throws(EvidenceError) {
        do {
            try handle.synchronize()
        } catch {
            // A pipe or a terminal has nothing to synchronise.
            if isRegular { throw EvidenceError(.file, "\(path) cannot be synchronised: \(error.localizedDescription)") }
        }
    }

    private var isRegular: Bool {
        var status = stat()
        return fstat(handle.fileDescriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    }
}
