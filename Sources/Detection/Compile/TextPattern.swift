/// A text to compare with: literal, or with Sigma's wildcards.
///
/// Not case-sensitive unless `cased` asks for it; folding is of ASCII letters, and `?` is a byte. Where a pattern needs more than
/// that (`needsCharacters`), its `expression` is run instead.
struct TextPattern: Sendable, Hashable {
    enum Anchor: Sendable, Hashable, BitwiseCopyable {
        case equals, startsWith, endsWith, contains
    }

    /// Pieces between `*`; in a piece, `nil` stands for `?`. Folded to lower case unless `isCased`.
    var pieces: [[UInt8?]]
    /// The text may have anything before the first piece, or after the last.
    var anyBefore: Bool
    var anyAfter: Bool
    var isCased: Bool

    /// Set where there is one piece without `?`: what nearly every pattern is.
    private(set) var literal: [UInt8]?

    init(pieces: [[UInt8?]], anyBefore: Bool, anyAfter: Bool, isCased: Bool) {
        self.pieces = isCased ? pieces : pieces.map { $0.map { $0.map(foldedToLowerCase) } }
        self.anyBefore = anyBefore
        self.anyAfter = anyAfter
        self.isCased = isCased
        if self.pieces.count == 1 {
            let bytes = self.pieces[0].compactMap { $0 }
            if bytes.count == self.pieces[0].count { literal = bytes }
        }
    }

    init(literal bytes: [UInt8], anchor: Anchor, isCased: Bool) {
        self.init(
            pieces: [bytes], anyBefore: anchor == .contains || anchor == .endsWith,
            anyAfter: anchor == .contains || anchor == .startsWith, isCased: isCased)
    }

    /// Reads Sigma's wildcards: `*`, `?`, and `\` before either of them or before itself.
    ///
    /// A backslash before anything else is itself (Sigma 2.1, "Escaping").
    init(wildcards text: String, anchor: Anchor, isCased: Bool) {
        var pieces: [[UInt8?]] = [[]]
        var before = anchor == .contains || anchor == .endsWith
        var after = anchor == .contains || anchor == .startsWith
        let bytes = Array(text.utf8)
        var index = 0
        var endsWithStar = false
        while index < bytes.count {
            let byte = bytes[index]
            endsWithStar = false
            if byte == UInt8(ascii: "\\"), index + 1 < bytes.count, "*?\\".utf8.contains(bytes[index + 1]) {
                pieces[pieces.count - 1].append(bytes[index + 1])
                index += 2
                continue
            }
            if byte == UInt8(ascii: "*") {
                if index == 0 { before = true } else if !pieces[pieces.count - 1].isEmpty { pieces.append([]) }
                endsWithStar = true
            } else {
                pieces[pieces.count - 1].append(byte == UInt8(ascii: "?") ? nil : byte)
            }
            index += 1
        }
        if endsWithStar {
            after = true
            if pieces.count > 1, pieces[pieces.count - 1].isEmpty { pieces.removeLast() }
        }
        self.init(pieces: pieces, anyBefore: before, anyAfter: after, isCased: isCased)
    }

    /// What every match contains, in lower case, and where it stands in it: of several pieces the rarest.
    var rarestLiteral: LiteralIndex.Literal? {
        var best: LiteralIndex.Literal?
        var most = -1.0
        if let literal, !literal.isEmpty {
            let anchor: Anchor = anyBefore ? (anyAfter ? .contains : .endsWith) : anyAfter ? .startsWith : .equals
            return LiteralIndex.Literal(bytes: isCased ? literal.map(foldedToLowerCase) : literal, anchor: anchor)
        }
        for (index, piece) in pieces.enumerated() {
            let runs = piece.map { $0.map(foldedToLowerCase) }.split(separator: nil)
            for run in runs where !run.isEmpty {
                let bytes = run.compactMap { $0 }
                let isFirst = index == 0 && !anyBefore && bytes.count == piece.count
                let isLast = index == pieces.count - 1 && !anyAfter && bytes.count == piece.count
                let anchor: Anchor = isFirst ? (isLast ? .equals : .startsWith) : isLast ? .endsWith : .contains
                let bits = LiteralRarity.bits(bytes) + (anchor == .contains ? 0 : 0.5)
                guard bits > most else { continue }
                most = bits
                best = LiteralIndex.Literal(bytes: bytes, anchor: anchor)
            }
        }
        return best
    }

    /// Time is linear in the text for a literal, and bounded by text × pattern otherwise.
    func matches(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
        if pieces.isEmpty { return true }
        if pieces.count == 1, !anyBefore || !anyAfter {
            let piece = pieces[0]
            guard range.count >= piece.count, anyBefore || anyAfter || range.count == piece.count else { return false }
            return matches(piece, bytes, at: anyBefore ? range.upperBound - piece.count : range.lowerBound)
        }
        var index = range.lowerBound
        var end = range.upperBound
        // By number: taking pieces off a slice would copy it.
        var piece = 0
        var behind = pieces.count
        if !anyBefore {
            let first = pieces[0]
            guard end - index >= first.count, matches(first, bytes, at: index) else { return false }
            index += first.count
            piece = 1
        }
        if !anyAfter, piece < behind {
            let last = pieces[behind - 1]
            guard end - index >= last.count, matches(last, bytes, at: end - last.count) else { return false }
            end -= last.count
            behind -= 1
        }
        // Leftmost is enough: what a piece leaves behind it only grows by taking it earlier.
        while piece < behind {
            guard let found = search(pieces[piece], bytes, index, end) else { return false }
            index = found + pieces[piece].count
            piece += 1
        }
        return true
    }

    private func search(_ piece: [UInt8?], _ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> Int? {
        var index = start
        while index + piece.count <= end {
            if matches(piece, bytes, at: index) { return index }
            index += 1
        }
        return nil
    }

    private func matches(_ piece: [UInt8?], _ bytes: Span<UInt8>, at start: Int) -> Bool {
        for index in 0..<piece.count {
            guard let wanted = piece[index] else { continue }
            let byte = bytes[start + index]
            guard byte == wanted || (!isCased && foldedToLowerCase(byte) == wanted) else { return false }
        }
        return true
    }
}

/// ASCII letters in lower case, everything else as it is.
@inline(__always)
func foldedToLowerCase(_ byte: UInt8) -> UInt8 {
    byte &- 0x41 < 26 ? byte | 0x20 : byte
}

/// Eight bytes with their ASCII letters in lower case: seven bits of each are added to what just carries into its top bit
/// from the first capital on, and from the byte behind the last.
@inline(__always)
func foldedToLowerCase(_ word: UInt64) -> UInt64 {
    let low = word & 0x7F7F_7F7F_7F7F_7F7F
    let fromFirst = low &+ 0x3F3F_3F3F_3F3F_3F3F
    let behindLast = low &+ 0x2525_2525_2525_2525
    let isCapital = (fromFirst ^ behindLast) & ~word & 0x8080_8080_8080_8080
    return word | isCapital >> 2
}
