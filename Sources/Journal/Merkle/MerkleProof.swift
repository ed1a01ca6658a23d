/// Checks proofs about RFC 6962 trees; pure, and safe on any input.
///
/// The verifiers are those of RFC 9162 §2.1.3.2 and §2.1.4.2, in the form that draft-ietf-plants-merkle-tree-certs §4 gives them for
/// subtrees; a whole tree is the subtree that starts at 0. Roots come as bytes, because they come from outside: what does not have
/// 32 of them is nobody's root.
package enum MerkleProof {
    /// Whether a leaf stands at `index` of the tree of `size` leaves with that root.
    package static func includes(
        _ leaf: MerkleHash, at index: UInt64, size: UInt64, root: [UInt8], proof: [MerkleHash]
    ) -> Bool {
        includes(leaf, at: index, subtree: 0..<size, root: root, proof: proof)
    }

    /// The same in a part of a tree; `index` counts from the tree's first leaf.
    package static func includes(
        _ leaf: MerkleHash, at index: UInt64, subtree: Range<UInt64>, root: [UInt8], proof: [MerkleHash]
    ) -> Bool {
        guard isSubtree(subtree), subtree.contains(index) else { return false }
        var node = index - subtree.lowerBound
        var last = subtree.upperBound - subtree.lowerBound - 1
        var hash = leaf
        for sibling in proof {
            guard last != 0 else { return false }
            if node & 1 == 1 || node == last {
                hash = .node(sibling, hash)
                while node & 1 == 0, node != 0 {
                    node >>= 1
                    last >>= 1
                }
            } else {
                hash = .node(hash, sibling)
            }
            node >>= 1
            last >>= 1
        }
        return last == 0 && hash.bytes == root
    }

    /// Whether the tree of `size` leaves begins with the tree of `oldSize`. An empty old tree proves nothing and is refused.
    package static func isConsistent(
        oldSize: UInt64, size: UInt64, oldRoot: [UInt8], root: [UInt8], proof: [MerkleHash]
    ) -> Bool {
        guard oldSize > 0 else { return false }
        return isConsistent(subtree: 0..<oldSize, size: size, subtreeRoot: oldRoot, root: root, proof: proof)
    }

    /// Whether a subtree with that root is a part of the tree.
    package static func isConsistent(
        subtree: Range<UInt64>, size: UInt64, subtreeRoot: [UInt8], root: [UInt8], proof: [MerkleHash]
    ) -> Bool {
        guard subtree.upperBound <= size else { return false }
        if subtree.isEmpty {
            return proof.isEmpty && subtreeRoot == MerkleHash.empty.bytes
        }
        // Of the whole tree there is nothing to prove but that both say the same.
        if subtree == 0..<size, proof.isEmpty { return subtreeRoot == root }
        guard isSubtree(subtree), let known = MerkleHash(bytes: subtreeRoot) else { return false }
        var first = subtree.lowerBound
        var last = subtree.upperBound - 1
        var end = size - 1
        let reachesEnd = last == end
        while first != last, reachesEnd || last & 1 == 1 {
            first >>= 1
            last >>= 1
            end >>= 1
        }
        var rest = proof[...]
        var old = known
        if first != last {
            guard let seed = rest.popFirst() else { return false }
            old = seed
        }
        var new = old
        for hash in rest {
            guard end != 0 else { return false }
            if last & 1 == 1 || last == end {
                if first < last { old = .node(hash, old) }
                new = .node(hash, new)
                while last & 1 == 0, last != 0 {
                    first >>= 1
                    last >>= 1
                    end >>= 1
                }
            } else {
                new = .node(new, hash)
            }
            first >>= 1
            last >>= 1
            end >>= 1
        }
        return end == 0 && old == known && new.bytes == root
    }

    /// A subtree starts at a multiple of the least power of two that holds it.
    private static func isSubtree(_ range: Range<UInt64>) -> Bool {
        guard !range.isEmpty else { return false }
        let count = range.upperBound - range.lowerBound
        guard count <= 1 << 63 else { return false }
        let width: UInt64 = count == 1 ? 1 : 1 << UInt64(64 - (count - 1).leadingZeroBitCount)
        return range.lowerBound % width == 0
    }
}
