import Foundation
import Watermark

/// Where commands write. Standard output carries results only; everything said to a person goes to standard error.
enum Output {
    static func line(_ text: String) { write(text + "\n", to: .standardOutput) }

    static func note(_ text: String) { write(text + "\n", to: .standardError) }

    static func write(_ text: String, to handle: FileHandle) {
        // A reader that went away (`| head`) is no error of ours; SIGPIPE is left at its default and ends the command.
        try? handle.write(contentsOf: Data(text.utf8))
    }

    static func json(_ value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        encoder.dateEncodingStrategy = .iso8601
        write(String(decoding: try encoder.encode(value), as: UTF8.self) + "\n", to: .standardOutput)
    }
}

enum Files {
    static func read(_ path: String) throws -> [UInt8] {
        do {
            return [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
        } catch {
            throw WatermarkError.badInput("\(path) could not be read: \(error.localizedDescription)")
        }
    }

    /// A document, or a picture as a document of one page.
    static func original(_ path: String) throws -> (bytes: [UInt8], isPicture: Bool) {
        let bytes = try read(path)
        return ImageDecoder.isImage(bytes) ? (try PictureDocument.wrap(bytes), true) : (bytes, false)
    }

    /// Whole or not at all: a file beside it takes the name when it is complete.
    static func write(_ bytes: [UInt8], to path: String) throws {
        do {
            try Data(bytes).write(to: URL(fileURLWithPath: path), options: .atomic)
        } catch {
            throw WatermarkError(.other, "\(path) could not be written: \(error.localizedDescription)")
        }
    }
}
