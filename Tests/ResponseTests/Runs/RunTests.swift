import Events
import Foundation
import Journal
import Response
import Testing

@Suite struct RunTests {
    private static let now = Timestamp(seconds: 1_795_000_000)

    /// Every entry of every scenario's run, with and without people whom the values are about.
    @Test(arguments: ScenarioTests.files)
    func entriesAreReadAsTheyWereWritten(file: URL) throws {
        let entries = try Scenario(file).rehearse().entries
        for subjects in [[], [Subject(kind: .ip, value: "192.0.2.7")]] {
            for entry in entries {
                var event = entry.event
                if case .started(var start) = event {
                    start.subjects = subjects
                    event = .started(start)
                }
                let draft = event.draft(run: "run-1", at: entry.at, actor: "system", subjects: subjects)
                let personal = Dictionary(uniqueKeysWithValues: draft.personal.map { ($0.name, $0.value) })
                let read = try #require(RunEvent.read(type: draft.type, data: draft.data, personal: personal))
                #expect(read.run == "run-1")
                #expect(read.event == event)
                if !subjects.isEmpty { #expect(!"\(draft.data)".contains("198.51.100.4"), "addresses are sealed") }
            }
        }
    }

    @Test func repeatedAndForeignEntriesChangeNothing() throws {
        let scenario = try Scenario(
            try #require(ScenarioTests.files.first { $0.path.hasSuffix("parallel-waits-for-all-branches.json") }))
        let entries = try scenario.rehearse().entries
        let state = RunState(replaying: entries)
        var again = RunState()
        for entry in entries {
            again.apply(entry)
            again.apply(entry)
        }
        #expect(again.executions == state.executions)
        #expect(again.outcome == state.outcome)
        #expect(again.ignoredEntries == entries.count)
    }

    @Test func aRunIsBoundToTheContentItBeganWith() throws {
        let playbook = try #require(PlaybookDecoder.read(Authoring.smallest).playbook)
        let changed = try #require(PlaybookDecoder.read(Authoring.smallest.setting("/name", to: "Changed")).playbook)
        let engine = RunEngine(library: PlaybookLibrary([changed]))
        let state = RunState(replaying: [RunEntry(at: Self.now, event: .started(RunStart(playbook)))])
        #expect(engine.next(state, now: Self.now) == [.record(.finished(.failed))])
    }

    @Test func commandsFromOutsideNeedTrust() throws {
        let bash: JSONValue = ["type": "bash", "command": "uptime", "playbook_activity": "identify-steps"]
        let document = Authoring.smallest.setting("/workflow/\(Authoring.id("action", 2))/commands/-", to: bash)
        let playbook = try #require(PlaybookDecoder.read(document).playbook)
        #expect(throws: PlaybookRefusal.self) { try RunAdmission().admit(playbook, from: .outside, now: Self.now) }
        try RunAdmission(trustedHashes: [playbook.contentHash]).admit(playbook, from: .outside, now: Self.now)
        try RunAdmission().admit(playbook, from: .own, now: Self.now)
        var policy = ExecutionPolicy()
        policy.demandsSignature = true
        #expect(throws: PlaybookRefusal.self) { try RunAdmission(policy: policy).admit(playbook, from: .own, now: Self.now) }
    }

    @Test(arguments: [
        ("/revoked", JSONValue.bool(true)), ("/valid_until", "2025-01-01T00:00:00Z"), ("/valid_from", "2030-01-01T00:00:00Z"),
    ])
    func whatIsNotValidIsNotAdmitted(path: String, value: JSONValue) throws {
        let playbook = try #require(PlaybookDecoder.read(Authoring.smallest.setting(path, to: value)).playbook)
        #expect(throws: PlaybookRefusal.self) { try RunAdmission().admit(playbook, from: .own, now: Self.now) }
    }

    @Test func valuesStayValuesInHTTP() throws {
        let commands: [JSONValue] = [
            [
                "type": "http-api", "command": "POST /block/__x__:value HTTP/1.1", "content": "{\"address\": \"__x__:value\"}",
                "headers": ["X-Reason": ["for __y__:value"]], "playbook_activity": "restrict-access",
            ]
        ]
        let document = Authoring.playbook(
            [
                Authoring.id("start", 1): ["type": "start", "on_completion": .string(Authoring.id("action", 2))],
                Authoring.id("action", 2): Authoring.action(
                    commands, agent: Authoring.machine, ["on_completion": .string(Authoring.id("end", 3))]),
                Authoring.id("end", 3): ["type": "end"],
            ], start: Authoring.id("start", 1),
            [
                "playbook_variables": [
                    "__x__": ["type": "string", "external": true], "__y__": ["type": "string", "external": true],
                ]
            ])
        let playbook = try #require(PlaybookDecoder.read(document).playbook)
        let engine = RunEngine(library: PlaybookLibrary([playbook]))
        let rehearsal = Rehearsal(engine)
        try rehearsal.run(RunStart(playbook, variables: ["__x__": "a\",\"b\": 1 HTTP/1.1\r\nX: y", "__y__": "z"]))
        let request = try #require(rehearsal.arrivals.first)
        #expect(request.text.split(separator: " ").count == 3)
        #expect(try JSONValue(parsing: request.content ?? []) == ["address": "a\",\"b\": 1 HTTP/1.1\r\nX: y"])
        #expect(request.headers == ["X-Reason": ["for z"]])
        let broken = Rehearsal(engine)
        let state = try broken.run(RunStart(playbook, variables: ["__x__": "a", "__y__": "z\r\nAuthorization: x"]))
        #expect(broken.arrivals == [])
        #expect(state.outcome == .succeededWithFailures)
    }

    @Test func aDryRunSaysWhatWouldHappenAndDoesNothing() throws {
        let scenario = try Scenario(
            try #require(ScenarioTests.files.first { $0.path.hasSuffix("high-impact-waits-for-two-people.json") }))
        let playbook = try #require(scenario.playbooks.first)
        let (lines, outcome) = try DryRun.trace(playbook, engine: scenario.engine, variables: [:], now: Self.now)
        #expect(outcome == .succeeded)
        let text = lines.map(\.text).joined(separator: "\n")
        #expect(text.contains("would first ask 2 commander (impact 80)"))
        #expect(text.contains("would send to Enforcer: POST /a HTTP/1.1"))
    }

    @Test func aSecondPersonIsAnotherPerson() throws {
        let scenario = try Scenario(
            try #require(ScenarioTests.files.first { $0.path.hasSuffix("high-impact-waits-for-two-people.json") }))
        let playbook = try #require(scenario.playbooks.first)
        var state = RunState(replaying: [RunEntry(at: Self.now, event: .started(RunStart(playbook)))])
        while case .record(let event)? = scenario.engine.next(state, now: Self.now).first {
            state.apply(RunEntry(at: Self.now, event: event))
        }
        func approve(_ person: String, _ role: String) {
            state.apply(RunEntry(at: Self.now, event: .approved(execution: 1, by: person, role: role)))
        }
        approve("ana", "commander")
        approve("ana", "commander")
        approve("bo", "responder")
        guard case .wait(let wait)? = scenario.engine.next(state, now: Self.now).first else {
            Issue.record("one person, however often, is one person; a role that was not asked for does not count")
            return
        }
        #expect(wait.until == Self.now.advanced(bySeconds: 4 * 3600))
        approve("cy", "commander")
        #expect(
            scenario.engine.next(state, now: Self.now) == [
                .record(.commandStarted(CommandRun(execution: 1, command: 0, target: 0)))
            ])
    }
}
