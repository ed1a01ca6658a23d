import Testing

/// Asks until it is so; what asks this has no way of being told. The limit ends what hangs; it is no measure of speed: beside the
/// rest of the suite on two cores a task may wait minutes for its turn.
func eventually(_ what: String, within limit: Duration = .seconds(1_000), _ isSo: () async throws -> Bool) async throws {
    let end = ContinuousClock.now + limit
    while try await !isSo() {
        guard ContinuousClock.now < end else {
            Issue.record("still not so after \(limit): \(what)")
            return
        }
        try await Task.sleep(for: .milliseconds(10))
    }
}
