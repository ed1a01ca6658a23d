import HTTPTypes

/// How long a body may take. A sender that trickles holds a connection and memory: after half a minute it must have sent at least 1 KiB a
/// second, and whatever it has sent before, there is an end, after which the largest body must have come at 64 KiB a second.
struct BodyPace {
    let limit: Int

    var deadline: Int { 30 + limit / (64 << 10) }

    /// - Parameter bytes: that have come after so long.
    func check(_ bytes: Int, after elapsed: Duration) throws(HTTPRefusal) {
        let seconds = Int(elapsed.components.seconds)
        guard seconds <= 30 || (bytes >= seconds * 1_024 && seconds <= deadline) else {
            throw HTTPRefusal(
                .requestTimeout, "slow", "the body arrives too slowly: \(bytes) bytes in \(seconds) s", isBodyUnread: true)
        }
    }
}

/// How long an entry of a journal may take. The upload that it comes in may be as long as a journal and as quiet as its machine, so its
/// length and its silence say nothing. An entry that has begun is another matter: its sender has all of it. While one is arriving, each
/// half a minute has to bring 30 KiB or an entry's end; what came fast before buys no time.
///
/// An entry ends with an empty line. One within a field's bytes is taken for an end, too: whoever writes it has won no more than with
/// an entry of nothing.
struct EntryPace: Sendable, Equatable {
    private let window: Duration
    private let bytesInWindow: Int
    /// When the newest window of the entry that is arriving began.
    private var began: ContinuousClock.Instant?
    private var bytes = 0
    private var endsWithFeed = false

    init(window: Duration = .seconds(30), bytes: Int = 30 << 10) {
        self.window = window
        bytesInWindow = bytes
    }

    mutating func take(_ piece: some Collection<UInt8>, at now: ContinuousClock.Instant) throws(HTTPRefusal) {
        guard !piece.isEmpty else { return }
        let (hasEnd, isAtEnd) = ends(piece)
        if isAtEnd {
            began = nil
            bytes = 0
            return
        }
        guard !hasEnd, let since = began else {
            began = now
            bytes = piece.count
            return
        }
        bytes += piece.count
        guard now - since > window else { return }
        guard bytes >= bytesInWindow else {
            throw HTTPRefusal(
                .requestTimeout, "slow", "an entry arrives too slowly: \(bytes) bytes in \((now - since).components.seconds) s",
                isBodyUnread: true)
        }
        began = now
        bytes = 0
    }

    /// Whether an entry ends in these bytes, and whether one ends with them.
    private mutating func ends(_ piece: some Collection<UInt8>) -> (any: Bool, last: Bool) {
        var found = false
        var isAtEnd = false
        for byte in piece {
            isAtEnd = byte == 0x0A && endsWithFeed
            endsWithFeed = byte == 0x0A
            found = found || isAtEnd
        }
        return (found, isAtEnd)
    }
}
