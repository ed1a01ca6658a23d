import Events
import Incidents
import Storage
import Testing

@testable import Server

@Suite("Who may know of a restricted incident", .timeLimit(.minutes(20)))
struct ReadersTests {
    @Test("readers are named as people are, those who are not there are refused, and the author goes on knowing of it")
    func names() async throws {
        let office = try await Office()
        let id = try await office.open("The director's laptop")
        let refusal = await #expect(throws: IncidentRefusal.self) {
            try await office.order(.restrict(readers: ["bo", "zoe"]), id)
        }
        #expect(refusal?.reason == "there is no account 'zoe'")
        #expect(await office.recorder.incident(id)?.readers == nil)
        try await office.order(.restrict(readers: ["bo"]), id)
        #expect(await office.recorder.incident(id)?.readers == ["0b", "0a"])
        let tables = try office.desk.projections
        for (account, name) in [("0a", "ana"), ("0b", "bo")] {
            #expect(try await !tables.isHidden(id: id, from: IncidentReader(account: account, name: name)))
        }
        #expect(try await tables.isHidden(id: id, from: IncidentReader(account: "0c", name: "cy")))
    }
}
