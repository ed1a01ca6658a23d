import ArgumentParser
import Foundation
import Watermark

struct EmbedCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "embed", abstract: "Writes a marked copy of a document or a picture.",
        discussion: """
            With a secret and a key, the copy is marked with the secret under the key. With --ledger and --recipient, the copy gets an \
            identifier of its own, and the ledger (a folder) notes whom it is for: trace then needs only the leak.
            """)

    @Argument(help: "The original PDF document, or a PNG or JPEG picture.")
    var input: String

    @Argument(help: "Where the marked copy is written.")
    var output: String

    @Option(help: "How to mark; see methods. word-shift if not given, of a picture image-spread: with --ledger one of them.")
    var method: String?

    @Option(help: "Where in the document, for methods that have a choice.")
    var position: String?

    @Option(help: "A folder that notes copies and recipients; made if missing.")
    var ledger: String?

    @Option(help: "Whom the copy is for; with --ledger.")
    var recipient: String?

    @OptionGroup var secret: SecretOptions
    @OptionGroup var key: KeyOptions

    func run() throws {
        let (original, isPicture) = try Files.original(input)
        let marker = try WatermarkMethods.named(method ?? (isPicture ? "image-spread" : "word-shift"))
        guard !isPicture || marker is ImageSpreadMethod else {
            throw WatermarkError.badInput("Pictures are marked by image-spread alone.")
        }
        if let ledger {
            guard let recipient, !recipient.isEmpty else {
                throw WatermarkError.badInput("A ledger notes whom a copy is for: give --recipient.")
            }
            guard marker.isTraced else {
                throw WatermarkError.badInput("Copies of a ledger are marked by word-shift or image-spread, and get a token.")
            }
            let store = try Ledger(folder: ledger, create: true)
            let version = UUID().uuidString.lowercased()
            let secret = try store.markingSecret()
            let moved =
                marker is ImageSpreadMethod
                ? try ImageSpreadMethod.embed(original, version: version, markingSecret: secret)
                : try WordShiftMethod.embed(original, version: version, markingSecret: secret)
            let copy = try isPicture ? PictureDocument.unwrap(moved) : SealedTokenMethod.embed(moved, text: version, key: secret)
            // Noted before it exists: a copy that nobody knows of must not be.
            try store.note(original: original, version: version, recipient: recipient, issued: Date())
            try Files.write(copy, to: output)
            return
        }
        let copy = try marker.embed(original, secret: try secret.read(), key: try key.read(), position: position)
        try Files.write(isPicture ? try PictureDocument.unwrap(copy) : copy, to: output)
    }
}
