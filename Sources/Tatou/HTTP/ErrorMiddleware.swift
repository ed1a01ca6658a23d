import Guard
import HTTPTypes
import Hummingbird
import Logging
import NIOCore

/// Turns every error of the services into this API's `{"error": …}`, writes what somebody has to know, and counts requests in progress.
struct ErrorMiddleware: RouterMiddleware {
    typealias Context = TatouContext

    let platform: Platform

    func handle(
        _ request: Request, context: Context, next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        let route = context.endpointPath ?? "unmatched"
        platform.metrics.began(route)
        defer { platform.metrics.ended(route) }
        if let length = request.headers[.contentLength].flatMap({ Int($0) }), length >= 0 {
            platform.metrics.body(length, method: request.method == .post ? "POST" : "other", route: route)
        }
        do {
            return try await next(request, context)
        } catch {
            throw refusal(for: error, context)
        }
    }

    private func refusal(for error: any Error, _ context: Context) -> any Error {
        switch error {
        case let error as DatabaseFailure:
            context.logger.error("database operation failed", metadata: ["error": "\(error)"])
            context.record(.databaseFailed(reason: error.reason))
            return Refusal.unavailable
        case let error as ProcessingFailure:
            return Refusal("processing", status: .serviceUnavailable, message: error.message, retryAfter: 5)
        case let error as HTTPError:
            return Refusal(
                "http", status: error.status, message: error.body ?? error.status.reasonPhrase.lowercased())
        default:
            // Refusals pass; of anything else Guard logs the error, and answers 500 without it.
            return error
        }
    }
}

/// Counts uploads that were refused for their size before any route saw them. Outside of Guard's middleware.
struct OversizeMiddleware: RouterMiddleware {
    typealias Context = TatouContext

    let metrics: TatouMetrics

    func handle(
        _ request: Request, context: Context, next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        let response = try await next(request, context)
        if response.status == .contentTooLarge, request.uri.path == DocumentRoutes.uploadPath {
            metrics.suspicious(.uploadOversize)
        }
        return response
    }
}
