import Events
import FoundationEssentials
import Glibc
import NIOCore

/// The file behind the security log: appends, and begins a new one when it is large or old.
///
/// Owned by one thread. Writing uses `write(2)` with `O_APPEND`: what was written survives the end of the process; see
/// ``SecurityLog/Options/sync`` for the power cord.
final class LogFile {
    private let path: String
    private let rotation: SecurityLog.Rotation
    private var descriptor: CInt = -1
    private var size = 0
    private var began = Timestamp(nanoseconds: 0)
    private(set) var isDirty = false

    init(path: String, rotation: SecurityLog.Rotation) {
        self.path = path
        self.rotation = rotation
    }

    deinit { close() }

    /// Opens the file where it is not open; creates its folder.
    func open(now: Timestamp) throws {
        guard descriptor < 0 else { return }
        let folder = path.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
        if !folder.isEmpty {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        }
        // Group may read: the watcher runs under another account. Nobody else may.
        let opened = Glibc.open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o640)
        guard opened >= 0 else { throw IOError(errnoCode: errno, reason: "open \(path)") }
        var status = stat()
        guard fstat(opened, &status) == 0 else {
            let code = errno
            Glibc.close(opened)
            throw IOError(errnoCode: code, reason: "stat \(path)")
        }
        descriptor = opened
        size = Int(status.st_size)
        // A file that was there began when its first line was written; its last change is the best that is known.
        began = size > 0 ? Timestamp(seconds: Int64(status.st_mtim.tv_sec)) : now
        // A line that a crash cut off must not swallow the next one.
        if size > 0 { try endTornLine() }
    }

    private func endTornLine() throws {
        let reading = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard reading >= 0 else { return }
        defer { Glibc.close(reading) }
        var last: UInt8 = 0
        guard pread(reading, &last, 1, off_t(size - 1)) == 1, last != UInt8(ascii: "\n") else { return }
        try append([UInt8(ascii: "\n")])
    }

    func append(_ bytes: [UInt8]) throws {
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                Glibc.write(descriptor, buffer.baseAddress?.advanced(by: written), buffer.count - written)
            }
            if count < 0 {
                if errno == EINTR { continue }
                throw IOError(errnoCode: errno, reason: "write \(path)")
            }
            written += count
            size += count
            isDirty = true
        }
    }

    func needsRotation(adding count: Int, now: Timestamp) -> Bool {
        size > 0 && (size + count > rotation.bytes || now.seconds - began.seconds >= rotation.interval.components.seconds)
    }

    /// Renames the file to `app.log.20260302T165603Z` and begins a new one; removes the oldest beyond the number that is kept.
    func rotate(now: Timestamp) throws {
        sync()
        close()
        let stamp = now.rfc3339.prefix(19).filter { $0 != "-" && $0 != ":" } + "Z"
        var name = "\(path).\(stamp)"
        var again = 1
        while access(name, F_OK) == 0 {
            again += 1
            name = "\(path).\(stamp)-\(again)"
        }
        guard rename(path, name) == 0 else { throw IOError(errnoCode: errno, reason: "rename \(path) to \(name)") }
        try open(now: now)
        removeOldest()
    }

    private func removeOldest() {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        let folder = parts.count > 1 ? parts.dropLast().joined(separator: "/") : "."
        guard let name = parts.last,
            let files = try? FileManager.default.contentsOfDirectory(atPath: folder.isEmpty ? "/" : folder)
        else { return }
        // The time is in the name: sorting by name sorts by age.
        let rotated = files.filter { $0.hasPrefix("\(name).2") }.sorted()
        for file in rotated.dropLast(max(rotation.kept, 0)) {
            _ = unlink("\(folder)/\(file)")
        }
    }

    /// Waits until what was written is on the disk.
    func sync() {
        guard descriptor >= 0, isDirty else { return }
        _ = fdatasync(descriptor)
        isDirty = false
    }

    func close() {
        guard descriptor >= 0 else { return }
        Glibc.close(descriptor)
        descriptor = -1
    }
}
