import Console
import Events
import Foundation
import Identity
import Incidents
import Journal
import Testing

@testable import Server

/// A playbook of a test: one action after another.
struct TrialPlaybook {
    struct Step {
        var name: String
        var command: JSONValue
        /// Milliseconds: as long as a test may take, where the limit itself is not what is tried.
        var timeout: Int64 = 1_200_000
        var impact: Int64 = 0
        var honoursKey = false
        var results: [String] = []
    }

    static let responseExtension = "extension-definition--5c3fb0f1-6f4e-4a55-8a1e-6a1f6d0d5b90"
    static let identity = "identity--2374c080-4b96-4b46-b079-84ad88efd047"

    var name = "Trial"
    var number = 1
    var address = "http://127.0.0.1:1/"
    var steps: [Step]

    /// Identifiers that are the same in each run.
    private func id(_ type: String, _ index: Int) -> String {
        let digits = String(100_000_000_000 + number * 1_000 + index)
        return "\(type)--00000000-0000-4000-8000-\(digits)"
    }

    private func command(_ text: String, _ type: String) -> JSONValue {
        ["type": .string(type), "command": .string(text), "playbook_activity": "restrict-access"]
    }

    var document: JSONValue {
        let agents = ["bash": id("linux", 900), "manual": id("group", 901), "http-api": id("http-api", 902)]
        var workflow: [String: JSONValue] = [
            id("start", 500): ["type": "start", "on_completion": .string(id("action", 0))], id("end", 501): ["type": "end"],
        ]
        for (index, step) in steps.enumerated() {
            let next = index + 1 < steps.count ? id("action", index + 1) : id("end", 501)
            var action: [String: JSONValue] = [
                "type": "action", "name": .string(step.name), "commands": [step.command],
                "agent": .string(agents[step.command["type"]?.stringValue ?? ""] ?? ""), "timeout": .integer(step.timeout),
                "on_success": .string(next),
                "step_extensions": [
                    Self.responseExtension: [
                        "effect": "observe", "impact": .integer(step.impact), "honours_key": .bool(step.honoursKey),
                    ]
                ],
            ]
            if !step.results.isEmpty { action["out_args"] = .array(step.results.map { .string($0) }) }
            workflow[id("action", index)] = .object(action)
        }
        return [
            "type": "playbook", "spec_version": "cacao-2.0", "id": .string(id("playbook", 800)), "name": .string(name),
            "playbook_types": ["mitigation"], "playbook_activities": ["restrict-access"], "created_by": .string(Self.identity),
            "created": "2026-11-21T00:00:00.000Z", "modified": "2026-11-21T00:00:00.000Z", "impact": 0,
            "playbook_variables": [
                "__incident__": ["type": "string", "external": true],
                "__word__": ["type": "string", "external": true, "value": "none"],
                "__result__": ["type": "string", "value": ""],
            ],
            "workflow_start": .string(id("start", 500)), "workflow": .object(workflow),
            "agent_definitions": [
                id("linux", 900): ["type": "linux", "name": "here", "address": ["ipv4": ["127.0.0.1"]]],
                id("group", 901): ["type": "group", "name": "Responders"],
                id("http-api", 902): ["type": "http-api", "name": "Target", "address": ["url": [.string(address)]]],
            ],
            "extension_definitions": [
                Self.responseExtension: [
                    "type": "extension-definition", "name": "Vigie response", "created_by": .string(Self.identity),
                    "schema": "docs/playbooks.md", "version": "1.0.0",
                ]
            ],
        ]
    }
}

extension TrialPlaybook.Step {
    static func bash(_ text: String, timeout: Int64 = 1_200_000, impact: Int64 = 0, results: [String] = []) -> Self {
        Self(
            name: "shell", command: ["type": "bash", "command": .string(text), "playbook_activity": "restrict-access"],
            timeout: timeout, impact: impact, results: results)
    }

    static func manual(_ text: String) -> Self {
        Self(name: "manual", command: ["type": "manual", "command": .string(text), "playbook_activity": "restrict-access"])
    }

    static func http(_ path: String, timeout: Int64, honoursKey: Bool) -> Self {
        Self(
            name: "request",
            command: [
                "type": "http-api", "command": .string("POST \(path) HTTP/1.1"), "content": "{}",
                "playbook_activity": "restrict-access",
            ], timeout: timeout, honoursKey: honoursKey)
    }
}

extension World {
    func write(_ playbook: TrialPlaybook, to folder: String = "playbooks", _ name: String = "trial") throws {
        try FileManager.default.createDirectory(atPath: "\(path)/\(folder)", withIntermediateDirectories: true)
        try Data(try playbook.document.canonicalBytes()).write(to: URL(fileURLWithPath: "\(path)/\(folder)/\(name).json"))
    }
}

extension Running {
    static let responder = RunPerson(id: "person-1", role: .responder)
    static let commander = RunPerson(id: "person-2", role: .commander)

    var runs: RunDesk { server.runs }

    func open() async throws -> String {
        try #require(
            try await server.desk.open(title: "Trial", severity: .high, kind: .real, author: .system, request: nil))
    }

    func start(_ playbook: String = "trial", _ variables: [String: String] = [:]) async throws -> String {
        let incident = try await open()
        return try await runs.carryOut(
            .start(playbook: playbook, incident: incident, variables: variables), by: Self.responder)
    }

    /// Waits until a run stands so.
    func wait(_ run: String, _ status: RunView.Status) async throws -> RunView {
        try await eventually("\(run) is \(status.rawValue)") { await runs.view(run)?.status == status }
        return try #require(await runs.view(run))
    }
}
