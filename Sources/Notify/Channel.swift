package import Events

/// A way to tell somebody something. One attempt; whoever calls keeps count, waits and tries again.
package protocol Channel: Sendable {
    /// Hands the message over, under its key: where the other side honours the key, a repeat is none there.
    func deliver(_ message: Message) async throws(DeliveryFailure)
    /// The same, of a message that others are to follow.
    ///
    /// - Returns: the other side's name of the thread that it opened; `nil` where it has no threads.
    func open(_ message: Message) async throws(DeliveryFailure) -> String?
}

extension Channel {
    package func open(_ message: Message) async throws(DeliveryFailure) -> String? {
        try await deliver(message)
        return nil
    }
}

/// Why a message did not get there, as far as is known. Carries no address and no secret.
package struct DeliveryFailure: Error, Sendable, Equatable {
    package var reason: String
    /// Trying again as it is will not help.
    package var isPermanent: Bool
    /// Attempts that are worth making, where they are fewer than usual: it will most likely stay as it is, unless a person mends it.
    package var maximumAttempts: Int?

    package init(_ reason: String, isPermanent: Bool = false, maximumAttempts: Int? = nil) {
        self.reason = reason
        self.isPermanent = isPermanent
        self.maximumAttempts = maximumAttempts
    }
}

/// What somebody is told.
package struct Message: Sendable, Equatable {
    package enum Purpose: String, Sendable {
        case page, clock, stop, digest, room
    }

    /// The same for every attempt.
    package var key: String
    package var purpose: Purpose
    /// The one it is about; for a digest the worst of them.
    package var incident: String
    package var severity: String
    /// One line: what happened, and why this person is told.
    package var subject: String
    /// More lines, if any.
    package var details: [String]
    /// The incident's page on the console.
    package var link: String?
    /// Where to acknowledge it without a sign-in.
    package var acknowledge: String?
    package var isDrill: Bool
    package var time: Timestamp
    /// The person's address on the channel, where it needs one.
    package var address: String?
    /// The other side's name of the thread that it belongs to.
    package var thread: String?
    /// Of a digest: one of its pages is an alarm by itself.
    package var holdsAlarm = false

    /// A critical incident, no drill, for which somebody has to come: worth everybody's attention, once; reminders are not.
    package var isAlarm: Bool {
        switch purpose {
        case .page: severity == "P0" && !isDrill
        case .digest: holdsAlarm
        case .clock, .stop, .room: false
        }
    }

    package init(
        key: String, purpose: Purpose, incident: String, severity: String, subject: String, details: [String], link: String?,
        isDrill: Bool, time: Timestamp, address: String?
    ) {
        self.key = key
        self.purpose = purpose
        self.incident = incident
        self.severity = severity
        self.subject = subject
        self.details = details
        self.link = link
        self.isDrill = isDrill
        self.time = time
        self.address = address
    }

    /// The subject on one line, without control characters: rule titles and what people type end up here.
    var line: String {
        let text = (isDrill ? "[DRILL] " : "") + subject
        return String(String.UnicodeScalarView(text.unicodeScalars.map { $0.properties.generalCategory == .control ? " " : $0 }))
    }

    var lines: [String] {
        [line] + details + (acknowledge.map { ["Acknowledge: \($0)"] } ?? []) + (link.map { ["Open: \($0)"] } ?? [])
    }
}
