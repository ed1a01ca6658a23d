import ArgumentParser
import Foundation
import Watermark

struct ExploreCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explore", abstract: "Prints what a document is made of, as JSON: pages, their words, what can carry marks.")

    @Argument(help: "A PDF document.")
    var input: String

    @Option(help: "Write to this file instead of standard output.")
    var out: String?

    func run() throws {
        let description = try DocumentDescription(try Files.original(input).bytes)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let data = try encoder.encode(description)
        if let out {
            try Files.write([UInt8](data), to: out)
        } else {
            Output.write(String(decoding: data, as: UTF8.self) + "\n", to: .standardOutput)
        }
    }
}
