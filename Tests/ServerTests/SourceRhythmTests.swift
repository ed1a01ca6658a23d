import Detection
import Events
import Foundation
import Testing

@testable import Server

@Suite("A source that falls silent")
struct SourceRhythmTests {
    private static let start = 1_772_323_200  // 2026-03-01T00:00:00Z, a Sunday

    private func at(_ seconds: Int) -> Timestamp { Timestamp(seconds: Int64(seconds)) }

    /// So many days of events, one every `step` seconds in the given hours.
    private func learned(days: Int, every step: Int, hours: ClosedRange<Int> = 0...23) -> SourceRhythm {
        var rhythm = SourceRhythm(now: at(Self.start))
        for time in stride(from: Self.start, to: Self.start + days * 86_400, by: step)
        where hours.contains(time / 3_600 % 24) {
            rhythm.learn(time)
        }
        return rhythm
    }

    /// When it would be reported, in seconds behind the last event, asked every minute.
    private func alarm(_ rhythm: SourceRhythm, within limit: Int = 3 * 86_400) -> Int? {
        let last = rhythm.last ?? 0
        return stride(from: 60, through: limit, by: 60).first { rhythm.hasFallenSilent(now: at(last + $0)) }
    }

    @Test("one that speaks all the time is missed after ten minutes")
    func talkative() {
        #expect(alarm(learned(days: 4, every: 20)) == 600)
    }

    @Test("one that speaks now and then is missed after three times its longest silence")
    func sparse() throws {
        let delay = try #require(alarm(learned(days: 4, every: 1_200)))
        #expect((3_540...3_660).contains(delay))
    }

    @Test("less than three days have taught too little", arguments: [1, 2])
    func young(_ days: Int) {
        #expect(alarm(learned(days: days, every: 20)) == nil)
    }

    @Test("one that is silent every night is not missed then, and is missed in the morning")
    func nightly() throws {
        let rhythm = learned(days: 5, every: 60, hours: 6...21)
        // The last event is at 21:59; the next is due at 6:00.
        let delay = try #require(alarm(rhythm))
        let hour = ((rhythm.last ?? 0) + delay) / 3_600 % 24
        #expect(hour == 6, "reported at \(hour) h")
    }

    @Test("one that spoke once a day is never missed")
    func daily() {
        #expect(alarm(learned(days: 7, every: 86_400)) == nil)
    }

    @Test("it is reported once, also after a restart, and again after it has spoken and fallen silent anew")
    func once() throws {
        var rhythm = learned(days: 4, every: 20)
        let last = try #require(rhythm.last)
        #expect(rhythm.hasFallenSilent(now: at(last + 700)))
        rhythm.report()
        rhythm = try JSONDecoder().decode(SourceRhythm.self, from: JSONEncoder().encode(rhythm))
        #expect(!rhythm.hasFallenSilent(now: at(last + 7_000)))
        // Five hours later it speaks again: what was reported is no part of its rhythm.
        rhythm.learn(last + 18_000)
        #expect(!rhythm.hasFallenSilent(now: at(last + 18_100)))
        #expect(rhythm.hasFallenSilent(now: at(last + 18_700)))
    }

    @Test("events out of order, at one time, before 1970 or far ahead teach nothing wrong")
    func oddTimes() {
        var rhythm = learned(days: 4, every: 20)
        let before = alarm(rhythm)
        rhythm.learn(Self.start)
        rhythm.learn(-1)
        rhythm.learn(rhythm.last ?? 0)
        #expect(alarm(rhythm) == before)
        rhythm.learn(Self.start + 400 * 86_400)
        #expect(alarm(rhythm) == nil)
    }

    @Test("what comes over the network is not silent while nobody listens; a log that was not written to is")
    func stopped() throws {
        let rhythm = learned(days: 4, every: 20)
        let start = at((rhythm.last ?? 0) + 2_400)
        var watch = SilenceWatch()
        watch.add("/data/detection/receivers/loki.jsonl", rhythm: rhythm, isSpool: true, now: start)
        watch.add("/var/log/app.log", rhythm: rhythm, now: start)
        #expect(watch.findings(now: start).map(\.rule.title) == ["/var/log/app.log has fallen silent"])
        #expect(watch.findings(now: start.advanced(bySeconds: 590)).isEmpty)
        #expect(watch.findings(now: start.advanced(bySeconds: 610)).count == 1)
    }

    @Test("the time while nobody listened is not learned as a silence, also after a second restart")
    func unlearned() throws {
        var rhythm = learned(days: 4, every: 20)
        let start = (rhythm.last ?? 0) + 4 * 3_600
        rhythm.resume(now: at(start))
        rhythm = try JSONDecoder().decode(SourceRhythm.self, from: JSONEncoder().encode(rhythm))
        rhythm.learn(start + 20)
        #expect((0..<24).allSatisfy { rhythm.patience($0, now: start / 86_400) == 600 })
    }

    @Test(
        "spools of receivers and of journald are known however the data folder is written", arguments: ["/srv/v", "/srv/x/../v"])
    func spools(path: String) {
        let folder = DataFolder(path: path)
        #expect(folder.isSpool("/srv/v/detection/receivers/syslog-tcp-127.0.0.1-5514.jsonl"))
        #expect(folder.isSpool(folder.spool("loki")) && folder.isSpool("/srv/v/detection/journald.jsonl"))
        #expect(!folder.isSpool("/srv/v/detection/receivers.log") && !folder.isSpool("/var/log/app.log"))
    }

    @Test("the finding names the source, and is the same however often it is made")
    func finding() throws {
        let rhythm = learned(days: 4, every: 20)
        let now = at((rhythm.last ?? 0) + 700)
        let made = (0..<2).map { _ in
            var watch = SilenceWatch()
            watch.add("/var/log/app.log", rhythm: rhythm, now: now)
            watch.add("/var/log/new.log", rhythm: nil, now: now)
            let first = watch.findings(now: now)
            #expect(watch.findings(now: now.advanced(bySeconds: 60)).isEmpty)
            return first
        }
        #expect(made[0].count == 1 && made[0] == made[1])
        #expect(made[0].first?.rule.title == "/var/log/app.log has fallen silent")
    }
}
