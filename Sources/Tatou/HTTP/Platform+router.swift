import Guard
package import Hummingbird

extension Platform {
    /// The API and the pages, guarded.
    ///
    /// - Parameter handshake: the server's side of RMAP; without one both routes answer 503.
    package func router(handshake: (any Handshake)? = nil) -> Router<TatouContext> {
        let router = Router(context: TatouContext.self, options: [.autoGenerateHeadEndpoints])
        router.add(middleware: OversizeMiddleware(metrics: metrics))
        router.add(middleware: protection.middleware(for: TatouContext.self))
        router.add(middleware: ErrorMiddleware(platform: self))
        protection.addRoutes(to: router)
        SystemRoutes(platform: self).add(to: router)
        AccountRoutes(platform: self).add(to: router)
        DocumentRoutes(platform: self).add(to: router)
        VersionRoutes(platform: self).add(to: router)
        WatermarkRoutes(platform: self).add(to: router)
        TraceRoutes(platform: self).add(to: router)
        PageRoutes().add(to: router)
        HandshakeRoutes(platform: self, handshake: handshake).add(to: router)
        return router
    }
}
