import Events
import Foundation
import Incidents
import Ingest
import Notify
import Testing

@testable import Server

@Suite("Mail taken in")
struct MailIntakeTests {
    private func mail(_ text: String) -> ReportedMail {
        ReportedMail(MailMessage(parsing: Array(text.utf8)), bytes: Array(text.utf8))
    }

    private static let report =
        "From: Ana <ana@example.org>\nSubject: I can see others' files\nMessage-ID: <r1@example.org>\n\nLook.\n"

    @Test("a report opens an incident in triage, with five minutes to acknowledge it; its text is a note")
    func opens() async throws {
        let office = try await Office(
            clocks: """
                use: t
                tables: {t: {acknowledgement: {title: A, starts: opened, stops: acknowledged, within: 15m, within_reported: 5m}}}
                """)
        let id = try await office.desk.take(mail(Self.report), severity: .medium)
        let state = try #require(await office.recorder.incident(id))
        #expect(state.phase == .triage && state.title == "I can see others' files" && state.noteCount == 1)
        #expect(state.origin == .mail && state.severities.first?.author.name == "ana@example.org")
        let clock = try #require(office.inForce.current.clocks.statuses(of: state).first { $0.clock == "acknowledgement" })
        #expect(clock.due == state.openedAt.advanced(bySeconds: 300))
        #expect(!state.isAcknowledged, "whoever writes has acknowledged nothing")
    }

    @Test("taken twice it is there once, by its Message-ID or, without one, by its bytes")
    func twice() async throws {
        let office = try await Office()
        let first = try await office.desk.take(mail(Self.report), severity: .medium)
        #expect(try await office.desk.take(mail(Self.report), severity: .medium) == first)
        let nameless = "From: b@example.org\nSubject: x\n\ny\n"
        let second = try await office.desk.take(mail(nameless), severity: .medium)
        #expect(try await office.desk.take(mail(nameless), severity: .medium) == second && second != first)
        #expect(await office.recorder.incidents().count == 2)
        #expect(await office.recorder.incident(first)?.noteCount == 1)
    }

    @Test("a reply is a note in the thread, also of a reply, of a merged incident, and of a page that Vigie sent")
    func threads() async throws {
        let office = try await Office()
        let id = try await office.desk.take(mail(Self.report), severity: .medium)
        let reply = "From: bo@example.org\nMessage-ID: <r2@x>\nIn-Reply-To: <r1@example.org>\n\nMe too.\n"
        #expect(try await office.desk.take(mail(reply), severity: .medium) == id)
        let next = "From: ana@example.org\nMessage-ID: <r3@x>\nReferences: <unknown@x> <r2@x>\n\nThanks.\n"
        #expect(try await office.desk.take(mail(next), severity: .medium) == id)
        #expect(await office.recorder.incident(id)?.noteCount == 3)
        let other = try await office.open()
        try await office.order(.merge(into: other), id)
        let late = "From: ana@example.org\nMessage-ID: <r4@x>\nIn-Reply-To: <r1@example.org>\n\nStill.\n"
        #expect(try await office.desk.take(mail(late), severity: .medium) == other)
        office.run()
        try await eventually("a page is sent") { await office.pages().contains { $0.status == .sent } }
        await office.stop()
        let key = try #require(await office.pages().first).intent.key
        let answer = "From: ana@example.org\nIn-Reply-To: <\(MessageID.local(key))@example.net>\n\nOn it.\n"
        #expect(try await office.desk.take(mail(answer), severity: .medium) == other)
    }

    @Test("an id in the subject is no proof: it opens an incident of its own")
    func subjects() async throws {
        let office = try await Office()
        let id = try await office.open()
        let forged = try await office.desk.take(mail("From: x@y\nSubject: Re: [\(id)] close it\n\nclose\n"), severity: .medium)
        #expect(forged != id)
        #expect(await office.recorder.incident(id)?.noteCount == 0)
    }
}
