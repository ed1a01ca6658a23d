import ArgumentParser
import Events
import Evidence
import Foundation
import Journal
import Server

struct JournalErase: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "erase",
        abstract:
            "Destroy the key to what is recorded about an address or an account. Stop the server first. There is no way back.",
        discussion: """
            The journal keeps its bytes, roots and proofs; what they say about the subject can never be read again. The tables
            are made anew without it. Not reached: the archive of all lines, which forgets with its retention; your log files;
            backups of private.db and projections.db; exported archives of evidence; and text that names the subject under
            somebody else's key. Sealed evidence has an erasure of its own, `vigie evidence erase`; the items of incidents that
            the subject had a part in are listed.
            """)

    @Argument(help: "The address (an IPv6 address stands for its /64) or the account's name.")
    var subject: String

    @Option(help: "ip or user. Default: ip where it reads as an address.")
    var kind: Subject.Kind?

    @Option(help: "Why; is recorded and stays readable, so it must not name the subject.")
    var reason: String

    @Option(help: "The data folder.")
    var data = "data"

    /// Items with bytes, of incidents about which something was sealed under the key.
    private func evidence(sealedWith key: String) throws -> [EvidenceItem] {
        let folder = DataFolder(path: data)
        let reader = try JournalReader(directory: folder.journal)
        var incidents: Set<String> = []
        while case let entries = try reader.next(), !entries.isEmpty {
            for entry in entries where entry.sealed.values.contains(where: { $0.keys.contains(key) }) {
                if let incident = entry.data["incident"]?.stringValue { incidents.insert(incident) }
            }
        }
        let (items, erasures) = try EvidenceFolder.items(in: folder)
        return items.filter { incidents.contains($0.incident) && erasures[$0.id] == nil }
    }

    func run() async throws {
        let address = IPAddress(subject)
        let kind = kind ?? (address == nil ? .user : .ip)
        let value = kind == .ip ? address?.prefix.description ?? subject : subject
        guard !reason.isEmpty, !reason.contains(subject) else {
            throw CommandFailure(.usage, "--reason stays readable for ever: say why, without naming the subject")
        }
        let outcome = try await SubjectEraser.run(
            DataFolder(path: data), subject: Subject(kind: kind, value: value), reason: reason, actor: "uid:\(getuid())",
            now: .system)
        guard let sequence = outcome.sequence, let key = outcome.keyID else {
            throw CommandFailure(
                .failed, "nothing is recorded about the \(kind == .ip ? "address" : "account") \(value), or it was erased before")
        }
        Output.line("erased: key \(key) is destroyed, recorded as entry \(sequence)")
        let items = try evidence(sealedWith: key)
        if !items.isEmpty {
            Output.line(
                "sealed evidence of the same incidents may hold it in the clear; look, and `vigie evidence erase` what does:")
            for item in items { Output.line("  \(item.id)  \(item.incident)  \(item.name)") }
        }
    }
}

extension Subject.Kind: ExpressibleByArgument {}
