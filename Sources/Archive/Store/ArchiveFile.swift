import Glibc

/// An open file, closed when it goes. Reads and writes at places: no shared offset.
final class ArchiveFile {
    let path: String
    private let descriptor: Int32

    /// - Parameter isNew: makes it; one that is there already is an error.
    init(_ path: String, writing: Bool = false, isNew: Bool = false) throws(ArchiveError) {
        self.path = path
        let flags = (writing ? O_RDWR : O_RDONLY) | (isNew ? O_CREAT | O_EXCL : 0) | O_CLOEXEC | O_NONBLOCK
        descriptor = unsafe open(path, flags, 0o600)
        if descriptor < 0 { throw ArchiveError("opening", path, errno: errno) }
    }

    deinit { close(descriptor) }

    func size() throws(ArchiveError) -> Int {
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { throw ArchiveError("examining", path, errno: errno) }
        return Int(status.st_size)
    }

    /// Up to `count` bytes from `offset`; fewer only at the end of the file.
    func read(_ count: Int, at offset: Int) throws(ArchiveError) -> [UInt8] {
        var code: Int32 = 0
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            while filled < count {
                let got = unsafe pread(
                    descriptor, buffer.baseAddress.map { unsafe $0 + filled }, count - filled, off_t(offset + filled))
                if got > 0 {
                    filled += got
                } else if got == 0 {
                    return
                } else if errno != EINTR {
                    code = errno
                    return
                }
            }
        }
        if code != 0 { throw ArchiveError("reading", path, errno: code) }
        return bytes
    }

    func write(_ bytes: [UInt8], at offset: Int) throws(ArchiveError) {
        var code: Int32 = 0
        unsafe bytes.withUnsafeBytes { buffer in
            var written = 0
            while written < buffer.count {
                let count = unsafe pwrite(
                    descriptor, buffer.baseAddress.map { unsafe $0 + written }, buffer.count - written, off_t(offset + written))
                if count >= 0 {
                    written += count
                } else if errno != EINTR {
                    code = errno
                    return
                }
            }
        }
        if code != 0 { throw ArchiveError("writing", path, errno: code) }
    }

    /// Returns when the device says that all of the file is on it.
    func synchronise() throws(ArchiveError) {
        guard fdatasync(descriptor) == 0 else { throw ArchiveError("synchronising", path, errno: errno) }
    }

    func truncate(to size: Int) throws(ArchiveError) {
        guard ftruncate(descriptor, off_t(size)) == 0 else { throw ArchiveError("shortening", path, errno: errno) }
    }
}

enum ArchiveFolder {
    static func make(_ path: String) throws(ArchiveError) {
        guard unsafe mkdir(path, 0o700) != 0, errno != EEXIST else { return }
        throw ArchiveError("making the folder", path, errno: errno)
    }

    /// Makes names in a folder durable.
    static func synchronise(_ path: String) throws(ArchiveError) {
        let descriptor = unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw ArchiveError("opening", path, errno: errno) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw ArchiveError("synchronising", path, errno: errno) }
    }

    /// Fine when there is none.
    static func remove(_ path: String) throws(ArchiveError) {
        guard unsafe unlink(path) != 0, errno != ENOENT else { return }
        throw ArchiveError("removing", path, errno: errno)
    }

    /// What is to take a file's place is written there; a start removes what was left.
    static func temporaryPath(_ path: String) -> String { path + ".new" }

    /// A file that is there whole or not at all.
    static func replace(_ path: String, with bytes: [UInt8]) throws(ArchiveError) {
        let temporary = temporaryPath(path)
        try remove(temporary)
        let file = try ArchiveFile(temporary, writing: true, isNew: true)
        try file.write(bytes, at: 0)
        try file.synchronise()
        try rename(temporary, path)
    }

    static func rename(_ old: String, _ new: String) throws(ArchiveError) {
        guard unsafe Glibc.rename(old, new) == 0 else { throw ArchiveError("renaming", old, errno: errno) }
    }

    /// Sorted.
    static func names(_ path: String) throws(ArchiveError) -> [String] {
        guard let listing = unsafe opendir(path) else { throw ArchiveError("listing", path, errno: errno) }
        defer { unsafe closedir(listing) }
        var names: [String] = []
        while let entry = unsafe readdir(listing) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            names.append(name)
        }
        return names.sorted()
    }

    /// Bytes that an unprivileged writer may still use on the file system.
    static func freeBytes(_ path: String) -> Int? {
        var status = statvfs()
        guard unsafe statvfs(path, &status) == 0 else { return nil }
        return Int(clamping: UInt64(status.f_bavail).multipliedReportingOverflow(by: UInt64(status.f_frsize)).partialValue)
    }

    static func segmentPath(_ folder: String, _ number: UInt64) -> String { path(folder, number, "segment") }
    static func indexPath(_ folder: String, _ number: UInt64) -> String { path(folder, number, "index") }

    private static func path(_ folder: String, _ number: UInt64, _ suffix: String) -> String {
        let digits = String(number)
        return "\(folder)/\(String(repeating: "0", count: max(0, 12 - digits.count)))\(digits).\(suffix)"
    }

    /// Numbers of the segments in a folder, in order.
    static func segments(_ folder: String) throws(ArchiveError) -> [UInt64] {
        var numbers: [UInt64] = []
        for name in try names(folder) where name.hasSuffix(".segment") {
            if let number = UInt64(name.dropLast(8)) { numbers.append(number) }
        }
        return numbers.sorted()
    }
}
