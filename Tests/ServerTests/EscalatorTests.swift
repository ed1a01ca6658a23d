import Events
import Incidents
import Notify
import Testing

@testable import Server

@Suite("Escalation as it runs", .timeLimit(.minutes(20)))
struct EscalatorTests {
    @Test("each step once, under its own key, and none after the acknowledgement")
    func steps() async throws {
        let office = try await Office()
        office.run()
        let id = try await office.open()
        try await eventually("L1 is sent") { await office.pages().contains { $0.status == .sent } }
        #expect(office.postbox.messages.map(\.key) == ["\(id)/1/p.L1/channel:hook/hook"])
        office.minutes(14)
        try await office.order(.acknowledge, id)
        office.minutes(60)
        // What is due at that hour is sent by then: that of another incident, and nothing more of this one.
        let other = try await office.open()
        try await eventually("the other's L1 is sent") { office.postbox.messages.contains { $0.key.hasPrefix(other) } }
        await office.stop()
        #expect(office.postbox.messages.count { $0.key.hasPrefix(id) } == 1)
    }

    @Test("what fails is tried again after a while, under the same key, until it is given up")
    func retries() async throws {
        let office = try await Office()
        office.postbox.set(.failing)
        office.run()
        _ = try await office.open()
        try await eventually("it failed once") { await office.pages().first?.lastFailure == "it is full" }
        let page = try #require(await office.pages().first)
        #expect(page.nextAttempt == Office.start.advanced(bySeconds: 15) && page.attempts == 1)
        for attempt in 2...EscalationPlan.maximumAttempts {
            let next = try #require(await office.pages().first?.nextAttempt)
            office.time.value = min(next, Office.start.advanced(bySeconds: 14 * 60))
            if next > office.now() { break }
            try await eventually("attempt \(attempt)") {
                await office.pages().contains { $0.attempts == attempt && $0.nextAttempt > next }
            }
        }
        #expect(Set(office.postbox.messages.map(\.key)).count == 1 && office.postbox.messages.count > 3)
        await office.stop()
    }

    @Test("handed over without an answer, then a crash: handed over again under the same key")
    func unknownOutcome() async throws {
        let office = try await Office()
        office.postbox.set(.hanging)
        office.run()
        _ = try await office.open()
        try await eventually("it is on its way") { office.postbox.messages.count == 1 }
        office.postbox.set(.well)
        try await office.restart()
        try await eventually("it is sent") { await office.pages().first?.status == .sent }
        await office.stop()
        #expect(office.postbox.messages.count == 2 && Set(office.postbox.messages.map(\.key)).count == 1)
        #expect(await office.pages().first?.attempts == 2)
    }

    @Test("acknowledged while it was on its way and Vigie died: it is not handed over again")
    func acknowledgedAfterCrash() async throws {
        let office = try await Office()
        office.postbox.set(.hanging)
        office.run()
        let id = try await office.open()
        try await eventually("it is on its way") { office.postbox.messages.count == 1 }
        await office.stop()
        try await office.order(.acknowledge, id)
        office.postbox.set(.well)
        try await office.restart()
        try await eventually("it is cancelled") { await office.pages().first?.status == .cancelled }
        await office.stop()
        #expect(office.postbox.messages.count == 1)
    }

    @Test("acknowledged while it was on its way, and then refused for good: nobody has to look after it")
    func refusedAfterAcknowledgement() async throws {
        let office = try await Office()
        office.postbox.set(.held)
        office.run()
        let id = try await office.open()
        try await eventually("it is on its way") { office.postbox.messages.count == 1 }
        try await office.order(.acknowledge, id)
        try await eventually("it is cancelled") { await office.pages().first?.status == .cancelled }
        office.postbox.set(.refusing)
        try await eventually("the refusal is written down") { await office.pages().first?.lastFailure == "it is not taken" }
        await office.stop()
        #expect(await office.pages().first?.status == .cancelled)
        #expect(office.postbox.messages.count == 1)
    }

