import Glibc
import Guard
import Logging
import ServiceLifecycle

/// Watches the canary: says when somebody opens it, and when it is not what it was.
struct CanaryWatch: Service {
    let canary: Canary
    let log: SecurityLog
    let metrics: TatouMetrics
    let logger: Logger
    /// Seconds between two looks.
    var interval = Duration.seconds(5)

    func run() async throws {
        await cancelWhenGracefulShutdown {
            var round = CanaryRound(canary: canary, log: log, metrics: metrics, logger: logger)
            while !Task.isCancelled {
                round.look()
                do { try await Task.sleep(for: interval) } catch { return }
            }
        }
    }
}

/// One look after another: what happened since the last one.
struct CanaryRound: ~Copyable {
    private let canary: Canary
    private let log: SecurityLog
    private let metrics: TatouMetrics
    private let logger: Logger
    /// inotify(7), and the open file itself: reading through it is no opening.
    private var notifier: CInt = -1
    private var descriptor: CInt = -1
    private var lastState = Canary.State.intact
    private var isReported = false
    private var hasFailed = false

    init(canary: Canary, log: SecurityLog, metrics: TatouMetrics, logger: Logger) {
        self.canary = canary
        self.log = log
        self.metrics = metrics
        self.logger = logger
    }

    deinit {
        if notifier >= 0 { close(notifier) }
        if descriptor >= 0 { close(descriptor) }
    }

    mutating func look() {
        do {
            if descriptor < 0 { try begin() }
            if wasOpened() {
                metrics.canaryAccessed()
                metrics.suspicious(.canary)
                log.record(.canaryAccessed(id: Canary.identifier))
            }
            var state = try current()
            if state == .replaced {
                end()
                try begin()
                state = try current()
                if state == .intact { log.record(.canaryAccessed(id: Canary.identifier, isUpkeep: true)) }
            }
            // A regeneration writes two files: only what is wrong twice in a row is reported, and that once.
            if state != .intact, state == lastState, !isReported {
                isReported = true
                metrics.canary(isIntact: false)
                metrics.suspicious(.canary)
                log.record(
                    .canaryDamaged(id: Canary.identifier, isMissing: state == .missing).with {
                        if state == .exposed { $0.details["message"] = "others than its owner may read it" }
                    })
            }
            if state == .intact {
                isReported = false
                metrics.canary(isIntact: true)
            }
            if state == .missing { end() }
            lastState = state
            hasFailed = false
        } catch {
            if !hasFailed { logger.error("the canary cannot be watched", metadata: ["error": "\(error)"]) }
            hasFailed = true
            end()
        }
    }

    private func current() throws -> Canary.State {
        descriptor >= 0 ? try canary.state(descriptor: descriptor) : .missing
    }

    /// Opened before it is watched: the first opening is our own.
    private mutating func begin() throws {
        if !canary.exists {
            try canary.regenerate()
            log.record(.canaryAccessed(id: Canary.identifier, isUpkeep: true))
        }
        descriptor = open(canary.options.path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { return }
        notifier = inotify_init1(Int32(IN_NONBLOCK | IN_CLOEXEC))
        guard notifier >= 0 else { throw FileFailure("watch", canary.options.path) }
        guard inotify_add_watch(notifier, canary.options.path, UInt32(IN_OPEN)) >= 0 else {
            throw FileFailure("watch", canary.options.path)
        }
    }

    private mutating func end() {
        if notifier >= 0 { close(notifier) }
        if descriptor >= 0 { close(descriptor) }
        notifier = -1
        descriptor = -1
    }

    /// How often does not matter: one is too many.
    private func wasOpened() -> Bool {
        guard notifier >= 0 else { return false }
        var buffer = [UInt8](repeating: 0, count: 4096)
        var found = false
        while read(notifier, &buffer, buffer.count) > 0 { found = true }
        return found
    }
}
