import Events
import Testing

@testable import Detection

/// What a correlation keeps, what it lets go, and that it says so.
@Suite struct CorrelationStateTests {
    static let rule = """
        title: Failure
        id: 00000000-0000-4000-8000-000000000001
        name: failure
        logsource: {category: application}
        detection: {s: {event.action: fail}, condition: s}
        ---
        title: Trial
        id: 00000000-0000-4000-8000-000000000002
        correlation: {type: TYPE, rules: [failure], group-by: [source.ip], timespan: 1h, condition: CONDITION}
        """

    private static func compile(_ type: String, _ condition: String) throws -> CompiledCorrelation {
        let text = rule.replacing("TYPE", with: type).replacing("CONDITION", with: condition)
        return try #require(RuleSet(sources: [RuleSource(path: "trial.yml", text: text)]).correlations.first)
    }

    private static func event(_ index: Int, seconds: Int, value: UInt64 = 0, user: UInt32 = 7) -> CountedEvent {
        CountedEvent(
            time: Int64(seconds) * 1_000_000_000, origin: 0, offset: Int64(index), line: Int64(index), user: user, value: value)
    }

    private static func group(_ number: Int) -> GroupHash {
        GroupHash(high: 0, low: UInt64(number) &* 0x9E37_79B9_7F4A_7C15)
    }

    private static func window(_ outcome: CorrelationState.Outcome) -> FiredWindow? {
        if case .fired(let window) = outcome { window } else { nil }
    }

    @Test func countsBeyondTheEvidenceAreExactAndSoAreTheirTimes() throws {
        let rule = try Self.compile("event_count", "{gte: 5000}")
        var state = CorrelationState(rule)
        var fired: FiredWindow?
        // Ten a second: an hour holds 36,010, the first 5,000 fire.
        for index in 0..<5000 {
            fired = Self.window(state.count(Self.event(index, seconds: index / 10), group: Self.group(1), rule: rule)) ?? fired
        }
        let window = try #require(fired)
        #expect(window.count == 5000)
        #expect(window.firstSeen == 0)
        #expect(window.events.count == Finding.maximumEvidence)
        #expect(!window.isLowerBound)
        #expect(window.hasOneUser)
        #expect(state.byteCount < 5000 * 16)
    }

    @Test func aUserOfAnOlderEventIsNotForgotten() throws {
        let rule = try Self.compile("event_count", "{gte: 200}")
        var state = CorrelationState(rule)
        var fired: FiredWindow?
        for index in 0..<200 {
            let event = Self.event(index, seconds: index, user: index == 3 ? 9 : 7)
            fired = Self.window(state.count(event, group: Self.group(1), rule: rule)) ?? fired
        }
        #expect(fired?.hasOneUser == false)
    }

    @Test func moreThanAWindowCanHoldIsALowerBound() throws {
        let rule = try Self.compile("event_count", "{gte: 300}")
        var state = CorrelationState(rule, limits: CorrelationState.Limits(olderEntries: 100))
        var counts: [FiredWindow] = []
        for index in 0..<9000 {
            if let window = Self.window(state.count(Self.event(index, seconds: index), group: Self.group(1), rule: rule)) {
                counts.append(window)
            }
        }
        // 64 events and 100 times: too few for the condition, and that is what the limit of conditions is for.
        #expect(counts.isEmpty)
        let wide = try Self.compile("event_count", "{gte: 100}")
        state = CorrelationState(wide, limits: CorrelationState.Limits(olderEntries: 100))
        for index in 0..<9000 {
            if let window = Self.window(state.count(Self.event(index, seconds: index), group: Self.group(1), rule: wide)) {
                counts.append(window)
            }
        }
        #expect(counts.map(\.isLowerBound) == [false, true, true])
    }

