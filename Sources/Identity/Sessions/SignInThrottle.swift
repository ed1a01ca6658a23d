package import Events

/// Slows down the guessing of passwords without ever locking the owner out.
///
/// Three counts, each forgotten after an hour without failure:
/// * (account, address): after 5 failures the pair waits, doubling from 1 s to 15 min. The owner at another address is not touched.
/// * address, over all accounts: after 20 failures the address waits, doubling to 5 min.
/// * account, over all addresses: after 10 failures each attempt is answered later, up to 2 s, but never refused.
///
/// A pure value: time is an argument. Memory is bounded by `maximumEntries`.
package struct SignInThrottle: Sendable {
    package struct Limits: Sendable {
        package var freeFailuresPerPair = 5
        package var freeFailuresPerAddress = 20
        package var freeFailuresPerAccount = 10
        /// Seconds.
        package var longestPairWait: Int64 = 900
        package var longestAddressWait: Int64 = 300
        package var longestDelayMilliseconds: Int64 = 2000
        /// Seconds after the last failure.
        package var forgetAfter: Int64 = 3600
        package var maximumEntries = 10_000

        package init() {}
    }

    package enum Verdict: Sendable, Equatable {
        /// Check the password, and hold the answer back for so long.
        case proceed(delayMilliseconds: Int64)
        /// Do not check it. `isFirst` once per waiting period.
        case wait(seconds: Int64, isFirst: Bool)
    }

    private enum Key: Hashable {
        case pair(account: String, address: String)
        case address(String)
        case account(String)
    }

    private struct Entry {
        var failures = 0
        var lastFailure: Timestamp
        var blockedUntil: Timestamp
        var isAnnounced = false
    }

    private let limits: Limits
    private var entries: [Key: Entry] = [:]

    package init(limits: Limits = Limits()) {
        self.limits = limits
    }

    package var entryCount: Int { entries.count }

    /// Decides about one attempt, and counts it as failed until ``succeeded(account:address:)`` says otherwise: a thousand attempts at
    /// the same moment must not all pass before the first of them is known to be wrong.
    package mutating func begin(account: String, address: String, at now: Timestamp) -> Verdict {
        let address = AddressGroup.key(for: address)
        let pair = Key.pair(account: account, address: address)
        for key in [pair, .address(address)] {
            guard let entry = current(key, at: now), entry.blockedUntil > now else { continue }
            let isFirst = !entry.isAnnounced
            entries[key]?.isAnnounced = true
            let seconds = (entry.blockedUntil.nanoseconds(since: now) + 999_999_999) / 1_000_000_000
            return .wait(seconds: seconds, isFirst: isFirst)
        }
        let accountFailures = fail(.account(account), at: now, free: .max, longest: 0)
        _ = fail(pair, at: now, free: limits.freeFailuresPerPair, longest: limits.longestPairWait)
        _ = fail(.address(address), at: now, free: limits.freeFailuresPerAddress, longest: limits.longestAddressWait)
        return .proceed(
            delayMilliseconds: Self.doubling(
                from: 100, steps: accountFailures - limits.freeFailuresPerAccount - 1,
                longest: limits.longestDelayMilliseconds))
    }

    /// The attempt was right: what was counted against the pair is forgotten, and this one attempt taken back elsewhere.
    package mutating func succeeded(account: String, address: String) {
        let address = AddressGroup.key(for: address)
        entries[.pair(account: account, address: address)] = nil
        for key in [Key.address(address), .account(account)] {
            guard var entry = entries[key] else { continue }
            entry.failures -= 1
            entry.blockedUntil = entry.lastFailure
            entries[key] = entry.failures > 0 ? entry : nil
        }
    }

    private func current(_ key: Key, at now: Timestamp) -> Entry? {
        guard let entry = entries[key], now < entry.lastFailure.advanced(bySeconds: limits.forgetAfter) else { return nil }
        return entry
    }

    private mutating func fail(_ key: Key, at now: Timestamp, free: Int, longest: Int64) -> Int {
        var entry = current(key, at: now) ?? Entry(lastFailure: now, blockedUntil: now)
        entry.failures += 1
        entry.lastFailure = now
        entry.isAnnounced = false
        let wait = Self.doubling(from: 1, steps: free == .max ? -1 : entry.failures - free, longest: longest)
        entry.blockedUntil = now.advanced(bySeconds: wait)
        if entries[key] == nil, entries.count >= limits.maximumEntries { makeRoom(at: now) }
        entries[key] = entry
        return entry.failures
    }

    /// 0 below zero steps, then `first`, 2 × `first`, … up to `longest`.
    private static func doubling(from first: Int64, steps: Int, longest: Int64) -> Int64 {
        steps < 0 ? 0 : min(first << min(Int64(steps), 40), longest)
    }

    /// Drops what is forgotten anyway, else the tenth that is quiet for longest.
    private mutating func makeRoom(at now: Timestamp) {
        entries = entries.filter { now < $0.value.lastFailure.advanced(bySeconds: limits.forgetAfter) }
        guard entries.count >= limits.maximumEntries else { return }
        let oldest = entries.sorted { $0.value.lastFailure < $1.value.lastFailure }.prefix(max(1, limits.maximumEntries / 10))
        for (key, _) in oldest { entries[key] = nil }
    }
}
