import Glibc

/// What went wrong with a file of the archive, and what to do about it.
package struct ArchiveError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Code: String, Sendable {
        case diskFull, missing, file, damage, memory
    }

    package var code: Code
    package var reason: String
    package var advice: String

    package init(_ code: Code, _ reason: String, _ advice: String) {
        self.code = code
        self.reason = reason
        self.advice = advice
    }

    init(_ operation: String, _ path: String, errno number: Int32) {
        let cause = unsafe String(cString: strerror(number))
        reason = "\(operation) \(path) failed: \(cause)"
        switch number {
        case ENOSPC, EDQUOT, EFBIG:
            code = .diskFull
            advice = "make room, or shorten archive.keep_days; detection goes on meanwhile"
        case ENOENT:
            code = .missing
            advice = "see whether somebody moved or removed it"
        default:
            code = .file
            advice = "see whether the disk reports an error, and who may write there"
        }
    }

    package var description: String { "\(reason); \(advice)" }
}
