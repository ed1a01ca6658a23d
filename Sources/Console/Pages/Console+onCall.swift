import Events
import Hummingbird
import Incidents

extension Console {
    /// Messages on the page that were given up, or are on their way.
    static let maximumDeliveries = 200

    func addOnCallRoutes(to routes: ConsoleRoutes) {
        routes.get("on-call", .viewer) { request, context in
            let sequence = dependencies.updates.sequence
            let policies = await dependencies.states.policies
            let states = await dependencies.states.states(for: context.reader)
            var model = OnCallModels.model(policies, states, now: dependencies.now())
            if let problem = await dependencies.policyProblem() {
                model["policyProblem"] = problem.text
                model["policyProblemAt"] = TimeText.model(problem.at, now: dependencies.now())
            }
            return answer(
                "on-call", model, title: "On call", section: "on-call",
                sequence: sequence, request: request, context: context)
        }
    }
}

/// Who is called, when, and what did not reach them.
enum OnCallModels {
    /// Turns of a rotation that are listed after the present one.
    private static let turns = 3

    static func model(_ policies: Policies, _ states: [IncidentState], now: Timestamp) -> PageModel {
        let rotations = policies.onCall.rotations.sorted { $0.key < $1.key }.map {
            rotation($0.key, $0.value, policies, now: now)
        }
        let pages = states.flatMap(\.pages.values)
        let dead = newest(pages.filter { $0.status == .dead })
        let waiting = newest(pages.filter { $0.status == .waiting })
        return [
            "rotations": rotations, "hasRotations": !rotations.isEmpty, "routes": routes(policies),
            "dead": dead.prefix(Console.maximumDeliveries).map { PagingModels.row($0, now: now) },
            "deadCount": NumberText.grouped(dead.count), "hasDead": !dead.isEmpty,
            "waiting": waiting.prefix(Console.maximumDeliveries).map { PagingModels.row($0, now: now) },
            "waitingCount": NumberText.grouped(waiting.count), "hasWaiting": !waiting.isEmpty,
            "hasChannels": !policies.channels.channels.isEmpty,
            "channels": policies.channels.channels.values.sorted { $0.id < $1.id }.map { channel -> PageModel in
                let mine = pages.filter { $0.intent.channel == channel.id }
                return [
                    "channel": channel.id, "kind": channel.kind.rawValue,
                    "sent": NumberText.grouped(mine.count { $0.status == .sent }),
                    "repeats": NumberText.grouped(mine.reduce(0) { $0 + max(0, $1.attempts - 1) }),
                    "dead": NumberText.grouped(mine.count { $0.status == .dead }),
                    "hasDead": mine.contains { $0.status == .dead },
                ]
            },
        ]
    }

    private static func newest(_ pages: [PageState]) -> [PageState] {
        pages.sorted { ($0.intendedAt, $0.intent.key) > ($1.intendedAt, $1.intent.key) }
    }

    private static func rotation(
        _ name: String, _ rotation: OnCallPolicy.Rotation, _ policies: Policies, now: Timestamp
    ) -> PageModel {
        var model: PageModel = ["rotation": name, "zone": rotation.zone.name]
        if let person = rotation.person(at: now) {
            model["person"] = person
            model["ways"] = policies.onCall.people[person]?.contacts.map(\.channel) ?? []
        }
        model["turns"] = rotation.turns(from: now, count: turns).map { turn -> PageModel in
            var model: PageModel = ["from": TimeText.model(turn.from, now: now)]
            model["person"] = turn.person
            return model
        }
        return model
    }

    /// Whom each severity leads to.
    private static func routes(_ policies: Policies) -> [PageModel] {
        Severity.allCases.sorted(by: >).map { severity in
            let route = policies.escalation.routes[severity]
            var model: PageModel = ["severity": IncidentModels.severity(severity)]
            model["route"] = route
            var offset: Int64 = 0
            model["steps"] = (route.flatMap { policies.escalation.policies[$0] } ?? []).map { step -> PageModel in
                defer { offset += step.answersWithin }
                return [
                    "step": step.name, "after": offset == 0 ? "at once" : "after \(DurationText.of(offset * 1_000_000_000))",
                    "targets": step.targets.map(\.text),
                ]
            }
            return model
        }
    }
}
