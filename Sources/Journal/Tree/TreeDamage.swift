/// What is wrong with the tree beside a journal: which file, why, and what to do.
package struct TreeDamage: Error, Hashable, Sendable {
    package enum Reason: Hashable, Sendable {
        /// A checkpoint is no signed note, or its signature is wrong.
        case checkpoint(String)
        /// One was published.
        case checkpointMissing
        /// A newer one was published.
        case checkpointRolledBack(size: UInt64, published: UInt64)
        /// The checkpoint is about more entries than there are.
        case entriesMissing(size: UInt64, count: UInt64)
        /// The entries do not have the root that was signed for them: they, or the checkpoint, belong to another history.
        case forked(size: UInt64)
        case tileMissing
        /// From this entry on (of a higher level: in this part of the tree).
        case tile(entry: UInt64)
        case bundleMissing
        case bundle(entry: UInt64)
        /// A file that no tree of this size has.
        case foreignFile
        case timestamp(String)
        /// A count that is not one.
        case mark
        case key(String)
    }

    package var file: String
    package var reason: Reason

    package init(file: String, reason: Reason) {
        self.file = file
        self.reason = reason
    }

    /// Short and stable.
    package var code: String {
        switch reason {
        case .checkpoint: "checkpoint"
        case .checkpointMissing: "checkpoint-missing"
        case .checkpointRolledBack: "checkpoint-rolled-back"
        case .entriesMissing: "entries-missing"
        case .forked: "forked"
        case .tileMissing: "tile-missing"
        case .tile: "tile"
        case .bundleMissing: "bundle-missing"
        case .bundle: "bundle"
        case .foreignFile: "foreign-file"
        case .timestamp: "timestamp"
        case .mark: "mark"
        case .key: "key"
        }
    }
}

extension TreeDamage: CustomStringConvertible {
    package var description: String { "\(file): \(what). \(remedy)" }

    private var what: String {
        switch reason {
        case .checkpoint(let why): "the checkpoint is not valid: \(why)"
        case .checkpointMissing: "the checkpoint is missing, although one was published"
        case .checkpointRolledBack(let size, let published):
            "the checkpoint is about \(size) entries, but one about \(published) was published: it was rolled back"
        case .entriesMissing(let size, let count): "\(size) entries were signed for, only \(count) are there"
        case .forked(let size): "the first \(size) entries do not have the root that was signed for them"
        case .tileMissing: "the tile is missing"
        case .tile(let entry): "the tile does not hold the hashes of the entries; the first that differs is about entry \(entry)"
        case .bundleMissing: "the bundle of entries is missing"
        case .bundle(let entry): "the bundle does not hold the journal's entries; the first that differs is \(entry)"
        case .foreignFile: "no tree of this size has such a file"
        case .timestamp(let why): "the timestamp does not belong to its checkpoint: \(why)"
        case .mark: "the file was changed: its check does not fit its count"
        case .key(let why): "the key cannot be used: \(why)"
        }
    }

    private var remedy: String {
        switch reason {
        case .tileMissing, .tile, .bundleMissing, .bundle, .foreignFile:
            "Tiles are made from the entries: stop the server, remove the folder `tile`, start again."
        case .key:
            "Bring the key back from a backup, or give this user access to it."
        case .timestamp:
            "Bring the file back from a backup, or remove it and ask for another."
        case .checkpoint, .checkpointMissing, .checkpointRolledBack, .entriesMissing, .forked, .mark:
            "Nothing was changed. Keep a copy of the data folder, find out who changed it, and bring the whole folder back from a backup; "
                + "hold it against a checkpoint that a witness or a report has."
        }
    }
}
