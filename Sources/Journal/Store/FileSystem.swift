#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The system calls the journal needs, each failure as a ``JournalError/file(_:)``; nothing else in this target calls the system.
enum FileSystem {
    static func message(for code: Int32) -> String { String(cString: strerror(code)) }
    static func isOutOfSpace(_ code: Int32) -> Bool { [ENOSPC, EDQUOT, EFBIG].contains(code) }
    static func isMissing(_ code: Int32) -> Bool { code == ENOENT || code == ENOTDIR }
    static func isForbidden(_ code: Int32) -> Bool { code == EACCES || code == EPERM || code == EROFS }

    static var processID: Int32 { getpid() }

    static func failure(_ operation: String, _ path: String, _ code: Int32 = errno) -> JournalError {
        .file(JournalError.FileError(operation: operation, path: path, code: code))
    }

    /// Makes a directory that only this user may enter; fine when it is already there.
    static func makeDirectory(_ path: String) throws(JournalError) {
        guard mkdir(path, 0o700) != 0 else {
            let parent = path.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
            return try syncDirectory(parent.isEmpty ? (path.hasPrefix("/") ? "/" : ".") : parent)
        }
        guard errno == EEXIST else { throw failure("making the folder", path) }
    }

    /// The whole of a small file; `nil` when there is none.
    static func contents(_ path: String, limit: Int = 64 << 20) throws(JournalError) -> [UInt8]? {
        let file: JournalFile
        do {
            file = try JournalFile.open(path, .reading)
        } catch {
            if case .file(let cause) = error, isMissing(cause.code) { return nil }
            throw error
        }
        return try file.read(at: 0, count: min(try file.size(), limit))
    }

    /// Writes a file that is there as a whole or not at all, with mode 0600, and durable once its folder is synchronised.
    static func replace(_ path: String, with bytes: [UInt8]) throws(JournalError) {
        let temporary = path + ".new"
        // Made anew, never opened: in a folder shared with others a link of that name could lead anywhere.
        try remove(temporary)
        let file = try JournalFile.open(temporary, .creating)
        try file.write(bytes, at: 0)
        try file.sync()
        guard rename(temporary, path) == 0 else { throw failure("renaming", temporary) }
    }

    /// Removes a file, or a folder with the files in it; fine when there is none.
    static func remove(_ path: String) throws(JournalError) {
        if unlink(path) == 0 || isMissing(errno) { return }
        guard errno == EISDIR || errno == EPERM else { throw failure("removing", path) }
        for name in try names(in: path) where name != "." && name != ".." { try remove("\(path)/\(name)") }
        guard rmdir(path) == 0 else { throw failure("removing", path) }
    }

    /// Makes new, renamed and removed names in a directory durable.
    static func syncDirectory(_ path: String) throws(JournalError) {
        let directory = try JournalFile.open(path, .directory)
        try directory.sync()
    }

    /// The names in a directory, in no particular order.
    static func names(in path: String) throws(JournalError) -> [String] {
        guard let stream = opendir(path) else { throw failure("listing", path) }
        defer { closedir(stream) }
        var names: [String] = []
        while true {
            errno = 0
            guard let item = readdir(stream) else {
                if errno != 0 { throw failure("listing", path) }
                return names
            }
            // d_name is an array of C characters, which Swift sees as a tuple; it ends with a NUL.
            names.append(
                withUnsafePointer(to: &item.pointee.d_name) { name in
                    name.withMemoryRebound(to: CChar.self, capacity: MemoryLayout.size(ofValue: item.pointee.d_name)) {
                        String(cString: $0)
                    }
                })
        }
    }
}

/// An open file, closed when it goes away.
struct JournalFile: ~Copyable, Sendable {
    enum Mode {
        case reading
        /// Reading and writing; made when missing.
        case writing
        /// Reading and writing; an error when it exists.
        case creating
        case directory

        var flags: Int32 {
            switch self {
            // Without O_NONBLOCK a pipe that somebody put there would be waited for.
            case .reading: O_RDONLY | O_NONBLOCK
            case .writing: O_RDWR | O_CREAT
            case .creating: O_RDWR | O_CREAT | O_EXCL
            case .directory: O_RDONLY | O_DIRECTORY
            }
        }
    }

    let path: String
    private let descriptor: Int32

    private init(path: String, descriptor: Int32) {
        self.path = path
        self.descriptor = descriptor
    }

    deinit {
        // A process that is being started just now holds a copy of the descriptor until it executes, and the lock with it.
        _ = flock(descriptor, LOCK_UN)
        // Nothing is lost here: what counts was synchronised before.
        _ = close(descriptor)
    }

    static func open(_ path: String, _ mode: Mode) throws(JournalError) -> JournalFile {
        #if canImport(Darwin)
        let descriptor = Darwin.open(path, mode.flags | O_CLOEXEC, 0o600)
        #elseif canImport(Musl)
        let descriptor = Musl.open(path, mode.flags | O_CLOEXEC, 0o600)
        #else
        let descriptor = Glibc.open(path, mode.flags | O_CLOEXEC, 0o600)
        #endif
        guard descriptor >= 0 else { throw FileSystem.failure("opening", path) }
        return JournalFile(path: path, descriptor: descriptor)
    }

    /// Up to `count` bytes from `offset`; fewer only at the end of the file.
    func read(at offset: Int, count: Int) throws(JournalError) -> [UInt8] {
        var code: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            while filled < count {
                let read = pread(descriptor, buffer.baseAddress.map { $0 + filled }, count - filled, off_t(offset + filled))
                if read > 0 {
                    filled += read
                } else if read == 0 {
                    return
                } else if errno != EINTR {
                    code = errno
                    return
                }
            }
        }
        guard code == 0 else { throw FileSystem.failure("reading", path, code) }
        return bytes
    }

    func write(_ bytes: [UInt8], at offset: Int) throws(JournalError) {
        var code: Int32 = 0
        bytes.withUnsafeBytes { buffer in
            var written = 0
            while written < buffer.count {
                let rest = UnsafeRawBufferPointer(rebasing: buffer[written...])
                let count = pwrite(descriptor, rest.baseAddress, rest.count, off_t(offset + written))
                if count >= 0 {
                    written += count
                } else if errno != EINTR {
                    code = errno
                    return
                }
            }
        }
        guard code == 0 else { throw FileSystem.failure("writing", path, code) }
    }

    /// Returns when the device says that all of the file is on it.
    func sync() throws(JournalError) {
        guard fsync(descriptor) == 0 else { throw FileSystem.failure("synchronising", path) }
    }

    func truncate(to size: Int) throws(JournalError) {
        guard ftruncate(descriptor, off_t(size)) == 0 else { throw FileSystem.failure("shortening", path) }
    }

    func size() throws(JournalError) -> Int {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw FileSystem.failure("examining", path) }
        return Int(status.st_size)
    }

    /// Takes the file for this open alone; `false` when another open, here or elsewhere, has it. Ends with the file or the process.
    func lock() throws(JournalError) -> Bool {
        if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return true }
        guard errno == EWOULDBLOCK else { throw FileSystem.failure("locking", path) }
        return false
    }
}
