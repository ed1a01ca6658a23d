import Hummingbird

/// Whether the platform lives.
struct SystemRoutes {
    let platform: Platform

    private struct Health: Encodable {
        var message = "The server is up and running."
        var db_connected: Bool
    }

    func add(to router: Router<TatouContext>) {
        // One name is in the documents, the other in the program that they describe.
        router.get("/healthz", use: health)
        router.get("/api/healthz", use: health)
    }

    private func health(_ request: Request, _ context: TatouContext) async throws -> Response {
        try JSONAnswer.response(Health(db_connected: await platform.database.isReachable()))
    }
}
