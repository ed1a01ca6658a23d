import Foundation
import Journal
import Testing

/// A log that another program wrote, made again from its entries and its published test key: every file byte for byte.
@Suite("Another program's log")
struct TesseraLogTests {
    private struct Description: Decodable {
        var entries_utf8: [String]
        var origin: String
        var published_test_signer_key: String
        var published_test_verifier_key: String
    }

    @Test("checkpoints, tiles and bundles are equal, all 47 files")
    func byteForByte() throws {
        let folder = try Suites.require("merkle/tessera-log")
        let description = try JSONDecoder().decode(
            Description.self, from: Data(contentsOf: Suites.require("merkle/tessera-log.json")))
        let signer = try NoteSigner(parsing: description.published_test_signer_key)
        #expect(signer.key.text == description.published_test_verifier_key)
        #expect(signer.key == (try NoteKey(parsing: description.published_test_verifier_key)))
        #expect(signer.privateText == description.published_test_signer_key)

        var made: [String: [UInt8]] = [:]
        var tree = TileTree()
        let entries = description.entries_utf8.map { Array($0.utf8) }
        for size in 0...entries.count {
            if size > 0 {
                _ = tree.append(.leaf(entries[size - 1]))
                made[TilePath.hashes(level: 0, index: 0, width: size)] = tree.rows[0].flatMap(\.bytes)
                made[TilePath.entries(index: 0, width: size)] = EntryBundle.encode(Array(entries[..<size]))
            }
            let note = try Checkpoint(origin: description.origin, size: UInt64(size), root: tree.root).signed(by: signer)
            made["checkpoint.\(size)"] = note.bytes
            made["checkpoint"] = note.bytes
        }

        var equal = 0
        for case let name as String in FileManager.default.enumerator(atPath: folder.path) ?? .init() {
            var isFolder: ObjCBool = false
            let path = folder.appendingPathComponent(name).path
            _ = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
            if isFolder.boolValue { continue }
            #expect(try Files.read(path) == made[name], "\(name)")
            if try Files.read(path) == made[name] { equal += 1 }
        }
        #expect(equal == 47)
        #expect(made.count == 47)
        print("tessera log: \(equal) of \(made.count) files equal")
    }
}
