import Glibc

/// An open log file, plain or compressed with gzip. Closes its descriptor when it goes. Owned by one task.
///
/// Reads with `pread`: no shared file offset, and a file cut short under the reader gives an end of file, where a
/// mapped one would raise SIGBUS. Of a compressed file, all offsets are those of the text in it.
final class LogFile {
    let descriptor: Int32
    let identity: FileIdentity
    let isCompressed: Bool

    private var decompressed: GzipReader?
    /// The beginning of a compressed file's text, once it is known.
    private var compressedHead: [UInt8]?

    /// - Throws: `SourceError` when the file cannot be opened, or is not something one can read lines from.
    init(path: String) throws(SourceError) {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw SourceError(path: path, errno: errno) }
        guard let state = FileState(descriptor: descriptor) else {
            let code = errno
            close(descriptor)
            throw SourceError(path: path, errno: code)
        }
        guard state.isRegular else {
            close(descriptor)
            throw SourceError(path: path, isDirectory: state.isFolder)
        }
        self.descriptor = descriptor
        identity = state.identity
        var magic: [UInt8] = [0, 0]
        isCompressed =
            unsafe magic.withUnsafeMutableBytes { unsafe pread(descriptor, $0.baseAddress, 2, 0) } == 2
            && magic == GzipReader.magic
    }

    deinit { close(descriptor) }

    /// The size on the disk now.
    var size: Int64 { FileState(descriptor: descriptor)?.size ?? 0 }

    /// When it was last written to, in nanoseconds since 1970.
    var modified: Int64 { FileState(descriptor: descriptor)?.modified ?? 0 }

    /// Nothing can follow what was read: only a compressed file says so itself.
    var isAtEnd: Bool { decompressed?.isAtEnd ?? false }

    /// A compressed file that has been read as far as it goes, and ends in its middle.
    var isCutShort: Bool { decompressed?.isWithinMember ?? isCompressed }

    /// Bytes behind `offset`; of a compressed file those on the disk.
    func lag(behind offset: Int64) -> Int64 {
        isCompressed ? (isAtEnd ? 0 : max(0, size - (decompressed?.consumed ?? 0))) : max(0, size - offset)
    }

    /// It does not reach up to `offset` any more.
    func isCut(before offset: Int64) -> Bool { !isCompressed && size < offset }

    /// Appends up to `count` bytes from `offset` to `bytes`; returns how many there were, 0 at the end of the file.
    func read(_ count: Int, at offset: Int64, into bytes: inout [UInt8], path: String) throws(SourceError) -> Int {
        guard isCompressed else { return try readPlain(count, at: offset, into: &bytes, path: path) }
        let start = bytes.count
        do {
            let reader = try reader(before: offset)
            var skipped: [UInt8] = []
            while reader.produced < offset {
                skipped.removeAll(keepingCapacity: true)
                try fill(reader, Int(min(Int64(1 << 20), offset - reader.produced)), into: &skipped, path)
                if skipped.isEmpty { return 0 }
            }
            try fill(reader, count, into: &bytes, path)
            return bytes.count - start
        } catch let error as SourceError {
            throw error
        } catch {
            throw SourceError(path: path, compression: error as? GzipReader.Failure ?? .damaged)
        }
    }

    /// The reader at hand, or a new one where it has gone past `offset`.
    private func reader(before offset: Int64) throws -> GzipReader {
        if let decompressed, decompressed.produced <= offset { return decompressed }
        let reader = try GzipReader()
        decompressed = reader
        return reader
    }

    private func fill(_ reader: GzipReader, _ count: Int, into bytes: inout [UInt8], _ path: String) throws {
        try reader.read(count, into: &bytes) { count, offset, input in
            _ = try readPlain(count, at: offset, into: &input, path: path)
        }
    }

    private func readPlain(_ count: Int, at offset: Int64, into bytes: inout [UInt8], path: String) throws(SourceError) -> Int {
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
    func head(_ count: Int = FileHead.maximumBytes, path: String) -> FileHead? {
        let count = min(count, FileHead.maximumBytes)
        if let compressedHead { return FileHead(compressedHead.prefix(count)) }
        var bytes: [UInt8] = []
        if isCompressed {
            guard let reader = try? GzipReader(), (try? fill(reader, FileHead.maximumBytes, into: &bytes, path)) != nil else {
                return nil
            }
            // A shorter one may still grow.
            if bytes.count == FileHead.maximumBytes || reader.isAtEnd { compressedHead = bytes }
            return FileHead(bytes.prefix(count))
        }
        guard (try? readPlain(count, at: 0, into: &bytes, path: path)) != nil else { return nil }
        return FileHead(bytes)
    }

    /// What stands where those bytes were read.
    enum EndMatch {
        case isLast, goesOn, differs
        /// The file ends in front of where they ended.
        case endsBefore
    }

    /// Of a compressed file, all that stands in front of them is decompressed: to be asked where the beginning is right.
    func match(_ end: FileEnd, path: String) -> EndMatch {
        // What has been read so far is another matter.
        let reader = decompressed
        decompressed = nil
        defer { decompressed = reader }
        var bytes: [UInt8] = []
        let from = end.offset - Int64(end.count)
        guard (try? read(end.count + 1, at: from, into: &bytes, path: path)) != nil else { return .differs }
        guard bytes.count >= end.count else { return .endsBefore }
        guard FileEnd(bytes.prefix(end.count), before: end.offset) == end else { return .differs }
        return bytes.count == end.count ? .isLast : .goesOn
    }

    func has(_ end: FileEnd, path: String) -> Bool {
        switch match(end, path: path) {
        case .isLast, .goesOn: true
        case .differs, .endsBefore: false
        }
    }

    /// Its last bytes now; `nil` for an empty file, and for a compressed one, which would have to be read through.
    func end(path: String) -> FileEnd? {
        guard !isCompressed else { return nil }
        let from = max(0, size - Int64(FileEnd.maximumBytes))
        var bytes: [UInt8] = []
        guard let got = try? readPlain(FileEnd.maximumBytes, at: from, into: &bytes, path: path), got > 0 else { return nil }
        return FileEnd(bytes, before: from + Int64(got))
    }

    /// The file that a symbolic link leads to in the end; `nil` for what is no link, and for one that leads nowhere.
    static func target(ofLink path: String) -> String? {
        var status = stat()
        guard unsafe lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFLNK, let resolved = unsafe realpath(path, nil)
        else {
            return nil
        }
        defer { unsafe free(resolved) }
        return unsafe String(cString: resolved)
    }

    /// Where a rotation by renaming has put that file: in the same folder, or, where `path` is a
    /// symbolic link, in the folder of the file it names.
    static func renamed(from path: String, _ identity: FileIdentity) -> String? {
        for folder in RotatedFiles.places(of: path).map(\.folder) {
            var found: String?
            RotatedFiles.eachName(in: folder) { name, number in
                guard found == nil, number == identity.inode, FileState(folder + name)?.identity == identity else { return }
                found = folder + name
            }
            if let found { return found }
        }
        return nil
    }
}
