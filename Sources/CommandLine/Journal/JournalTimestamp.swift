import ArgumentParser
import Events
import Foundation
import Journal
import Server

struct JournalTimestamp: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "timestamp",
        abstract: "Have the newest checkpoint timestamped by an RFC 3161 authority, and keep the answer beside it.",
        discussion: """
            What is timestamped is the checkpoint's text: the lines before the empty one. The authority learns a hash, nothing else.
              vigie journal timestamp --tsa https://tsa.example/
            Where the machine has no way out, carry the files:
              vigie journal timestamp --query-to q.tsq
              curl -H 'Content-Type: application/timestamp-query' --data-binary @q.tsq -o r.tsr https://tsa.example/
              vigie journal timestamp --response r.tsr
            The authority's signature is checked with its certificate, by a tool that is not ours:
              openssl ts -verify -data TEXT -in SIZE.tsr -CAfile tsa.pem
            """)

    @OptionGroup var options: JournalOptions

    @Option(help: "The authority's address; asked with the program curl.")
    var tsa: String?

    @Option(help: "Write the query to this file; the checkpoint is kept for the answer.")
    var queryTo: String?

    @Option(help: "The authority's answer, in a file.")
    var response: String?

    func run() throws {
        let key = try options.requiredKey()
        let reader = TreeReader(journal: options.folder.journal)
        if let response {
            guard let data = FileManager.default.contents(atPath: response) else {
                throw CommandFailure(.usage, "\(response) cannot be read; check its path and permissions")
            }
            return try take(Array(data), from: reader, key: key)
        }
        let checkpoint = try options.checkpoint(key: key)
        let request = TimestampRequest(of: Array(checkpoint.note.text.utf8))
        if let queryTo {
            try reader.keep(checkpoint)
            guard FileManager.default.createFile(atPath: queryTo, contents: Data(request.bytes)) else {
                throw CommandFailure(.usage, "\(queryTo) cannot be written; check its folder")
            }
            return Output.line("asks about the checkpoint of \(checkpoint.checkpoint.size) entries")
        }
        guard let tsa else { throw CommandFailure(.usage, "say whom to ask with --tsa, or use --query-to and --response") }
        let answer = try ask(tsa, request)
        do {
            guard try Timestamp3161(parsing: answer).answers(request) else {
                throw NoteError(.content, "it answers another request")
            }
        } catch {
            throw CommandFailure(.failed, "the answer of \(tsa) is not usable: \(error)")
        }
        try reader.keep(checkpoint, timestamp: answer)
        Output.line("\(checkpoint.checkpoint.size)  \(try Timestamp3161(parsing: answer).time.rfc3339)")
    }

    /// The answer says by its hash which checkpoint it is about.
    private func take(_ answer: [UInt8], from reader: TreeReader, key: NoteKey) throws {
        let timestamp: Timestamp3161
        do {
            timestamp = try Timestamp3161(parsing: answer)
        } catch {
            throw CommandFailure(.failed, "the answer is not usable: \(error)")
        }
        for size in try reader.keptSizes().reversed() {
            guard let kept = try reader.keptCheckpoint(size: size, key: key), timestamp.isAbout(Array(kept.note.text.utf8)) else {
                continue
            }
            try reader.keep(kept, timestamp: answer)
            return Output.line("\(size)  \(timestamp.time.rfc3339)")
        }
        throw CommandFailure(.failed, "the answer is about none of the checkpoints that were kept")
    }

    private func ask(_ address: String, _ request: TimestampRequest) throws -> [UInt8] {
        guard address.hasPrefix("https://") || address.hasPrefix("http://") else {
            throw CommandFailure(.usage, "\(address) is no address: it has to begin with https:// or http://")
        }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [
            "curl", "--silent", "--show-error", "--fail", "--max-time", "30", "--max-filesize", "1048576", "--proto",
            "=http,https",
            "--header", "Content-Type: application/timestamp-query", "--data-binary", "@-", "--", address,
        ]
        let input = Pipe()
        let output = Pipe()
        process.standardInput = input
        process.standardOutput = output
        do {
            try process.run()
            try input.fileHandleForWriting.write(contentsOf: Data(request.bytes))
            try input.fileHandleForWriting.close()
        } catch {
            throw CommandFailure(
                .failed, "curl cannot be run: \(error.localizedDescription); install it, or use --query-to and --response")
        }
        let answer = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw CommandFailure(.unreachable, "\(address) gave no answer (curl ended with \(process.terminationStatus))")
        }
        return Array(answer)
    }
}
