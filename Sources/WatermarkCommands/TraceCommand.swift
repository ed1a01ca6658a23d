import ArgumentParser
import Foundation
import Watermark

struct TraceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trace", abstract: "Says which copy a leak comes from, or that it cannot be told.",
        discussion: """
            The leak is a PDF, or PNG or JPEG pictures of pages. The answer is a copy with a bound on the probability that any innocent \
            copy would have been named, or nothing: exit code 3.
            """)

    @Argument(help: "What was leaked: one PDF, or pictures of pages.")
    var leak: [String]

    @Option(help: "The folder that embed --ledger noted copies in.")
    var ledger: String

    @Flag(help: "Print JSON.")
    var json = false

    private struct Answer: Encodable {
        struct Accused: Encodable {
            var version: String
            var recipient: String
            var issued: Date
            var score: Double
            var falsePositiveBound: Double
        }
        struct Page: Encodable {
            var leak: Int
            var original: Int
            var words: Int
            var by: String
        }
        var document: String?
        /// Versions that tokens in the file name: a hint, no proof.
        var tokens: [String]
        var accused: [Accused]
        var copies: Int
        var words: Int
        var pages: [Page]
        var decoys: Int
        var highestDecoyScore: Double
        var calibrated: Bool
    }

    func run() throws {
        let store = try Ledger(folder: ledger, create: false)
        let copies = try store.copies()
        let documents = Dictionary(grouping: copies, by: \.document).sorted { $0.key < $1.key }
        let secret = try store.markingSecret()
        let issued = try documents.map { document, copies in
            IssuedDocument(bytes: try store.original(document), markingSecret: secret, versions: copies.map(\.version))
        }
        let trace = try LeakTrace.trace(
            try Leak(files: try leak.map(Files.read)), among: issued,
            fingerprint: { index, renderer throws(WatermarkError) in
                try store.fingerprint(of: documents[index].key, by: renderer)
            })
        let known = Dictionary(copies.map { ($0.version, $0) }) { first, _ in first }
        let answer = Answer(
            document: trace.original.map { documents[$0].key },
            tokens: trace.tokens.filter { known[$0] != nil },
            accused: (trace.verdict?.accused ?? []).compactMap { suspect in
                known[suspect.version].map {
                    Answer.Accused(
                        version: $0.version, recipient: $0.recipient, issued: $0.issued, score: suspect.score.z,
                        falsePositiveBound: suspect.falsePositiveBound)
                }
            },
            copies: trace.original.map { documents[$0].value.count } ?? 0, words: trace.verdict?.words ?? 0,
            pages: trace.pages.map {
                Answer.Page(leak: $0.leakPage + 1, original: $0.originalPage + 1, words: $0.words, by: $0.path.rawValue)
            },
            decoys: trace.verdict?.decoys ?? 0, highestDecoyScore: trace.verdict?.highestDecoy ?? 0,
            calibrated: trace.verdict?.isCalibrated ?? true)
        if json { try Output.json(answer) } else { show(answer) }
        guard !answer.accused.isEmpty else {
            throw WatermarkError.notFound("No copy is named by this leak with enough certainty: nobody is accused.")
        }
    }

    private func show(_ answer: Answer) {
        if let document = answer.document { Output.line("original   \(document)") }
        for accused in answer.accused {
            Output.line("copy       \(accused.version)")
            Output.line("recipient  \(accused.recipient)")
            Output.line("issued     \(accused.issued.formatted(.iso8601))")
            Output.line(
                "chance     that any innocent of \(answer.copies) copies is named so: \(bound(accused.falsePositiveBound))")
        }
        for token in answer.tokens where !answer.accused.contains(where: { $0.version == token }) {
            Output.line("token      names \(token), which proves nothing alone: tokens can be moved from copy to copy")
        }
        if !answer.pages.isEmpty {
            let unit = answer.pages.contains { $0.by == "spots" } ? "spots of pictures" : "words"
            Output.line("read       \(answer.words) \(unit) on \(answer.pages.count) pages")
            let score = String(format: "%.1f", answer.highestDecoyScore)
            Output.line("decoys     \(answer.decoys) copies that never were score at most \(score)")
        }
    }

    private func bound(_ value: Double) -> String {
        value < 1e-30 ? "less than 1e-30" : String(format: "%.0e", value)
    }
}
