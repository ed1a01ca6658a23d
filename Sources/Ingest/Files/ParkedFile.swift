import Events
import Glibc

/// A file of a pattern that is not open: where reading goes on, and what it looked like then.
struct ParkedFile {
    var positions: [FilePosition]
    var lastTime: Timestamp?
    var state: FileState?

    /// What tells that a file has changed, without opening it.
    struct FileState: Equatable {
        var device: UInt64
        var inode: UInt64
        var size: Int64
        var modified: Int64

        /// `nil` where nothing stands under the path.
        init?(_ path: String) {
            var status = stat()
            guard unsafe stat(path, &status) == 0 else { return nil }
            device = UInt64(status.st_dev)
            inode = UInt64(status.st_ino)
            size = Int64(status.st_size)
            modified = LogFile.modified(status)
        }

        var identity: FileIdentity { FileIdentity(device: device, inode: inode) }
    }
}

/// One file, whatever its names are.
package struct FileIdentity: Hashable, Sendable {
    var device: UInt64
    var inode: UInt64
}

extension FileIdentity {
    /// Of the file that stands under `path`; `nil` for pipes and devices, too: what is read of them is gone.
    package init?(ofFile path: String) {
        var status = stat()
        guard unsafe stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        self.init(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
    }
}
