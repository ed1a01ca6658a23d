/// What can go wrong with a journal: each says what happened, to what, and what to do.
package enum JournalError: Error, Sendable {
    /// The files do not hold what was written to them.
    case damaged(JournalDamage)
    /// The tree beside the segments does not belong to them.
    case tree(TreeDamage)
    /// Another process writes this journal.
    case locked(directory: String, holder: Int32?)
    /// A system call failed.
    case file(FileError)
    /// An earlier write failed; nothing is appended until the journal is opened anew.
    indirect case poisoned(cause: JournalError)
    case closed
    case invalidDraft(type: String, reason: String)
    /// One entry's canonical bytes exceed ``Entry/byteLimit``.
    case entryTooLarge(type: String, byteCount: Int)
    /// The drafts of one append exceed ``Frame/bodyLimit``.
    case appendTooLarge(byteCount: Int)
    /// Keys for personal fields could not be had, or did not seal.
    case keys(any Error)

    package struct FileError: Error, Hashable, Sendable {
        package var operation: String
        package var path: String
        /// The system's `errno`.
        package var code: Int32

        package init(operation: String, path: String, code: Int32) {
            self.operation = operation
            self.path = path
            self.code = code
        }
    }
}

extension JournalError {
    /// Short and stable, for logs and interfaces.
    package var code: String {
        switch self {
        case .damaged: "journal-damaged"
        case .tree: "journal-tree"
        case .locked: "journal-locked"
        case .file: "journal-file"
        case .poisoned: "journal-poisoned"
        case .closed: "journal-closed"
        case .invalidDraft: "entry-invalid"
        case .entryTooLarge: "entry-too-large"
        case .appendTooLarge: "append-too-large"
        case .keys: "entry-keys"
        }
    }
}

extension JournalError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .damaged(let damage):
            damage.description
        case .tree(let damage):
            damage.description
        case .locked(let directory, let holder):
            "the journal \(directory) is in use by \(holder.map { "process \($0)" } ?? "another process"). "
                + "Stop that process first, or give this one another data folder."
        case .file(let error):
            error.description
        case .poisoned(let cause):
            "the journal takes no more entries since a write failed: \(cause). "
                + "What was acknowledged is safe. Remove the cause, then start again."
        case .closed:
            "the journal is closed. Open it again to append."
        case .invalidDraft(let type, let reason):
            "an entry of type \(type) cannot be written: \(reason). Nothing of this append was recorded."
        case .entryTooLarge(let type, let byteCount):
            "an entry of type \(type) has \(byteCount) bytes, more than \(Entry.byteLimit). "
                + "Keep large content as evidence and record its hash. Nothing of this append was recorded."
        case .appendTooLarge(let byteCount):
            "an append of \(byteCount) bytes is more than \(Frame.bodyLimit). Split it. Nothing of it was recorded."
        case .keys(let cause):
            "the keys for personal fields could not be had: \(cause). Nothing of this append was recorded."
        }
    }
}

extension JournalError.FileError: CustomStringConvertible {
    package var description: String {
        "\(operation) \(path): \(FileSystem.message(for: code)). \(remedy)"
    }

    private var remedy: String {
        if FileSystem.isOutOfSpace(code) { return "Free space on that disk (or raise the limit), then start again." }
        if FileSystem.isMissing(code) { return "Check the path." }
        if FileSystem.isForbidden(code) { return "Give this user access to it." }
        return "Check the disk and the system's log, then start again."
    }
}
