package import Events

/// Somebody is to be told of an incident: written down before it is carried out, so that it is neither forgotten nor made up.
package struct PageIntent: Sendable, Equatable {
    package enum Purpose: String, Sendable, CaseIterable {
        /// Somebody has to come.
        case page
        /// A clock ran out.
        case clock
        /// Containment is wanted and not in force, or should have ended and has not.
        case containment
        /// The other side keeps paging of its own accord, and is told to stop.
        case stop
        /// A message of the war room.
        case room
    }

    /// Of incident, cycle, policy, step, target and channel, and from the second time on the same policy of how often that was; the
    /// other side knows the message by it.
    package var key: String
    package var incident: String
    package var cycle: Int
    package var purpose: Purpose
    /// The policy's step, such as `L2`; or the clock.
    package var step: String
    /// As the policy names it: `rotation:primary`.
    package var target: String
    package var channel: String
    /// Who the target is at this time: a person's id in the policy; `nil` for a channel alone.
    package var person: String?
    /// The person's address on the channel.
    package var address: String?
    /// A person's key was erased, and with it person and address.
    package var isErased = false

    static let stopSuffix = "/stop"

    /// The key of the page that it stops.
    package var stops: String? {
        purpose == .stop && key.hasSuffix(PageIntent.stopSuffix) ? String(key.dropLast(PageIntent.stopSuffix.count)) : nil
    }

    package init(
        key: String, incident: String, cycle: Int, purpose: Purpose, step: String, target: String, channel: String,
        person: String?, address: String?
    ) {
        self.key = key
        self.incident = incident
        self.cycle = cycle
        self.purpose = purpose
        self.step = step
        self.target = target
        self.channel = channel
        self.person = person
        self.address = address
    }
}

/// What became of a page.
package struct PageEvent: Sendable, Equatable {
    package enum What: Sendable, Equatable {
        case intended(PageIntent)
        /// It is handed to the channel next; whether it got there is known by what follows.
        /// In a digest, which has a key of its own: the same for each attempt, as that of a page.
        case attempted(number: Int, digest: String? = nil)
        /// - Parameter thread: the other side's name of the thread that it opened.
        case sent(number: Int, thread: String? = nil)
        /// - Parameter retryAt: `nil` where it was not wanted any more by then.
        case failed(number: Int, reason: String, retryAt: Timestamp?)
        /// Given up: a person has to look.
        case dead(number: Int, reason: String)
        /// Not needed any more.
        case cancelled(reason: String)
    }

    package var incident: String
    package var key: String
    package var at: Timestamp
    package var what: What

    package init(incident: String, key: String, at: Timestamp, what: What) {
        self.incident = incident
        self.key = key
        self.at = at
        self.what = what
    }
}

/// Where a page stands.
package struct PageState: Sendable, Equatable {
    package enum Status: String, Sendable {
        case waiting, sent, dead, cancelled
    }

    package let intent: PageIntent
    package let intendedAt: Timestamp
    package internal(set) var status = Status.waiting
    /// Times it was handed to the channel; more than one are repeats that the receiver knows by the key.
    package internal(set) var attempts = 0
    package internal(set) var nextAttempt: Timestamp
    package internal(set) var lastFailure: String?
    /// The other side's name of the thread that it opened, where it has threads.
    package internal(set) var thread: String?
    /// The digest that it was handed over in, if any. What was handed over once goes in the same company ever after: in another, the
    /// other side could not know it for a repeat.
    package internal(set) var digest: String?

    init(_ intent: PageIntent, at time: Timestamp) {
        self.intent = intent
        intendedAt = time
        nextAttempt = time
    }

    mutating func apply(_ event: PageEvent) {
        switch event.what {
        case .intended: break
        case .attempted(let number, let digest):
            attempts = number
            self.digest = digest
            nextAttempt = event.at
        case .sent(_, let thread):
            status = .sent
            self.thread = thread
        case .failed(_, let reason, let retryAt):
            lastFailure = reason
            nextAttempt = retryAt ?? nextAttempt
        case .dead(_, let reason):
            status = .dead
            lastFailure = reason
        case .cancelled: status = .cancelled
        }
    }
}
