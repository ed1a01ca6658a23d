import Events
import Journal
import Response
import Synchronization
import Testing

/// Enforcers that somebody else's program stands behind: what they are told, and what counts as an answer.
@Suite struct ServiceEnforcerTests {
    private static let now = LeaseBookTests.start

    private static func lease(_ verb: Lease.Verb, _ target: String) -> Lease {
        Lease(
            id: "lease-1", verb: verb, target: target, reason: "compromised", incident: "SEC-2026-0001", requestedBy: "ana",
            requestedAt: now, expiresAt: now.advanced(bySeconds: 600), enforcer: "toy")
    }

    /// One unit, as systemd 252 keeps it: a filter is made from lists, and where there is none left the last one stays.
    private struct Unit {
        var active = "active"
        var lists = ["IPAddressAllow": "", "IPAddressDeny": ""]
        var letsIn = true
        var orders: [[String]] = []

        mutating func carryOut(_ arguments: [String]) -> String {
            orders.append(arguments)
            switch arguments[0] {
            case "stop": active = "inactive"
            case "start": active = "active"
            case "set-property":
                for property in arguments.dropFirst(4) {
                    let words = property.split(separator: "=", omittingEmptySubsequences: false).map(String.init)
                    lists[words[0]] = words[1] == "any" ? "::/0 0.0.0.0/0" : words[1]
                }
                if lists.values.contains(where: { !$0.isEmpty }) {
                    letsIn = lists["IPAddressAllow"] != "" || lists["IPAddressDeny"] == ""
                }
            default:
                let property = arguments[1].split(separator: "=").last.map(String.init) ?? ""
                return (property == "ActiveState" ? active : lists[property] ?? "") + "\n"
            }
            return ""
        }
    }

