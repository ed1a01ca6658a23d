import Guard
import Hummingbird
import Logging

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// The same application bare and guarded: `guard-bench bare|guarded PORT FOLDER`. FOLDER may hold `decisions.ndjson`, the cache.
@main
struct Bench {
    struct Item: ResponseEncodable {
        var id: Int
        var name: String
        var size: Int
        var created: String
    }
    struct List: ResponseEncodable {
        var documents: [Item]
    }

    static func main() async throws {
        let arguments = CommandLine.arguments
        guard arguments.count == 4, let port = Int(arguments[2]) else { fatalError("guard-bench bare|guarded PORT FOLDER") }
        var logger = Logger(label: "bench")
        logger.logLevel = .error
        let address = BindAddress.hostname("127.0.0.1", port: port)
        if arguments[1] == "guarded" {
            var configuration = Configuration(service: "bench")
            configuration.log.path = arguments[3] + "/app.log"
            configuration.requestMetrics = .init(requests: "bench_requests_total", duration: "bench_request_duration_seconds")
            configuration.metricsToken = "metrics-token-of-the-bench"
            // Nobody listens there: what the cache holds is in force.
            configuration.vigie = Vigie(url: "http://127.0.0.1:9", token: "bench", cache: arguments[3] + "/decisions.ndjson")
            let protection = try Protection(configuration, logger: logger)
            let router = Router(context: BasicGuardedContext.self)
            router.add(middleware: protection.middleware())
            protection.addRoutes(to: router)
            addRoutes(to: router)
            try await Application(router: router, configuration: .init(address: address), services: [protection], logger: logger)
                .runService()
        } else {
            let router = Router()
            addRoutes(to: router)
            try await Application(router: router, configuration: .init(address: address), logger: logger).runService()
        }
    }

    static func addRoutes<Context: RequestContext>(to router: Router<Context>) {
        // The least that Hummingbird can do: the worst case for a share.
        router.get("/hello") { _, _ in "hello" }
        // What Tatou answers to GET /api/list-documents with twenty documents.
        router.get("/documents") { _, _ in
            List(
                documents: (0..<20).map {
                    Item(id: $0, name: "document-\($0).pdf", size: 12_345 * $0, created: "2026-03-02T16:56:03Z")
                })
        }
    }
}
