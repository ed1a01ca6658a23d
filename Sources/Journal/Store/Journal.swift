import Dispatch
package import Events
import Synchronization

/// The append-only log of everything seen, decided and done: the only truth, from which every table can be rebuilt.
///
/// **On disk** a journal is a folder of segments, `00000000000000000000.log` and so on, each named after its first entry and begun when
/// the one before reaches 64 MiB. A segment holds ``Frame``s, one for each append. Beside them lie `lock` and `acknowledged`.
///
/// **The commit point** is the fsync of a segment. Before it nothing is acknowledged; after it nothing acknowledged is lost. All
/// drafts of one append share a frame, so after a crash either all or none of them are there. Appends that wait at the same time
/// share one write and one fsync.
///
/// **At open** every frame is checked. A torn frame at the very end, which nobody was told about, is cut off and reported. Anything
/// else is ``JournalError/damaged(_:)``, and not a byte is changed. After a failed write the journal takes nothing more until it is
/// opened anew.
///
/// Callable from any task. Writing happens on a queue of its own, so that waiting for the disk blocks no task's thread.
package final class Journal: Sendable {
    package let directory: String
    /// What was cut off at open; worth a line in the log.
    package let cutTail: CutTail?
    /// The root over as many entries as the newest checkpoint was about at open; `nil` without one, or with fewer entries.
    let rootOfPublished: MerkleHash?

    private let keys: any SubjectKeyStore
    let random: RandomSource
    private let queue = DispatchQueue(label: "vigie.journal")
    let writer: Mutex<JournalWriter?>
    let state: Mutex<State>

    struct State {
        var waiting: [PendingAppend] = []
        var isCommitting = false
        /// Why nothing more is appended.
        var refusal: JournalError?
        var frontier: MerkleFrontier
        var commitCount = 0
    }

    struct PendingAppend: Sendable {
        var drafts: [EntryDraft]
        var keys: [Subject: SubjectKey]
        var recordedAt: Timestamp
        var continuation: CheckedContinuation<Result<[Entry], JournalError>, Never>
    }

    /// Opens a journal for writing, makes it when there is none, and keeps every other process from writing it.
    ///
    /// Reads all of it, so it takes about as long as reading the files does; call it from where blocking is fine.
    /// - Parameter segmentLimit: bytes after which a new segment begins.
    package static func open(
        directory: String,
        keys: any SubjectKeyStore,
        random: RandomSource = .system,
        segmentLimit: Int = 64 << 20
    ) throws(JournalError) -> Journal {
        try FileSystem.makeDirectory(directory)
        let lock = try DirectoryLock(directory: directory)
        let scan = try JournalRecovery(directory: directory, published: JournalTree.publishedSize(journal: directory))
        let writer = try JournalWriter.open(directory: directory, lock: lock, scan: scan, segmentLimit: segmentLimit)
        return Journal(directory: directory, keys: keys, random: random, scan: scan, writer: writer)
    }

    private init(
        directory: String,
        keys: any SubjectKeyStore,
        random: RandomSource,
        scan: JournalRecovery,
        writer: consuming sending JournalWriter
    ) {
        self.directory = directory
        self.keys = keys
        self.random = random
        cutTail = scan.tail
        rootOfPublished = scan.rootOfPublished
        self.writer = Mutex(writer)
        state = Mutex(State(frontier: scan.frontier))
    }

    /// Entries that are durable.
    package var count: UInt64 { state.withLock { $0.frontier.count } }

    /// The right edge of the tree over all durable entries.
    package var frontier: MerkleFrontier { state.withLock { $0.frontier } }

    /// Writes to disk so far, each with its fsync: fewer than appends when callers share them.
    package var commitCount: Int { state.withLock { $0.commitCount } }

    /// Reads durable entries from `sequence` on; asked again at the end, it goes on with what was appended since.
    package func reader(from sequence: UInt64 = 0) throws(JournalError) -> JournalReader {
        try JournalReader(directory: directory, from: sequence) { [self] in count }
    }

    /// Records drafts, all or none, and returns when they are durable.
    ///
    /// Appends keep the order in which they are called. Cancelling the caller does not take an append back.
    package func append(_ drafts: [EntryDraft], at now: Timestamp) async throws(JournalError) -> [Entry] {
        guard !drafts.isEmpty else { return [] }
        for draft in drafts { try draft.validate() }
        let keys = try await subjectKeys(for: drafts)
        let result = await withCheckedContinuation { continuation in
            enqueue(PendingAppend(drafts: drafts, keys: keys, recordedAt: now, continuation: continuation))
        }
        return try result.get()
    }

    /// Waits for appends under way, then lets go of the files; later appends are refused.
    package func close() async {
        state.withLock { $0.refusal = $0.refusal ?? .closed }
        await withCheckedContinuation { continuation in
            queue.async { [self] in
                writer.withLock { writer in
                    // A mark that lags behind is allowed; nothing depends on this succeeding.
                    try? writer?.synchroniseMark()
                    writer = nil
                }
                continuation.resume()
            }
        }
    }

    private func subjectKeys(for drafts: [EntryDraft]) async throws(JournalError) -> [Subject: SubjectKey] {
        let subjects = Array(Set(drafts.flatMap(\.personal).flatMap(\.subjects)))
        guard !subjects.isEmpty else { return [:] }
        let found: [SubjectKey]
        do {
            found = try await keys.keys(for: subjects)
        } catch {
            throw .keys(error)
        }
        return Dictionary(zip(subjects, found)) { first, _ in first }
    }

    private func enqueue(_ append: PendingAppend) {
        let refusal = state.withLock { state -> JournalError? in
            if let refusal = state.refusal { return refusal }
            state.waiting.append(append)
            if !state.isCommitting {
                state.isCommitting = true
                queue.async { [self] in commitWaiting() }
            }
            return nil
        }
        if let refusal { append.continuation.resume(returning: .failure(refusal)) }
    }
}
