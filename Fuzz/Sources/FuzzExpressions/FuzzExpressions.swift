import Detection
import Events
import Fuzzing

/// An input is a pattern, a line feed, and what it is run on; its first byte holds the options.
///
/// Laws: nothing traps; a pattern that was accepted is matched in bounded time (libFuzzer's own time limit is the judge); where
/// required literals are known, an input that matches contains one of them; and a search in a range does not look outside it.
@main enum FuzzExpressions {
    static func main() {
        fuzz(examine)
    }

    private static func examine(_ data: [UInt8]) {
        guard data.count > 2 else { return }
        let bytes = Array(data[1...])
        guard let cut = bytes.firstIndex(of: 0x0A) else { return }
        let pattern = String(decoding: bytes[..<cut], as: UTF8.self)
        let input = Array(bytes[(cut + 1)...])
        guard let regex = try? BoundedRegex(pattern, options: BoundedRegex.Options(rawValue: data[0] & 7)) else { return }
        var matcher = RegexMatcher(regex)
        let matches = matcher.matches(input.span, in: 0..<input.count)
        precondition(matcher.matches(input.span, in: 0..<input.count) == matches, "a second search disagrees with the first")
        let framed = Array("xy".utf8) + input + Array("xy".utf8)
        precondition(matcher.matches(framed.span, in: 2..<framed.count - 2) == matches, "a search looked outside its range")
        if matches, let required = regex.requiredLiterals {
            let lowered = input.map { $0 >= 0x41 && $0 <= 0x5A ? $0 | 0x20 : $0 }
            precondition(required.contains { contains(lowered, $0) }, "it matched without any required literal")
        }
    }
}

private func contains(_ bytes: [UInt8], _ literal: [UInt8]) -> Bool {
    guard !literal.isEmpty else { return true }
    guard bytes.count >= literal.count else { return false }
    return (0...bytes.count - literal.count).contains { bytes[$0..<$0 + literal.count].elementsEqual(literal) }
}
