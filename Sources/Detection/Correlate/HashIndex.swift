/// Finds numbered things by their hash: open addressing with linear probing, 8 bytes a slot, at most 5/8 full.
///
/// Holds the numbers only; whoever owns the things compares them. Removal closes the gap (Knuth, TAOCP 6.4, algorithm R),
/// so that no tombstones pile up.
struct HashIndex: Sendable {
    /// The low half of the hash above the number plus one; 0 is an empty slot.
    private var slots: [UInt64] = []
    private(set) var count = 0

    /// Bytes that the slots take.
    var byteCount: Int { slots.count * 8 }

    @inline(__always)
    func find(_ hash: UInt64, where isSame: (UInt32) -> Bool) -> UInt32? {
        guard !slots.isEmpty else { return nil }
        let mask = slots.count - 1
        let tag = UInt32(truncatingIfNeeded: hash)
        var place = Int(tag) & mask
        while slots[place] != 0 {
            if UInt32(truncatingIfNeeded: slots[place] >> 32) == tag {
                let number = UInt32(truncatingIfNeeded: slots[place]) &- 1
                if isSame(number) { return number }
            }
            place = (place + 1) & mask
        }
        return nil
    }

    /// The number must not be there.
    mutating func insert(_ hash: UInt64, _ number: UInt32) {
        if (count + 1) * 8 > slots.count * 5 { grow() }
        place(HashIndex.slot(hash, number))
        count += 1
    }

    mutating func remove(_ hash: UInt64, _ number: UInt32) {
        guard !slots.isEmpty else { return }
        let mask = slots.count - 1
        let wanted = HashIndex.slot(hash, number)
        var hole = Int(UInt32(truncatingIfNeeded: hash)) & mask
        while slots[hole] != wanted {
            guard slots[hole] != 0 else { return }
            hole = (hole + 1) & mask
        }
        var next = hole
        while true {
            next = (next + 1) & mask
            guard slots[next] != 0 else { break }
            let home = Int(slots[next] >> 32) & mask
            // Moved back only when the hole lies between its home and where it stands.
            if (next - home) & mask >= (next - hole) & mask {
                slots[hole] = slots[next]
                hole = next
            }
        }
        slots[hole] = 0
        count -= 1
    }

    private static func slot(_ hash: UInt64, _ number: UInt32) -> UInt64 {
        UInt64(UInt32(truncatingIfNeeded: hash)) << 32 | UInt64(number) + 1
    }

    private mutating func place(_ slot: UInt64) {
        let mask = slots.count - 1
        var place = Int(slot >> 32) & mask
        while slots[place] != 0 { place = (place + 1) & mask }
        slots[place] = slot
    }

    private mutating func grow() {
        let old = slots
        slots = Array(repeating: 0, count: max(16, old.count * 2))
        for slot in old where slot != 0 { place(slot) }
    }
}
