import ArgumentParser
import Foundation
import Watermark

struct ExtractCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "extract", abstract: "Prints the secret that a copy carries.",
        discussion: """
            word-shift and image-spread are read against the original: --original and --candidates, a file with one possible secret a line. Input may \
            then be a PNG or JPEG picture of a page, too.
            """)

    @Argument(help: "The copy.")
    var input: String

    @Option(help: "How it was marked; see methods.")
    var method = "word-shift"

    @Option(help: "The document that was marked; for word-shift and image-spread.")
    var original: String?

    @Option(help: "A file with one possible secret a line; for word-shift and image-spread.")
    var candidates: String?

    @Option(help: "Write to this file instead of standard output.")
    var out: String?

    @OptionGroup var key: KeyOptions

    func run() throws {
        let bytes = try Files.read(input)
        let secret: String
        let marker = try WatermarkMethods.named(method)
        if marker.isTraced, let original, let candidates {
            let versions = TextInput.lines(String(decoding: try Files.read(candidates), as: UTF8.self))
            let issued = IssuedDocument(
                bytes: try Files.original(original).bytes, markingSecret: try marker.markingSecret(try key.read()),
                versions: versions)
            let trace = try LeakTrace.trace(try Leak(files: [bytes]), among: [issued])
            guard let accused = trace.verdict?.accused.first else {
                throw WatermarkError.notFound("No candidate is named by this copy with enough certainty.")
            }
            secret = accused.version
        } else {
            secret = try marker.extract(bytes, key: try key.read())
        }
        if let out { try Files.write([UInt8](secret.utf8), to: out) } else { Output.line(secret) }
    }
}
