import Glibc
import Synchronization

/// That only one server has a data folder: files that are coming in look like what a crash left.
///
/// Held by an open descriptor; the system lets go of it when the process ends, however that happens.
package final class DataFolderLock: Sendable {
    private let descriptor: CInt

    /// - Throws: ``FileFailure`` where another server has the folder.
    package init(data: String) throws {
        let path = "\(data)/lock"
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw FileFailure("open", path) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let failure = FileFailure("lock (another tatou serves this folder)", path)
            close(descriptor)
            throw failure
        }
    }

    deinit {
        // A child that is just being started holds the same lock until it runs its program: closing alone would leave it locked.
        _ = flock(descriptor, LOCK_UN)
        close(descriptor)
    }
}
