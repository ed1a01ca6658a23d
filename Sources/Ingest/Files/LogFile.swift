import Glibc

/// An open log file. Closes its descriptor when it goes.
///
/// Reads with `pread`: no shared file offset, and a file cut short under the reader gives an end of file, where a
/// mapped one would raise SIGBUS.
final class LogFile {
    let descriptor: Int32
    let device: UInt64
    let inode: UInt64

    /// - Throws: `SourceError` when the file cannot be opened, or is not something one can read lines from.
    init(path: String) throws(SourceError) {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw SourceError(path: path, errno: errno) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else {
            let code = errno
            close(descriptor)
            throw SourceError(path: path, errno: code)
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw SourceError(path: path, isDirectory: status.st_mode & S_IFMT == S_IFDIR)
        }
        self.descriptor = descriptor
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
    }

    deinit { close(descriptor) }

    /// The size now.
    var size: Int64 {
        var status = stat()
        return unsafe fstat(descriptor, &status) == 0 ? Int64(status.st_size) : 0
    }

    /// Appends up to `count` bytes from `offset` to `bytes`; returns how many there were, 0 at the end of the file.
    func read(_ count: Int, at offset: Int64, into bytes: inout [UInt8], path: String) throws(SourceError) -> Int {
        // The size is asked first: a quiet file is polled several times a second, and costs no buffer then.
        let size = self.size
        guard offset >= 0, offset < size else { return 0 }
        let count = Int(min(Int64(count), size - offset))
        let start = bytes.count
        bytes.append(contentsOf: repeatElement(0, count: count))
        var got = 0
        var failure: Int32 = 0
        repeat {
            got = unsafe bytes.withUnsafeMutableBytes { buffer in
                unsafe pread(descriptor, buffer.baseAddress.map { unsafe $0 + start }, count, off_t(offset))
            }
            failure = got < 0 ? errno : 0
        } while failure == EINTR
        bytes.removeLast(count - max(got, 0))
        if failure != 0 { throw SourceError(path: path, errno: failure) }
        return got
    }

    /// The head as it is now, as many bytes of it as `count` asks for; `nil` when it cannot be read.
    func head(_ count: Int, path: String) -> FileHead? {
        var bytes: [UInt8] = []
        guard (try? read(min(count, FileHead.maximumBytes), at: 0, into: &bytes, path: path)) != nil else { return nil }
        return FileHead(bytes)
    }

    /// Device and inode of what stands under `path` now; `nil` when nothing does.
    static func identity(of path: String) -> (device: UInt64, inode: UInt64)? {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { return nil }
        return (UInt64(status.st_dev), UInt64(status.st_ino))
    }

    /// Where a rotation by renaming has put the file with that inode: in the same folder, or, where `path` is a
    /// symbolic link, in the folder of the file it names.
    static func renamed(from path: String, device: UInt64, inode: UInt64) -> String? {
        if let found = find(in: folder(of: path), device: device, inode: inode) { return found }
        guard let resolved = unsafe realpath(path, nil) else { return nil }
        defer { unsafe free(resolved) }
        return unsafe find(in: folder(of: String(cString: resolved)), device: device, inode: inode)
    }

    /// With its closing slash.
    private static func folder(of path: String) -> String {
        path.lastIndex(of: "/").map { String(path[...$0]) } ?? "./"
    }

    private static func find(in folder: String, device: UInt64, inode: UInt64) -> String? {
        guard let listing = unsafe opendir(folder) else { return nil }
        defer { unsafe closedir(listing) }
        while let entry = unsafe readdir(listing) {
            guard unsafe UInt64(entry.pointee.d_ino) == inode else { continue }
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            let candidate = folder + name
            if let found = identity(of: candidate), found == (device, inode) { return candidate }
        }
        return nil
    }
}
