import Events
import Foundation
import Incidents
import Journal
import Response
import Synchronization
import Testing

@testable import Server

/// What somebody has seen who tried as the attacker: in tests and drills only.
@Suite(.timeLimit(.minutes(20))) struct LeaseProbeTests {
    private static func inForce(_ office: LeaseOffice) async throws -> Lease {
        office.run()
        let lease = try await office.desk.apply(office.request())
        _ = await office.desk.settle(id: lease.id, by: office.time.value.advanced(bySeconds: 1_000))
        return lease
    }

    @Test(arguments: [IncidentKind.drill, .test])
    func aProbeThatWasRefusedIsTheStrongestProof(kind: IncidentKind) async throws {
        let office = try await LeaseOffice(kind: kind)
        let lease = try await Self.inForce(office)
        try await office.desk.probed(id: lease.id, wasRefused: true, by: "ana")
        #expect(await office.phase(lease) == .inForce(.probed))
        office.enforcer.state.withLock { $0.refusals = 3 }
        _ = try await office.desk.prove(id: lease.id)
        #expect(await office.phase(lease) == .inForce(.probed), "a weaker proof takes nothing away")
        let probe = await office.desk.standing(of: lease.id)?.probe
        #expect(probe?.by == "ana" && probe?.wasRefused == true && probe?.at == office.time.value)
        await office.stop()
        #expect(try await office.replayed().standings == office.desk.book.standings, "who told it is in the journal")
    }

    @Test func aProbeThatWasServedOutweighsTheEnforcer() async throws {
        let office = try await LeaseOffice(kind: .drill)
        let lease = try await Self.inForce(office)
        await office.stop()
        try await office.desk.probed(id: lease.id, wasRefused: false, by: "uid:1000")
        guard case .notInForce(let reason)? = await office.phase(lease) else {
            Issue.record("shown as \(String(describing: await office.phase(lease)))")
            return
        }
        #expect(reason.contains("probe"))
        #expect(try await office.replayed().standings[lease.id]?.probe?.by == "uid:1000")
    }

    @Test func nobodyTriesAsTheAttackerOfARealIncident() async throws {
        let office = try await LeaseOffice()
        let lease = try await Self.inForce(office)
        let refusal = await #expect(throws: LeaseRefusal.self) {
            try await office.desk.probed(id: lease.id, wasRefused: true, by: "ana")
        }
        #expect(refusal?.code == .notAllowed)
        #expect(await office.phase(lease) == .inForce(.readBack))
        #expect(await office.desk.standing(of: lease.id)?.probe == nil)
        await office.stop()
    }

    @Test func whatDoesNotStandIsNotProbed() async throws {
        let office = try await LeaseOffice(kind: .drill)
        let lease = try await Self.inForce(office)
        try await office.desk.undo(id: lease.id, by: "ben", reason: "")
        _ = await office.desk.settle(id: lease.id, by: office.time.value.advanced(bySeconds: 1_000))
        for id in [lease.id, "lease-none"] {
            await #expect(throws: LeaseRefusal.self) { try await office.desk.probed(id: id, wasRefused: false, by: "ana") }
        }
        guard case .lifted? = await office.phase(lease) else {
            Issue.record("a lease that is over was brought back")
            return
        }
        await office.stop()
    }

    /// By form and by API, of a drill and of what is real.
    @Test func peopleTellIt() async throws {
        let world = try World()
        var options = world.options
        options.response.enforcers = [
            .denyFile(.init(server: .caddy, file: world.path + "/deny", check: ["true"], reload: ["true"], pidFile: nil))
        ]
        try await withServer(world, options) { running in
            let client = Client(port: running.port)
            _ = try await client.submit(
                "/setup",
                [
                    "token": try #require(running.server.setupToken), "name": "ana", "password": "correct-horse-battery",
                    "password_again": "correct-horse-battery",
                ])
            for (kind, status) in [(IncidentKind.drill, 303), (.real, 409)] {
                let incident = try #require(
                    try await running.server.desk.open(title: "t", severity: .high, kind: kind, author: .system, request: nil))
                _ = try await client.submit(
                    "/leases",
                    [
                        "verb": "block_address", "target": kind == .drill ? "203.0.113.9" : "203.0.113.10", "incident": incident,
                        "duration": "1h", "reason": "guesses",
                    ], from: "/leases/new")
                let list = try await client.get("/api/v1/leases?incident=\(incident)").text
                let id = try #require(list.firstMatch(of: /lease-[0-9a-f]{16}/).map { String($0.0) })
                try await eventually("it is in force, read back") {
                    await running.server.leases.desk.standing(of: id)?.phase == .inForce(.readBack)
                }
                let page = try await client.get("/leases/\(id)").text
                #expect(page.contains("/leases/\(id)/probed") == (kind == .drill), "a form where it can be told")
                let told = try await client.submit("/leases/\(id)/probed", ["outcome": "refused"], from: "/leases/new")
                #expect(told.status == status)
                let after = try await client.get("/api/v1/leases/\(id)").text
                #expect(after.contains(#""probed_by":"ana""#) == (kind == .drill))
                #expect(after.contains(#""proof":"probed""#) == (kind == .drill))
                if kind == .drill {
                    #expect(try await client.get("/leases/\(id)").text.contains("refused, as ana says"))
                    #expect(
                        try await client.submit("/leases/\(id)/probed", ["outcome": "maybe"], from: "/leases/new").status == 422)
                }
            }
        }
    }
}
