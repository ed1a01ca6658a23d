import Foundation

/// A file read or written from front to back, in pieces: memory does not grow with it. Owned by one task.
package final class ByteFile {
    package static let pieceSize = 1 << 20

    package let path: String
    private let handle: FileHandle

    private init(path: String, handle: FileHandle) {
        self.path = path
        self.handle = handle
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

    /// A new file with mode 0600; an error when there is one.
    package static func creating(_ path: String) throws(EvidenceError) -> ByteFile {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else {
            throw EvidenceError(
                .file, "\(path) cannot be made: \(String(cString: strerror(errno))); check its folder, or name another file")
        }
        return ByteFile(path: path, handle: FileHandle(fileDescriptor: descriptor, closeOnDealloc: false))
    }

    /// The next bytes; none at the end.
    package func next(_ count: Int = ByteFile.pieceSize) throws(EvidenceError) -> [UInt8] {
        do {
            return Array(try handle.read(upToCount: count) ?? Data())
        } catch {
            throw EvidenceError(.file, "\(path) cannot be read: \(error.localizedDescription)")
        }
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
