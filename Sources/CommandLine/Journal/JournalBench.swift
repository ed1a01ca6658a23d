import ArgumentParser
import Events
import Foundation
import Journal
import Server
import Synchronization

/// For `script/lib/bench_journal.py` and `script/soak journal`: many callers append, a tree is published beside them.
struct JournalBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench", abstract: "Append entries as fast as they become durable, and measure.", shouldDisplay: false)

    @Option(help: "A folder for the journal and its key.")
    var directory: String

    @Option(help: "Appends to make; 0 goes on until killed.")
    var appends = 20_000

    @Option(help: "Tasks that append at the same time, each waiting for its entry to be durable.")
    var callers = 64

    @Option(help: "Bytes of text in an entry.")
    var size = 300

    @Option(help: "Milliseconds between checkpoints.")
    var interval = 1000

    @Option(help: "A file to which every acknowledged sequence is written, 8 bytes each.")
    var receipt: String?

    func run() async throws {
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let journal = try Journal.open(directory: directory + "/journal", keys: InMemorySubjectKeys())
        let tree = try JournalTree.open(journal: journal, keyPath: directory + "/keys/checkpoint")
        try await tree.publish()
        let file = try receipt.map { path -> FileHandle in
            if !FileManager.default.fileExists(atPath: path) { _ = FileManager.default.createFile(atPath: path, contents: nil) }
            let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
            try handle.seekToEnd()
            return handle
        }
        let before = journal.commitCount
        let publisher = Task {
            while !Task.isCancelled {
                try? await Task.sleep(for: .milliseconds(interval))
                try await tree.publish()
            }
        }
        let clock = ContinuousClock()
        let start = clock.now
        let latencies = try await appendAll(journal, file)
        let seconds = Double((clock.now - start) / .nanoseconds(1)) / 1e9
        publisher.cancel()
        _ = await publisher.result
        try await tree.publish()
        let commits = journal.commitCount - before
        await journal.close()
        let sorted = latencies.sorted()
        let at = { (share: Double) in Double(sorted[min(sorted.count - 1, Int(Double(sorted.count) * share))]) / 1e6 }
        Output.line(
            FindingJSON.text([
                "entries": .integer(Int64(sorted.count)), "seconds": .number(seconds),
                "entries_per_second": .number(Double(sorted.count) / seconds),
                "commits": .integer(Int64(commits)), "callers": .integer(Int64(callers)), "bytes": .integer(Int64(size)),
                "append_ms": ["p50": .number(at(0.5)), "p99": .number(at(0.99)), "max": .number(at(1))],
            ]))
    }

    /// Nanoseconds from each append's call to its acknowledgement.
    private func appendAll(_ journal: Journal, _ file: FileHandle?) async throws -> [Int64] {
        let text = String(repeating: "x", count: size)
        let isEndless = appends == 0
        let remaining = Remaining(isEndless ? .max : appends)
        return try await withThrowingTaskGroup(of: [Int64].self) { group in
            for _ in 0..<callers {
                group.addTask {
                    let clock = ContinuousClock()
                    var latencies: [Int64] = []
                    while remaining.take() {
                        let now = Timestamp.system
                        let draft = EntryDraft(
                            type: "bench.entry", occurredAt: now, actor: "system", data: ["text": .string(text)])
                        let start = clock.now
                        let entries = try await journal.append([draft], at: now)
                        latencies.append(Int64((clock.now - start) / .nanoseconds(1)))
                        if let file, let entry = entries.first {
                            try file.write(contentsOf: withUnsafeBytes(of: entry.sequence.bigEndian) { Data($0) })
                        }
                        if isEndless, latencies.count > 1_000_000 { latencies = [] }
                    }
                    return latencies
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
    }
}

/// How many appends are left for all callers together.
private final class Remaining: Sendable {
    private let count: Atomic<Int>

    init(_ count: Int) { self.count = Atomic(count) }

    func take() -> Bool { count.subtract(1, ordering: .relaxed).oldValue > 0 }
}
