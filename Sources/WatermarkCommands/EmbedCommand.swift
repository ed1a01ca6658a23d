import ArgumentParser
import Foundation
import Watermark

struct EmbedCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "embed", abstract: "Writes a marked copy of a document.",
        discussion: """
            With a secret and a key, the copy is marked with the secret under the key. With --ledger and --recipient, the copy gets an \
            identifier of its own, and the ledger (a folder) notes whom it is for: trace then needs only the leak.
            """)

    @Argument(help: "The original PDF document.")
    var input: String

    @Argument(help: "Where the marked copy is written.")
    var output: String

    @Option(help: "How to mark; see methods.")
    var method = "word-shift"

    @Option(help: "Where in the document, for methods that have a choice.")
    var position: String?

    @Option(help: "A folder that notes copies and recipients; made if missing.")
    var ledger: String?

    @Option(help: "Whom the copy is for; with --ledger.")
    var recipient: String?

    @OptionGroup var secret: SecretOptions
    @OptionGroup var key: KeyOptions

    func run() throws {
        let original = try Files.read(input)
        if let ledger {
            guard let recipient, !recipient.isEmpty else {
                throw WatermarkError.badInput("A ledger notes whom a copy is for: give --recipient.")
            }
            guard method == "word-shift" else {
                throw WatermarkError.badInput("Copies of a ledger are marked by word-shift, and get a token.")
            }
            let store = try Ledger(folder: ledger, create: true)
            let version = UUID().uuidString.lowercased()
            let secret = try store.markingSecret()
            let moved = try WordShiftMethod.embed(original, version: version, markingSecret: secret)
            let copy = try SealedTokenMethod.embed(moved, text: version, key: secret)
            // Noted before it exists: a copy that nobody knows of must not be.
            try store.note(original: original, version: version, recipient: recipient, issued: Date())
            try Files.write(copy, to: output)
            return
        }
        let marker = try WatermarkMethods.named(method)
        let copy = try marker.embed(original, secret: try secret.read(), key: try key.read(), position: position)
        try Files.write(copy, to: output)
    }
}
