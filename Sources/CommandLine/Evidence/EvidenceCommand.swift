import ArgumentParser
import Events
import Evidence
import Foundation
import Journal
import Server

struct EvidenceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evidence",
        abstract: "Seal files as evidence of an incident, and hand them on so that others can check them.",
        subcommands: [
            EvidenceAdd.self, EvidenceList.self, EvidenceShow.self, EvidenceTransfer.self, EvidenceErase.self,
            EvidenceExport.self, EvidenceVerify.self,
        ]
    )
}

/// What the commands need of a data folder, whether a server runs on it or not.
struct EvidenceFolder {
    let folder: DataFolder
    /// Open for writing; `nil` while a server holds it.
    let journal: Journal?
    let tree: JournalTree?

    init(data: String) throws {
        folder = DataFolder(path: data)
        guard FileManager.default.fileExists(atPath: folder.journal) else {
            throw CommandFailure(.usage, "there is no journal in \(data); name the data folder of a server with --data")
        }
        do {
            let journal = try Journal.open(directory: folder.journal, keys: InMemorySubjectKeys())
            tree = try JournalTree.open(journal: journal, keyPath: folder.checkpointKey)
            self.journal = journal
        } catch JournalError.locked {
            journal = nil
            tree = nil
        }
    }

    var store: BlobStore { BlobStore(directory: folder.evidence, keys: folder.evidenceKeys) }
    var actor: String { "uid:\(getuid())" }

    /// Writes an entry down, or has the running server do it; returns once it is durable in the journal.
    @discardableResult
    func record(_ draft: EntryDraft) async throws -> Entry {
        if let journal {
            let entries = try await journal.append([draft], at: .system)
            try await tree?.publish()
            guard let entry = entries.first else { throw CommandFailure(.failed, "the journal wrote nothing") }
            return entry
        }
        // What stands there now cannot be the answer.
        let reader = try JournalReader(directory: folder.journal)
        while case let entries = try reader.next(), !entries.isEmpty {}
        try PendingEntries(evidence: folder.evidence).add(draft)
        for _ in 0..<300 {
            for entry in try reader.next() where entry.type == draft.type && entry.data == draft.data { return entry }
            try await Task.sleep(for: .milliseconds(100))
        }
        throw CommandFailure(
            .failed, "the running server did not write the entry down within 30 seconds; it waits in \(folder.evidence)/pending")
    }

    /// A signed checkpoint over so many entries.
    func checkpoint(covering count: UInt64) async throws -> VerifiedCheckpoint {
        let key = try KeyFile.readPublic(KeyFile.publicPath(folder.checkpointKey))
        try await tree?.publish()
        for _ in 0..<300 {
            if let found = try TreeReader(journal: folder.journal).checkpoint(key: key), found.checkpoint.size >= count {
                return found
            }
            try await Task.sleep(for: .milliseconds(100))
        }
        throw CommandFailure(.failed, "the running server signed no checkpoint within 30 seconds; see its log")
    }

    /// Every item, or those of one incident, in the order of volatility; and the entries about items that were erased.
    static func items(
        in folder: DataFolder, of incident: String? = nil
    ) throws -> (items: [EvidenceItem], erasures: [String: Entry]) {
        let reader = try JournalReader(directory: folder.journal)
        var entries: [Entry] = []
        var erasures: [String: Entry] = [:]
        while case let some = try reader.next(), !some.isEmpty {
            entries += some.filter { $0.type == EvidenceItem.type }
            for entry in some where entry.type == Custody.erasedType {
                if let id = entry.data["evidence"]?.stringValue { erasures[id] = entry }
            }
        }
        return (IncidentSlice.items(in: entries).filter { incident == nil || $0.incident == incident }, erasures)
    }

    /// An item whose bytes are there.
    func item(_ id: String) throws -> EvidenceItem {
        let (items, erasures) = try EvidenceFolder.items(in: folder)
        guard let item = items.first(where: { $0.id == id }) else {
            throw CommandFailure(.failed, "there is no evidence \(id); `vigie evidence list` shows what there is")
        }
        if let erasure = erasures[id] {
            throw CommandFailure(
                .failed,
                "\(id) (\(item.name)) was erased at \(erasure.occurredAt.rfc3339): \(erasure.data["reason"]?.stringValue ?? "")")
        }
        return item
    }

    func close() async { await journal?.close() }
}

extension TrafficLight: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }
}

extension Volatility: ExpressibleByArgument {}

