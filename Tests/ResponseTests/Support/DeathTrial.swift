import Response
import Testing

/// One run, killed at every point where a process can die, each time continued by a new process from the journal alone.
enum DeathTrial {
    @discardableResult
    static func run(name: String, _ rehearse: (Rehearsal.Death) throws -> Rehearsal) throws -> (deaths: Int, questions: Int) {
        let whole = try rehearse(.never)
        let outcome = RunState(replaying: whole.entries).outcome
        let wanted = whole.effects.sorted()
        var deaths = 0
        var questions = 0
        func check(_ rehearsal: Rehearsal, _ place: String) {
            deaths += 1
            questions += rehearsal.questions.count
            #expect(rehearsal.questions.count <= 1)
            // A person who is asked finds the command done, or does it: an undone one has no arrival.
            let answered = Set(rehearsal.questions.map { "\(name)/\($0.execution)/\($0.command)/\($0.target)" })
            let effects = rehearsal.effects.sorted()
            #expect(Set(effects).count == effects.count, "\(name) \(place): something was done twice")
            if answered.isEmpty {
                #expect(effects == wanted, "\(name) \(place): lost or added")
                #expect(RunState(replaying: rehearsal.entries).outcome == outcome, "\(name) \(place)")
            } else {
                #expect(Set(effects).isSubset(of: Set(wanted)), "\(name) \(place)")
                #expect(wanted.count - effects.count <= answered.count, "\(name) \(place): lost")
            }
        }
        for entry in 1..<whole.entries.count { check(try rehearse(.before(entry: entry)), "before entry \(entry)") }
        for delivery in whole.arrivals.indices {
            check(try rehearse(.afterDelivery(delivery + 1)), "after delivery \(delivery + 1)")
        }
        return (deaths, questions)
    }
}
