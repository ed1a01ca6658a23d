import ArgumentParser
import Evidence
import Foundation
import Journal
import Server

struct EvidenceErase: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "erase",
        abstract: "Destroy the key to the bytes of an item, then the bytes. Hash and proofs stay. There is no way back.",
        discussion: """
            For what the law has you delete: captured logs hold addresses and names, which `vigie journal erase` does not reach.
            That it was erased, when, by whom and why is an entry of the journal; exports list the item without its bytes. Other
            items with the very same bytes are erased with it, and named. Not reached: archives that were exported, and backups
            of keys/evidence.
              vigie evidence erase EV-00112233aabbccdd --reason "request 17/2026, GDPR article 17"
            """)

    @Argument(help: "The items: EV-…")
    var ids: [String]

    @Option(help: "The legal ground; is recorded and stays readable, so it must name nobody.")
    var reason: String

    @Option(help: "The data folder.")
    var data = "data"

    func run() async throws {
        guard !reason.allSatisfy(\.isWhitespace), reason.utf8.count <= 1000 else {
            throw CommandFailure(.usage, "--reason has to say why, in at most 1000 bytes; it stays readable for ever")
        }
        let folder = try EvidenceFolder(data: data)
        let (items, erasures) = try EvidenceFolder.items(in: folder.folder)
        // All of them before anything is done: a slip in one id must not leave half of it done.
        let chosen = try ids.map { id in
            guard let item = items.first(where: { $0.id == id }) else {
                throw CommandFailure(
                    .failed, "there is no evidence \(id); nothing was erased; `vigie evidence list` shows what there is")
            }
            return item
        }
        for hash in Set(chosen.map(\.sha256)).sorted() {
            // The record first: should this be cut off, the command can be given once more.
            for item in items where item.sha256 == hash && erasures[item.id] == nil {
                let entry = try await folder.record(
                    Custody.erasure(item, reason: reason, actor: folder.actor, at: .system))
                Output.line("\(item.id)  \(item.incident)  \(item.name)  erased, recorded as entry \(entry.sequence)")
            }
            try folder.store.erase(hash)
        }
        await folder.close()
    }
}
