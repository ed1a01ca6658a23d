import Journal
import Testing

@Suite("Merkle proofs")
struct MerkleProverTests {
    private let leaves = (0..<70).map { MerkleHash.leaf([UInt8($0)]) }

    private func prover(_ size: Int) -> MerkleProver {
        MerkleProver(size: UInt64(size)) { level, index in
            let first = Int(index) << level
            var frontier = MerkleFrontier()
            for leaf in leaves[first..<first + 1 << level] { frontier.append(leaf) }
            return frontier.root
        }
    }

    private func root(_ size: Int) -> MerkleHash {
        var frontier = MerkleFrontier()
        for leaf in leaves[..<size] { frontier.append(leaf) }
        return frontier.root
    }

    @Test("every proof that is made is taken, and taken for nothing else")
    func everySize() throws {
        for size in 1...leaves.count {
            let prover = prover(size)
            let root = root(size)
            #expect(try prover.root() == root)
            for index in 0..<size {
                let path = try #require(try prover.inclusion(of: UInt64(index)))
                let holds = { (leaf: Int, index: Int, size: Int, path: [MerkleHash]) in
                    MerkleProof.includes(leaves[leaf], at: UInt64(index), size: UInt64(size), root: root.bytes, proof: path)
                }
                #expect(holds(index, index, size, path))
                #expect(!holds((index + 1) % leaves.count, index, size, path))
                #expect(!holds(index, index + 1, size, path))
                #expect(!holds(index, index, size, path + [root]))
                if !path.isEmpty { #expect(!holds(index, index, size, Array(path.dropLast()))) }
            }
            #expect(try prover.inclusion(of: UInt64(size)) == nil)
            for old in 1...size {
                let proof = try #require(try prover.consistency(from: UInt64(old)))
                let holds = { (old: Int, oldRoot: MerkleHash, proof: [MerkleHash]) in
                    MerkleProof.isConsistent(
                        oldSize: UInt64(old), size: UInt64(size), oldRoot: oldRoot.bytes, root: root.bytes, proof: proof)
                }
                #expect(holds(old, self.root(old), proof))
                #expect(!holds(old, self.root(old % leaves.count + 1), proof))
                #expect(!holds(old, self.root(old), proof + [root]))
            }
            #expect(try prover.consistency(from: 0) == nil)
            #expect(try prover.consistency(from: UInt64(size) + 1) == nil)
        }
    }

    @Test("tiles have the root of the frontier at every size, and fill where they should")
    func tiles() {
        var tree = TileTree()
        var frontier = MerkleFrontier()
        for number in 0..<66_000 {
            let leaf = MerkleHash.leaf([UInt8(number & 0xFF), UInt8(number >> 8 & 0xFF)])
            let full = tree.append(leaf)
            frontier.append(leaf)
            let next = number + 1
            #expect(full.count == (next % 65_536 == 0 ? 2 : next % 256 == 0 ? 1 : 0))
            for tile in full { #expect(tile.index == UInt64(next) >> UInt64(8 * (tile.level + 1)) - 1) }
            if next % 97 == 0 || next % 256 < 2 || next > 65_530 && next < 65_540 {
                #expect(tree.root == frontier.root, "\(next)")
            }
        }
        #expect(TileTree(count: tree.count, rows: tree.rows)?.root == frontier.root)
        #expect(TileTree(count: tree.count + 1, rows: tree.rows) == nil)
    }

    @Test("tile names follow the specification")
    func names() {
        #expect(TilePath.hashes(level: 0, index: 1_234_067) == "tile/0/x001/x234/067")
        #expect(TilePath.hashes(level: 1, index: 0, width: 12) == "tile/1/000.p/12")
        #expect(TilePath.entries(index: 1_000, width: 1) == "tile/entries/x001/000.p/1")
    }
}