    @Test("in a storm, one message names them all")
    func digest() async throws {
        let office = try await Office(digestAbove: 5)
        for number in 1...12 { _ = try await office.open("Number \(number)") }
        office.run()
        try await eventually("all are sent") { await office.pages().count { $0.status == .sent } == 12 }
        await office.stop()
        #expect(office.postbox.messages.count == 1)
        #expect(office.postbox.messages.first?.details.count == 12)
    }

    @Test("of a restricted incident, messages tell nothing but that it is there")
    func restricted() async throws {
        let office = try await Office()
        let id = try await office.open("The director's laptop")
        try await office.order(.restrict(readers: ["0a"]), id)
        office.run()
        try await eventually("it is sent") { await office.pages().first?.status == .sent }
        await office.stop()
        let message = try #require(office.postbox.messages.first)
        #expect(!"\(message)".contains("director"))
    }

    @Test("a channel that hangs, under a digest and single pages, holds up no other channel")
    func deadChannel() async throws {
        let office = try await Office(digestAbove: 5)
        office.postbox.set(.hanging)
        for number in 1...12 { _ = try await office.open("Number \(number)") }
        office.run()
        try await eventually("the digest is on its way") { office.postbox.messages.count == 1 }
        for number in 13...30 {
            _ = try await office.open("Number \(number)")
            try await eventually("looked at") { await office.pages().count == number }
        }
        let id = try await office.open("Elsewhere", .medium)
        try await eventually("the other channel was used") { await office.page(id, .page)?.status == .sent }
        #expect(office.other.messages.count == 1)
        await office.stop()
    }

    @Test("where there are more pages than places, the worst go first")
    func order() async throws {
        let office = try await Office()
        for number in 1...9 { _ = try await office.open("Number \(number)", .low) }
        let worst = try await office.open("The last and the worst")
        office.postbox.set(.held)
        office.run()
        try await eventually("all places are taken") { office.postbox.messages.count == Escalator.maximumPerChannel }
        #expect(office.postbox.messages.contains { $0.incident == worst })
        office.postbox.set(.well)
        try await eventually("all are sent") { await office.pages().allSatisfy { $0.status == .sent } }
        #expect(Set(office.postbox.messages.map(\.key)).count == 10 && office.postbox.messages.count == 10)
        await office.stop()
    }

    @Test("what pages by itself gets no digest: each page can be stopped by its key")
    func noDigestForPagers() async throws {
        let office = try await Office(digestAbove: 2)
        var ids: [String] = []
        for number in 1...5 { ids.append(try await office.open("Number \(number)", .high)) }
        office.run()
        try await eventually("all are sent") { await office.pages().count { $0.status == .sent } == 5 }
        for id in ids { try await office.order(.acknowledge, id) }
        try await eventually("all are stopped") { await office.pages().count { $0.status == .sent } == 10 }
        await office.stop()
        let (stops, triggers) = (
            office.pager.messages.filter { $0.purpose == .stop }, office.pager.messages.filter { $0.purpose == .page }
        )
        #expect(triggers.count == 5 && Set(stops.map(\.key)) == Set(triggers.map { $0.key + "/stop" }))
    }

    @Test("a stop does not overtake its page")
    func stopAfterPage() async throws {
        let office = try await Office()
        office.pager.set(.held)
        office.run()
        let id = try await office.open("Held", .high)
        try await eventually("it is on its way") { office.pager.messages.count == 1 }
        try await office.order(.acknowledge, id)
        try await eventually("the stop is intended") { await office.page(id, .stop) != nil }
        // What comes after it is handed over, in the same look or a later one.
        let next = try await office.open("Elsewhere", .medium)
        try await eventually("others are sent") { await office.page(next, .page)?.status == .sent }
        #expect(office.pager.messages.count == 1)
        office.pager.set(.well)
        try await eventually("it is stopped") { await office.page(id, .stop)?.status == .sent }
        #expect(office.pager.messages.map(\.purpose) == [.page, .stop])
        await office.stop()
    }

