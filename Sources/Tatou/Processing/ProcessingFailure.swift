/// Why a document could not be read, marked or traced. Holds nothing of the document, the secret or the key.
package struct ProcessingFailure: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Kind: Sendable, Equatable {
        /// No PDF, damaged, encrypted, signed, no words: the document's matter.
        case refused
        case notFound
        case invalidKey
        /// The worker was stopped at its limit of time.
        case tooSlow
        /// The worker was stopped at its limit of memory or output: the document decodes to far more than it is.
        case tooLarge
        /// The worker died, or asked for what it may not.
        case crashed
        /// Too much work is waiting.
        case busy
        /// A matter of the installation.
        case unavailable
    }

    package var kind: Kind
    /// What happened and what to do, for whoever sent the document.
    package var message: String

    package init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }

    package var description: String { message }

    /// Whether the document deserves a finding: it made a worker die.
    package var isSuspicious: Bool {
        switch kind {
        case .tooSlow, .tooLarge, .crashed: true
        case .refused, .notFound, .invalidKey, .busy, .unavailable: false
        }
    }
}
