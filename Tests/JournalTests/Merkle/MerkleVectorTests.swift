import Foundation
import Journal
import Testing

/// The vectors of transparency-dev/merkle: proofs that have to be taken, and many more that have to be refused.
@Suite("Merkle proof vectors")
struct MerkleVectorTests {
    private struct Vector: Decodable {
        var kind: String
        var file: String
        var leafIdx: UInt64?
        var treeSize: UInt64?
        var start: UInt64?
        var end: UInt64?
        var size: UInt64?
        var size1: UInt64?
        var size2: UInt64?
        var root: Data?
        var root1: Data?
        var root2: Data?
        var leafHash: Data?
        var proof: [Data]?
        var wantErr: Bool

        /// What our verifier says; a hash that is none is refused before it gets that far.
        func isAccepted() -> Bool {
            let hashes = (proof ?? []).compactMap { MerkleHash(bytes: Array($0)) }
            guard hashes.count == (proof ?? []).count else { return false }
            switch kind {
            case "inclusion", "subtreeinclusion":
                guard let leaf = MerkleHash(bytes: Array(leafHash ?? Data())), let leafIdx else { return false }
                guard let range = range(start ?? 0, end ?? treeSize ?? 0) else { return false }
                return MerkleProof.includes(leaf, at: leafIdx, subtree: range, root: Array(root ?? Data()), proof: hashes)
            case "consistency":
                return MerkleProof.isConsistent(
                    oldSize: size1 ?? 0, size: size2 ?? 0, oldRoot: Array(root1 ?? Data()), root: Array(root2 ?? Data()),
                    proof: hashes)
            default:
                guard let range = range(start ?? 0, end ?? 0) else { return false }
                return MerkleProof.isConsistent(
                    subtree: range, size: size ?? 0, subtreeRoot: Array(root1 ?? Data()), root: Array(root2 ?? Data()),
                    proof: hashes)
            }
        }

        private func range(_ start: UInt64, _ end: UInt64) -> Range<UInt64>? { start <= end ? start..<end : nil }
    }

    @Test("all 518 are judged as they should be")
    func vectors() throws {
        let lines = try String(contentsOf: Suites.require("merkle/proofs.ndjson"), encoding: .utf8).split(separator: "\n")
        #expect(lines.count == 518)
        var right = 0
        for line in lines {
            let vector = try JSONDecoder().decode(Vector.self, from: Data(line.utf8))
            #expect(vector.isAccepted() == !vector.wantErr, "\(vector.file)")
            if vector.isAccepted() == !vector.wantErr { right += 1 }
        }
        print("merkle vectors: \(right) of \(lines.count)")
    }
}
