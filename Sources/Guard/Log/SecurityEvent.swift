/// One line of the security log: a decision about somebody, in the words of the Elastic Common Schema.
///
/// Use the factories: ``loginFailed(name:reason:)``, ``read(_:by:outcome:)`` and their like carry the names that Vigie's rules read.
/// Make one of your own only for what they do not name. The request's fields are added when the event is recorded.
public struct SecurityEvent: Sendable, Equatable {
    /// How a decision ended; a refusal is a failure.
    public enum Outcome: String, Sendable {
        /// Let in, served, accepted.
        case success
        /// Refused or failed.
        case failure
    }

    /// How much a line matters; `error` and `critical` are counted by rules.
    public enum Level: String, Sendable {
        /// Detail.
        case debug
        /// As intended.
        case info
        /// Refused.
        case warning
        /// Something of the application's own failed.
        case error
        /// It cannot go on.
        case critical
    }

    /// An object that belongs to somebody.
    public struct Resource: Sendable, Equatable {
        /// `document`, `image`, …
        public var type: String
        /// The object's identifier.
        public var id: String
        /// The owner's identifier, comparable with the user's.
        public var owner: String?
        /// `public`, `unlisted` or `private`.
        public var visibility: String?

        /// An object.
        public init(_ type: String, id: String, owner: String? = nil, visibility: String? = nil) {
            self.type = type
            self.id = id
            self.owner = owner
            self.visibility = visibility
        }
    }

    /// `event.category`.
    public var category: String
    /// `event.action`: a verb phrase in lower case with underscores.
    public var action: String
    /// `event.outcome`.
    public var outcome: Outcome
    /// `event.reason`.
    public var reason: String?
    /// `log.level`.
    public var level: Level
    /// `user.id`, where it is not the request's subject.
    public var user: String?
    /// `user.name`: for a failed sign-in what was typed.
    public var name: String?
    /// `user.target.id`: who receives a role.
    public var target: String?
    /// `token.id`: the identifier or a hash, never the token.
    public var token: String?
    /// `resource.*`.
    public var resource: Resource?
    /// `file.name`: the client's name for an upload, before anything is cut off it.
    public var file: String?
    /// `http.response.status_code`, where it is known.
    public var status: Int?
    /// Members of the application's own; a name that sounds secret loses its value.
    public var details: [String: String] = [:]

    /// An event that no factory names.
    public init(_ action: String, category: String, outcome: Outcome, reason: String? = nil, level: Level? = nil) {
        self.category = category
        self.action = action
        self.outcome = outcome
        self.reason = reason
        self.level = level ?? (outcome == .success ? .info : .warning)
    }

    /// The event with `change` made to it: `.loginSucceeded(user: id).with { $0.token = hash }`.
    public func with(_ change: (inout SecurityEvent) -> Void) -> SecurityEvent {
        var event = self
        change(&event)
        return event
    }
}
