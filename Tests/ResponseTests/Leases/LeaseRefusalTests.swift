import Events
import Response
import Testing

@Suite("Refusals of leases")
struct LeaseRefusalTests {
    @Test("every code, as programs are told it, and what it comes down to")
    func codes() {
        let kinds = LeaseRefusalCode.allCases.reduce(into: [:]) { $0[$1.rawValue] = $1.kind }
        #expect(
            kinds == [
                "unknown": .unknown, "invalid": .invalid, "protected": .invalid, "no_enforcer": .invalid,
                "not_allowed": .conflict, "forbidden": .forbidden,
            ])
    }
}
