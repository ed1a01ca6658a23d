/// Makes proofs about a tree whose nodes can be looked up.
///
/// `node` gives the root of the perfect subtree of 2^level leaves that starts at leaf `index << level`; it is asked for about
/// 2·log₂(size) of them, and only for subtrees that lie wholly inside the tree.
package struct MerkleProver {
    package typealias Node = (_ level: Int, _ index: UInt64) throws -> MerkleHash

    package let size: UInt64
    private let node: Node

    package init(size: UInt64, node: @escaping Node) {
        self.size = size
        self.node = node
    }

    /// The Merkle tree hash (RFC 6962 §2.1).
    package func root() throws -> MerkleHash {
        size == 0 ? .empty : try root(of: 0..<size)
    }

    /// The audit path of a leaf, from its sibling up (RFC 6962 §2.1.1); `nil` when the tree has no such leaf.
    package func inclusion(of index: UInt64) throws -> [MerkleHash]? {
        guard index < size else { return nil }
        var range = 0..<size
        var path: [MerkleHash] = []
        while range.count > 1 {
            let middle = Self.split(range)
            if index < middle {
                path.append(try root(of: middle..<range.upperBound))
                range = range.lowerBound..<middle
            } else {
                path.append(try root(of: range.lowerBound..<middle))
                range = middle..<range.upperBound
            }
        }
        return path.reversed()
    }

    /// That this tree begins with the one of `oldSize` leaves (RFC 6962 §2.1.2); `nil` when that one is empty or larger.
    package func consistency(from oldSize: UInt64) throws -> [MerkleHash]? {
        guard oldSize > 0, oldSize <= size else { return nil }
        var range = 0..<size
        var path: [MerkleHash] = []
        // Whether the old tree's root is what the range so far amounts to: then the verifier has it already.
        var isKnown = true
        while range.upperBound != oldSize {
            let middle = Self.split(range)
            if oldSize <= middle {
                path.append(try root(of: middle..<range.upperBound))
                range = range.lowerBound..<middle
            } else {
                path.append(try root(of: range.lowerBound..<middle))
                range = middle..<range.upperBound
                isKnown = false
            }
        }
        if !isKnown { path.append(try root(of: range)) }
        return path.reversed()
    }

    /// Where RFC 6962 divides a range: at the largest power of two smaller than its length.
    private static func split(_ range: Range<UInt64>) -> UInt64 {
        let count = range.upperBound - range.lowerBound
        return range.lowerBound + 1 << UInt64(63 - (count - 1).leadingZeroBitCount)
    }

    private func root(of range: Range<UInt64>) throws -> MerkleHash {
        let count = range.upperBound - range.lowerBound
        if count.nonzeroBitCount == 1 {
            let level = count.trailingZeroBitCount
            return try node(level, range.lowerBound >> UInt64(level))
        }
        let middle = Self.split(range)
        return .node(try root(of: range.lowerBound..<middle), try root(of: middle..<range.upperBound))
    }
}
