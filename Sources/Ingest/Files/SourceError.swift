import Glibc

/// Why a source cannot be read, and what to do about it.
package struct SourceError: Error, Sendable, Hashable, CustomStringConvertible {
    package enum Code: String, Sendable {
        case missing, unreadable, notAFile, failed
        /// It does not hold what its beginning says: it is given up, and the others go on.
        case damaged
    }

    package var code: Code
    package var path: String
    package var reason: String
    package var advice: String

    init(path: String, errno number: Int32) {
        self.path = path
        reason = unsafe String(cString: strerror(number))
        switch number {
        case ENOENT, ENOTDIR:
            code = .missing
            advice = "check the path; Vigie keeps looking for it while it runs"
        case EACCES, EPERM:
            code = .unreadable
            advice = "let Vigie's user read it, for example by adding it to the group `adm` or with `setfacl -m u:USER:r`"
        case EISDIR:
            // What `read` says of a folder; `open` does not mind one.
            code = .notAFile
            advice = "name the log files in it"
        default:
            code = .failed
            advice = "see whether the disk or the file system reports an error"
        }
    }

    init(path: String, isDirectory: Bool) {
        self.path = path
        code = .notAFile
        reason = isDirectory ? "it is a folder" : "it is not a regular file"
        advice = isDirectory ? "name the log files in it" : "name a log file, or pipe it to `vigie detect`"
    }

    init(path: String, compression failure: GzipReader.Failure) {
        self.path = path
        code = failure == .memory ? .failed : .damaged
        switch failure {
        case .damaged:
            reason = "its compressed text is damaged"
            advice = "check it with `gzip -t`; what stood before the damage has been read"
        case .bomb:
            reason = "it holds more than \(GzipReader.maximumRatio) times its size, which no log does"
            advice = "look at it before anything unpacks it; the rest of it is not read"
        case .memory:
            reason = "there is no memory to decompress it"
            advice = "see what uses up the memory"
        }
    }

    package var description: String { "cannot read \(path): \(reason); \(advice)" }
}
