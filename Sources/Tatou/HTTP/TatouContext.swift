package import Guard
package import Hummingbird

/// What is known of a request.
package struct TatouContext: GuardedContext {
    package var coreContext: CoreRequestContextStorage
    package var facts: RequestFacts

    package init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        facts = .init(source: source)
    }
}
