import Events
import Synchronization

/// What every key has used of its limits, in memory that does not grow.
///
/// Sets of eight slots, as in a processor's cache. A key is a 64-bit hash under a random seed of this process, so nobody can choose
/// addresses that collide. Where a set is full the slot goes that would be regained first, the one about which least is forgotten:
/// an attacker with very many addresses can shorten others' memory, and never lock anybody out.
final class RateLimitTable: Sendable {
    private struct Slot: BitwiseCopyable {
        var key: UInt64 = 0
        var fullAt: Int64 = 0
    }

    private static let ways = 8
    private static let shardCount = 16

    private let shards: [Shard]
    private let setsPerShard: Int

    private final class Shard: Sendable {
        let slots: Mutex<[Slot]>
        init(count: Int) { slots = Mutex(Array(repeating: Slot(), count: count)) }
    }

    /// - Parameter keys: how many keys are kept at most: 16 bytes each.
    init(keys: Int) {
        setsPerShard = max(keys / (Self.ways * Self.shardCount), 1)
        let count = setsPerShard * Self.ways
        shards = (0..<Self.shardCount).map { _ in Shard(count: count) }
    }

    /// Takes one request of `limit` for `key`.
    func take(_ limit: RateLimit, key: RateLimitKey, now: Int64) -> Quota {
        let hash = key.hash(limit: limit.name)
        let shard = shards[Int(hash & UInt64(Self.shardCount - 1))]
        let first = Int((hash >> 4) % UInt64(setsPerShard)) * Self.ways
        return shard.slots.withLock { slots in
            var chosen = first
            for index in first..<first + Self.ways {
                if slots[index].key == hash {
                    chosen = index
                    break
                }
                if slots[index].fullAt < slots[chosen].fullAt { chosen = index }
            }
            if slots[chosen].key != hash { slots[chosen] = Slot(key: hash, fullAt: 0) }
            return CellRate.take(limit, fullAt: &slots[chosen].fullAt, now: now)
        }
    }
}

/// Who is counted.
enum RateLimitKey: Hashable {
    /// An IPv4 address, or the /64 of an IPv6 one: what one party controls at the least.
    case address(IPAddress)
    case account(String)

    func hash(limit: String) -> UInt64 {
        var hasher = Hasher()
        hasher.combine(limit)
        switch self {
        case .address(let address):
            hasher.combine(0)
            hasher.combine(address.prefix)
        case .account(let name):
            hasher.combine(1)
            hasher.combine(name)
        }
        // Zero marks a free slot.
        return max(UInt64(bitPattern: Int64(hasher.finalize())), 1)
    }
}
