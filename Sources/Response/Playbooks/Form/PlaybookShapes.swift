import Events
import Journal

/// CACAO 2.0's objects as tables, in the order of the specification's sections.
enum PlaybookShapes {
    typealias Property = ObjectShape.Property

    static let identity: Shape = .identifier(["identity"])
    static let moment: Shape = .timestamp(milliseconds: true)
    static let extensionKey: Shape.Key = .identifier(["extension-definition"])
    static let stepTypes = Vocabulary.stepTypes.sorted()
    static let step: Shape = .identifier(Vocabulary.stepTypes.sorted())
    // Types of agents, targets and authentication come from open vocabularies: any type may stand in their identifiers.
    static let score: Shape = .whole(0...100)

    // MARK: §3 the playbook

    static let playbook = ObjectShape(
        properties: [
            "type": .must(.fixed("playbook")), "spec_version": .must(.fixed("cacao-2.0")),
            "id": .must(.identifier(["playbook"])), "name": .must(.text), "description": .should(.text),
            "playbook_types": .should(.list(.open(Vocabulary.playbookTypes), minimum: 0)),
            "playbook_activities": .should(.list(.open(Vocabulary.activities), minimum: 1)),
            "playbook_processing_summary": .may(.object(summary)), "created_by": .must(identity), "created": .must(moment),
            "modified": .must(moment), "revoked": .may(.flag), "valid_from": .may(.timestamp(milliseconds: false)),
            "valid_until": .may(.timestamp(milliseconds: false)),
            "derived_from": .may(.list(.identifier(["playbook"]), minimum: 1)),
            "related_to": .may(.list(.identifier([]), minimum: 1)), "priority": .may(score), "severity": .may(score),
            "impact": .may(score), "industry_sectors": .may(.list(.open(Vocabulary.sectors), minimum: 1)),
            "labels": .may(.list(.text, minimum: 1)),
            "external_references": .may(.list(.object(externalReference), minimum: 1)),
            "markings": .may(.list(.identifier(Vocabulary.markingTypes.sorted()), minimum: 1)),
            "playbook_variables": .may(.dictionary(.variable, .variable)), "workflow_start": .must(.identifier(["start"])),
            "workflow_exception": .may(step), "workflow": .must(.dictionary(.identifier(stepTypes), workflowStep)),
            "playbook_extensions": .may(.dictionary(extensionKey, .any)),
            "authentication_info_definitions": .may(
                .dictionary(.identifier([]), authentication)),
            "agent_definitions": .may(.dictionary(.identifier([]), agentTarget)),
            "target_definitions": .may(.dictionary(.identifier([]), agentTarget)),
            "extension_definitions": .may(.dictionary(extensionKey, .object(extensionDefinition))),
            "data_marking_definitions": .may(.dictionary(.identifier(Vocabulary.markingTypes.sorted()), marking)),
            "signatures": .may(.list(.object(signature), minimum: 1)),
        ],
        rules: [
            { ShapeRules.inOrder($0, "created", "modified", strictly: false, $1) },
            { ShapeRules.validityInOrder($0, $1) },
            { object, path in
                guard let types = object["playbook_types"]?.arrayValue, !types.isEmpty, object["playbook_activities"] == nil,
                    types.contains(where: { Vocabulary.playbookTypes.contains($0.stringValue ?? "") })
                else { return [] }
                return [
                    PlaybookProblem(
                        .error, .missingProperty, at: path, "playbook_activities is missing; playbook_types asks for at least one"
                    )
                ]
            },
        ])

    static let summary = ObjectShape(
        properties: Dictionary(
            uniqueKeysWithValues: [
                "manual_playbook", "external_playbooks", "parallel_processing", "if_logic", "while_logic", "switch_logic",
                "temporal_logic", "data_markings", "digital_signatures", "countersigned_signatures", "extensions",
            ].map { ($0, Property.may(.flag)) }))

    // MARK: §4 workflow steps

    static let common = ObjectShape(
        properties: [
            "type": .must(.closed(Vocabulary.stepTypes)), "name": .may(.text), "description": .may(.text),
            "external_references": .may(.list(.object(externalReference), minimum: 1)), "delay": .may(.whole(0...Int64.max)),
            "timeout": .may(.whole(0...Int64.max)), "step_variables": .may(.dictionary(.variable, .variable)),
            "owner": .may(identity), "on_completion": .may(step), "on_success": .may(step), "on_failure": .may(step),
            "step_extensions": .may(.dictionary(extensionKey, .any)),
        ],
        rules: [
            { object, path in
                guard object["on_completion"] != nil, object["on_success"] != nil || object["on_failure"] != nil else {
                    return []
                }
                return [
                    PlaybookProblem(
                        .error, .transitions, at: path, "on_completion cannot stand beside on_success or on_failure")
                ]
            },
            { ShapeRules.responseExtension($0, $1) },
        ])

