import Events

/// An event that a correlation has counted.
struct CountedEvent: Sendable, Hashable {
    var time: Timestamp
    /// An index into the engine's origins.
    var origin: Int32
    var offset: Int64
    var line: Int64
    /// A hash of the value, for value_count; 0 otherwise.
    var value: UInt64
    /// A hash of the user name; 0 where there is none.
    var user: UInt64
    var address: IPAddress?
}

/// What a correlation remembers of one group: the events of the last timespan, oldest first.
struct CorrelationWindow: Sendable {
    private(set) var events: [CountedEvent] = []
    /// Events that fell out because there were too many: `count` says how many at least.
    private(set) var overflow = 0
    /// The group has fired and stays silent until then.
    var silentUntil = Timestamp(nanoseconds: .min)

    init() {}

    init(events: [CountedEvent], overflow: Int, silentUntil: Timestamp) {
        self.events = events
        self.overflow = overflow
        self.silentUntil = silentUntil
    }

    var count: Int { events.count + overflow }
    var newest: Timestamp? { events.last?.time }

    enum Outcome {
        case late, counted
        case fired(CorrelationWindow)
    }

    /// Counts an event and says whether that makes the group fire; having fired it is silent for one timespan.
    mutating func count(_ event: CountedEvent, rule: CompiledCorrelation, distinct: Bool) -> Outcome {
        guard add(event, timespan: rule.timespan, capacity: rule.windowCapacity, distinct: distinct) else { return .late }
        guard event.time >= silentUntil, rule.holds(count) else { return .counted }
        silentUntil = event.time.advanced(byNanoseconds: rule.timespan)
        return .fired(self)
    }

    /// Counts an event; false when it is older than anything the window still holds (a late event).
    ///
    /// - Parameter distinct: an event with the value of one that is there replaces it.
    private mutating func add(_ event: CountedEvent, timespan: Int64, capacity: Int, distinct: Bool) -> Bool {
        let newest = max(event.time, self.newest ?? event.time)
        let horizon = newest.advanced(byNanoseconds: -timespan)
        guard event.time >= horizon else { return false }
        if let kept = events.firstIndex(where: { $0.time >= horizon }) {
            if kept > 0 {
                events.removeFirst(kept)
                overflow = 0
            }
        } else {
            events.removeAll(keepingCapacity: true)
            overflow = 0
        }
        if distinct, let same = events.firstIndex(where: { $0.value == event.value }) {
            guard events[same].time <= event.time else { return true }
            events.remove(at: same)
        }
        var place = events.count
        while place > 0, events[place - 1].time > event.time { place -= 1 }
        events.insert(event, at: place)
        if events.count > capacity {
            events.removeFirst()
            overflow += 1
        }
        return true
    }
}
