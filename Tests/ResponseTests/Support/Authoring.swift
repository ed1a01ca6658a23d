import Journal

/// Playbooks written in tests: short names become identifiers, so that a case shows its point and nothing else.
enum Authoring {
    /// A version 4 UUID that is the same for the same number.
    static func uuid(_ number: Int) -> String {
        let digits = String(number, radix: 16)
        return "00000000-0000-4000-8000-" + String(repeating: "0", count: 12 - digits.count) + digits
    }

    static let agent = "individual--" + uuid(9001)
    static let machine = "http-api--" + uuid(9002)
    static let identity = "identity--" + uuid(9003)
    static let responseExtension = "extension-definition--5c3fb0f1-6f4e-4a55-8a1e-6a1f6d0d5b90"

    static func id(_ type: String, _ number: Int) -> String { "\(type)--\(uuid(number))" }

    static func manual(_ text: String = "Look.") -> JSONValue {
        ["type": "manual", "command": .string(text), "playbook_activity": "identify-steps"]
    }

    static func http(_ line: String = "POST /v1/block HTTP/1.1", _ content: String = "{}") -> JSONValue {
        ["type": "http-api", "command": .string(line), "content": .string(content), "playbook_activity": "restrict-access"]
    }

    /// An action step; `next` adds `on_completion` and whatever else.
    static func action(_ commands: [JSONValue], agent: String = agent, _ more: [String: JSONValue] = [:]) -> JSONValue {
        .object(["type": "action", "commands": .array(commands), "agent": .string(agent)].merging(more) { $1 })
    }

    static func playbook(
        _ workflow: [String: JSONValue], start: String, number: Int = 1, _ more: [String: JSONValue] = [:]
    ) -> JSONValue {
        let members: [String: JSONValue] = [
            "type": "playbook", "spec_version": "cacao-2.0", "id": .string("playbook--" + uuid(8000 + number)),
            "name": "A test", "description": "A playbook of a test.", "playbook_types": ["mitigation"],
            "playbook_activities": ["identify-steps"], "created_by": .string(identity), "created": "2026-11-01T00:00:00.000Z",
            "modified": "2026-11-01T00:00:00.000Z", "workflow_start": .string(start), "workflow": .object(workflow),
            "agent_definitions": [
                agent: ["type": "individual", "name": "Responder", "description": "Whoever responds."],
                machine: [
                    "type": "http-api", "name": "Enforcer", "description": "Takes containment orders.",
                    "address": ["url": ["http://127.0.0.1:1/"]],
                ],
            ],
            "extension_definitions": [
                responseExtension: [
                    "type": "extension-definition", "name": "Vigie response", "description": "Effect, expiry and undo of steps.",
                    "created_by": .string(identity), "schema": "https://example.org/vigie/response.json", "version": "1.0.0",
                ]
            ],
        ]
        return .object(members.merging(more) { $1 })
    }

    /// Start, one manual action, end.
    static let smallest: JSONValue = playbook(
        [
            id("start", 1): ["type": "start", "on_completion": .string(id("action", 2))],
            id("action", 2): action([manual()], ["on_completion": .string(id("end", 3))]),
            id("end", 3): ["type": "end"],
        ], start: id("start", 1))
}

extension JSONValue {
    /// The document with one place set (or removed, with `nil`); the path is a JSON Pointer, `-` appends to a list.
    func setting(_ pointer: String, to value: JSONValue?) -> JSONValue {
        let tokens = pointer.split(separator: "/").map {
            String($0.replacing("~1", with: "/").replacing("~0", with: "~"))
        }
        return setting(tokens[...], to: value)
    }

    private func setting(_ tokens: ArraySlice<String>, to value: JSONValue?) -> JSONValue {
        guard let first = tokens.first else { return value ?? .null }
        let rest = tokens.dropFirst()
        switch self {
        case .array(var elements):
            if first == "-" {
                elements.append(value ?? .null)
            } else if let index = Int(first), elements.indices.contains(index) {
                if rest.isEmpty, value == nil {
                    elements.remove(at: index)
                } else {
                    elements[index] = elements[index].setting(rest, to: value)
                }
            }
            return .array(elements)
        case .object(var members):
            if rest.isEmpty {
                members[first] = value
            } else {
                members[first] = (members[first] ?? .object([:])).setting(rest, to: value)
            }
            return .object(members)
        default: return JSONValue.object([:]).setting(tokens, to: value)
        }
    }
}
