import CSandbox
import Glibc

/// The documents of a job, open; closes those that it opened itself.
struct InputFiles: ~Copyable {
    private(set) var descriptors: [Int32] = []
    private(set) var sizes: [Int] = []
    private var owned: [Int32] = []

    init(_ documents: [DocumentSource], most: Int) throws(WorkerError) {
        do throws(WorkerError) {
            for document in documents { try add(document, most) }
            guard sizes.reduce(0, +) <= most else { throw Self.tooLarge(most) }
        } catch {
            for descriptor in owned { close(descriptor) }
            owned = []
            throw error
        }
    }

    private mutating func add(_ document: DocumentSource, _ most: Int) throws(WorkerError) {
        let descriptor: Int32
        switch document {
        case .descriptor(let open): descriptor = open
        case .file(let path):
            // Without O_NONBLOCK a pipe under this name would hold us until somebody writes to it.
            descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW)
            guard descriptor >= 0 else { throw .unavailable("The document could not be opened: \(Self.reason(errno)).") }
            owned.append(descriptor)
        case .bytes(let bytes):
            guard bytes.count <= most else { throw Self.tooLarge(most) }
            descriptor = sandbox_memory_file()
            guard descriptor >= 0 else { throw .unavailable("There is no memory for the document: \(Self.reason(errno)).") }
            owned.append(descriptor)
            guard Self.write(bytes, to: descriptor) else {
                throw .unavailable("There is no memory for the document: \(Self.reason(errno)).")
            }
        }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw .unavailable("The document is no regular file.")
        }
        descriptors.append(descriptor)
        sizes.append(Int(status.st_size))
    }

    deinit {
        for descriptor in owned { close(descriptor) }
    }

    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    /// A look at the first bytes, no more.
    static func begins(_ document: DocumentSource, with signature: [UInt8]) throws(WorkerError) -> Bool {
        if case .bytes(let bytes) = document { return bytes.starts(with: signature) }
        let file = try InputFiles([document], most: .max)
        var head = [UInt8](repeating: 0, count: signature.count)
        return pread(file.descriptors[0], &head, head.count, 0) == head.count && head == signature
    }

    private static func tooLarge(_ most: Int) -> WorkerError {
        .refused("The document is larger than \(most >> 20) MiB, which is the most that is read. Split it.")
    }

    private static func write(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
        var position = 0
        while position < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.write(descriptor, $0.baseAddress?.advanced(by: position), $0.count - position)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            position += count
        }
        return true
    }

    static func reason(_ code: Int32) -> String { String(cString: strerror(code)) }
}

/// The file that takes a result. What is not committed leaves nothing behind.
struct OutputFile: ~Copyable {
    let descriptor: Int32
    private let isOwned: Bool
    /// Where it goes when it is committed.
    private let path: String?
    /// It has its name from the start: the file system knows no files without one.
    private let isNamed: Bool
    private var isCommitted = false

    /// In memory, and forgotten.
    init() throws(WorkerError) {
        descriptor = sandbox_memory_file()
        (isOwned, path, isNamed) = (true, nil, false)
        guard descriptor >= 0 else { throw .unavailable("There is no memory for the result: \(InputFiles.reason(errno)).") }
    }

    init(_ destination: DocumentDestination) throws(WorkerError) {
        switch destination {
        case .descriptor(let open): (descriptor, isOwned, path, isNamed) = (open, false, nil, false)
        case .file(let path):
            let unnamed = sandbox_unnamed_file(Self.folder(of: path))
            if unnamed >= 0 {
                (descriptor, isOwned, self.path, isNamed) = (unnamed, true, path, false)
            } else {
                (descriptor, isOwned, self.path, isNamed) = (sandbox_new_file(path), true, path, true)
            }
            guard descriptor >= 0 else { throw .unavailable("The copy could not be written: \(InputFiles.reason(errno)).") }
        }
    }

    deinit {
        guard isOwned, descriptor >= 0 else { return }
        if isNamed, !isCommitted, let path { unlink(path) }
        close(descriptor)
    }

    private static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    var size: Int {
        var status = stat()
        return fstat(descriptor, &status) == 0 ? Int(status.st_size) : -1
    }

    /// On disk, then under its name, then the name on disk.
    mutating func commit() throws(WorkerError) {
        guard let path else { return }
        guard fsync(descriptor) == 0,
            isNamed || linkat(AT_FDCWD, "/proc/self/fd/\(descriptor)", AT_FDCWD, path, AT_SYMLINK_FOLLOW) == 0
        else { throw .unavailable("The copy could not be written: \(InputFiles.reason(errno)).") }
        isCommitted = true
        let folder = open(Self.folder(of: path), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { return }
        fsync(folder)
        close(folder)
    }
}
