extension MerkleProof {
    /// One step from a leaf to the root.
    package struct Step: Hashable, Sendable {
        package var sibling: MerkleHash
        package var isSiblingLeft: Bool
        /// SHA-256(0x01 ‖ left ‖ right).
        package var result: MerkleHash
    }

    /// The way from a leaf to the root, for people to look at; ``includes(_:at:size:root:proof:)`` says whether it holds.
    ///
    /// The sides are those of RFC 9162 §2.1.3.2.
    package static func path(_ leaf: MerkleHash, at index: UInt64, size: UInt64, proof: [MerkleHash]) -> [Step] {
        guard index < size else { return [] }
        var node = index
        var last = size - 1
        var hash = leaf
        var steps: [Step] = []
        for sibling in proof {
            let isLeft = node & 1 == 1 || node == last
            hash = isLeft ? .node(sibling, hash) : .node(hash, sibling)
            steps.append(Step(sibling: sibling, isSiblingLeft: isLeft, result: hash))
            if isLeft {
                while node & 1 == 0, node != 0 {
                    node >>= 1
                    last >>= 1
                }
            }
            node >>= 1
            last >>= 1
        }
        return steps
    }
}
