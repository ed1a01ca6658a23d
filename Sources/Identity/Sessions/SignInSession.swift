package import Events

/// One browser that is signed in. The token itself is only in the browser's cookie.
package struct SignInSession: Sendable, Equatable {
    package var digest: TokenDigest
    package var accountID: String
    package var createdAt: Timestamp
    /// Written at most once a minute (``SessionRules/touchInterval``).
    package var lastSeenAt: Timestamp
    package var means: SignInMeans

    package init(
        digest: TokenDigest, accountID: String, createdAt: Timestamp, lastSeenAt: Timestamp, means: SignInMeans = .password
    ) {
        self.digest = digest
        self.accountID = accountID
        self.createdAt = createdAt
        self.lastSeenAt = lastSeenAt
        self.means = means
    }
}

/// How somebody signed in.
package enum SignInMeans: String, Sendable, CaseIterable {
    /// Here, with the code of a second factor where the account has one.
    case password
    case provider
    /// The provider said that it asked for a second factor.
    case providerWithSecondFactor = "provider_second_factor"
}

/// How long a session lasts.
package struct SessionRules: Sendable, Equatable {
    /// Seconds without a request after which a session is over.
    package var idle: Int64
    /// Seconds after sign-in at which a session is over whatever happens.
    package var absolute: Int64
    /// The same for sessions through a provider: so often it is asked again whether there is still a role.
    package var providerAbsolute: Int64
    /// Seconds between two writes of `lastSeenAt`: reading a page must not cost a database write each time.
    package var touchInterval: Int64

    package init(
        idle: Int64 = 12 * 3600, absolute: Int64 = 7 * 86_400, providerAbsolute: Int64 = 12 * 3600, touchInterval: Int64 = 60
    ) {
        self.idle = idle
        self.absolute = absolute
        self.providerAbsolute = providerAbsolute
        self.touchInterval = touchInterval
    }

    /// A session from the future (the clock went back) counts as just begun, not as expired.
    package func isValid(_ session: SignInSession, at now: Timestamp) -> Bool {
        now < session.lastSeenAt.advanced(bySeconds: idle)
            && now < session.createdAt.advanced(bySeconds: lifetime(of: session.means))
    }

    /// Seconds after sign-in.
    package func lifetime(of means: SignInMeans) -> Int64 { means == .password ? absolute : min(absolute, providerAbsolute) }

    package func needsTouch(_ session: SignInSession, at now: Timestamp) -> Bool {
        now >= session.lastSeenAt.advanced(bySeconds: touchInterval)
    }
}
