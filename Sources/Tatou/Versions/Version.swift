package import Events
package import Guard

/// A marked copy of a document, made for somebody, served to whoever knows its link.
package struct Version: Sendable, Equatable {
    package var id: Int64
    package var document: Int64
    /// The name of its file; random, and what names it in traces.
    var file: String
    package var intendedFor: String
    package var method: String
    package var position: String?
    /// In hexadecimal: what the file has to be when it is served.
    package var sha256: String
    package var size: Int
    package var createdAt: Timestamp
    /// The link works once.
    package var isSingleUse: Bool
    package var expiresAt: Timestamp?
    package var usedAt: Timestamp?
    /// The document's owner, name and correlation.
    package var owner: Int64
    package var documentName: String
    package var correlation: String

    /// As events and leases name it.
    package var resource: SecurityEvent.Resource {
        SecurityEvent.Resource("version", id: String(id), owner: String(owner), visibility: "unlisted")
    }

    /// The name of the copy as a file.
    package var fileName: String { "\(FileName.slug(FileName.stem(documentName)))__\(FileName.slug(intendedFor)).pdf" }
}

/// What only the owner is shown of a version; sealed in the database.
package struct VersionSecrets: Sendable, Equatable, Codable {
    /// What opens the copy to whoever knows it: 128 random bits in hexadecimal.
    package var link: String
    /// What was embedded.
    package var secret: String
}

/// What somebody asks of a new version.
package struct VersionOrder: Sendable {
    package var method: String
    package var intendedFor: String
    package var secret: String
    package var key: String
    package var position: String?
    package var isSingleUse: Bool
    /// Seconds after which the link ends.
    package var lifetime: Int64?
    /// A link that somebody else determines, as RMAP does; `nil` for a random one.
    package var link: String?

    package init(
        method: String, intendedFor: String, secret: String, key: String, position: String? = nil, isSingleUse: Bool = false,
        lifetime: Int64? = nil, link: String? = nil
    ) {
        self.method = method
        self.intendedFor = intendedFor
        self.secret = secret
        self.key = key
        self.position = position
        self.isSingleUse = isSingleUse
        self.lifetime = lifetime
        self.link = link
    }
}

/// Why a version was not made, read or served.
package enum VersionRefusal: Error, Sendable, Equatable {
    /// The document cannot be marked so, or the order makes no sense: the client's matter.
    case notApplicable(message: String)
    case unknownMethod
    /// The worker failed on the document.
    case failed(ProcessingFailure)
    /// There is no mark, or the key does not open it.
    case unreadable(ProcessingFailure)
    /// The copy's file is not what was issued.
    case damaged(Version, isMissing: Bool)
    case notFound
    /// The link's time is over, or it was used.
    case ended(Version)
    /// A link that was asked for is taken.
    case linkTaken
}
