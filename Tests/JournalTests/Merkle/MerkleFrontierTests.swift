import Foundation
import Journal
import Testing

@Suite("RFC 6962 roots")
struct MerkleFrontierTests {
    /// MTH as RFC 6962 §2.1 writes it: recursive, slow, and nothing to do with the frontier.
    private func root(of leaves: ArraySlice<MerkleHash>) -> MerkleHash {
        guard let first = leaves.first else { return .empty }
        if leaves.count == 1 { return first }
        var split = 1
        while split * 2 < leaves.count { split *= 2 }
        return .node(root(of: leaves.prefix(split)), root(of: leaves.dropFirst(split)))
    }

    @Test("the frontier's root is the definition's, for every size up to 130")
    func definition() {
        let leaves = (0..<130).map { MerkleHash.leaf(Array("leaf \($0)".utf8)) }
        var frontier = MerkleFrontier()
        for size in 0...leaves.count {
            #expect(frontier.root == root(of: leaves.prefix(size)))
            #expect(frontier.count == UInt64(size))
            #expect(MerkleFrontier(count: frontier.count, hashes: frontier.hashes) == frontier)
            if size < leaves.count { frontier.append(leaves[size]) }
        }
    }

    @Test("hashes that cannot belong to a size are refused")
    func wrongHashes() {
        #expect(MerkleFrontier(count: 3, hashes: [.empty]) == nil)
        #expect(MerkleFrontier(count: 4, hashes: [.empty])?.count == 4)
        #expect(MerkleHash(bytes: [UInt8](repeating: 0, count: 31)) == nil)
    }

    @Test("the root of nothing")
    func empty() {
        #expect(
            MerkleFrontier().root.description == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    }

    @Test("each checkpoint of a published log has the root of its first entries")
    func publishedLog() throws {
        let folder = try Suites.require("merkle/tessera-log")
        let list = try Suites.require("merkle/tessera-log.json")
        let document = try JSONValue(parsing: Files.read(list.path))
        let entries = (document["entries_utf8"]?.arrayValue ?? []).compactMap(\.stringValue)
        #expect(entries.count == 15)
        var frontier = MerkleFrontier()
        for size in 0...entries.count {
            let note = try String(contentsOf: folder.appendingPathComponent("checkpoint.\(size)"), encoding: .utf8)
            let lines = note.components(separatedBy: "\n")
            #expect(lines[1] == "\(size)")
            #expect(lines[2] == frontier.root.base64)
            if size < entries.count { frontier.append(.leaf(Array(entries[size].utf8))) }
        }
    }
}
