import Foundation
import Watermark

/// A folder that knows which copies were issued to whom: `secret.key`, `copies.ndjson` and the originals.
///
/// For the command line. One process at a time writes to it; lines are appended whole.
struct Ledger {
    struct Copy: Codable {
        /// SHA-256 of the original, in hexadecimal.
        var document: String
        var version: String
        var recipient: String
        var issued: Date
    }

    private let folder: URL

    init(folder path: String, create: Bool) throws {
        folder = URL(fileURLWithPath: path, isDirectory: true)
        var isFolder: ObjCBool = false
        if FileManager.default.fileExists(atPath: folder.path, isDirectory: &isFolder), isFolder.boolValue { return }
        guard create else { throw WatermarkError.badInput("\(path) is no ledger: copies are noted by embed --ledger.") }
        do {
            try FileManager.default.createDirectory(
                at: originals, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw WatermarkError(.other, "\(path) could not be made: \(error.localizedDescription)")
        }
    }

    private var originals: URL { folder.appendingPathComponent("originals", isDirectory: true) }
    private var copiesFile: URL { folder.appendingPathComponent("copies.ndjson") }

    /// 32 random bytes that all marks of this ledger are derived from; made with the first copy. Whoever has them can forge marks.
    func markingSecret() throws -> [UInt8] {
        let file = folder.appendingPathComponent("secret.key")
        if let data = try? Data(contentsOf: file) {
            guard data.count == 32 else { throw WatermarkError(.invalidKey, "\(file.path) is damaged: it has to be 32 bytes.") }
            return [UInt8](data)
        }
        guard copyLines().isEmpty else {
            throw WatermarkError(.invalidKey, "\(file.path) is missing: no copy of this ledger can be traced. Restore it.")
        }
        var random = SystemRandomNumberGenerator()
        let secret = (0..<32).map { _ in UInt8.random(in: 0...255, using: &random) }
        guard FileManager.default.createFile(atPath: file.path, contents: Data(secret), attributes: [.posixPermissions: 0o600])
        else { throw WatermarkError(.other, "\(file.path) could not be written.") }
        return secret
    }

    func note(original: [UInt8], version: String, recipient: String, issued: Date) throws {
        let document = DocumentDescription.digest(original)
        do {
            let file = originals.appendingPathComponent("\(document).pdf")
            if !FileManager.default.fileExists(atPath: file.path) { try Data(original).write(to: file, options: .atomic) }
            let encoder = JSONEncoder()
            encoder.dateEncodingStrategy = .iso8601
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            var line = try encoder.encode(
                Copy(document: document, version: version, recipient: recipient, issued: issued))
            line.append(0x0A)
            if !FileManager.default.fileExists(atPath: copiesFile.path) {
                guard
                    FileManager.default.createFile(atPath: copiesFile.path, contents: nil, attributes: [.posixPermissions: 0o600])
                else { throw CocoaError(.fileWriteUnknown) }
            }
            let handle = try FileHandle(forWritingTo: copiesFile)
            defer { try? handle.close() }
            try handle.seekToEnd()
            try handle.write(contentsOf: line)
            try handle.synchronize()
        } catch {
            throw WatermarkError(.other, "\(copiesFile.path) could not be written: \(error.localizedDescription)")
        }
    }

    private func copyLines() -> [Substring] {
        guard let data = try? Data(contentsOf: copiesFile) else { return [] }
        return String(decoding: data, as: UTF8.self).split(separator: "\n")
    }

    func copies() throws -> [Copy] {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .iso8601
        return try copyLines().enumerated().map { index, line in
            do {
                return try decoder.decode(Copy.self, from: Data(line.utf8))
            } catch {
                throw WatermarkError.badInput("Line \(index + 1) of \(copiesFile.path) is damaged. Restore or remove it.")
            }
        }
    }

    /// What the original looks like: made with the first trace of pictures, and kept beside it.
    func fingerprint(of document: String, by renderer: PageRenderer) throws(WatermarkError) -> DocumentFingerprint {
        let file = originals.appendingPathComponent("\(document).fingerprint")
        if let known = (try? Data(contentsOf: file)).flatMap({ DocumentFingerprint(encoded: [UInt8]($0)) }) { return known }
        let made = try renderer.fingerprint()
        // A ledger that cannot be written to is read all the same.
        try? Data(made.encoded()).write(to: file, options: .atomic)
        return made
    }

    func original(_ document: String) throws -> [UInt8] {
        try Files.read(originals.appendingPathComponent("\(document).pdf").path)
    }
}
