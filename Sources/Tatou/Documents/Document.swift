package import Events
package import Guard

/// An original that somebody uploaded.
package struct Document: Sendable, Equatable {
    package var id: Int64
    /// As the owner calls it.
    package var name: String
    /// The name of its file; random.
    var file: String
    package var owner: Int64
    package var createdAt: Timestamp
    /// In hexadecimal.
    package var sha256: String
    /// In bytes.
    package var size: Int
    package var pages: Int
    /// Ties the upload, the versions made of it and their reading together in the log.
    package var correlation: String

    /// As events and leases name it.
    package var resource: SecurityEvent.Resource {
        SecurityEvent.Resource("document", id: String(id), owner: String(owner), visibility: "private")
    }
}

/// Why a document was not accepted, shown or changed.
package enum DocumentRefusal: Error, Sendable, Equatable {
    case fault(SecurityEvent.UploadFault, message: String)
    /// What it does, or carries, is among what the platform takes in from nobody.
    case unwanted([ContentFinding])
    /// A scanner found malware, and calls it so.
    case infected(signature: String)
    /// Not what can be worked on; `message` says why.
    case unprocessable(message: String)
    case notFound
    /// Somebody else's; answered as if it were not there.
    case notOwner(Document)
    /// Its file is not what was uploaded, or is gone.
    case damaged(Document, isMissing: Bool)
    /// The account's share of the disk is used up.
    case quota
    case busy(message: String)
}
