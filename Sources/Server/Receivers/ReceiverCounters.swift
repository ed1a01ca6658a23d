import Events
package import Ingest
import Synchronization

/// What became of everything that was sent to one protocol, since this start. Safe to use from any thread.
package final class ReceiverCounters: Sendable {
    /// A snapshot of the counts.
    package struct Counts: Sendable, Equatable {
        package var requests = 0
        package var events = 0
        package var received = ReceivedCounters()
        /// Requests, connections or messages that were not taken, by reason: `token`, `full`, `rate`, `too_large`, …
        package var refused: [String: Int] = [:]
        /// Datagrams that the kernel let go because nobody had read them in time.
        package var kernelDrops = 0
        /// Messages that had been read and were not kept, of protocols that acknowledge nothing. What is refused over HTTP is its sender's
        /// to send again.
        package var lost = 0
        package var lastRefusal = ""
    }

    private let counts = Mutex(Counts())

    package var snapshot: Counts { counts.withLock { $0 } }

    func accept(events: Int, _ received: ReceivedCounters) {
        counts.withLock {
            $0.requests += 1
            $0.events += events
            $0.received += received
        }
    }

    func refuse(_ reason: String, _ detail: String) {
        counts.withLock {
            $0.refused[reason, default: 0] += 1
            $0.lastRefusal = detail
        }
    }

    /// Messages that had been read and could not be kept, and whose sender hears nothing.
    func lose(_ messages: Int) { counts.withLock { $0.lost += messages } }

    func setKernelDrops(_ drops: Int) { counts.withLock { $0.kernelDrops = drops } }
}

extension ReceiverCounters.Counts {
    /// As the counts of a source have it: what its follower cannot count, since it never became a line.
    var losses: SourceCounters {
        var counters = SourceCounters()
        counters.overlong = received.cutMessages
        counters.dropped = kernelDrops + lost + received.rejected
        return counters
    }

    /// What a person should know, in one line; empty when everything was taken as it came.
    package var problem: String {
        var parts: [String] = []
        let all = refused.values.reduce(0, +)
        if all > 0 {
            let reasons = refused.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
            parts.append("\(all) refused (\(reasons)); the last: \(lastRefusal)")
        }
        if received.rejected > 0 {
            parts.append("\(received.rejected) events refused\(received.firstRejection.map { "; the first: \($0)" } ?? "")")
        }
        if kernelDrops > 0 { parts.append("\(kernelDrops) datagrams dropped by the kernel: use TCP, or raise net.core.rmem_max") }
        if lost > 0 { parts.append("\(lost) messages lost: they had been read, and could not be kept") }
        if received.implausibleTimes > 0 {
            parts.append("\(received.implausibleTimes) events with a time too far from their reception")
        }
        if received.cutMessages > 0 { parts.append("\(received.cutMessages) messages cut: they were too long") }
        if received.lostFields > 0 { parts.append("\(received.lostFields) fields left out") }
        return parts.joined(separator: "; ")
    }
}

/// A bucket of tokens: so many events a second, and as many at once as come in two seconds.
struct RateLimit: Sendable {
    private let perSecond: Double
    private var tokens: Double
    private var last: Timestamp

    init(perSecond: Int, now: Timestamp) {
        self.perSecond = Double(perSecond)
        tokens = Double(perSecond) * 2
        last = now
    }

    /// Seconds until something may be sent again; 0 for now.
    mutating func wait(now: Timestamp) -> Int {
        let elapsed = max(0, Double(now.nanoseconds(since: last)) / 1e9)
        last = now
        tokens = min(tokens + elapsed * perSecond, perSecond * 2)
        return tokens > 0 ? 0 : Int((-tokens / perSecond).rounded(.up)) + 1
    }

    /// Events are counted when they are known, which is after they were sent: the next ones wait for them.
    mutating func spend(_ events: Int) { tokens -= Double(events) }
}
