import Events
import Journal
import Response
import Testing

@Suite struct LinterTests {
    private static let now = Timestamp(seconds: 1_795_000_000)
    private static let start = Authoring.id("start", 1)
    private static let end = Authoring.id("end", 9)

    private static func lint(_ document: JSONValue) throws -> [PlaybookProblem] {
        let reading = PlaybookDecoder.read(document)
        #expect(reading.errors == [])
        return PlaybookLinter.lint(try #require(reading.playbook), now: now)
    }

    /// Start, the steps in their order, end; each leads to the next.
    private static func chain(_ steps: [(String, JSONValue)], _ more: [String: JSONValue] = [:]) -> JSONValue {
        var workflow: [String: JSONValue] = [start: ["type": "start"], end: ["type": "end"]]
        for (id, step) in steps { workflow[id] = step }
        let order = [start] + steps.map(\.0) + [end]
        for (id, next) in zip(order, order.dropFirst()) {
            guard let step = workflow[id], step["on_success"] == nil else { continue }
            workflow[id] = step.setting("/on_completion", to: .string(next))
        }
        return Authoring.playbook(workflow, start: start, more)
    }

    private static func step(_ effect: String, _ more: [String: JSONValue] = [:]) -> JSONValue {
        let fields = JSONValue.object(["effect": .string(effect)].merging(more) { $1 })
        return Authoring.action([Authoring.manual()], ["step_extensions": .object([Authoring.responseExtension: fields])])
    }

    private static func checks(_ document: JSONValue) throws -> Set<PlaybookCheck> { Set(try lint(document).map(\.check)) }

    @Test func theSmallestIsClean() throws { #expect(try Self.lint(Authoring.smallest) == []) }

    @Test func aStepThatNothingLeadsToIsNamed() throws {
        let lonely = Authoring.id("action", 5)
        let document = Authoring.smallest.setting(
            "/workflow/\(lonely)", to: Authoring.action([Authoring.manual()], ["on_completion": .string(Authoring.id("end", 3))]))
        let problems = try Self.lint(document)
        #expect(problems.map(\.check) == [.unreachableStep])
        #expect(problems.first?.path == "/workflow/\(lonely)")
    }

    @Test func aBranchHasToEnd() throws {
        let document = Authoring.smallest.setting("/workflow/\(Authoring.id("action", 2))/on_completion", to: nil)
        #expect(try Self.checks(document).contains(.branchWithoutEnd))
    }

    @Test func twoBranchesNeedTwoEnds() throws {
        let fork = Authoring.id("parallel", 4)
        let branches = [Authoring.id("action", 5), Authoring.id("action", 6)]
        var document = Self.chain([(fork, ["type": "parallel", "next_steps": .array(branches.map { .string($0) })])])
        for id in branches {
            document = document.setting(
                "/workflow/\(id)", to: Authoring.action([Authoring.manual()], ["on_completion": .string(Authoring.id("end", 7))]))
        }
        document = document.setting("/workflow/\(Authoring.id("end", 7))", to: ["type": "end"])
        #expect(try Self.checks(document) == [.sharedEnd])
        document = document.setting("/workflow/\(branches[1])/on_completion", to: .string(Authoring.id("end", 8)))
            .setting("/workflow/\(Authoring.id("end", 8))", to: ["type": "end"])
        #expect(try Self.checks(document) == [])
    }

    @Test func loopsNeedAWayOut() throws {
        let first = Authoring.id("action", 4)
        let second = Authoring.id("action", 5)
        var document = Self.chain([
            (first, Authoring.action([Authoring.manual()])), (second, Authoring.action([Authoring.manual()])),
        ])
        document = document.setting("/workflow/\(second)/on_completion", to: .string(first))
        #expect(try Self.checks(document).contains(.endlessLoop))
    }

    @Test func aWhileLoopHasToSetWhatItAsks() throws {
        let loop = Authoring.id("while-condition", 4)
        let body = Authoring.id("action", 5)
        let condition: JSONValue = [
            "type": "while-condition", "condition": "[__left__:value > 0]", "on_true": .string(body),
        ]
        var document = Self.chain(
            [(loop, condition)], ["playbook_variables": ["__left__": ["type": "integer", "value": "3"]]])
        document = document.setting(
            "/workflow/\(body)",
            to: Authoring.action([Authoring.manual()], ["on_completion": .string(Authoring.id("end", 6))])
        )
        .setting("/workflow/\(Authoring.id("end", 6))", to: ["type": "end"])
        #expect(try Self.checks(document) == [.endlessLoop])
        #expect(try Self.checks(document.setting("/workflow/\(body)/out_args", to: ["__left__"])) == [])
    }

    @Test func variablesAreDeclaredAndSet() throws {
        let asking = Authoring.action([Authoring.manual("Block __address__:value.")])
        let document = Self.chain([(Authoring.id("action", 4), asking)])
        #expect(try Self.checks(document) == [.undeclaredVariable])
        let declared = document.setting("/playbook_variables/__address__", to: ["type": "ipv4-addr"])
        #expect(try Self.checks(declared) == [.neverSet])
        #expect(try Self.checks(declared.setting("/playbook_variables/__address__/external", to: true)) == [])
        let constant = declared.setting(
            "/playbook_variables/__address__", to: ["type": "string", "value": "x", "constant": true])
        #expect(
            try Self.checks(constant.setting("/workflow/\(Authoring.id("action", 4))/out_args", to: ["__address__"]))
                == [.constantChanged])
    }

    @Test func nothingIsDestroyedBeforeSomethingIsCaptured() throws {
        let capture = (Authoring.id("action", 4), Self.step("capture"))
        let destroy = (Authoring.id("action", 5), Self.step("destroy"))
        let handler: [String: JSONValue] = ["workflow_exception": .string(Self.end)]
        #expect(try Self.checks(Self.chain([destroy, capture], handler)) == [.destructiveBeforeCapture])
        #expect(try Self.checks(Self.chain([capture, destroy], handler)) == [])
        let override: JSONValue = ["name": "A. Responder", "reason": "The disk is filling with the attacker's files."]
        let overridden = (destroy.0, Self.step("destroy", ["capture_override": override]))
        #expect(try Self.checks(Self.chain([overridden, capture], handler)) == [])
        let nameless = (destroy.0, Self.step("destroy", ["capture_override": ["name": " ", "reason": "Hurry."]]))
        #expect(try Self.checks(Self.chain([nameless, capture], handler)) == [.destructiveBeforeCapture])
    }

    @Test func aCaptureThatFailedCapturedNothing() throws {
        let capture = Authoring.id("action", 4)
        let destroy = Authoring.id("action", 5)
        let taking = Self.step("capture").setting("/on_success", to: .string(Self.end)).setting(
            "/on_failure", to: .string(destroy))
        let document = Self.chain([(capture, taking), (destroy, Self.step("destroy"))])
        #expect(try Self.checks(document).contains(.destructiveBeforeCapture))
    }

    @Test func parallelBranchesDoNotCaptureForOneAnother() throws {
        let fork = Authoring.id("parallel", 4)
        let capture = Authoring.id("action", 5)
        let destroy = Authoring.id("action", 6)
        let after = Authoring.id("action", 10)
        let forked: JSONValue = ["type": "parallel", "next_steps": [.string(capture), .string(destroy)]]
        var document = Self.chain([(fork, forked), (after, Self.step("destroy"))], ["workflow_exception": .string(Self.end)])
        for (id, effect, end) in [(capture, "capture", 7), (destroy, "destroy", 8)] {
            let endID = Authoring.id("end", end)
            document = document.setting("/workflow/\(id)", to: Self.step(effect).setting("/on_completion", to: .string(endID)))
                .setting("/workflow/\(endID)", to: ["type": "end"])
        }
        let problems = try Self.lint(document)
        #expect(problems.map(\.path) == ["/workflow/\(destroy)"], "the step after the join has its evidence")
    }

    @Test func foreignPlaybooksAreReadByTheirCommands() throws {
        let command: JSONValue = ["type": "bash", "command": "docker compose down server", "playbook_activity": "eliminate-risk"]
        let document = Self.chain([(Authoring.id("action", 4), Authoring.action([command]))])
        #expect(try Self.checks(document) == [.destructiveBeforeCapture])
    }

    @Test func containmentEndsAndIsUndone() throws {
        let contain = Authoring.id("action", 4)
        let undo = Authoring.id("action", 5)
        let handler: [String: JSONValue] = ["workflow_exception": .string(Self.end)]
        #expect(
            try Self.checks(Self.chain([(contain, Self.step("contain"))], handler))
                == [.containmentWithoutExpiry, .containmentWithoutUndo])
        let held = Self.step("contain", ["expiry_seconds": 3600, "undo_step": .string(undo)])
        var document = Self.chain([(contain, held)], handler)
        document = document.setting("/workflow/\(undo)", to: Self.step("undo").setting("/on_completion", to: .string(Self.end)))
        #expect(try Self.checks(document) == [])
        #expect(
            try Self.checks(Self.chain([(contain, held)], handler)).contains(.missingStep))
    }

    @Test func whatIsNoLongerValidIsNotRun() throws {
        #expect(try Self.checks(Authoring.smallest.setting("/revoked", to: true)) == [.revoked])
        #expect(try Self.checks(Authoring.smallest.setting("/valid_until", to: "2027-11-02T00:00:00Z")) == [])
        let late = Authoring.smallest.setting("/valid_until", to: "2025-11-02T00:00:00Z")
        #expect(try Self.checks(late) == [.expired])
        #expect(try Self.checks(late.setting("/revoked", to: true)) == [.revoked], "revoked wins over the times")
        #expect(try Self.checks(Authoring.smallest.setting("/valid_from", to: "2030-01-01T00:00:00Z")) == [.notYetValid])
    }

    @Test func conditionsAreRead() throws {
        let step: JSONValue = [
            "type": "if-condition", "condition": "ipv4-addr:value = '192.0.2.1'", "on_true": .string(Self.end),
        ]
        #expect(
            try Self.checks(
                Self.chain([
                    (Authoring.id("if-condition", 4), step), (Authoring.id("action", 5), Authoring.action([Authoring.manual()])),
                ])
            ).contains(.condition))
    }

    @Test func aShadowedVariableIsNamed() throws {
        let action = Authoring.action(
            [Authoring.manual("__x__:value")], ["step_variables": ["__x__": ["type": "string", "value": "a"]]])
        let document = Self.chain(
            [(Authoring.id("action", 4), action)], ["playbook_variables": ["__x__": ["type": "string", "value": "b"]]])
        #expect(try Self.checks(document) == [.shadowedVariable])
    }

    @Test(arguments: ["if-condition", "while-condition", "switch-condition"])
    func branchesOfConditionsNeedTheirOwnEnds(type: String) throws {
        let container = Authoring.id(type, 4)
        let body = Authoring.id("action", 5)
        var step: [String: JSONValue] = ["type": .string(type)]
        if type == "switch-condition" {
            step.merge(["switch": "__x__:value", "cases": ["default": .string(body)]]) { $1 }
        } else {
            step.merge(["condition": "__x__:value = 'a'", "on_true": .string(body)]) { $1 }
        }
        let variables: [String: JSONValue] = ["playbook_variables": ["__x__": ["type": "string", "value": "a"]]]
        let inner = Authoring.action([Authoring.manual()], ["out_args": ["__x__"], "on_completion": .string(Self.end)])
        let shared = Self.chain([(container, .object(step))], variables).setting("/workflow/\(body)", to: inner)
        #expect(try Self.checks(shared) == [.sharedEnd])
        let own = shared.setting("/workflow/\(body)/on_completion", to: .string(Authoring.id("end", 6)))
            .setting("/workflow/\(Authoring.id("end", 6))", to: ["type": "end"])
        #expect(try Self.checks(own) == [])
    }
}
