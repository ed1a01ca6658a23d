/// What the window of a group amounts to.
extension CorrelationState {
    /// Sums are kept in units of 2^-20, exactly: the order of events and a restart change nothing.
    private static let scale = 1_048_576.0
    /// Larger numbers do not count as numbers: 2^63.
    static let maximumMagnitude = 9_223_372_036_854_775_808.0

    private static func scaled(_ bits: UInt64) -> Int128 {
        let product = (Double(bitPattern: bits) * scale).rounded()
        return Int128(exactly: product) ?? 0
    }

    /// Takes a value into the group's sum or order.
    mutating func add(_ bits: UInt64, _ number: Int, _ kind: CompiledCorrelation.Kind) {
        switch kind {
        case .sum, .average:
            while sums.count <= number { sums.append(0) }
            sums[number] += CorrelationState.scaled(bits)
        case .median, .percentile:
            while sorted.count <= number { sorted.append([]) }
            let value = Double(bitPattern: bits)
            sorted[number].insert(value, at: place(of: value, number))
            sideBytes += 8
        default: break
        }
    }

    mutating func subtract(_ bits: UInt64, _ number: Int) {
        if number < sums.count { sums[number] -= CorrelationState.scaled(bits) }
        guard number < sorted.count, !sorted[number].isEmpty else { return }
        let value = Double(bitPattern: bits)
        let place = place(of: value, number)
        guard place < sorted[number].count, sorted[number][place] == value else { return }
        sorted[number].remove(at: place)
        sideBytes -= 8
    }

    /// The first place that holds no smaller value.
    private func place(of value: Double, _ number: Int) -> Int {
        var low = 0
        var high = sorted[number].count
        while low < high {
            let middle = (low + high) / 2
            if sorted[number][middle] < value { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// How many events, values or rules the window holds.
    func total(_ number: Int) -> Int {
        let place = groups[number].older
        return Int(groups[number].count) + (place == EventPool.none ? 0 : older[Int(place)]?.total ?? 0)
    }

    /// The number that conditions are about; the window must not be empty for averages and percentiles.
    func value(_ number: Int, _ rule: CompiledCorrelation) -> Double {
        switch rule.kind {
        case .eventCount, .valueCount, .temporal, .absence: return Double(total(number))
        case .temporalOrdered: return Double(longestOrder(number, memberCount: rule.members.count))
        case .sum: return number < sums.count ? Double(sums[number]) / CorrelationState.scale : 0
        case .average:
            let count = total(number)
            return count == 0 || number >= sums.count ? 0 : Double(sums[number]) / CorrelationState.scale / Double(count)
        case .median:
            guard number < sorted.count, !sorted[number].isEmpty else { return 0 }
            let values = sorted[number]
            let middle = values.count / 2
            // Halved first: the sum of two large values would overflow.
            return values.count % 2 == 1 ? values[middle] : values[middle - 1] / 2 + values[middle] / 2
        case .percentile(let rank):
            guard number < sorted.count, !sorted[number].isEmpty else { return 0 }
            let place = (rank * Double(sorted[number].count) / 100).rounded(.up)
            return sorted[number][max(Int(place), 1) - 1]
        }
    }

    /// Whether the window is one to report.
    func isMet(_ number: Int, _ rule: CompiledCorrelation) -> Bool {
        guard let presence = rule.presence else { return rule.holds(value(number, rule)) }
        let seen = membersSeen(number)
        guard rule.kind == .temporalOrdered else { return presence.holds(seen) }
        return rule.orders.contains {
            $0.wanted & ~seen == 0 && $0.excluded & seen == 0 && comeInOrder($0.wanted, number)
        }
    }

    private func membersSeen(_ number: Int) -> UInt64 {
        var seen: UInt64 = 0
        var node = groups[number].first
        while node != EventPool.none {
            seen |= 1 << UInt64(pool[node].member)
            node = pool[node].next
        }
        return seen
    }

    /// Whether the window holds an event of each of these rules, one after the other in the order of the rules.
    private func comeInOrder(_ members: UInt64, _ number: Int) -> Bool {
        var left = members
        var node = groups[number].first
        while left != 0, node != EventPool.none {
            if Int(pool[node].member) == left.trailingZeroBitCount { left &= left - 1 }
            node = pool[node].next
        }
        return left == 0
    }

    /// The most rules that can be found one after the other in the order of the rules.
    private func longestOrder(_ number: Int, memberCount: Int) -> Int {
        // By member: the most rules of an order that ends with it. 64 small numbers, on the stack.
        var longest = InlineArray<64, UInt8>(repeating: 0)
        var best: UInt8 = 0
        var node = groups[number].first
        while node != EventPool.none {
            let member = Int(pool[node].member)
            var before: UInt8 = 0
            for place in 0..<member { before = max(before, longest[place]) }
            longest[member] = max(longest[member], before + 1)
            best = max(best, longest[member])
            node = pool[node].next
        }
        return Int(best)
    }
}
