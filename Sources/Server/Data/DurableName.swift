import Foundation
import Glibc

/// Renaming that survives a power cut.
enum DurableName {
    /// Renames over what is there, and makes the folder's new state durable.
    static func rename(_ old: String, to new: String, in folder: String) throws {
        guard Glibc.rename(old, new) == 0 else { throw CocoaError(.fileWriteUnknown, userInfo: [NSFilePathErrorKey: new]) }
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        // Some file systems refuse to sync a folder; then the rename is as durable as they make it.
        _ = fsync(descriptor)
    }
}
