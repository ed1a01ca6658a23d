package import Events

/// Somebody whose personal data an entry may hold, and who may ask for it to be erased.
package struct Subject: Hashable, Sendable {
    package enum Kind: String, Hashable, Sendable, CaseIterable {
        case ip
        case user
    }

    package var kind: Kind
    /// The address or account name as the caller normalised it: the same subject has to be spelled the same way every time.
    package var value: String

    package init(kind: Kind, value: String) {
        self.kind = kind
        self.value = value
    }
}

/// One value about people, sealed so that erasing any of its subjects blanks it for good.
package struct PersonalField: Hashable, Sendable {
    /// What the field is called; stays readable after erasure. ECS names where there is one, such as `source.ip`.
    package var name: String
    /// Everybody the value tells something about; at least one.
    package var subjects: [Subject]
    package var value: JSONValue

    package init(name: String, subjects: [Subject], value: JSONValue) {
        self.name = name
        self.subjects = subjects
        self.value = value
    }
}

/// What a caller wants recorded; becomes an ``Entry`` when the journal gives it a sequence.
package struct EntryDraft: Hashable, Sendable {
    /// What happened, such as `finding.recorded`: lower-case words and digits joined by `.` and `_`, at most 64 bytes.
    package var type: String
    /// When it happened, as far as is known; apart from when it is recorded.
    package var occurredAt: Timestamp
    /// Who did it: `system` or an account id. Never a name or an address, which would be personal and stay readable.
    package var actor: String
    /// Everything that is not personal; stays readable for ever.
    package var data: [String: JSONValue]
    package var personal: [PersonalField]

    package init(
        type: String,
        occurredAt: Timestamp,
        actor: String,
        data: [String: JSONValue] = [:],
        personal: [PersonalField] = []
    ) {
        self.type = type
        self.occurredAt = occurredAt
        self.actor = actor
        self.data = data
        self.personal = personal
    }

    /// Refuses what could not be read back.
    func validate() throws(JournalError) {
        if let reason = Entry.objection(toType: type) ?? Entry.objection(toActor: actor) {
            throw .invalidDraft(type: type, reason: reason)
        }
        var names: Set<String> = []
        for field in personal {
            guard !field.name.isEmpty, names.insert(field.name).inserted else {
                throw .invalidDraft(type: type, reason: "personal fields need names, each its own")
            }
            guard !field.subjects.isEmpty else {
                throw .invalidDraft(type: type, reason: "personal field \(field.name) names no subject: nobody could erase it")
            }
        }
    }
}
