package import Events

extension OnCallPolicy.Rotation {
    /// From when on it is somebody else's turn.
    package struct Turn: Sendable, Equatable {
        package var from: Timestamp
        package var person: String?

        package init(from: Timestamp, person: String?) {
            self.from = from
            self.person = person
        }
    }

    /// The next changes of turn, overrides included.
    package func turns(from time: Timestamp, count: Int) -> [Turn] {
        guard !people.isEmpty || !overrides.isEmpty else { return [] }
        var turns: [Turn] = []
        var current = person(at: time)
        // Every moment at which it can change: ends of overrides, and hand-overs by the wall clock, of which a person may follow
        // themselves.
        var moments = overrides.flatMap { [$0.from, $0.until] }
        let length = days * 86_400_000_000_000
        let passed = zone.wallClock(at: time) - start
        let turn = passed >= 0 ? passed / length : (passed - length + 1) / length
        for next in 1...Int64(count + people.count + overrides.count) {
            moments.append(zone.moment(ofWallClock: start + (turn + next) * length))
        }
        for moment in moments.sorted() where moment > time && turns.count < count {
            let next = person(at: moment)
            guard next != current else { continue }
            turns.append(Turn(from: moment, person: next))
            current = next
        }
        return turns
    }
}
