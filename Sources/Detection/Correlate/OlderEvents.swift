import Events

/// What is kept of a group's events beyond the newest that are evidence: their times, with how many or with their values.
///
/// Events of one time are one entry where only their number matters, so a flood costs 16 bytes per distinct time.
struct OlderEvents: Sendable {
    private var times: [Int64] = []
    /// The number of events of that time; for sums and percentiles the bits of one event's value.
    private var payloads: [UInt64] = []
    /// Entries before this have run out; removed in bulk.
    private var start = 0
    let countsByTime: Bool
    /// Events in all entries.
    private(set) var total = 0
    /// Whether their users, or their addresses, were not all the same; and which it was.
    private(set) var user: UInt32
    private(set) var usersDiffer = false
    private(set) var address: IPAddress?
    private(set) var addressesDiffer = false

    init(countsByTime: Bool, first: CountedEvent) {
        self.countsByTime = countsByTime
        user = first.user
        address = first.address
    }

    init(
        countsByTime: Bool, entries: [(time: Int64, payload: UInt64)], user: UInt32, usersDiffer: Bool, address: IPAddress?,
        addressesDiffer: Bool
    ) {
        self.countsByTime = countsByTime
        self.user = user
        self.usersDiffer = usersDiffer
        self.address = address
        self.addressesDiffer = addressesDiffer
        times = entries.map(\.time)
        payloads = entries.map(\.payload)
        total = countsByTime ? entries.reduce(0) { $0 + Int(truncatingIfNeeded: $1.payload) } : entries.count
    }

    var entryCount: Int { times.count - start }
    var firstTime: Int64? { start < times.count ? times[start] : nil }
    var entries: [(time: Int64, payload: UInt64)] { (start..<times.count).map { (times[$0], payloads[$0]) } }

    mutating func insert(_ event: CountedEvent) {
        if event.user != user { usersDiffer = true }
        if event.address != address { addressesDiffer = true }
        total += 1
        var low = start
        var high = times.count
        // Nearly always the newest.
        if let last = times.last, start < high, last <= event.time { low = high }
        while low < high {
            let middle = (low + high) / 2
            if times[middle] <= event.time { low = middle + 1 } else { high = middle }
        }
        if countsByTime, low > start, times[low - 1] == event.time {
            payloads[low - 1] += 1
        } else {
            times.insert(event.time, at: low)
            payloads.insert(countsByTime ? 1 : event.value, at: low)
        }
    }

    /// Takes the oldest entry away.
    mutating func removeFirst() -> (time: Int64, payload: UInt64)? {
        guard start < times.count else { return nil }
        let entry = (time: times[start], payload: payloads[start])
        start += 1
        total -= countsByTime ? Int(truncatingIfNeeded: entry.payload) : 1
        if start > 32, start * 2 > times.count {
            times.removeFirst(start)
            payloads.removeFirst(start)
            start = 0
        }
        return entry
    }
}
