import Events

/// Values by network, found for an address from the widest to the narrowest: a binary trie whose unbranching paths are one node
/// (D. R. Morrison, PATRICIA, 1968). A look-up visits at most 128 nodes, about log₂ of the number of networks where these are random.
struct AddressTrie<Value: Sendable>: Sendable {
    private struct Node {
        var high: UInt64
        var low: UInt64
        var bits: Int
        var left: Int32 = -1
        var right: Int32 = -1
        var value: Value?
    }

    private var nodes: [Node] = []
    private var free: [Int32] = []
    private var root: Int32 = -1
    private(set) var count = 0

    init() {}

    /// Hands the values of all networks that hold `address` to `visit`, the widest first, until that returns `false`.
    func visit(_ address: IPAddress, _ visit: (Value) -> Bool) {
        var index = root
        while index >= 0 {
            let node = nodes[Int(index)]
            guard Self.common(node.high, node.low, address.high, address.low) >= node.bits else { return }
            // ::/0 to ::/95 are about IPv6 only, though IPv4 is kept in a mapped form below them.
            if let value = node.value, node.bits >= 96 || !address.isV4, !visit(value) { return }
            guard node.bits < 128 else { return }
            index = Self.bit(address.high, address.low, node.bits) ? node.right : node.left
        }
    }

    /// Changes the value of exactly this network; `nil` takes it out.
    mutating func update(_ block: AddressBlock, _ change: (inout Value?) -> Void) {
        let key = (high: block.base.high, low: block.base.low, bits: block.bits)
        var path: [(index: Int32, isRight: Bool)] = []
        var index = root
        while index >= 0 {
            let node = nodes[Int(index)]
            let shared = min(Self.common(node.high, node.low, key.high, key.low), node.bits, key.bits)
            if shared < node.bits {
                insert(above: index, shared: shared, key: key, path: path, change)
                return
            }
            if node.bits == key.bits {
                let had = nodes[Int(index)].value != nil
                change(&nodes[Int(index)].value)
                let has = nodes[Int(index)].value != nil
                count += (has ? 1 : 0) - (had ? 1 : 0)
                if had, !has { prune(index, path) }
                return
            }
            let isRight = Self.bit(key.high, key.low, node.bits)
            path.append((index, isRight))
            index = isRight ? node.right : node.left
        }
        var value: Value?
        change(&value)
        guard value != nil else { return }
        attach(add(Node(high: key.high, low: key.low, bits: key.bits, value: value)), to: path.last)
        count += 1
    }

    /// The new network branches off above a node, or is itself above it.
    private mutating func insert(
        above index: Int32, shared: Int, key: (high: UInt64, low: UInt64, bits: Int), path: [(index: Int32, isRight: Bool)],
        _ change: (inout Value?) -> Void
    ) {
        var value: Value?
        change(&value)
        guard value != nil else { return }
        count += 1
        let oldIsRight = Self.bit(nodes[Int(index)].high, nodes[Int(index)].low, shared)
        var branch = Node(high: key.high, low: key.low, bits: shared)
        if oldIsRight { branch.right = index } else { branch.left = index }
        if shared == key.bits {
            branch.value = value
        } else {
            (branch.high, branch.low) = Self.masked(key.high, key.low, shared)
            let leaf = add(Node(high: key.high, low: key.low, bits: key.bits, value: value))
            if oldIsRight { branch.left = leaf } else { branch.right = leaf }
        }
        attach(add(branch), to: path.last)
    }

    /// Takes out a node without a value that does not branch; its parent may be left so, too.
    private mutating func prune(_ index: Int32, _ path: [(index: Int32, isRight: Bool)]) {
        let node = nodes[Int(index)]
        guard node.value == nil, node.left < 0 || node.right < 0 else { return }
        attach(node.left >= 0 ? node.left : node.right, to: path.last)
        free.append(index)
        if let parent = path.last { prune(parent.index, path.dropLast()) }
    }

    private mutating func attach(_ index: Int32, to parent: (index: Int32, isRight: Bool)?) {
        guard let parent else {
            root = index
            return
        }
        if parent.isRight { nodes[Int(parent.index)].right = index } else { nodes[Int(parent.index)].left = index }
    }

    private mutating func add(_ node: Node) -> Int32 {
        if let index = free.popLast() {
            nodes[Int(index)] = node
            return index
        }
        nodes.append(node)
        return Int32(nodes.count - 1)
    }

    /// How many leading bits agree.
    private static func common(_ high: UInt64, _ low: UInt64, _ otherHigh: UInt64, _ otherLow: UInt64) -> Int {
        let first = (high ^ otherHigh).leadingZeroBitCount
        return first < 64 ? first : 64 + (low ^ otherLow).leadingZeroBitCount
    }

    private static func bit(_ high: UInt64, _ low: UInt64, _ position: Int) -> Bool {
        position < 64 ? high >> UInt64(63 - position) & 1 == 1 : low >> UInt64(127 - position) & 1 == 1
    }

    private static func masked(_ high: UInt64, _ low: UInt64, _ bits: Int) -> (UInt64, UInt64) {
        // Swift's shifts by the width or more give zero.
        (bits >= 64 ? high : high & ~(UInt64.max >> UInt64(bits)), bits <= 64 ? 0 : low & ~(UInt64.max >> UInt64(bits - 64)))
    }
}