struct EvidenceAdd: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add",
        abstract: "Seal files, or standard input (-), as evidence of an incident.",
        discussion: """
            The bytes are kept by their SHA-256 and never changed; who added what and when stands in the journal. Files of any size
            stream through. Works while a server runs.
              journalctl -o json | vigie evidence add - --incident SEC-2026-0001 --name journal.json --source journald
            """)

    @Argument(help: "Files; - is standard input.")
    var files: [String]

    @Option(help: "The incident: SEC-YYYY-NNNN.")
    var incident: String

    @Option(help: "The data folder.")
    var data = "data"

    @Option(help: "A name for people; default: the file's.")
    var name: String?

    @Option(help: "Where the bytes come from; default: the file's path.")
    var source: String?

    @Option(help: "Who collected them; default: this account.")
    var collector: String?

    @Option(help: "The machine they were collected on; default: this one.")
    var host: String?

    // Unconditional: a number below zero is no option.
    @Option(parsing: .unconditional, help: "How far the source's clock is ahead of this one's, in milliseconds; below 0 behind.")
    var clockOffset: Int64?

    @Option(help: "When it happened, RFC 3339; default: the file's last change.")
    var occurred: String?

    @Option(help: "TLP 2.0 marking: clear, green, amber, amber+strict, red.")
    var tlp = TrafficLight.amber

    @Option(help: "Order of volatility (RFC 3227), 1 registers to 7 archives; 4 is a disk.")
    var volatility = Volatility.disk

    @Flag(help: "Keep it encrypted in archives, too, so that no scanner or person trips over it.")
    var suspicious = false

    func run() async throws {
        guard EvidenceItem.isIncident(incident) else {
            throw CommandFailure(.usage, "\(incident) is no incident; they look like SEC-2026-0001")
        }
        guard occurred == nil || occurred.flatMap({ Timestamp(rfc3339: $0) }) != nil else {
            throw CommandFailure(.usage, "--occurred \(occurred ?? "") is no RFC 3339 time")
        }
        let folder = try EvidenceFolder(data: data)
        for file in files {
            let now = Timestamp.system
            let sealed = try folder.store.add(ByteFile.reading(file))
            let item = EvidenceItem(
                id: EvidenceItem.newID(), incident: incident, sha256: sealed.sha256, size: sealed.size,
                name: name ?? (file == "-" ? "standard-input" : file),
                source: source ?? (file == "-" ? "standard input" : absolute(file)),
                collector: collector ?? folder.actor, host: host ?? ProcessInfo.processInfo.hostName, clockOffset: clockOffset,
                occurredAt: occurred.flatMap { Timestamp(rfc3339: $0) } ?? changed(file) ?? now, collectedAt: now,
                volatility: volatility,
                marking: tlp, isSuspicious: suspicious)
            try await folder.record(item.draft(actor: folder.actor))
            Output.line("\(item.id)  \(item.sha256)  \(item.size)  \(item.name)")
        }
        await folder.close()
    }

    private func absolute(_ path: String) -> String { URL(fileURLWithPath: path).standardizedFileURL.path }

    private func changed(_ path: String) -> Timestamp? {
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        return (attributes?[.modificationDate] as? Date).map { Timestamp(seconds: Int64($0.timeIntervalSince1970)) }
    }
}

struct EvidenceList: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List sealed evidence, what is most volatile first.")

    @Argument(help: "Only of this incident.")
    var incident: String?

    @Option(help: "The data folder.")
    var data = "data"

    @Flag(help: "Print one JSON object per line.")
    var json = false

    func run() throws {
        let (items, erasures) = try EvidenceFolder.items(in: DataFolder(path: data), of: incident)
        for item in items {
            let isErased = erasures[item.id] != nil
            if json {
                var fields = item.draft(actor: "system").data
                fields["erased"] = .bool(isErased)
                Output.line(FindingJSON.text(.object(fields)))
            } else {
                let notes = (item.isSuspicious ? "  (suspicious)" : "") + (isErased ? "  (erased)" : "")
                Output.line("\(item.id)  \(item.incident)  \(item.marking.rawValue)  \(item.size)  \(item.name)\(notes)")
            }
        }
    }
}

struct EvidenceShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Write the bytes of an item to a file; that it was viewed is recorded.")

    @Argument(help: "The item: EV-…")
    var id: String

    @Option(help: "The file to write; must not be there.")
    var to: String

    @Option(help: "Why.")
    var purpose: String

    @Option(help: "The data folder.")
    var data = "data"

    func run() async throws {
        let folder = try EvidenceFolder(data: data)
        let item = try folder.item(id)
        try await folder.record(
            Custody.viewed.draft(item, recipient: folder.actor, purpose: purpose, actor: folder.actor, at: .system))
        let output = try ByteFile.creating(to)
        do {
            try folder.store.read(item) { try output.write($0) }
            try output.synchronise()
        } catch {
            unlink(to)
            throw error
        }
        await folder.close()
        Output.line("\(item.sha256)  \(to)")
    }
}

struct EvidenceTransfer: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "transfer", abstract: "Record that an item was handed over to somebody.")

    @Argument(help: "The item: EV-…")
    var id: String

    @Option(help: "To whom.")
    var to: String

    @Option(help: "Why.")
    var purpose: String

    @Option(help: "The data folder.")
    var data = "data"

    func run() async throws {
        let folder = try EvidenceFolder(data: data)
        let item = try folder.item(id)
        let entry = try await folder.record(
            Custody.transferred.draft(item, recipient: to, purpose: purpose, actor: folder.actor, at: .system))
        await folder.close()
        Output.line("recorded as entry \(entry.sequence)")
    }
}
