/// A document to read. It is handed to the worker as an open descriptor; this process never looks into it.
package enum DocumentSource: Sendable {
    /// A regular file by its path.
    case file(String)
    /// A regular file, open for reading: still the caller's, and open until the job is over. Its offset is neither used nor moved.
    case descriptor(Int32)
    case bytes([UInt8])
}

/// Where a result goes.
package enum DocumentDestination: Sendable {
    /// A path at which nothing stands yet, in a folder that does.
    ///
    /// The file has no name until it is whole and on disk, where the file system can do that (`O_TMPFILE`; else it is removed when the
    /// job fails): neither a killed worker nor a killed server leaves a part of one.
    case file(String)
    /// A regular file, empty and open for reading and writing: still the caller's. After an error its content is undefined.
    case descriptor(Int32)
}
