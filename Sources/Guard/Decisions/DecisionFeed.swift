import Events
import FoundationEssentials
import Logging
import NIOCore
import NIOPosix

/// Keeps the decisions as Vigie has them: all of them once, then each change as it is made.
///
/// While Vigie is away everything that is known stays in force; a change that was missed is asked for again, and where Vigie cannot
/// continue from there the whole is.
struct DecisionFeed: Sendable {
    let connection: VigieConnection
    let store: DecisionStore
    let cache: DecisionCache
    let logger: Logger
    /// Waits before the next try; replaced in tests.
    let pause: @Sendable (Duration) async throws -> Void

    /// The largest document, and the longest line of the stream.
    static let largestSnapshot = 256 << 20
    static let longestLine = 1 << 20

    /// Puts in force what the cache holds; called before the first request is answered.
    func restore() {
        switch cache.load() {
        case .nothing: break
        case .whole(let table):
            store.replace(table, isKnown: true)
            store.setDurable(table.sequence)
        case .damaged(let table):
            store.replace(table, isKnown: false)
            logger.error(
                "the cache of decisions is damaged; what can be read is in force, the rest waits for Vigie",
                metadata: ["path": "\(cache.path)", "decisions": "\(table.decisions.count)"])
        }
    }

    /// Follows Vigie until it is cancelled.
    func run() async {
        var wait = Duration.milliseconds(250)
        var wasReached = true
        while !Task.isCancelled {
            do {
                try await follow {
                    wait = .milliseconds(250)
                    if !wasReached { logger.info("Vigie is back") }
                    wasReached = true
                }
            } catch is CancellationError {
                break
            } catch {
                store.setConnected(false)
                if Task.isCancelled { break }
                // One line when it goes, not one per try.
                if wasReached {
                    logger.warning("no word from Vigie; what was decided stays in force", metadata: ["error": "\(error)"])
                }
                wasReached = false
            }
            store.setConnected(false)
            // Apart, so that many applications do not come back at the same moment.
            do { try await pause(wait * Double.random(in: 0.5...1)) } catch { break }
            wait = min(wait * 2, .seconds(10))
        }
    }

    private func follow(_ reached: () -> Void) async throws {
        let (epoch, sequence, canContinue) = store.read { state in
            // Decisions of a kind that was unknown when they came may be known now.
            (state.table.epoch, state.table.sequence, state.isKnown && !state.table.epoch.isEmpty && state.table.unknown.isEmpty)
        }
        if canContinue {
            if cache.wantsReplacement(holding: store.read { $0.table.decisions.count }) { await writeCache() }
            if try await stream(epoch: epoch, after: sequence, reached) { return }
        }
        let table = try await snapshot()
        store.replace(table, isKnown: true)
        await writeCache()
        reached()
        guard try await stream(epoch: table.epoch, after: table.sequence, reached) else {
            throw VigieFailure("Vigie does not continue from the snapshot that it gave")
        }
    }

    private func snapshot() async throws -> DecisionTable {
        try await connection.get("/api/guard/v1/decisions") { answer in
            guard answer.status == 200 else { throw VigieFailure("Vigie answers \(answer.status) to the request for decisions") }
            var bytes: [UInt8] = []
            while let buffer = try await answer.next() {
                guard bytes.count + buffer.readableBytes <= Self.largestSnapshot else {
                    throw VigieFailure("Vigie's decisions are larger than \(Self.largestSnapshot >> 20) MiB")
                }
                bytes.append(contentsOf: buffer.readableBytesView)
            }
            let snapshot = try JSONDecoder().decode(DecisionMessage.Snapshot.self, from: Data(bytes))
            guard snapshot.version == DecisionMessage.version else {
                throw VigieFailure(
                    "Vigie speaks version \(snapshot.version) of the decisions, this application 1; update the older one")
            }
            return DecisionTable(
                epoch: snapshot.epoch, sequence: snapshot.sequence, decisions: snapshot.decisions.lazy.map { Decision($0) })
        }
    }

    /// - Returns: `false` when Vigie cannot continue from there.
    private func stream(epoch: String, after sequence: Int, _ reached: () -> Void) async throws -> Bool {
        let escaped = epoch.utf8.map { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || byte == 0x2D
                ? String(UnicodeScalar(byte)) : "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
        }.joined()
        return try await connection.get("/api/guard/v1/decisions/stream?epoch=\(escaped)&after=\(sequence)") { answer in
            if answer.status == 410 { return false }
            guard answer.status == 200 else { throw VigieFailure("Vigie answers \(answer.status) to the request for changes") }
            var last = sequence
            var pending: [UInt8] = []
            store.setConnected(true)
            reached()
            while let buffer = try await answer.next() {
                pending.append(contentsOf: buffer.readableBytesView)
                var start = 0
                var batch: [DecisionMessage.Change] = []
                while let end = pending[start...].firstIndex(of: UInt8(ascii: "\n")) {
                    if end > start {
                        batch.append(try JSONDecoder().decode(DecisionMessage.Change.self, from: Data(pending[start..<end])))
                    }
                    start = end + 1
                }
                pending.removeFirst(start)
                guard pending.count <= Self.longestLine else { throw VigieFailure("a line of Vigie's stream does not end") }
                guard try await apply(batch, last: &last) else { return false }
            }
            throw VigieFailure("Vigie ended the stream")
        }
    }

    /// - Returns: `false` where a change is missing or cannot be understood: then everything is asked for again.
    private func apply(_ batch: [DecisionMessage.Change], last: inout Int) async throws -> Bool {
        var written: [DecisionMessage.Change] = []
        var isUnbroken = true
        for change in batch {
            if change.change == "heartbeat", change.sequence == last { continue }
            // Known already: after a reconnection Vigie may repeat itself.
            if change.change != "heartbeat", change.sequence <= last { continue }
            guard change.sequence == last + 1 else {
                isUnbroken = false
                break
            }
            if change.change == "add", let record = change.decision {
                store.add(Decision(record), sequence: change.sequence)
            } else if change.change == "remove", let id = change.id {
                store.remove(id: id, sequence: change.sequence)
            } else {
                isUnbroken = false
                break
            }
            last = change.sequence
            written.append(change)
        }
        await writeCache(written)
        return isUnbroken
    }

    /// In force first, on the disk next; read-back tells both numbers apart.
    private func writeCache(_ changes: [DecisionMessage.Change]) async {
        guard let last = changes.last else { return }
        if cache.wantsReplacement(holding: store.read { $0.table.decisions.count }) {
            await writeCache()
            return
        }
        await writing {
            try cache.append(changes)
            store.setDurable(last.sequence)
        }
    }

    private func writeCache() async {
        await writing {
            let table = store.read { $0.table }
            try cache.replace(with: table)
            store.setDurable(table.sequence)
        }
    }

    private func writing(_ body: @escaping @Sendable () throws -> Void) async {
        do {
            try await NIOSingletons.posixBlockingThreadPool.runIfActive(body)
        } catch {
            // Enforcement goes on; after a restart it would not, and read-back says so.
            logger.error("the cache of decisions cannot be written", metadata: ["path": "\(cache.path)", "error": "\(error)"])
        }
    }
}
