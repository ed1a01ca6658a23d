/// A set of automaton nodes that is cleared in constant time and remembers the order of insertion.
struct RegexStateSet {
    private(set) var dense: [Int32]
    private var sparse: [Int32]
    private(set) var count = 0
    /// Whether it holds looks that wait for the next unit.
    var hasLooks = false

    init(capacity: Int) {
        dense = [Int32](repeating: 0, count: capacity)
        sparse = [Int32](repeating: 0, count: capacity)
    }

    @inline(__always)
    subscript(index: Int) -> Int32 { dense[index] }

    @inline(__always)
    func contains(_ node: Int32) -> Bool {
        let place = Int(sparse[Int(node)])
        return place < count && dense[place] == node
    }

    /// Adds a node; false if it was there.
    @inline(__always)
    mutating func insert(_ node: Int32) -> Bool {
        guard !contains(node) else { return false }
        sparse[Int(node)] = Int32(count)
        dense[count] = node
        count += 1
        return true
    }

    mutating func removeAll() {
        count = 0
        hasLooks = false
    }

    /// Keeps the nodes that satisfy the condition, in their order.
    @inline(__always)
    mutating func filter(_ isKept: (Int32) -> Bool) {
        var kept = 0
        for index in 0..<count {
            let node = dense[index]
            guard isKept(node) else { continue }
            dense[kept] = node
            sparse[Int(node)] = Int32(kept)
            kept += 1
        }
        count = kept
    }
}
