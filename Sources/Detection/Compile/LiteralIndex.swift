/// Finds all of many literals in one value, whatever the case of letters.
///
/// A literal that must stand at an end of the value is looked up by its outermost bytes. One that may stand anywhere is
/// known by a window of up to four bytes, chosen where it is rarest: for each place of the value, one multiplication and
/// one bit of a table that stays in the first-level cache say whether any window begins there, so that nearly every place
/// costs a nanosecond and none depends on the one before it, as in an automaton. What passes is compared byte by byte.
///
/// Immutable; a class, so that handing it around costs one reference count.
final class LiteralIndex: Sendable {
    struct Literal: Hashable, Sendable {
        /// In lower case, not empty.
        var bytes: [UInt8]
        var anchor: TextPattern.Anchor
    }

    private let windows: [WindowTable]
    private let edges: [EdgeTable]
    /// Literals that are a whole value, by their length: a place in `wholes`, or -1.
    private let wholeOfLength: [Int16]
    private let wholes: [EdgeTable]
    private let entries: [LiteralEntry]
    private let text: LiteralText
    /// What the literals stand for.
    private let outputs: [Int32]

    /// - Parameter literals: what to look for, and what to report for each.
    init(_ literals: [(literal: Literal, output: Int32)]) {
        var known: [Literal: Set<Int32>] = [:]
        for (literal, output) in literals { known[literal, default: []].insert(output) }
        var entries: [LiteralEntry] = []
        var text: [UInt8] = []
        var outputs: [Int32] = []
        var windows: [Int: [(key: UInt32, entry: Int32)]] = [:]
        let stride = LiteralIndex.stride(for: known.keys)
        var edges: [EdgeTable.Kind: [(key: UInt32, entry: Int32)]] = [:]
        for (literal, meanings) in known.sorted(by: { LiteralIndex.precedes($0.key, $1.key) }) {
            let bytes = literal.bytes
            var entry = LiteralEntry(
                text: Int32(text.count), count: Int32(bytes.count), before: 0, anchor: literal.anchor,
                outputs: Int32(outputs.count), outputEnd: Int32(outputs.count + meanings.count))
            text.append(contentsOf: bytes)
            outputs.append(contentsOf: meanings.sorted())
            if literal.anchor == .contains {
                let width = min(bytes.count, LiteralIndex.windowBytes)
                let count = width == LiteralIndex.windowBytes ? stride : 1
                let first = LiteralRarity.rarestWindows(of: bytes, width: width, count: count)
                for offset in first..<first + count {
                    entry.before = Int32(offset)
                    windows[width, default: []].append(
                        (WindowTable.key(bytes.span, offset, width: width), Int32(entries.count)))
                    entries.append(entry)
                }
            } else {
                let number = Int32(entries.count)
                let kind = EdgeTable.kind(of: literal)
                let start = kind.isEnd ? bytes.count - kind.width : 0
                edges[kind, default: []].append((EdgeTable.key(bytes.span, start, kind.width), number))
                entries.append(entry)
            }
        }
        count = known.count
        self.entries = entries
        self.text = LiteralText(bytes: text)
        self.outputs = outputs
        self.windows = windows.sorted { $0.key > $1.key }.map { width, windows in
            WindowTable(width: width, stride: width == LiteralIndex.windowBytes ? stride : 1, windows)
        }
        let tables = edges.sorted { $0.key.order < $1.key.order }.map { EdgeTable($0.key, $0.value) }
        self.edges = tables.filter { !$0.kind.isWhole }
        wholes = tables.filter(\.kind.isWhole)
        var wholeOfLength = [Int16](repeating: -1, count: (wholes.last?.kind.width ?? -1) + 1)
        for (place, table) in wholes.enumerated() { wholeOfLength[table.kind.width] = Int16(place) }
        self.wholeOfLength = wholeOfLength
    }

    /// The number of literals, for tests and statistics.
    let count: Int

    private static let windowBytes = 4
    private static let maximumStride = 4
    /// More windows than these let too many places pass.
    private static let maximumStridden = 512

