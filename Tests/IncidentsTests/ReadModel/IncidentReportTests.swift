import Events
import Incidents
import Testing

/// What others wrote stays text in a report, whatever it is made of.
struct IncidentReportTests {
    /// A combining mark joins the scalar before it: as `Character` this is no angle bracket, quote, bar or square bracket any more.
    private static let hostile = "<\u{301}b \"\u{301}x |\u{301} [\u{301}a](b) a\nb \u{202e}"

    private func report(openedBy author: Author = Desk.ana) throws -> IncidentReport {
        var desk = Desk()
        let id = "SEC-2026-0001"
        let opened = IncidentOpened(incident: id, title: "Guessing", severity: .high, firstSeen: Desk.start, author: author)
        desk.apply([.opened(opened)], at: Desk.start)
        let state = try #require(desk.state(id))
        let item = TimelineItem(
            sequence: 1, occurredAt: Desk.start, recordedAt: Desk.start, actor: "ana", kind: "incident.note_added",
            text: Self.hostile)
        let summary = IncidentSummary(
            id: id, title: "Guessing", severity: .high, phase: .detection, entities: [], findingCount: 0, eventCount: 0,
            firstSeen: Desk.start, lastSeen: Desk.start, openedAt: Desk.start, updatedAt: Desk.start, categories: [],
            techniques: [])
        let detail = IncidentDetail(summary: summary, timeline: [item], findings: [])
        return IncidentReport(detail, state, actions: [], clocks: [], now: Desk.start)
    }

    @Test func noScalarOfItIsMarkupInHTML() throws {
        let html = try report().html
        #expect(html.contains("<td>&lt;\u{301}b &quot;\u{301}x |\u{301} [\u{301}a](b) a b \\u{202e}</td>"))
    }

    @Test func noScalarOfItIsMarkupInMarkdown() throws {
        let markdown = try report().markdown
        let row = try #require(markdown.split(separator: "\n").first { $0.contains("\u{FFFD}") })
        #expect(
            row.unicodeScalars.elementsEqual(
                "| 2026-03-02T10:00:00Z | 2026-03-02T10:00:00Z | ana | \\<\u{301}b \"\u{301}x \\|\u{301} \\[\u{301}a\\](b) a b \u{FFFD} | 1 |"
                    .unicodeScalars))
    }

    @Test("nothing that is not recorded: neither who opened it, nor that there are no follow-ups")
    func nothingInvented() throws {
        #expect(try report().markdown.contains("- No log: it was opened by ana."))
        let machine = try report(openedBy: .system).markdown
        #expect(!machine.contains("opened by") && machine.contains("- No log line of its findings is kept."))
        #expect(machine.contains("## 9. Follow-ups\n\nVigie keeps none.\n"))
    }
}
