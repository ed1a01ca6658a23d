import CHyperscan
import Glibc

/// Looks for the literals of each field in the field's values, with the engine's index and with Hyperscan, and prints one JSON
/// object with what both took.
///
/// The input has a line for each literal (`L field anchor hexadecimal`) and for each value (`V field hexadecimal`), fields as
/// numbers. Both count the same: pairs of a value and a literal that stands in it.
@main struct LiteralMatchers {
    static func main() throws {
        let fields = try read(CommandLine.arguments[1])
        let rounds = Int(CommandLine.arguments[2]) ?? 5
        let ours = fields.map { field in LiteralIndex(field.literals.enumerated().map { ($1, Int32($0)) }) }
        let theirs = try fields.map { try HyperscanMatcher($0.literals) }
        var times: [(ours: UInt64, theirs: UInt64)] = []
        var pairs = (ours: 0, theirs: 0)
        for round in 0...rounds {
            pairs = (0, 0)
            let start = clock()
            for (field, index) in zip(fields, ours) { pairs.ours += count(field, index) }
            let middle = clock()
            for (field, matcher) in zip(fields, theirs) { pairs.theirs += matcher.count(field) }
            // The first round only warms up.
            if round > 0 { times.append((middle - start, clock() - middle)) }
        }
        let values = fields.reduce(0) { $0 + $1.ranges.count }
        let bytes = fields.reduce(0) { $0 + $1.ranges.reduce(0) { $0 + $1.count } }
        print(
            """
            {"library": "\(String(cString: hs_version()))", "literals": \(fields.reduce(0) { $0 + $1.literals.count }), "values": \(values), "bytes": \(bytes), \
            "pairs": \(pairs.ours), "pairs_hyperscan": \(pairs.theirs), "nanoseconds": \(times.map(\.ours)), \
            "nanoseconds_hyperscan": \(times.map(\.theirs)), "database_bytes": \(theirs.reduce(0) { $0 + $1.databaseBytes })}
            """)
    }

    /// Nanoseconds of this process on the processor.
    private static func clock() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    private static func count(_ field: Field, _ index: LiteralIndex) -> Int {
        let bytes = field.bytes.span
        var seen = [Int32](repeating: -1, count: field.literals.count)
        var pairs = 0
        for (number, range) in field.ranges.enumerated() {
            index.scan(bytes, range) { literal in
                if seen[Int(literal)] != Int32(number) {
                    seen[Int(literal)] = Int32(number)
                    pairs += 1
                }
            }
        }
        return pairs
    }

    private static func read(_ path: String) throws -> [Field] {
        guard let file = fopen(path, "r") else { throw ReadError(path: path) }
        defer { fclose(file) }
        var fields: [Field] = []
        var line: UnsafeMutablePointer<CChar>?
        var capacity = 0
        while getline(&line, &capacity, file) > 0, let text = line {
            let parts = String(cString: text).split { $0 == " " || $0 == "\n" }
            guard parts.count >= 3, let number = Int(parts[1]) else { continue }
            while fields.count <= number { fields.append(Field()) }
            fields[number].add(parts)
        }
        free(line)
        return fields
    }
}

struct ReadError: Error {
    var path: String
}

/// One field: what is looked for in it, and its values, one after the other.
struct Field {
    private(set) var literals: [LiteralIndex.Literal] = []
    private(set) var bytes: [UInt8] = []
    private(set) var ranges: [Range<Int>] = []

    private static let anchors: [Substring: TextPattern.Anchor] = [
        "equals": .equals, "startswith": .startsWith, "endswith": .endsWith, "contains": .contains,
    ]

    mutating func add(_ parts: [Substring]) {
        let digits = Array((parts.last ?? "").utf8)
        let text = stride(from: 0, to: digits.count - 1, by: 2).map { Field.value(digits[$0]) << 4 | Field.value(digits[$0 + 1]) }
        if parts[0] == "L", let anchor = Field.anchors[parts[2]] {
            literals.append(LiteralIndex.Literal(bytes: text, anchor: anchor))
        } else {
            ranges.append(bytes.count..<bytes.count + text.count)
            bytes += text
        }
    }

    private static func value(_ digit: UInt8) -> UInt8 { digit <= 0x39 ? digit - 0x30 : digit - 0x57 }
}
