import Events
import Foundation
import Journal
import Response
import Testing

/// The playbooks that come with Vigie: sound, run to their end, and through every death.
@Suite struct ShippedPlaybookTests {
    static let files = (try? Files.list(Files.playbooks, "json")) ?? []
    private static let now = Timestamp(seconds: 1_795_000_000)
    private static let values: [String: JSONValue] = [
        "__address__": "203.0.113.9", "__account__": "victim1", "__incident__": "SEC-2026-0001", "__token__": "token-7",
        "__document__": "document-4", "__endpoint__": "/api/get-version", "__service__": "server", "__source__": "app.log",
    ]

    private static func playbooks() throws -> [Playbook] { try files.map { try PlaybookDecoder.decode(Files.bytes($0)) } }

    private static func rehearse(
        _ playbook: Playbook, _ all: [Playbook], _ changes: [String: JSONValue] = [:], failing: String? = nil,
        death: Rehearsal.Death = .never
    ) throws -> Rehearsal {
        let rehearsal = Rehearsal(RunEngine(library: PlaybookLibrary(all)))
        rehearsal.answer = { CommandResult($0.title == failing ? .failed : .succeeded) }
        let given = values.merging(changes) { $1 }.filter { playbook.variables[$0.key] != nil }
        try rehearsal.run(RunStart(playbook, variables: given), death: death)
        return rehearsal
    }

    @Test func theyAreAllThere() {
        let names = Set(Self.files.map { $0.deletingPathExtension().lastPathComponent })
        #expect(
            names == [
                "brute-force-and-enumeration", "canary-compromise", "authentication-bypass", "watermark-tampering",
                "unauthorised-access", "malicious-upload", "token-theft", "rmap-abuse", "data-exfiltration", "lost-telemetry",
                "restore-from-clean-backup", "preserve-evidence", "close-and-learn",
            ])
    }

    @Test(arguments: files)
    func theyAreClean(file: URL) throws {
        let library = PlaybookLibrary(try Self.playbooks())
        #expect(PlaybookLinter.lint(try Files.bytes(file), now: Self.now, library: library).problems == [])
    }

    /// A step that says it captures is held against the playbook it calls.
    @Test func aCallThatCapturesNothingIsNamed() throws {
        let all = try Self.playbooks()
        let learning = try #require(all.first { $0.name == "Close and learn" })
        let evidence = try #require(all.first { $0.name == "Preserve evidence" })
        let upload = try #require(all.first { $0.name == "Malicious upload" })
        let text = String(decoding: try upload.document.canonicalBytes(), as: UTF8.self).replacing(
            evidence.id.text, with: learning.id.text)
        let (_, problems) = PlaybookLinter.lint(Array(text.utf8), now: Self.now, library: PlaybookLibrary(all))
        #expect(problems.map(\.check) == [.destructiveBeforeCapture])
    }

    @Test(arguments: files)
    func theyRunToTheirEnd(file: URL) throws {
        let all = try Self.playbooks()
        let playbook = try PlaybookDecoder.decode(Files.bytes(file))
        for account in ["victim1", ""] {
            let rehearsal = try Self.rehearse(playbook, all, ["__account__": .string(account)])
            #expect(RunState(replaying: rehearsal.entries).outcome == .succeeded)
            let asks = rehearsal.arrivals.contains {
                $0.text.contains("victim1") || $0.content.map { String(decoding: $0, as: UTF8.self).contains("victim1") } == true
            }
            if account.isEmpty { #expect(!asks) }
        }
        #expect(
            try DryRun.trace(playbook, engine: RunEngine(library: PlaybookLibrary(all)), variables: Self.values, now: Self.now)
                .outcome == .succeeded)
    }

    /// Killed before every entry and after every delivery.
    @Test(arguments: files)
    func everyDeathIsSurvived(file: URL) throws {
        let all = try Self.playbooks()
        let playbook = try PlaybookDecoder.decode(Files.bytes(file))
        let trial = try DeathTrial.run(name: file.lastPathComponent) { try Self.rehearse(playbook, all, death: $0) }
        #expect(trial.deaths > 20)
        #expect(trial.questions == 0, "every target of the shipped playbooks honours its key")
    }

    /// Whatever fails first, a person is told, and the run says that it failed.
    @Test(arguments: files)
    func aFailureReachesAPerson(file: URL) throws {
        let all = try Self.playbooks()
        let playbook = try PlaybookDecoder.decode(Files.bytes(file))
        let reached = try Self.rehearse(playbook, all).arrivals
        for title in Set(reached.map(\.title)) {
            let rehearsal = try Self.rehearse(playbook, all, failing: title)
            #expect(RunState(replaying: rehearsal.entries).outcome == .failed, "\(title)")
            #expect(rehearsal.arrivals.last?.title == "A step failed", "\(title)")
        }
    }

    /// Automatic where policy allows, and asking where not.
    @Test func theAddressIsBlockedByItselfAndAccountsAreAskedFor() throws {
        let all = try Self.playbooks()
        let playbook = try #require(all.first { $0.name == "Brute force and enumeration" })
        let rehearsal = try Self.rehearse(playbook, all)
        let asked = RunState(replaying: rehearsal.entries).executions.filter { $0.approval != nil }
            .compactMap { playbook.steps[$0.entry.step]?.title }
        #expect(asked == ["Force a new password"])
        #expect(rehearsal.arrivals.contains { $0.title == "Block the address" })
    }

    /// Each step of the response plan (S1) and of the checklist (S2) is a step of one of them.
    @Test func planAndChecklistAreCovered() throws {
        let covered = Set(try Self.playbooks().flatMap(\.orderedSteps).flatMap(\.response.covers))
        let wanted = try String(contentsOf: Files.tests.appending(path: "Playbooks/plan-and-checklist.txt"), encoding: .utf8)
            .split(separator: "\n").map(String.init)
        #expect(wanted.count >= 50)
        for step in wanted { #expect(covered.contains { $0.hasPrefix(step) }, "\(step)") }
    }

    @Test func manualStepsThatACommandWillDoSaySo() throws {
        let restore = try #require(try Self.playbooks().first { $0.name == "Restore from a clean backup" })
        let manual = restore.orderedSteps.filter { step in
            guard case .action(let action) = step.kind else { return false }
            return action.commands.contains { $0.kind == .manual } && step.title != "A step failed"
        }
        #expect(manual.count >= 6)
        #expect(manual.allSatisfy { $0.response.manualBecause != nil })
    }
}
