import ArgumentParser
import Events
import Foundation
import Journal
import Programs
import Server

struct JournalTimestamp: AsyncParsableCommand {
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

    func run() async throws {
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
        let answer = try await ask(tsa, request)
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

    private func ask(_ address: String, _ request: TimestampRequest) async throws -> [UInt8] {
        guard address.hasPrefix("https://") || address.hasPrefix("http://") else {
            throw CommandFailure(.usage, "\(address) is no address: it has to begin with https:// or http://")
        }
        var curl = Subprocess(
            "/usr/bin/env",
            [
                "curl", "--silent", "--show-error", "--fail", "--max-time", "30", "--max-filesize", "1048576", "--proto",
                "=http,https",
                "--header", "Content-Type: application/timestamp-query", "--data-binary", "@-", "--", address,
            ], environment: ProcessInfo.processInfo.environment, input: request.bytes)
        curl.outputLimit = 1 << 20
        let outcome: Subprocess.Outcome
        do {
            outcome = try await curl.run(seconds: 35)
        } catch {
            throw CommandFailure(.failed, "curl cannot be run: \(error); install it, or use --query-to and --response")
        }
        guard outcome.ending == .exited(0) else {
            let reason = outcome.errorText.split(separator: "\n").first ?? "it did not end in time"
            throw CommandFailure(.unreachable, "\(address) gave no answer (\(reason))")
        }
        return outcome.output
    }
}
