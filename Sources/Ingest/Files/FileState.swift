import Glibc

/// One file, whatever its names are.
package struct FileIdentity: Hashable, Sendable {
    var device: UInt64
    var inode: UInt64

    /// Of the file that stands under `path`; `nil` for pipes and devices, too: what is read of them is gone.
    package init?(ofFile path: String) {
        guard let state = FileState(path), state.isRegular else { return nil }
        self = state.identity
    }

    init(device: UInt64, inode: UInt64) {
        self.device = device
        self.inode = inode
    }
}

/// What the system tells of a file without opening it: when two of them differ, the file has changed.
struct FileState: Equatable {
    var identity: FileIdentity
    /// Bytes on the disk.
    var size: Int64
    /// When it was last written to, in nanoseconds since 1970.
    var modified: Int64
    private var kind: mode_t

    var isRegular: Bool { kind == S_IFREG }
    var isFolder: Bool { kind == S_IFDIR }

    /// Of what stands under `path`, at the end of symbolic links; `nil` where nothing does.
    init?(_ path: String) {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { return nil }
        self.init(status)
    }

    /// Of an open file; `nil`, with the reason in `errno`, where the system does not tell.
    init?(descriptor: Int32) {
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { return nil }
        self.init(status)
    }

    private init(_ status: stat) {
        identity = FileIdentity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
        size = Int64(status.st_size)
        modified = Int64(status.st_mtim.tv_sec) * 1_000_000_000 + Int64(status.st_mtim.tv_nsec)
        kind = status.st_mode & S_IFMT
    }
}
