/// Why a job of the worker gave no result.
///
/// Messages are for people and hold nothing of the document, the secret or the key.
package enum WorkerError: Error, Sendable, Equatable {
    /// The limit at which a worker was killed.
    package enum Limit: String, Sendable, Codable {
        /// CPU time was used up: as a rule a document that was made to be slow.
        case cpu
        /// Memory was used up: as a rule a document that decodes to far more than it is.
        case memory
        /// The deadline passed.
        case time
        /// The result was larger than a result may be.
        case output
    }

    /// The input is not what can be worked on: no PDF, damaged, encrypted, signed, too large, no words, an empty secret.
    case refused(String)
    /// There is no mark of this method.
    case notFound(String)
    /// There is a mark, and the key does not open it; or the key is empty or too long.
    case invalidKey(String)
    case killed(Limit)
    /// The worker died of a signal, or ended without an answer that makes sense.
    case crashed(signal: Int32)
    /// The worker asked the kernel for what its filter refuses, such as opening a file: it was taken over, or the filter lacks a call.
    case violation
    /// More jobs are waiting than may wait.
    case busy
    /// The worker cannot be started, or a file cannot be opened or written: a matter of the installation and not of the document.
    case unavailable(String)
}

extension WorkerError {
    /// Stable, of few values: for labels of metrics and fields of security events.
    package var reason: String {
        switch self {
        case .refused: "refused"
        case .notFound: "not_found"
        case .invalidKey: "invalid_key"
        case .killed(let limit): "killed_\(limit.rawValue)"
        case .crashed: "crashed"
        case .violation: "violation"
        case .busy: "busy"
        case .unavailable: "unavailable"
        }
    }

    /// Whether the document deserves a finding: it made a worker die.
    package var isSuspicious: Bool {
        switch self {
        case .killed, .crashed, .violation: true
        case .refused, .notFound, .invalidKey, .busy, .unavailable: false
        }
    }

    /// The HTTP status that says the same: 422 for documents, 503 with a try later for the machine.
    package var httpStatus: Int {
        switch self {
        case .refused, .killed, .crashed, .violation: 422
        case .notFound: 404
        case .invalidKey: 400
        case .busy, .unavailable: 503
        }
    }
}

extension WorkerError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .refused(let message), .notFound(let message), .invalidKey(let message), .unavailable(let message): message
        case .killed(.cpu):
            "The document takes too long to read. Export it again from where it came from, or split it."
        case .killed(.memory):
            "The document needs too much memory to be read. Export it again from where it came from, or split it."
        case .killed(.time):
            "The document was not done in time. Try again; if it happens again, split the document."
        case .killed(.output):
            "The result would be larger than is allowed. Split the document."
        case .crashed, .violation:
            "The document cannot be read safely. Export it again from where it came from."
        case .busy:
            "Too many documents are being worked on. Try again in a moment."
        }
    }
}
