import Events
import Incidents

/// Finds the worst of all addresses and accounts that are known, which takes a while where they are very many: apart from the recorder, and
/// one question after the other, so that whoever asks over and over makes one core busy at most.
actor RiskRanking {
    private var turn: Task<Void, Never>?

    /// - Parameter sheet: takes what is to be weighed, when its turn has come.
    func worst(
        by policy: RiskPolicy, at now: Timestamp, limit: Int, of sheet: @escaping @Sendable () async -> RiskSheet
    ) async -> [RiskView] {
        let previous = turn
        let task = Task {
            await previous?.value
            return await sheet().worst(by: policy, at: now, limit: limit)
        }
        turn = Task { _ = await task.value }
        return await task.value
    }
}
