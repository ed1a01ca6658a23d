import Events
import Foundation

@testable import Detection

/// Numbers that are the same in every run (splitmix64).
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// Findings as rules could give them, and as attackers would like them.
struct FindingGenerator {
    private var random: SeededGenerator
    private var made = 0
    /// Few of each, so that findings meet.
    private let addresses = [
        "203.0.113.9", "198.51.100.7", "2001:db8:1::17", "2001:db8:1::99", "2001:db8:2::1", "client.example.org",
    ]
    private let users = ["root", "alice", "bob", ""]

    init(seed: UInt64) { random = SeededGenerator(state: seed) }

    mutating func pick<Element>(_ elements: [Element]) -> Element {
        elements[Int.random(in: elements.indices, using: &random)]
    }

    /// A finding in the course of a few days, and texts for its newest lines.
    mutating func next() -> (finding: Finding, lines: [String?]) {
        made += 1
        let first = Sample.start.advanced(bySeconds: Int64.random(in: 0...400_000, using: &random))
        let last = first.advanced(byNanoseconds: Int64.random(in: 0...3_600_000_000_000, using: &random))
        let isShared = Int.random(in: 0..<4, using: &random) == 0
        let others = isShared ? (0..<Int.random(in: 0...8, using: &random)).compactMap { _ in IPAddress(pick(addresses)) } : []
        let evidenceCount = Int.random(in: 1...Finding.maximumEvidence, using: &random)
        let lineCount = Int.random(in: 0...min(evidenceCount, Finding.maximumExcerptLines), using: &random)
        var finding = Finding(
            id: String(repeating: "0", count: 24) + String(0x1000_0000 + made, radix: 16), time: last, rule: rule(),
            count: Int.random(in: 1...5_000, using: &random), firstSeen: first, lastSeen: last,
            sourceIP: isShared ? nil : pick(addresses), userName: Bool.random(using: &random) ? pick(users) : nil,
            otherAddresses: others,
            evidence: (0..<evidenceCount).map {
                Sample.reference(file: pick(["/var/log/a.log", "/var/log/b.log"]), line: $0 + made)
            })
        finding.isLowerBound = Int.random(in: 0..<3, using: &random) == 0
        return (finding, (0..<lineCount).map { _ in line() })
    }

    private mutating func rule() -> RuleHeader {
        let category = pick([FindingCategory.bruteForce, .enumeration, .scan, .exploit, .dos])
        return Sample.rule(title: "Rule of \(category.rawValue)", level: pick(Level.allCases), category: category)
    }

    /// Lines as they come: plain, long, with what JSON has to escape, beyond the basic plane, or gone.
    private mutating func line() -> String? {
        let length = Int.random(in: 0...1_500, using: &random)
        switch Int.random(in: 0..<5, using: &random) {
        case 0: return nil
        case 1: return String(repeating: "\u{1b}\"\\", count: length)
        case 2: return String(repeating: "😀é\u{301}", count: length)
        default: return String(repeating: "x", count: length)
        }
    }
}

enum Sample {
    /// 2026-03-01T00:00:00Z
    static let start = Timestamp(seconds: 1_772_323_200)

    static func rule(title: String = "SSH brute force", level: Level = .medium, category: FindingCategory = .bruteForce)
        -> RuleHeader
    {
        RuleHeader(
            id: "60c6c988-5bc3-4ca9-a550-f59b3f9596fc", name: nil, title: title, description: "", level: level,
            tags: ["attack.t1110.001"], category: category, author: "", falsePositives: [], references: [], isHostile: true,
            file: "rule.yml", line: 1, hash: String(repeating: "ab", count: 32))
    }

    static func reference(file: String = "/var/log/auth.log", line: Int = 1) -> EventReference {
        EventReference(origin: BatchOrigin(source: file, generation: 0), offset: Int64(line) * 100, line: Int64(line))
    }

    /// A finding of one line; what a test does not name is the same in all of them.
    static func finding(
        _ number: Int, address: String? = "203.0.113.9", user: String? = nil, others: [String] = [], at seconds: Int64 = 0,
        rule: RuleHeader = Sample.rule()
    ) -> Finding {
        let time = start.advanced(bySeconds: seconds)
        let digits = String(number, radix: 16)
        return Finding(
            id: String(repeating: "0", count: 32 - digits.count) + digits, time: time, rule: rule, count: 1, firstSeen: time,
            lastSeen: time,
            sourceIP: address, userName: user, otherAddresses: others.compactMap { IPAddress($0) },
            evidence: [reference(line: number)])
    }
}

/// A folder of its own for one test, removed when the test is over.
final class TemporaryFolder {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.path + "/incidents-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }
}