    static let workflowStep: Shape = .chosen(
        [
            "start": common.adding([:], rules: [{ ShapeRules.without(["on_success", "on_failure"], $0, $1) }]),
            "end": common.adding([:], rules: [{ ShapeRules.without(["on_completion", "on_success", "on_failure"], $0, $1) }]),
            "action": common.adding([
                "commands": .must(.list(command, minimum: 1)), "agent": .must(.identifier([])),
                "targets": .may(.list(.identifier([]), minimum: 1)), "in_args": .may(.list(.text, minimum: 1)),
                "out_args": .may(.list(.text, minimum: 1)),
            ]),
            "playbook-action": common.adding([
                "playbook_id": .must(.identifier(["playbook"])), "playbook_version": .may(moment),
                "in_args": .may(.list(.text, minimum: 1)), "out_args": .may(.list(.text, minimum: 1)),
            ]),
            "parallel": common.adding(["next_steps": .must(.list(step, minimum: 2))]),
            "if-condition": common.adding(["condition": .must(.text), "on_true": .must(step), "on_false": .may(step)]),
            "while-condition": common.adding(["condition": .must(.text), "on_true": .must(step)]),
            "switch-condition": common.adding(["switch": .must(.text), "cases": .must(.dictionary(.caseValue, step))]),
        ], other: common)

    // MARK: §5 commands

    static let commandBase = ObjectShape(properties: [
        "type": .must(.open(Vocabulary.commandTypes)), "description": .may(.text), "version": .may(.text),
        "playbook_activity": .should(.open(Vocabulary.activities)),
        "external_references": .may(.list(.object(externalReference), minimum: 1)),
    ])
    static let written = commandBase.adding(
        ["command": .may(.text), "command_b64": .may(.base64)],
        rules: [
            { ShapeRules.atLeastOne(["command", "command_b64"], $0, $1) },
            { object, path in
                guard let text = object["command"]?.stringValue, text.utf8.contains(where: { $0 == 0x0A || $0 == 0x0D }) else {
                    return []
                }
                return [
                    PlaybookProblem(.warning, .commandEncoding, at: path + "/command", "line breaks are safer in command_b64")
                ]
            },
        ])
    static let encoded = commandBase.adding(["command_b64": .must(.base64)])
    static let fields: Shape = .dictionary(.field, .list(.text, minimum: 1))

    static let command: Shape = .chosen(
        [
            "manual": written, "bash": written, "ssh": written, "powershell": written, "caldera-cmd": written, "elastic": encoded,
            "jupyter": encoded, "kestrel": encoded, "sigma": encoded, "yara": encoded,
            "http-api": commandBase.adding(
                [
                    "command": .must(.text), "headers": .may(fields), "content": .may(.text), "content_b64": .may(.base64),
                ], rules: [{ ShapeRules.startLine($0, method: nil, $1) }]),
            "openc2-http": commandBase.adding(
                ["command": .must(.text), "headers": .may(fields), "content_b64": .must(.base64)],
                rules: [{ ShapeRules.startLine($0, method: "POST", $1) }]),
        ],
        other: commandBase.adding(["command": .may(.text), "command_b64": .may(.base64)]))

    // MARK: §6 authentication information

    static let authenticationBase = ObjectShape(properties: [
        "type": .must(.open(Vocabulary.authenticationTypes)), "name": .should(.text), "description": .may(.text),
        "authentication_info_extensions": .may(.dictionary(extensionKey, .any)), "kms": .may(.flag),
        "kms_key_identifier": .may(.text),
    ])
    static let authentication: Shape = .chosen(
        [
            "http-basic": authenticationBase.adding(
                ["user_id": .may(.text), "password": .may(.text)],
                rules: [{ ShapeRules.keyStore($0, secrets: ["user_id", "password"], $1) }]),
            "oauth2": authenticationBase.adding(
                ["oauth_header": .must(.text), "token": .may(.text)], rules: [{ ShapeRules.keyStore($0, secrets: ["token"], $1) }]
            ),
            "user-auth": authenticationBase.adding(
                ["username": .may(.text), "password": .may(.text)],
                rules: [{ ShapeRules.keyStore($0, secrets: ["username", "password"], $1) }]),
        ], other: authenticationBase)

    // MARK: §7 agents and targets

    static let agentBase = ObjectShape(properties: [
        "type": .must(.open(Vocabulary.agentTypes)), "name": .must(.text), "description": .should(.text),
        "location": .may(.object(location)), "agent_target_extensions": .may(.dictionary(extensionKey, .any)),
    ])
    static let contactable = agentBase.adding(["contact": .may(.object(contact))])
    static let category: Property = .may(.list(.open(Vocabulary.securityCategories), minimum: 1))
    static let addressable = agentBase.adding([
        "address": .must(.dictionary(.words(Vocabulary.addressKinds), .list(.any, minimum: 1))),
        "authentication_info": .may(.identifier([])), "category": category,
    ])
    static let agentTarget: Shape = .chosen(
        [
            "individual": contactable, "group": contactable, "organization": contactable,
            "location": agentBase.adding(["logical": .may(.list(.text, minimum: 1))]),
            "sector": agentBase.adding(["sector": .must(.any)]), "net-address": addressable,
            "http-api": addressable.adding(["port": .may(.text)]), "linux": addressable.adding(["port": .may(.text)]),
            "ssh": addressable.adding(["port": .may(.text)]),
            "security-category": agentBase.adding([
                "category": .must(.list(.open(Vocabulary.securityCategories), minimum: 1))
            ]),
        ], other: agentBase)

    static let contact = ObjectShape(properties: [
        "email": .may(.dictionary(.plain, .text)), "phone": .may(.dictionary(.plain, .text)), "contact_details": .may(.text),
    ])
}
