import Events

/// What an absence needs beside its groups' events: who is meant, and when time is up.
struct AbsenceState: Sendable {
    /// What the newest event that waits for an answer says of its group: by group, only while one waits.
    struct Context: Sendable, Hashable {
        /// The group key.
        var key: [UInt8]
        var sourceIP: String?
        var userName: String?

        var byteCount: Int { 96 + key.count + (sourceIP?.utf8.count ?? 0) + (userName?.utf8.count ?? 0) }
    }

    var contexts: [UInt32: Context] = [:]
    var deadlines = DeadlineHeap()
}

/// When the oldest waiting event of each group has waited long enough: a binary heap. Entries may be out of date; whoever
/// takes one looks whether it still holds.
struct DeadlineHeap: Sendable {
    struct Entry: Sendable, BitwiseCopyable {
        var time: Int64
        /// Where the waiting event stands: what comes first where the times are the same.
        var origin: Int32
        var group: UInt32
        var offset: Int64

        fileprivate func precedes(_ other: Entry) -> Bool {
            if time != other.time { return time < other.time }
            return origin != other.origin ? origin < other.origin : offset < other.offset
        }
    }

    private var entries: [Entry] = []

    var first: Entry? { entries.first }

    mutating func insert(_ entry: Entry) {
        entries.append(entry)
        var place = entries.count - 1
        while place > 0, entries[place].precedes(entries[(place - 1) / 2]) {
            entries.swapAt(place, (place - 1) / 2)
            place = (place - 1) / 2
        }
    }

    mutating func removeFirst() {
        guard let last = entries.popLast(), !entries.isEmpty else { return }
        entries[0] = last
        var place = 0
        while true {
            var smallest = place
            for child in [2 * place + 1, 2 * place + 2] where child < entries.count {
                if entries[child].precedes(entries[smallest]) { smallest = child }
            }
            guard smallest != place else { return }
            entries.swapAt(place, smallest)
            place = smallest
        }
    }
}