    @Test("a digest is tried again under its key, whatever else came, and whoever was acknowledged in between")
    func digestAgain() async throws {
        let office = try await Office(digestAbove: 2)
        var ids: [String] = []
        for number in 1...5 { ids.append(try await office.open("Number \(number)")) }
        office.postbox.set(.failing)
        office.run()
        try await eventually("it failed") { await office.pages().count { $0.lastFailure != nil } == 5 }
        try await office.order(.acknowledge, ids[0])
        try await eventually("one is not needed any more") { await office.pages().count { $0.status == .cancelled } == 1 }
        office.postbox.set(.well)
        for number in 6...8 { _ = try await office.open("Number \(number)") }
        try await office.restart()
        office.minutes(1)
        try await eventually("all are sent") { await office.pages().count { $0.status == .sent } == 7 }
        await office.stop()
        let keys = office.postbox.messages.map(\.key)
        let first = try #require(keys.first)
        #expect(first == "digest/\(ids[0])/1/p.L1/channel:hook/hook")
        #expect(keys.count { $0 == first } == 2)
        #expect(office.postbox.messages.last { $0.key == first }?.details.count == 4)
    }

    @Test("a clock that was missed is told of no more once it is stopped, closed, or an update was sent")
    func lateReminders() async throws {
        let clocks = """
            use: t
            tables:
              t:
                ack: {title: A, starts: opened, stops: acknowledged, within: 15m, tells: ["channel:other"]}
                fix: {title: F, starts: opened, stops: fixed, within: 15m, tells: ["channel:other"]}
                update: {title: U, starts: opened, stops: update_sent, within: 15m, repeats: true, tells: ["channel:other"]}
            """
        let office = try await Office(clocks: clocks)
        office.other.set(.failing)
        office.run()
        let id = try await office.open()
        office.minutes(16)
        try await eventually("all three failed") {
            await office.pages().count { $0.intent.purpose == .clock && $0.lastFailure != nil } == 3
        }
        let ended = { () async -> Set<String> in
            Set(await office.pages().filter { $0.intent.purpose == .clock && $0.status == .cancelled }.map(\.intent.step))
        }
        try await office.order(.acknowledge, id)
        try await eventually("one is cancelled") { await ended() == ["A"] }
        try await office.order(.statusUpdate, id)
        try await eventually("two are cancelled") { await ended() == ["A", "U"] }
        try await office.order(.close(.falsePositive), id)
        try await eventually("all are cancelled") { await ended() == ["A", "F", "U"] }
        office.other.set(.well)
        office.minutes(20)
        let next = try await office.open("Another", .medium)
        try await eventually("others are sent") { await office.page(next, .page)?.status == .sent }
        await office.stop()
        #expect(office.other.messages.count == 4)
    }

    @Test("a digest calls everybody where one of its pages would, whatever else is in it")
    func alarmInDigest() {
        let message = { (purpose: Message.Purpose, severity: String, isDrill: Bool) in
            Message(
                key: severity, purpose: purpose, incident: "SEC-2026-0001", severity: severity, subject: "s", details: [],
                link: nil,
                isDrill: isDrill, time: Office.start, address: nil)
        }
        let (alarm, drill) = (message(.page, "P0", false), message(.page, "P0", true))
        let (reminder, lesser) = (message(.clock, "P0", false), message(.page, "P1", false))
        #expect(PageMessage.joined([drill, reminder, lesser, alarm], as: "digest/k").isAlarm)
        #expect(!PageMessage.joined([drill, reminder, lesser], as: "digest/k").isAlarm)
        #expect(alarm.isAlarm && !drill.isAlarm && !reminder.isAlarm && !lesser.isAlarm)
    }

    @Test("a digest names the worst first, then the oldest, whatever order they came in")
    func orderOfDigest() {
        let message = { (incident: String, severity: String) in
            Message(
                key: incident, purpose: .page, incident: incident, severity: severity, subject: incident, details: [], link: nil,
                isDrill: false, time: Office.start, address: nil)
        }
        let digest = PageMessage.joined(
            [
                message("SEC-2026-10000", "P2"), message("SEC-2026-0009", "P2"), message("SEC-2026-0012", "P0"),
                message("SEC-2026-0001", "P2"),
            ], as: "digest/k")
        #expect(digest.details == ["SEC-2026-0012", "SEC-2026-0001", "SEC-2026-0009", "SEC-2026-10000"])
        #expect(digest.incident == "SEC-2026-0012")
    }
}
