import Events

extension Entry {
    /// Why bytes are no entry.
    package struct FormError: Error, Hashable, Sendable, CustomStringConvertible {
        package var description: String
    }

    /// Reads an entry from its canonical bytes.
    ///
    /// Members, types and ranges are checked; that the bytes are the canonical spelling is not (``isCanonical``), since a leaf hash
    /// that fits already says they are the bytes that were written.
    package init(parsing bytes: [UInt8]) throws(FormError) {
        try self.init(try Self.document(bytes), bytes)
    }

    /// Reads an entry, and says whether its bytes are canonical, at less cost than asking it afterwards.
    static func check(_ bytes: [UInt8]) throws(FormError) -> (entry: Entry, isCanonical: Bool) {
        let document = try document(bytes)
        return (try Entry(document, bytes), (try? document.canonicalBytes()) == bytes)
    }

    private static func document(_ bytes: [UInt8]) throws(FormError) -> JSONValue {
        guard bytes.count <= Entry.byteLimit else {
            throw FormError(description: "\(bytes.count) bytes, more than \(Entry.byteLimit)")
        }
        do {
            return try JSONValue(parsing: bytes)
        } catch {
            throw FormError(description: error.description)
        }
    }

    private init(_ document: JSONValue, _ bytes: [UInt8]) throws(FormError) {
        guard let members = document.objectValue, Set(members.keys) == Self.memberNames else {
            throw FormError(description: "an entry has the members \(Self.memberNames.sorted().joined(separator: ", "))")
        }
        guard members["v"] == .integer(Self.version) else {
            throw FormError(description: "version \(members["v"] ?? .null) is not known here")
        }
        guard let sequence = members["seq"]?.integerValue.flatMap(UInt64.init(exactly:)) else {
            throw FormError(description: "seq is no sequence")
        }
        guard let type = members["type"]?.stringValue, Self.objection(toType: type) == nil else {
            throw FormError(description: "type is no entry type")
        }
        guard let actor = members["actor"]?.stringValue, Self.objection(toActor: actor) == nil else {
            throw FormError(description: "actor is none")
        }
        guard let data = members["data"]?.objectValue else { throw FormError(description: "data is no object") }
        self.sequence = sequence
        self.type = type
        self.actor = actor
        self.data = data
        occurredAt = try Self.time(members["occurred_at"], name: "occurred_at")
        recordedAt = try Self.time(members["recorded_at"], name: "recorded_at")
        sealed = try Self.sealedFields(members["sealed"])
        canonicalBytes = bytes
        leafHash = .leaf(bytes)
    }

    /// Gives a draft its place in the journal, with its personal fields already sealed for that place.
    init(
        _ draft: EntryDraft,
        sequence: UInt64,
        recordedAt: Timestamp,
        sealed: [String: SealedField]
    ) throws(JournalError) {
        guard [draft.occurredAt, recordedAt].allSatisfy({ Self.years.contains($0.date.year) }) else {
            throw .invalidDraft(type: draft.type, reason: "its times have to lie in the years 1678 to 2261")
        }
        let document: JSONValue = [
            "actor": .string(draft.actor),
            "data": .object(draft.data),
            "occurred_at": .string(draft.occurredAt.rfc3339),
            "recorded_at": .string(recordedAt.rfc3339),
            "sealed": .object(sealed.mapValues(\.document)),
            "seq": .integer(Int64(clamping: sequence)),
            "type": .string(draft.type),
            "v": .integer(Self.version),
        ]
        let bytes: [UInt8]
        do {
            bytes = try document.canonicalBytes()
        } catch {
            throw .invalidDraft(type: draft.type, reason: error.description)
        }
        guard bytes.count <= Self.byteLimit else { throw .entryTooLarge(type: draft.type, byteCount: bytes.count) }
        do {
            // Read back at once: what the caller gets is what a replay will get, and nothing unreadable is ever written.
            try self.init(parsing: bytes)
        } catch {
            throw .invalidDraft(type: draft.type, reason: error.description)
        }
    }

    /// Whether the bytes are the one spelling RFC 8785 gives this document.
    package var isCanonical: Bool {
        do {
            return try JSONValue(parsing: canonicalBytes).canonicalBytes() == canonicalBytes
        } catch {
            return false
        }
    }

    private static let memberNames: Set<String> = [
        "actor", "data", "occurred_at", "recorded_at", "sealed", "seq", "type", "v",
    ]

    /// Whole years that a ``Timestamp`` reaches; its first and last moments lie outside and have no RFC 3339 form.
    private static let years = 1678...2261

    private static func time(_ value: JSONValue?, name: String) throws(FormError) -> Timestamp {
        // The text has to be the one this project writes, so that one moment has one spelling.
        guard let text = value?.stringValue, let time = Timestamp(rfc3339: text), time.rfc3339 == text else {
            throw FormError(description: "\(name) is no RFC 3339 time in UTC")
        }
        return time
    }

    private static func sealedFields(_ value: JSONValue?) throws(FormError) -> [String: SealedField] {
        guard let members = value?.objectValue else { throw FormError(description: "sealed is no object") }
        var fields: [String: SealedField] = [:]
        for (name, document) in members {
            guard let field = SealedField(document) else {
                throw FormError(description: "sealed field \(name) lacks its keys or its box")
            }
            fields[name] = field
        }
        return fields
    }
}

extension SealedField {
    fileprivate init?(_ document: JSONValue) {
        guard let members = document.objectValue, members.count == 2,
            let keys = members["keys"]?.arrayValue?.compactMap(\.stringValue), !keys.isEmpty,
            keys.count == members["keys"]?.arrayValue?.count, keys == Set(keys).sorted(),
            let box = members["box"]?.stringValue.flatMap({ Base64.decode($0) }), box.count >= FieldSeal.overhead
        else { return nil }
        self.keys = keys
        self.box = box
    }

    fileprivate var document: JSONValue {
        ["keys": .array(keys.map(JSONValue.string)), "box": .string(Base64.encode(box))]
    }
}
