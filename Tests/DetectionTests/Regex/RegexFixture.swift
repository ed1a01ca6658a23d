import Foundation
import Testing

@testable import Detection

/// One line of a fixture file.
struct RegexCase: Sendable, CustomTestStringConvertible {
    let file: String
    let line: Int
    let fields: [String]

    var testDescription: String { "\(file):\(line) \(fields.joined(separator: " "))" }
    var pattern: String { fields[0] }

    var options: BoundedRegex.Options {
        var options: BoundedRegex.Options = []
        if fields[1].contains("i") { options.insert(.caseInsensitive) }
        if fields[1].contains("m") { options.insert(.multiline) }
        if fields[1].contains("s") { options.insert(.dotMatchesNewline) }
        return options
    }

    /// Every line of the named files that is not a comment.
    static func load(_ names: String...) -> [RegexCase] {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures")
        return names.flatMap { name -> [RegexCase] in
            guard let text = try? String(contentsOf: folder.appending(path: name), encoding: .utf8) else { return [] }
            return text.split(separator: "\n").enumerated().compactMap { index, line in
                if line.hasPrefix("#") { return nil }
                let fields = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
                return RegexCase(file: name, line: index + 1, fields: fields)
            }
        }
    }

    /// Undoes `\n \t \r \\ \xHH`.
    static func bytes(_ text: String) -> [UInt8] {
        var result: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "\\"), let kind = rest.popFirst() else {
                result.append(byte)
                continue
            }
            switch kind {
            case UInt8(ascii: "n"): result.append(0x0A)
            case UInt8(ascii: "t"): result.append(0x09)
            case UInt8(ascii: "r"): result.append(0x0D)
            case UInt8(ascii: "x"):
                result.append(UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) ?? 0)
                rest = rest.dropFirst(2)
            default: result.append(kind)
            }
        }
        return result
    }
}

/// Repeatable random numbers (SplitMix64).
struct RegexRandom: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
