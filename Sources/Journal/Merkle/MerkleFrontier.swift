/// The right edge of a growing RFC 6962 tree: all that is needed to add leaves and to tell the root.
///
/// One hash for each bit set in ``count``, from the largest perfect subtree to the smallest; at most 64 of them, whatever the size.
package struct MerkleFrontier: Hashable, Sendable {
    /// Leaves added so far.
    package private(set) var count: UInt64
    /// Roots of the perfect subtrees, largest first.
    package private(set) var hashes: [MerkleHash]

    package init() {
        count = 0
        hashes = []
    }

    /// Takes up where an earlier frontier stopped; `nil` when the hashes cannot belong to a tree of that size.
    package init?(count: UInt64, hashes: [MerkleHash]) {
        guard hashes.count == count.nonzeroBitCount else { return nil }
        self.count = count
        self.hashes = hashes
    }

    package mutating func append(_ leaf: MerkleHash) {
        var node = leaf
        // A carry in binary addition: each trailing one bit is a finished subtree as large as the node so far.
        for _ in 0..<(~count).trailingZeroBitCount {
            node = .node(hashes.removeLast(), node)
        }
        hashes.append(node)
        count += 1
    }

    /// The Merkle tree hash of all leaves (RFC 6962 §2.1).
    package var root: MerkleHash {
        guard var root = hashes.last else { return .empty }
        for hash in hashes.dropLast().reversed() { root = .node(hash, root) }
        return root
    }
}
