import ArgumentParser
import Foundation
import Watermark

struct MethodsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "methods", abstract: "Lists the methods, or says how well they suit a document.")

    @Argument(help: "A PDF document, or a PNG or JPEG picture, to judge the methods by.")
    var input: String?

    @Flag(help: "Print JSON.")
    var json = false

    private struct Row: Encodable {
        var name: String
        var description: String
        var strength: String?
        var carriers: Int?
        var notes: [String]?
    }

    func run() throws {
        let document = try input.map(Files.original)
        // The others write what only documents can have.
        let methods = WatermarkMethods.all.filter { document?.isPicture != true || $0 is ImageSpreadMethod }
        let rows = try methods.map { method in
            let verdict = try document.map { try method.applicability($0.bytes) }
            return Row(
                name: method.name, description: method.usage, strength: verdict?.strength.rawValue, carriers: verdict?.carriers,
                notes: verdict?.notes)
        }
        guard !json else { return try Output.json(rows) }
        for row in rows {
            Output.line(row.strength.map { "\(row.name): \($0)" } ?? row.name)
            for note in row.notes ?? [row.description] { Output.line("    \(note)") }
        }
    }
}
