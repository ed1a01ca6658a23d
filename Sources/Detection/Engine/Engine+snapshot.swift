package import Events

/// What an engine remembers between events, to go on after a restart as if there had been none.
package struct EngineSnapshot: Sendable, Equatable {
    package var origins: [BatchOrigin]
    package var correlations: [Windows]

    /// The windows of one correlation. Rules change between starts: windows of another version of the rule are let go.
    package struct Windows: Sendable, Equatable {
        package var ruleID: String
        package var ruleHash: String
        package var bytes: [UInt8]

        package init(ruleID: String, ruleHash: String, bytes: [UInt8]) {
            self.ruleID = ruleID
            self.ruleHash = ruleHash
            self.bytes = bytes
        }
    }

    package init(origins: [BatchOrigin], correlations: [Windows]) {
        self.origins = origins
        self.correlations = correlations
    }
}

extension Engine {
    package func snapshot() -> EngineSnapshot {
        EngineSnapshot(
            origins: origins.origins,
            correlations: zip(ruleSet.correlations, correlations).map { rule, state in
                EngineSnapshot.Windows(ruleID: rule.header.id, ruleHash: rule.header.hash, bytes: WindowCoding.encode(state))
            })
    }

    /// Takes up where a snapshot was made.
    ///
    /// - Returns: the ids of correlations whose windows were let go, because the rule has changed or the bytes make no sense.
    package mutating func restore(_ snapshot: EngineSnapshot) -> [String] {
        origins = OriginTable(snapshot.origins)
        var dropped: [String] = []
        for windows in snapshot.correlations {
            let index = ruleSet.correlations.firstIndex { $0.header.id == windows.ruleID && $0.header.hash == windows.ruleHash }
            if let index, let state = WindowCoding.decode(windows.bytes, originCount: snapshot.origins.count) {
                correlations[index] = state
            } else {
                dropped.append(windows.ruleID)
            }
        }
        return dropped
    }
}

/// Windows as bytes: little-endian numbers of fixed width, each list behind its length.
private enum WindowCoding {
    static func encode(_ state: CorrelationState) -> [UInt8] {
        var writer = ByteWriter()
        writer.add(UInt64(state.evicted))
        writer.add(UInt64(state.late))
        writer.add(UInt64(state.sweepAt))
        writer.add(UInt64(state.windows.count))
        // Sorted, so that equal states give equal bytes.
        for (group, window) in state.windows.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
            writer.add(UInt64(group.count))
            writer.bytes.append(contentsOf: group)
            writer.add(UInt64(bitPattern: window.silentUntil.nanoseconds))
            writer.add(UInt64(window.overflow))
            writer.add(UInt64(window.events.count))
            for event in window.events {
                writer.add(UInt64(bitPattern: event.time.nanoseconds))
                writer.add(UInt64(event.origin))
                writer.add(UInt64(bitPattern: event.offset))
                writer.add(UInt64(bitPattern: event.line))
                writer.add(event.value)
                writer.add(event.user)
                writer.add(event.address == nil ? 0 : 1)
                writer.add(event.address?.high ?? 0)
                writer.add(event.address?.low ?? 0)
            }
        }
        return writer.bytes
    }

    static func decode(_ bytes: [UInt8], originCount: Int) -> CorrelationState? {
        var reader = ByteReader(bytes: bytes)
        var windows: [[UInt8]: CorrelationWindow] = [:]
        guard let evicted = reader.number(), let late = reader.number(), let sweepAt = reader.number(),
            let groups = reader.count(),
            let evicted = Int(exactly: evicted), let late = Int(exactly: late), let sweepAt = Int(exactly: sweepAt)
        else { return nil }
        for _ in 0..<groups {
            guard let length = reader.count(), let group = reader.take(length), let silent = reader.number(),
                let overflow = reader.number().flatMap({ Int(exactly: $0) }), let count = reader.count()
            else { return nil }
            var events: [CountedEvent] = []
            for _ in 0..<count {
                guard let time = reader.number(), let origin = reader.count(), origin < originCount, let offset = reader.number(),
                    let line = reader.number(), let value = reader.number(), let user = reader.number(),
                    let hasAddress = reader.number(), let high = reader.number(), let low = reader.number()
                else { return nil }
                events.append(
                    CountedEvent(
                        time: Timestamp(nanoseconds: Int64(bitPattern: time)), origin: Int32(origin),
                        offset: Int64(bitPattern: offset),
                        line: Int64(bitPattern: line), value: value, user: user,
                        address: hasAddress == 1 ? IPAddress(high: high, low: low) : nil))
            }
            windows[group] = CorrelationWindow(
                events: events, overflow: overflow, silentUntil: Timestamp(nanoseconds: Int64(bitPattern: silent)))
        }
        guard reader.isAtEnd else { return nil }
        return CorrelationState(windows: windows, evicted: evicted, late: late, sweepAt: sweepAt)
    }
}

private struct ByteWriter {
    var bytes: [UInt8] = []

    mutating func add(_ number: UInt64) {
        for shift in stride(from: 0, to: 64, by: 8) { bytes.append(UInt8(truncatingIfNeeded: number >> UInt64(shift))) }
    }
}

private struct ByteReader {
    let bytes: [UInt8]
    var index = 0

    var isAtEnd: Bool { index == bytes.count }

    mutating func number() -> UInt64? {
        guard index + 8 <= bytes.count else { return nil }
        var number: UInt64 = 0
        for position in 0..<8 { number |= UInt64(bytes[index + position]) << UInt64(8 * position) }
        index += 8
        return number
    }

    /// A length or an index: never more than there are bytes, so that a damaged file cannot ask for memory.
    mutating func count() -> Int? {
        guard let number = number(), number <= UInt64(bytes.count) else { return nil }
        return Int(number)
    }

    mutating func take(_ count: Int) -> [UInt8]? {
        guard count >= 0, index + count <= bytes.count else { return nil }
        defer { index += count }
        return Array(bytes[index..<index + count])
    }
}
