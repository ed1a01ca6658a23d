/// Joins glyphs into words, as they are shown one after the other.
///
/// A word ends at a blank, at a gap, at a change of line, direction or size, and at the border of a form.
struct WordAssembler {
    /// A gap of more than this many ems is between words. Kerning stays far below, and the tightest justified text above.
    private static let gap = 0.16
    private static let overlap = 0.35

    /// The glyphs `glyphs` of one operation.
    struct Piece {
        var stream: Int
        var operation: Int
        var glyphs: Range<Int>
    }

    struct Glyph {
        var x, y: Double
        var directionX, directionY: Double
        var advance: Double
        var height: Double
        var em: Double
        var scalar: UInt32
    }

    struct Word {
        var pieces: [Piece] = []
        var x, y: Double
        var directionX, directionY: Double
        var width: Double
        var height: Double
        var em: Double
        var text: [UInt32]
    }

    private var open: Word?

    /// The word that ends because this glyph is not part of it.
    mutating func add(_ glyph: Glyph, stream: Int, operation: Int, index: Int) -> Word? {
        var ended: Word?
        if let word = open {
            let along = (glyph.x - word.x) * word.directionX + (glyph.y - word.y) * word.directionY
            let across = abs((glyph.y - word.y) * word.directionX - (glyph.x - word.x) * word.directionY)
            let sameDirection = glyph.directionX * word.directionX + glyph.directionY * word.directionY > 0.9999
            let space = along - word.width
            if !sameDirection || across > 0.25 * word.height || space > Self.gap * word.em || space < -Self.overlap * word.em
                || abs(glyph.height - word.height) > 0.35 * word.height
            {
                ended = end()
            }
        }
        if open == nil {
            open = Word(
                x: glyph.x, y: glyph.y, directionX: glyph.directionX, directionY: glyph.directionY, width: 0,
                height: glyph.height, em: glyph.em, text: [])
        }
        extend(by: glyph, stream: stream, operation: operation, index: index)
        return ended
    }

    private mutating func extend(by glyph: Glyph, stream: Int, operation: Int, index: Int) {
        guard var word = open.take() else { return }
        let along = (glyph.x - word.x) * word.directionX + (glyph.y - word.y) * word.directionY
        word.width = max(word.width, along + glyph.advance)
        if word.text.count < 64 { word.text.append(Self.folded(glyph.scalar)) }
        if let last = word.pieces.last, last.stream == stream, last.operation == operation, last.glyphs.upperBound == index {
            word.pieces[word.pieces.count - 1].glyphs = last.glyphs.lowerBound..<(index + 1)
        } else {
            word.pieces.append(Piece(stream: stream, operation: operation, glyphs: index..<(index + 1)))
        }
        open = word
    }

    mutating func end() -> Word? {
        open.take()
    }

    private static func folded(_ scalar: UInt32) -> UInt32 {
        (0x41...0x5A).contains(scalar) ? scalar + 0x20 : scalar
    }
}
