extension SecurityEvent {
    /// What was done with an object that is read.
    public enum Reading: String, Sendable, CaseIterable {
        /// Its content or its record was fetched.
        case retrieved
        /// Saved as a file.
        case downloaded
        /// Shown.
        case viewed
        /// Taken out with others.
        case exported
    }

    /// What let somebody read an object who does not own it.
    public enum Grant: String, Sendable, CaseIterable {
        /// The owner shared it.
        case shared
        /// A right was given.
        case granted
        /// Whoever knows the link may read.
        case capabilityLink = "capability_link"
        /// By office.
        case moderator
        /// By office.
        case administrator
    }

    /// Why an authorization was denied.
    public enum Denial: String, Sendable, CaseIterable {
        /// It belongs to somebody else; also when the answer is 404.
        case notOwner = "not_owner"
        /// Not allowed.
        case forbidden
        /// The role does not suffice.
        case insufficientRole = "insufficient_role"
    }

    /// What a check of an upload found.
    public enum UploadFault: String, Sendable, CaseIterable {
        /// No file in the form.
        case missingFile = "missing_file"
        /// Over the limit.
        case tooLarge = "too_large"
        /// A type that is not accepted.
        case badMIME = "bad_mime"
        /// An extension that is not accepted.
        case badExtension = "bad_extension"
        /// The content is not what the type says.
        case typeMismatch = "type_mismatch"
        /// The name leaves the folder.
        case pathTraversal = "path_traversal"
        /// Valid as several types.
        case polyglot
        /// The content cannot be read.
        case parseError = "parse_error"
        /// Grows without measure when unpacked.
        case decompressionBomb = "decompression_bomb"
        /// More pixels than memory.
        case pixelFlood = "pixel_flood"
        /// A scanner found something.
        case infected
        /// Scripts, programs to start, files inside: more than what is shown. Also the reason of an upload that was accepted all the same.
        case activeContent = "active_content"
    }

    /// An object was served. Write it for every read, with the owner: that is what shows a private object in wrong hands.
    public static func read(_ resource: Resource, _ reading: Reading = .retrieved, grant: Grant? = nil) -> SecurityEvent {
        SecurityEvent("\(resource.type)_\(reading.rawValue)", category: "web", outcome: .success, reason: grant?.rawValue).with {
            $0.resource = resource
        }
    }

    /// An object was not served to somebody without a right to it.
    public static func readDenied(_ resource: Resource, _ reading: Reading = .retrieved, reason: Denial) -> SecurityEvent {
        SecurityEvent("\(resource.type)_\(reading.rawValue)", category: "web", outcome: .failure, reason: reason.rawValue).with {
            $0.resource = resource
        }
    }

    /// Something else than a read was denied.
    public static func authorizationDenied(_ action: String, reason: Denial, resource: Resource? = nil) -> SecurityEvent {
        SecurityEvent(action, category: "web", outcome: .failure, reason: reason.rawValue).with { $0.resource = resource }
    }

    /// An upload was accepted (`fault` is `nil`) or refused. `kind` is `document`, `image`, …
    public static func upload(_ kind: String, file: String, fault: UploadFault? = nil) -> SecurityEvent {
        SecurityEvent("\(kind)_upload", category: "file", outcome: fault == nil ? .success : .failure, reason: fault?.rawValue)
            .with { $0.file = file }
    }

    /// A scanner's verdict on a file; `signature` is the scanner's name for what it found.
    public static func malwareDetected(file: String, signature: String) -> SecurityEvent {
        SecurityEvent("malware_detected", category: "malware", outcome: .failure, reason: "infected").with {
            $0.file = file
            $0.details["threat.indicator.name"] = signature
        }
    }
}