    /// How many places apart windows may be looked for: by all that is as long as that, and few. Keywords are, which are sought
    /// in whole lines.
    private static func stride(for literals: some Collection<Literal>) -> Int {
        let wide = literals.filter { $0.anchor == .contains && $0.bytes.count >= windowBytes }
        guard let least = wide.map(\.bytes.count).min(), wide.count * maximumStride <= maximumStridden else { return 1 }
        return min(least - windowBytes + 1, maximumStride)
    }

    /// Calls `report` for every literal in the range, for one that may stand anywhere as often as it stands there.
    @inline(__always)
    func scan(_ bytes: Span<UInt8>, _ range: Range<Int>, _ report: (Int32) -> Void) {
        for edge in edges.indices {
            let kind = edges[edge].kind
            guard kind.width <= range.count else { continue }
            let start = kind.isEnd ? range.upperBound - kind.width : range.lowerBound
            edges[edge].find(EdgeTable.key(bytes, start, kind.width)) { entry in
                let entry = entries[Int(entry)]
                guard range.count >= Int(entry.count) else { return }
                let start = entry.anchor == .endsWith ? range.upperBound - Int(entry.count) : range.lowerBound
                check(entry, bytes, range, start, report)
            }
        }
        if range.count < wholeOfLength.count, wholeOfLength[range.count] >= 0 {
            wholes[Int(wholeOfLength[range.count])].find(EdgeTable.key(bytes, range.lowerBound, range.count)) { entry in
                check(entries[Int(entry)], bytes, range, range.lowerBound, report)
            }
        }
        for window in windows.indices {
            windows[window].scan(bytes, range) { place, entry in
                let entry = entries[Int(entry)]
                check(entry, bytes, range, place - Int(entry.before), report)
            }
        }
    }

    private func check(
        _ entry: LiteralEntry, _ bytes: Span<UInt8>, _ range: Range<Int>, _ start: Int, _ report: (Int32) -> Void
    ) {
        let count = Int(entry.count)
        guard start >= range.lowerBound, start + count <= range.upperBound else { return }
        if entry.anchor == .equals, count != range.count { return }
        guard text.stands(Int(entry.text), count, bytes, at: start) else { return }
        for output in Int(entry.outputs)..<Int(entry.outputEnd) { report(outputs[output]) }
    }

    /// Any fixed order will do.
    private static func precedes(_ left: Literal, _ right: Literal) -> Bool {
        left.bytes == right.bytes
            ? left.anchor.order < right.anchor.order : left.bytes.lexicographicallyPrecedes(right.bytes)
    }
}

/// All literals, one after the other, in lower case.
struct LiteralText: Sendable {
    let bytes: [UInt8]

    /// Whether the literal of `count` bytes at `literal` stands in `text` at `start`, whatever the case of its letters there.
    @inline(__always)
    func stands(_ literal: Int, _ count: Int, _ text: Span<UInt8>, at start: Int) -> Bool {
        let literals = bytes.span
        guard count >= 8 else {
            for offset in 0..<count where foldedToLowerCase(text[start + offset]) != literals[literal + offset] { return false }
            return true
        }
        var offset = 0
        while true {
            // The last word overlaps the one before it. Both loads are checked; every pattern of eight bytes is an integer.
            let place = min(offset, count - 8)
            let have = unsafe text.bytes.unsafeLoadUnaligned(fromByteOffset: start + place, as: UInt64.self)
            let want = unsafe literals.bytes.unsafeLoadUnaligned(fromByteOffset: literal + place, as: UInt64.self)
            guard foldedToLowerCase(have) == want else { return false }
            offset += 8
            if offset >= count { return true }
        }
    }
}

/// A literal's place in the index.
struct LiteralEntry: Sendable, BitwiseCopyable {
    var text: Int32
    var count: Int32
    /// Bytes of the literal before the window by which it is known.
    var before: Int32
    var anchor: TextPattern.Anchor
    var outputs: Int32
    var outputEnd: Int32
}

extension TextPattern.Anchor {
    fileprivate var order: Int {
        switch self {
        case .equals: 0
        case .startsWith: 1
        case .endsWith: 2
        case .contains: 3
        }
    }
}