    @Test func groupsGoInTheOrderOfTheirActivityWhenThereAreTooMany() throws {
        let rule = try Self.compile("event_count", "{gte: 3}")
        var state = CorrelationState(rule, limits: CorrelationState.Limits(groups: 100))
        for index in 0..<100 { _ = state.count(Self.event(index, seconds: index), group: Self.group(index), rule: rule) }
        _ = state.count(Self.event(100, seconds: 100), group: Self.group(0), rule: rule)
        _ = state.count(Self.event(101, seconds: 101), group: Self.group(1000), rule: rule)
        #expect(state.groupCount == 100)
        #expect(state.counters.evicted == 1)
        #expect(state.find(Self.group(0)) != nil)
        #expect(state.find(Self.group(1)) == nil)
        let window = try #require(
            Self.window(state.count(Self.event(102, seconds: 102), group: Self.group(0), rule: rule)))
        #expect(window.isLowerBound, "a group was given up within the window")
    }

    @Test func groupsThatRanOutMakeRoomUncounted() throws {
        let rule = try Self.compile("event_count", "{gte: 3}")
        var state = CorrelationState(rule)
        for index in 0..<10_000 { _ = state.count(Self.event(index, seconds: index * 60), group: Self.group(index), rule: rule) }
        #expect(state.groupCount < 200)
        #expect(state.counters.evicted == 0)
    }

    @Test func memoryIsBounded() throws {
        let rule = try Self.compile("value_count", "{field: user.name, gte: 3000}")
        var state = CorrelationState(rule, limits: CorrelationState.Limits(bytes: 1 << 20))
        for index in 0..<50_000 {
            _ = state.count(
                Self.event(index, seconds: index / 100, value: UInt64(index)), group: Self.group(index % 50), rule: rule)
            #expect(state.byteCount <= 1 << 20)
        }
        #expect(state.counters.evicted > 0)
    }

    @Test func distinctValuesAreExactUpToTheCapacityAndThenALowerBound() throws {
        let rule = try Self.compile("value_count", "{field: user.name, gte: 4000}")
        var state = CorrelationState(rule)
        var fired: [FiredWindow] = []
        for index in 0..<20_000 {
            let event = Self.event(index, seconds: index / 2, value: UInt64(index / 2 * 7919 + index % 2))
            if let window = Self.window(state.count(event, group: Self.group(1), rule: rule)) { fired.append(window) }
        }
        #expect(fired.first?.count == 4000)
        #expect(fired.map(\.isLowerBound) == [false, true, true])
    }

    @Test func aSnapshotOfEverythingIsTakenUpExactly() throws {
        for (type, condition) in [
            ("event_count", "{gte: 90}"), ("value_count", "{field: user.name, gte: 90}"),
            ("value_sum", "{field: bytes, gt: 1e9}"),
            ("value_median", "{field: bytes, gt: 1e9}"),
        ] {
            let rule = try Self.compile(type, condition)
            var state = CorrelationState(rule)
            for index in 0..<2000 {
                let value = Double(index % 300).bitPattern
                _ = state.count(
                    Self.event(index, seconds: index, value: value), group: Self.group(index % 7), rule: rule)
            }
            let bytes = state.encode { Int($0) }
            let other = try CorrelationState(decoding: bytes, rule, originCount: 1)
            #expect(other.encode { Int($0) } == bytes)
            #expect(other.byteCount == state.byteCount)
        }
    }

    /// Untrusted bytes: never a crash, whatever they say.
    @Test func damagedBytesAreRefusedOrRead() throws {
        let rule = try Self.compile("value_sum", "{field: bytes, gt: 1e9}")
        var state = CorrelationState(rule)
        for index in 0..<300 {
            _ = state.count(
                Self.event(index, seconds: index, value: Double(index).bitPattern), group: Self.group(index % 3), rule: rule)
        }
        let bytes = state.encode { Int($0) }
        var random = SeededGenerator(seed: 5)
        for _ in 0..<3000 {
            var damaged = bytes
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                damaged[Int.random(in: 0..<damaged.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            if var other = try? CorrelationState(decoding: damaged, rule, originCount: 1) {
                _ = other.count(Self.event(301, seconds: 5000), group: Self.group(1), rule: rule)
            }
        }
        #expect(throws: ByteReader.Damaged.self) { try CorrelationState(decoding: Array(bytes.dropLast()), rule, originCount: 1) }
    }

    /// Test vector of the paper's appendix A: key 00…0f, input 00…0e.
    @Test func theHashIsSipHash() {
        let input = (0..<15).map { UInt8($0) }
        #expect(SipHash.hash64(input.span, .fixed) == 0xA129_CA61_49BE_45E5)
    }

    @Test func theIndexFindsWhatWasPutThereAndNotWhatWasTakenAway() {
        var random = SeededGenerator(seed: 3)
        var index = HashIndex()
        var kept: [UInt32: UInt64] = [:]
        for number in 0..<20_000 as Range<UInt32> {
            // Few different hashes, so that runs are long.
            let hash = UInt64.random(in: 0..<500, using: &random) &* 0x1_0000_0001
            index.insert(hash, number)
            kept[number] = hash
            if number > 200, let gone = kept.keys.min(), let hash = kept.removeValue(forKey: gone) { index.remove(hash, gone) }
        }
        #expect(index.count == kept.count)
        for (number, hash) in kept { #expect(index.find(hash) { $0 == number } == number) }
        #expect(index.find(7) { $0 == 1 } == nil)
    }
}
