import Foundation
import Glibc

/// One file of a spool: written at its end, made durable, found whole again after a crash. Owned by one queue.
///
/// It begins with a blank line of exactly as many bytes as its follower remembers a file by (`FileHead.maximumBytes`), spaces and
/// tabs in an order of its own: so no two files are taken for one another, and cutting off an unfinished line never changes the part
/// that is remembered.
final class SpoolFile {
    static let headerBytes = 1024
    /// What is left to others on a disk that is nearly full.
    private static let spareBytes = 1 << 20

    typealias Output = @Sendable (_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer, _ offset: Int) -> Int

    let path: String
    let inode: UInt64
    private let descriptor: Int32
    private let output: Output
    private(set) var size: Int
    /// A write failed in the middle of a line.
    private var isTorn = false

    /// Opens the file, or makes it.
    ///
    /// - Parameters:
    ///   - readUpTo: how far it had been read, durably. A file that has lost what was read is filled up with blanks, so that its
    ///     follower takes it for the same.
    ///   - output: `pwrite`; tests have one that fails.
    convenience init(path: String, readUpTo: Int, output: @escaping Output = SpoolFile.output) throws {
        if !FileManager.default.fileExists(atPath: path) {
            if FileManager.default.fileExists(atPath: path + ".new") { unlink(path + ".new") }
            try SpoolFile.make(path + ".new")
            try DurableName.rename(path + ".new", to: path, in: (path as NSString).deletingLastPathComponent)
        }
        try self.init(opening: path, as: path, output: output)
        try mend(readUpTo: readUpTo)
    }

    /// Makes the file beside where it is to stand, as `path.new`: once it has been renamed to its place, nothing is left that can fail.
    convenience init(beside path: String) throws {
        try SpoolFile.make(path + ".new")
        try self.init(opening: path + ".new", as: path)
    }

    private init(opening place: String, as path: String, output: @escaping Output = SpoolFile.output) throws {
        self.output = output
        descriptor = open(place, O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else { throw SpoolError(path: place, errno: errno) }
        self.path = path
        guard let status = SpoolFile.status(place) else {
            let code = errno
            close(descriptor)
            throw SpoolError(path: path, errno: code)
        }
        (inode, size) = status
    }

    deinit { close(descriptor) }

    /// By Foundation: a module that is imported somewhere here takes over the names of `stat`, and optimised builds then miss them.
    static func status(_ path: String) -> (inode: UInt64, size: Int)? {
        guard let attributes = try? FileManager.default.attributesOfItem(atPath: path),
            let inode = attributes[.systemFileNumber] as? NSNumber, let size = attributes[.size] as? NSNumber
        else { return nil }
        return (inode.uint64Value, size.intValue)
    }

    static func make(_ path: String) throws {
        var header = [UInt8](repeating: 0x20, count: headerBytes)
        for place in 0..<128 where Bool.random() { header[place] = 0x09 }
        header[headerBytes - 1] = 0x0A
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw SpoolError(path: path, errno: errno) }
        defer { close(descriptor) }
        guard Glibc.write(descriptor, header, header.count) == header.count, fsync(descriptor) == 0 else {
            throw SpoolError(path: path, errno: errno)
        }
    }

    /// Cuts off a line that was never finished, and so never acknowledged: nobody has read further than its beginning durably.
    private func mend(readUpTo: Int) throws {
        var end = size
        var block = [UInt8](repeating: 0, count: 65_536)
        search: while end > SpoolFile.headerBytes {
            let start = max(SpoolFile.headerBytes, end - block.count)
            let got = pread(descriptor, &block, end - start, off_t(start))
            guard got == end - start else { throw SpoolError(path: path, errno: errno) }
            for place in stride(from: got - 1, through: 0, by: -1) where block[place] == 0x0A {
                end = start + place + 1
                break search
            }
            end = start
        }
        end = max(end, SpoolFile.headerBytes)
        if end != size {
            guard ftruncate(descriptor, off_t(end)) == 0 else { throw SpoolError(path: path, errno: errno) }
            size = end
        }
        if size < readUpTo {
            var blank = [UInt8](repeating: 0x20, count: readUpTo - size)
            blank[blank.count - 1] = 0x0A
            try append(blank)
        }
        guard fsync(descriptor) == 0 else { throw SpoolError(path: path, errno: errno) }
    }

    /// Writes whole lines and makes them durable.
    ///
    /// - Throws: when that is not so; then nothing of it is to be acknowledged.
    func append(_ bytes: [UInt8]) throws(SpoolError) {
        try checkRoom(bytes.count)
        if isTorn {
            try write([0x0A])
            isTorn = false
        }
        let start = size
        do throws(SpoolError) {
            try write(bytes)
        } catch {
            blank(from: start)
            throw error
        }
        guard fdatasync(descriptor) == 0 else { throw SpoolError(path: path, errno: errno, isFinal: true) }
    }

    /// Takes back the beginning of something that was refused as a whole: its sender sends all of it again.
    ///
    /// Written over, not cut off: whoever follows the file would take a file that shrank for another one, and read it all again.
    private func blank(from start: Int) {
        guard size > start else { return }
        var blanks = [UInt8](repeating: 0x20, count: size - start)
        blanks[blanks.count - 1] = 0x0A
        let end = size
        size = start
        do throws(SpoolError) {
            try write(blanks)
            isTorn = false
        } catch {
            // What could not be written over is read; its last line has no end.
            size = end
            isTorn = true
        }
    }

    @Sendable private static func output(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer, _ offset: Int) -> Int {
        pwrite(descriptor, bytes.baseAddress, bytes.count, off_t(offset))
    }

    /// A full disk is met before a line is begun, not in its middle.
    private func checkRoom(_ count: Int) throws(SpoolError) {
        var status = statvfs()
        guard fstatvfs(descriptor, &status) == 0 else { throw SpoolError(path: path, errno: errno) }
        let free = UInt64(status.f_bavail) * UInt64(status.f_frsize)
        guard free >= UInt64(count + SpoolFile.spareBytes) else { throw SpoolError(path: path, errno: ENOSPC) }
    }

    private func write(_ bytes: [UInt8]) throws(SpoolError) {
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                output(descriptor, UnsafeRawBufferPointer(rebasing: buffer[done...]), size)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                isTorn = isTorn || done > 0
                throw SpoolError(path: path, errno: count < 0 ? errno : ENOSPC)
            }
            done += count
            size += count
        }
    }
}

/// Why something was not made durable.
struct SpoolError: Error, CustomStringConvertible {
    enum Code: Sendable {
        /// Detection is behind by as much as the spool holds.
        case full
        /// The disk refuses.
        case disk
        /// The disk has refused to make durable what it had taken; nothing more is written until the next start.
        case failed
    }

    var code: Code
    var reason: String

    var description: String { reason }

    init(full path: String, bytes: Int) {
        code = .full
        reason = "detection is \(bytes >> 20) MiB behind; try again later"
    }

    init(path: String, errno number: Int32, isFinal: Bool = false) {
        code = isFinal ? .failed : .disk
        reason = "\(path) cannot be written: \(String(cString: strerror(number)))"
    }

    init(failed path: String) {
        code = .failed
        reason = "\(path) could not be made durable before; start Vigie again once the disk is well"
    }
}