    /// `script/lease-check` asks a real systemd; the words are those of systemctl(1).
    @Test func systemdStopsAndIsolatesUnits() async throws {
        let unit = Mutex(Unit())
        let enforcer = SystemdEnforcer(units: ["notes.service"]) { arguments in unit.withLock { $0.carryOut(arguments) } }
        for verb in [Lease.Verb.stopService, .isolateService] {
            let lease = Self.lease(verb, "notes.service")
            #expect(try await !enforcer.isInForce(lease))
            try await enforcer.apply(lease, now: Self.now)
            try await enforcer.apply(lease, now: Self.now)
            #expect(try await enforcer.isInForce(lease))
            #expect(unit.withLock { $0.letsIn } == (verb == .stopService))
            try await enforcer.lift(lease)
            #expect(try await !enforcer.isInForce(lease))
            #expect(unit.withLock { $0.letsIn && $0.active == "active" && $0.lists.values.allSatisfy(\.isEmpty) })
        }
        #expect(unit.withLock { $0.orders.contains(["stop", "--", "notes.service"]) })
        unit.withLock { $0.orders = [] }
        await #expect(throws: EnforcerError.self) {
            try await enforcer.apply(Self.lease(.stopService, "ssh.service"), now: Self.now)
        }
        #expect(unit.withLock { $0.orders.isEmpty }, "what the configuration does not name is not touched")
    }

    @Test(arguments: ["IPAddressAllow", "IPAddressDeny"])
    func aUnitWithListsOfItsOwnIsNotIsolated(property: String) async throws {
        let unit = Mutex(Unit(lists: [property: "192.0.2.0/24"]))
        let enforcer = SystemdEnforcer(units: ["notes.service"]) { arguments in unit.withLock { $0.carryOut(arguments) } }
        let error = await #expect(throws: EnforcerError.self) {
            try await enforcer.apply(Self.lease(.isolateService, "notes.service"), now: Self.now)
        }
        #expect(error?.reason.contains("192.0.2.0/24") == true)
        #expect(unit.withLock { $0.lists[property] } == "192.0.2.0/24")
    }

    /// The container's states as the API has them; `script/lease-check` asks a real engine.
    @Test func containersAreStoppedAndFrozenOnce() async throws {
        let state = Mutex((running: true, paused: false, posts: [String]()))
        let enforcer = DockerEnforcer(containers: ["notes"]) { method, path in
            state.withLock { state in
                guard method == "POST" else {
                    return (200, #"{"State":{"Running":\#(state.running),"Paused":\#(state.paused)}}"#)
                }
                state.posts.append(path)
                switch path.split(separator: "/").last {
                case "stop": state.running = false
                case "start": state.running = true
                case "pause": state.paused = true
                default: state.paused = false
                }
                return (204, "")
            }
        }
        for verb in [Lease.Verb.stopService, .isolateService] {
            let lease = Self.lease(verb, "notes")
            try await enforcer.apply(lease, now: Self.now)
            try await enforcer.apply(lease, now: Self.now)
            #expect(try await enforcer.isInForce(lease))
            try await enforcer.lift(lease)
            try await enforcer.lift(lease)
            #expect(try await !enforcer.isInForce(lease))
        }
        #expect(
            state.withLock { $0.posts } == [
                "/containers/notes/stop", "/containers/notes/start", "/containers/notes/pause", "/containers/notes/unpause",
            ])
        await #expect(throws: EnforcerError.self) {
            try await enforcer.apply(Self.lease(.stopService, "../images/prune"), now: Self.now)
        }
    }

    @Test func aWebhookIsBelievedOnlyWhatItSays() async throws {
        let answer = Mutex(JSONValue.null)
        let sent = Mutex([(id: String, body: JSONValue)]())
        let enforcer = WebhookEnforcer(verbs: [.rotateKey]) { id, body in
            let document = try JSONValue(parsing: body)
            sent.withLock { $0.append((id, document)) }
            return answer.withLock { $0 }
        }
        let lease = Self.lease(.rotateKey, "signing")
        try await enforcer.apply(lease, now: Self.now)
        #expect(try await enforcer.observe([lease])[lease.id] == .delivered, "it tells nothing")
        answer.withLock { $0 = ["in_force": true, "refusals": 2] }
        #expect(try await enforcer.observe([lease])[lease.id] == .shown(refusals: 2))
        answer.withLock { $0 = ["in_force": false] }
        #expect(try await enforcer.observe([lease])[lease.id] == .absent)
        let first = sent.withLock { $0[0] }
        #expect(first.id == "lease-1.apply", "the same when it is repeated")
        #expect(first.body["type"] == "lease.apply")
        #expect(first.body["lease"]?["target"] == "signing")
    }

    /// The vector of the scheme's own libraries.
    @Test func ordersAreSignedAsStandardWebhooksHasIt() {
        let signature = WebhookEnforcer.signature(
            secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", id: "msg_p5jXN8AQM9LWM0D4loKWxJek", time: 1_614_265_330,
            body: #"{"test": 2432232314}"#)
        #expect(signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
    }

    /// What an application answers decides, and only for the feed that it has.
    @Test func anApplicationIsBelievedOnlyAboutThisFeed() async throws {
        let answer = Mutex(JSONValue.null)
        let enforcer = GuardEnforcer(applications: ["notes"], epoch: "e1") { _, _ in answer.withLock { $0 } }
        let lease = Self.lease(.revokeToken, "t-1")
        try await enforcer.apply(lease, now: Self.now)
        func observed(_ epoch: String, _ sequence: Int64, durable: Int64, inForce: Bool) async throws -> Observation? {
            answer.withLock {
                $0 = [
                    "epoch": .string(epoch), "sequence": .integer(sequence), "durable_sequence": .integer(durable),
                    "decision": ["id": "lease-1", "in_force": .bool(inForce), "refusals": 0],
                ]
            }
            return try await enforcer.observe([lease])["lease-1"]
        }
        #expect(try await observed("e1", 1, durable: 1, inForce: true) == .shown(refusals: 0))
        #expect(try await observed("e1", 1, durable: 0, inForce: true) == .pending, "a restart would forget it")
        #expect(try await observed("e0", 7, durable: 7, inForce: true) == .pending, "that is another server's feed")
        #expect(try await observed("e1", 0, durable: 0, inForce: false) == .pending, "it has not come so far")
        #expect(try await observed("e1", 1, durable: 1, inForce: false) == .absent)
        try await enforcer.lift(lease)
        #expect(try await observed("e1", 1, durable: 1, inForce: false) == .pending, "the lift is not there yet")
        #expect(try await observed("e1", 2, durable: 2, inForce: false) == .absent)
        #expect(try await observed("e1", 2, durable: 2, inForce: true) == .shown(refusals: 0), "still there")
    }

    @Test func whatHoldsInOneApplicationOnlyDoesNotHold() async throws {
        let enforcer = GuardEnforcer(applications: ["a", "b"], epoch: "e1") { application, id in
            [
                "epoch": "e1", "sequence": 1, "durable_sequence": 1,
                "decision": ["id": .string(id ?? ""), "in_force": .bool(application == "a"), "refusals": 0],
            ]
        }
        var lease = Self.lease(.blockAddress, "203.0.113.9")
        try await enforcer.apply(lease, now: Self.now)
        #expect(try await enforcer.observe([lease])[lease.id] != .shown(refusals: 0))
        lease.scope = "nowhere"
        await #expect(throws: EnforcerError.self) { try await enforcer.apply(lease, now: Self.now) }
    }

    /// The stream that one application reads: numbers without gaps, and an end where they are not kept.
    @Test func aFeedNumbersItsChanges() throws {
        var feed = GuardFeed(epoch: "e1")
        let lease = Self.lease(.disableAccount, "u-7")
        feed.add(lease)
        feed.add(lease)
        feed.remove(id: lease.id)
        feed.remove(id: lease.id)
        let lines = try #require(feed.lines(after: 0, epoch: "e1")).map { try JSONValue(parsing: $0) }
        #expect(lines.map { $0["sequence"] } == [1, 2])
        #expect(lines.map { $0["change"] } == ["add", "remove"])
        #expect(lines[0]["decision"]?["verb"] == "disable")
        #expect(lines[0]["decision"]?["user"] == "u-7")
        #expect(feed.lines(after: 2) == [])
        #expect(feed.lines(after: 3) == nil)
        #expect(feed.lines(after: -1) == nil)
        #expect(feed.lines(after: 0, epoch: "e0") == nil)
        #expect(feed.document(now: Self.now)["decisions"] == .array([]))
        #expect(feed.document(now: Self.now)["sequence"] == 2)
    }
}
