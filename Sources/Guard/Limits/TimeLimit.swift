import HTTPTypes

/// Runs `work`, and cancels it when it takes longer than `limit`: for what a handler waits for, as a query or another service.
///
/// Cancellation is a request: work that ignores it is waited for, and keeps its own connection busy, but no other.
///
/// - Throws: ``Refusal`` with the reason `timed_out` and status 504, or what `work` throws.
public func withTimeLimit<Result: Sendable>(
    _ limit: Duration, _ work: @escaping @Sendable () async throws -> Result
) async throws -> Result {
    try await withThrowingTaskGroup(of: Result?.self) { group in
        group.addTask { try await work() }
        group.addTask {
            try await Task.sleep(for: limit)
            return nil
        }
        defer { group.cancelAll() }
        guard let first = try await group.next(), let result = first else {
            throw Refusal("timed_out", status: .gatewayTimeout, message: "The request took too long.")
        }
        return result
    }
}
