/// The table of the lazily built deterministic automaton.
///
/// A state is named by the offset of its row, so that a lookup is one addition. Row 0 belongs to no state: offsets
/// below the number of columns are the special answers ``unknown``, ``dead`` and ``matched``.
struct RegexStateCache {
    /// Not computed yet.
    static let unknown: UInt32 = 0
    static let dead: UInt32 = 1
    static let matched: UInt32 = 2

    private let columns: Int
    /// Rows of offsets.
    private(set) var transitions: [UInt32]
    /// The state at the beginning of every input.
    var start = RegexStateCache.unknown
    /// The nodes of all states, one after the other, each state's ascending; state `n` owns `ends[n - 1]..<ends[n]`.
    private var kernels: [Int32] = []
    private var ends: [Int] = []
    private var contexts: [UInt8] = []
    private var hashes: [UInt32] = []
    /// Open addressing with linear probing; 0 is free, else the number of a state plus one. A power of two.
    private var buckets: [Int32]
    private var scratch: [Int32] = []

    init(columns: Int) {
        self.columns = columns
        transitions = [UInt32](repeating: Self.unknown, count: columns)
        buckets = [Int32](repeating: 0, count: 16)
    }

    /// The number of states.
    var count: Int { ends.count }

    /// The memory that the states take, in bytes, without the arrays' slack.
    var size: Int {
        transitions.count * 4 + kernels.count * 4 + ends.count * 21 + buckets.count * 4
    }

    /// Forgets all states and keeps the memory.
    mutating func removeAll() {
        transitions.removeLast(transitions.count - columns)
        kernels.removeAll(keepingCapacity: true)
        ends.removeAll(keepingCapacity: true)
        contexts.removeAll(keepingCapacity: true)
        hashes.removeAll(keepingCapacity: true)
        for index in buckets.indices { buckets[index] = 0 }
        start = Self.unknown
    }

    /// The nodes of a state and what stands before it.
    func state(at offset: UInt32) -> (kernel: ArraySlice<Int32>, context: UInt8) {
        let number = Int(offset) / columns - 1
        return (kernel(number), contexts[number])
    }

    mutating func setTransition(from offset: UInt32, column: Int, to target: UInt32) {
        transitions[Int(offset) + column] = target
    }

    /// The offset of the state with these nodes, which is added unless it is known.
    ///
    /// - Returns: `nil` if the state is new and `limit` bytes are reached.
    mutating func offset(of set: borrowing RegexStateSet, context: UInt8, limit: Int) -> UInt32? {
        scratch.removeAll(keepingCapacity: true)
        for index in 0..<set.count { scratch.append(set[index]) }
        scratch.sort()
        // FNV-1a over the nodes.
        var hash: UInt32 = (2_166_136_261 ^ UInt32(context)) &* 16_777_619
        for node in scratch { hash = (hash ^ UInt32(bitPattern: node)) &* 16_777_619 }
        hash ^= hash >> 15

        let mask = buckets.count - 1
        var bucket = Int(hash) & mask
        while buckets[bucket] != 0 {
            let number = Int(buckets[bucket]) - 1
            if hashes[number] == hash, contexts[number] == context, kernel(number).elementsEqual(scratch) {
                return UInt32((number + 1) * columns)
            }
            bucket = (bucket + 1) & mask
        }
        // A few states are always allowed, so that even a huge pattern makes progress.
        if count >= 4, size + (columns + scratch.count) * 4 > limit { return nil }
        let offset = UInt32(transitions.count)
        transitions.append(contentsOf: repeatElement(Self.unknown, count: columns))
        kernels.append(contentsOf: scratch)
        ends.append(kernels.count)
        contexts.append(context)
        hashes.append(hash)
        buckets[bucket] = Int32(count)
        if count * 2 > buckets.count { rehash() }
        return offset
    }

    private func kernel(_ number: Int) -> ArraySlice<Int32> {
        kernels[(number == 0 ? 0 : ends[number - 1])..<ends[number]]
    }

    private mutating func rehash() {
        buckets = [Int32](repeating: 0, count: buckets.count * 2)
        let mask = buckets.count - 1
        for (number, hash) in hashes.enumerated() {
            var bucket = Int(hash) & mask
            while buckets[bucket] != 0 { bucket = (bucket + 1) & mask }
            buckets[bucket] = Int32(number + 1)
        }
    }
}
