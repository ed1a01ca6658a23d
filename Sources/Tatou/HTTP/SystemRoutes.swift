import EmbeddedFiles
import HTTPTypes
import Hummingbird

/// Whether the platform lives, and what its API is.
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
        // Without a sign-in: it says what can be asked, and nothing of what there is.
        if let document = PageRoutes.files.first(where: { $0.name == "openapi.json" }) {
            router.get("/api/openapi.json") { _, _ in
                Response(
                    status: .ok, headers: [.contentType: "application/json"], body: ResponseBody(byteBuffer: document.bytes))
            }
        }
    }

    private func health(_ request: Request, _ context: TatouContext) async throws -> Response {
        try JSONAnswer.response(Health(db_connected: await platform.database.isReachable()))
    }
}
