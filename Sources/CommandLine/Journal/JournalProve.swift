import ArgumentParser
import Foundation
import Journal
import Server

struct JournalProve: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prove",
        abstract: "Print a proof that an entry stands in the journal (C2SP tlog-proof), for anybody to check offline.",
        discussion: """
            Give the receiver three things: the entry (--entry-to), the proof, and the log's public key by another way.
              vigie journal prove 17 --entry-to 17.json > 17.tlog-proof
              vigie journal check-proof 17.tlog-proof --entry 17.json --key checkpoint.pub
            """)

    @OptionGroup var options: JournalOptions

    @Argument(help: "The entry's sequence.")
    var entry: UInt64

    @Option(help: "Prove it in the kept checkpoint of this size, which others cosigned or timestamped.")
    var size: UInt64?

    @Option(help: "Write the entry's exact bytes to this file as well.")
    var entryTo: String?

    func run() throws {
        let key = try options.requiredKey()
        let checkpoint = try options.checkpoint(size: size, key: key)
        guard let found = try JournalReader(directory: options.folder.journal, from: entry).next(limit: 1).first else {
            throw CommandFailure(.failed, "the journal has no entry \(entry) yet")
        }
        guard let proof = try TreeReader(journal: options.folder.journal).proof(of: found, in: checkpoint, key: key) else {
            throw CommandFailure(
                .failed,
                "entry \(entry) is newer than the checkpoint of \(checkpoint.checkpoint.size) entries; try again in a second")
        }
        if let entryTo, !FileManager.default.createFile(atPath: entryTo, contents: Data(found.canonicalBytes)) {
            throw CommandFailure(.usage, "\(entryTo) cannot be written; check its folder")
        }
        Output.write(String(decoding: proof.bytes, as: UTF8.self), to: .standardOutput)
    }
}

struct JournalCheckProof: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check-proof",
        abstract: "Check a proof with nothing but the entry and the log's public key; exit 1 when it does not hold.")

    @Argument(help: "The file with the proof.")
    var proof: String

    @Option(help: "The file with the entry's exact bytes.")
    var entry: String

    @Option(help: "The log's public key, or a file with it.")
    var key: String

    @Option(help: "A witness's public key that has to have cosigned; may be given several times.")
    var witness: [String] = []

    func run() throws {
        let log = try NoteKey(argument: key)
        let witnesses = try witness.map { try NoteKey(argument: $0) }
        do {
            let verified = try LogProof(parsing: try read(proof)).verify(.leaf(try read(entry)), key: log)
            let cosigners = try verified.cosigners(witnesses)
            if let missing = witnesses.first(where: { one in !cosigners.contains { $0.witness == one } }) {
                throw NoteError(.unsigned, "the witness \(missing.name) did not cosign this checkpoint")
            }
            Output.line("holds: the entry stands in \(log.name), of \(verified.checkpoint.size) entries")
            for cosigner in cosigners { Output.line("witness \(cosigner.witness.name) at \(cosigner.time)") }
        } catch let error as NoteError {
            throw CommandFailure(.failed, "the proof does not hold: \(error)")
        }
    }

    private func read(_ path: String) throws -> [UInt8] {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw CommandFailure(.usage, "\(path) cannot be read; check its path and permissions")
        }
        return Array(data)
    }
}
