import ArgumentParser
import Events
import Foundation
import Journal
import Server

struct JournalCheckpoint: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "checkpoint",
        abstract: "Print the newest signed checkpoint; keep one elsewhere, and the journal cannot be rewritten unseen.",
        discussion: """
            With --drop and --witness-key the checkpoint is handed to a witness through a folder that both can reach, and
            answers that lie there are taken in. Run it now and then, from a timer.
            """)

    @OptionGroup var options: JournalOptions

    @Flag(help: "Print the log's public key instead.")
    var publicKey = false

    @Flag(help: "List the checkpoints that were kept because others vouched for them.")
    var list = false

    @Flag(help: "Sign for all entries first. Only while no server runs: a running one does so by itself.")
    var publish = false

    @Option(help: "The folder shared with the witness.")
    var drop: String?

    @Option(help: "The witness's public key, or a file with it.")
    var witnessKey: String?

    func run() async throws {
        if publish {
            let keys = InMemorySubjectKeys()
            let journal = try Journal.open(directory: options.folder.journal, keys: keys)
            try await JournalTree.open(journal: journal, keyPath: options.folder.checkpointKey).publish()
            await journal.close()
        }
        let key = try options.requiredKey()
        if publicKey { return Output.line(key.text) }
        let reader = TreeReader(journal: options.folder.journal)
        if list {
            for size in try reader.keptSizes() {
                guard let kept = try reader.keptCheckpoint(size: size, key: key) else { continue }
                let names = kept.note.signatures.map(\.name).filter { $0 != key.name }
                let time = try reader.timestamp(size: size).flatMap { try? Timestamp3161(parsing: $0).time.rfc3339 }
                Output.line("\(size)  \(names.joined(separator: ", "))\(time.map { "  timestamp \($0)" } ?? "")")
            }
            return
        }
        let checkpoint = try options.checkpoint(key: key)
        guard let drop, let witnessKey else {
            return Output.write(String(decoding: checkpoint.note.bytes, as: UTF8.self), to: .standardOutput)
        }
        let witness = try NoteKey(argument: witnessKey)
        let folder = WitnessDrop(directory: drop)
        let (outcomes, seen) = try folder.collect(journal: options.folder.journal, log: key, witness: witness)
        for outcome in outcomes { Output.line("\(outcome.name)  \(outcome.answer)") }
        var old = seen
        if old == nil {
            old = try reader.keptSizes().last { size in
                guard let kept = try reader.keptCheckpoint(size: size, key: key) else { return false }
                return try !kept.cosigners([witness]).isEmpty
            }
        }
        guard old ?? 0 < checkpoint.checkpoint.size else { return }
        if let asked = try folder.ask(checkpoint, oldSize: old ?? 0, reader: reader) { Output.line("\(asked)  asked") }
        if outcomes.contains(where: { $0.answer.hasPrefix("refused") }) {
            throw CommandFailure(.failed, "the witness \(witness.name) refused; its answer stands above")
        }
    }
}

struct JournalWitness: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "witness",
        abstract: "Be the witness of other logs: cosign their checkpoints that lie in a folder, while they only grow.",
        discussion: """
            Belongs on another machine than the logs, with other administrators. Makes its key at first; give the public
            half (KEY.pub) to whoever verifies. Run it now and then, from a timer.
            """)

    @Option(help: "The folder that the log puts its requests into.")
    var drop: String

    @Option(help: "The public key of a log, or a file with it; may be given several times.")
    var log: [String]

    @Option(help: "The witness's own key; made where it is not there.")
    var key: String

    @Option(help: "The name of a new key, such as witness.example/one.")
    var name: String?

    @Option(help: "Where this witness remembers what it saw.")
    var state: String

    func run() throws {
        let signer = try KeyFile.readOrMake(key, kind: .cosignature, origin: name)
        let witness = try Witness(signer: signer, logs: try log.map { try NoteKey(argument: $0) }, directory: state)
        let now = Timestamp.system.nanoseconds / 1_000_000_000
        let outcomes = try WitnessDrop(directory: drop).answer(with: witness, at: now)
        for outcome in outcomes { Output.line("\(outcome.name)  \(outcome.answer)") }
        if outcomes.contains(where: { $0.answer.hasPrefix("refused") }) {
            throw CommandFailure(
                .failed, "a checkpoint was refused: that log was rewritten, forked or rolled back, or its request is malformed")
        }
    }
}
