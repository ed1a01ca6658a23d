/// A growing tree in the shape of C2SP tlog-tiles: what is needed to add leaves, to tell the root and to write the newest tiles.
///
/// A tile holds 256 hashes of one level; the hash of a full one is a hash of the next level. At most 8 × 255 hashes stay in memory.
package struct TileTree: Sendable {
    package static let width = 256

    /// A tile that has just become full.
    package struct FullTile: Sendable {
        package var level: Int
        package var index: UInt64
        package var hashes: [MerkleHash]
    }

    package private(set) var count: UInt64 = 0
    /// Of each level, the hashes behind the last full tile: fewer than 256.
    package private(set) var rows: [[MerkleHash]] = []

    package init() {}

    /// Takes up where an earlier tree stopped; `nil` when the rows cannot belong to a tree of that size.
    package init?(count: UInt64, rows: [[MerkleHash]]) {
        guard rows.count == Self.rowCount(for: count) else { return nil }
        for (level, row) in rows.enumerated() where row.count != Self.rowWidth(level, count) { return nil }
        self.count = count
        self.rows = rows
    }

    /// Levels that a tree of this size has at least one hash of.
    package static func rowCount(for count: UInt64) -> Int {
        count == 0 ? 0 : (63 - count.leadingZeroBitCount) / 8 + 1
    }

    /// Hashes behind the last full tile of a level.
    package static func rowWidth(_ level: Int, _ count: UInt64) -> Int {
        Int((count >> UInt64(8 * level)) % UInt64(width))
    }

    /// - Returns: the tiles that this leaf filled, lowest level first; mostly none.
    package mutating func append(_ leaf: MerkleHash) -> [FullTile] {
        var full: [FullTile] = []
        var hash = leaf
        var level = 0
        while true {
            if level == rows.count { rows.append([]) }
            rows[level].append(hash)
            guard rows[level].count == Self.width else { break }
            let index = count >> UInt64(8 * (level + 1))
            full.append(FullTile(level: level, index: index, hashes: rows[level]))
            hash = Self.perfectRoot(rows[level][...])
            rows[level].removeAll(keepingCapacity: true)
            level += 1
        }
        count += 1
        return full
    }

    /// The Merkle tree hash of all leaves (RFC 6962 §2.1).
    package var root: MerkleHash {
        var right: MerkleHash?
        for row in rows {
            var rest = row[...]
            while !rest.isEmpty {
                let width = 1 << rest.count.trailingZeroBitCount
                let hash = Self.perfectRoot(rest.suffix(width))
                rest = rest.dropLast(width)
                right = right.map { .node(hash, $0) } ?? hash
            }
        }
        return right ?? .empty
    }

    /// The root over a power of two of nodes.
    static func perfectRoot(_ nodes: ArraySlice<MerkleHash>) -> MerkleHash {
        var nodes = Array(nodes)
        while nodes.count > 1 {
            nodes = stride(from: 0, to: nodes.count, by: 2).map { .node(nodes[$0], nodes[$0 + 1]) }
        }
        return nodes.first ?? .empty
    }
}
