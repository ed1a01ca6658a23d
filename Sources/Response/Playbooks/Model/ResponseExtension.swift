import Events
import Journal

/// What CACAO has no property for and a response needs: how a step treats evidence, when its measure ends, how it is undone.
///
/// It stands in a step's `step_extensions` under ``id``; a tool that does not know it still reads the playbook. docs/playbooks.md
/// describes every property.
package struct ResponseExtension: Hashable, Sendable {
    package static let id = "extension-definition--5c3fb0f1-6f4e-4a55-8a1e-6a1f6d0d5b90"
    package static let schemaVersion = "1.0.0"

    /// What the step does to the platform and to what could be learnt from it.
    package enum Effect: String, Hashable, Sendable, CaseIterable {
        /// Looks only.
        case observe
        /// Seals evidence.
        case capture
        /// Tells people or systems.
        case notify
        /// Takes something away from an attacker (and perhaps from others) for a time.
        case contain
        /// Takes a containment back.
        case undo
        /// Destroys or overwrites what could have been evidence.
        case destroy
        /// Brings the platform back.
        case restore
    }

    /// A named person takes responsibility for destroying before anything was captured ("Settled" 10).
    package struct CaptureOverride: Hashable, Sendable {
        package var name: String
        package var reason: String
    }

    package var effect: Effect?
    /// How long a containment holds, in seconds.
    package var expiry: Int64?
    /// The step that takes it back.
    package var undo: Identifier?
    /// Why nothing can take it back: a rotated key stays rotated.
    package var irreversible: String?
    /// 0 to 100, like the playbook's; where it is given, it counts instead of it.
    package var impact: Int64?
    /// The target ignores what it has been asked under the same key before: repeating is harmless.
    package var honoursKey: Bool?
    package var captureOverride: CaptureOverride?
    /// The role that carries the step out or answers for it.
    package var role: String?
    /// How one sees that it worked.
    package var verification: String?
    /// The steps of plans and checklists that this one is.
    package var covers: [String]
    /// Why this is a manual step although a command could do it.
    package var manualBecause: String?

    init(_ json: JSONValue?) {
        effect = json?["effect"]?.stringValue.flatMap { Effect(rawValue: $0) }
        expiry = json?["expiry_seconds"]?.integerValue
        undo = json?["undo_step"]?.stringValue.flatMap { Identifier($0) }
        irreversible = json?["irreversible_because"]?.stringValue
        impact = json?["impact"]?.integerValue
        honoursKey = json?["honours_key"]?.boolValue
        if let override = json?["capture_override"], let name = override["name"]?.stringValue,
            let reason = override["reason"]?.stringValue
        {
            captureOverride = CaptureOverride(name: name, reason: reason)
        }
        role = json?["role"]?.stringValue
        verification = json?["verification"]?.stringValue
        covers = (json?["covers"]?.arrayValue ?? []).compactMap(\.stringValue)
        manualBecause = json?["manual_because"]?.stringValue
    }

    static let shape = ObjectShape(properties: [
        "effect": .must(.closed(Set(Effect.allCases.map(\.rawValue)))), "expiry_seconds": .may(.whole(1...31_536_000)),
        "undo_step": .may(.identifier([])), "irreversible_because": .may(.text), "impact": .may(.whole(0...100)),
        "honours_key": .may(.flag),
        "capture_override": .may(.object(ObjectShape(properties: ["name": .must(.text), "reason": .must(.text)]))),
        "role": .may(.text), "verification": .may(.text), "covers": .may(.list(.text, minimum: 1)), "manual_because": .may(.text),
    ])
}
