/// Where the words of a document stand, and which bytes of its content streams show them.
///
/// The same bytes give the same layout: carriers are numbered in the order in which pages show them, and marks depend on that order.
package struct TextLayout: Sendable {
    package var pages: [PageLayout] = []
    /// Words that can be moved, over all pages. A word of a form that several pages show is one carrier.
    package var carrierCount = 0
    /// What embedding rewrites: one entry per content stream.
    package var streams: [ContentStream] = []
    /// Invisible words: they move nothing that can be seen, and are not counted.
    package var hiddenWords = 0
    /// Characters in fonts or writing modes that are not placed.
    package var skippedCharacters = 0
}

/// One page's words, in the page's own space before rotation; y grows upwards.
package struct PageLayout: Sendable {
    /// The media box: least x and y, then largest.
    package var box: Box
    /// 0, 90, 180 or 270, clockwise.
    package var rotation: Int
    package var words: [PlacedWord] = []
    /// Share of the page covered by the largest picture on it.
    package var pictureCoverage = 0.0
    /// Pictures in the order in which they are drawn, each once, where it is largest.
    package var pictures: [PlacedPicture] = []
}

/// A picture at one place of a page.
package struct PlacedPicture: Sendable {
    /// Its object's ``PDFObject/id``.
    package var id: Int
    /// Takes the unit square, which a picture fills (ISO 32000-1 §8.9.5), to the page.
    package var matrix: Matrix
    /// Share of the page that it covers.
    package var share: Double
}

package struct Box: Sendable, Equatable {
    package var minX, minY, maxX, maxY: Double
    package var width: Double { maxX - minX }
    package var height: Double { maxY - minY }
}

/// A word at one place of a page.
package struct PlacedWord: Sendable {
    /// Its number over the document.
    package var carrier: Int
    /// Where its first glyph begins, on the baseline.
    package var x, y: Double
    /// Direction of writing, of length 1.
    package var directionX, directionY: Double
    /// From the beginning of its first glyph to the end of its last, along the direction of writing.
    package var width: Double
    /// Size of the font on the page, across the direction of writing.
    package var height: Double
    /// What a move of one em is on the page, along the direction of writing.
    package var em: Double
    /// Its characters, folded to lower case, where the font says them.
    package var text: [UInt32]
}

/// A content stream: a page's, or a form's.
package struct ContentStream: Sendable {
    package enum Owner: Sendable, Equatable {
        case page(Int)
        /// The object number of a form.
        case form(Int)
    }

    package var owner: Owner
    package var bytes: [UInt8]
    package var operations: [ShowOperation] = []
}

/// An operation that shows text: its operands and operator, and the glyphs that belong to words that move.
package struct ShowOperation: Sendable {
    package enum Operator: Sendable {
        /// `Tj` and `TJ`
        case show
        /// `'`
        case nextLine
        /// `"`
        case nextLineWithSpacing
    }

    package var kind: Operator
    package var range: Range<Int>
    package var glyphs: [ShownGlyph] = []
}

/// Where a glyph's code stands in the operand of its operation.
package struct ShownGlyph: Sendable {
    /// Index among the strings of the operand.
    package var string: Int32
    package var offset: Int32
    /// -1 where the glyph is blank or cannot be moved.
    package var carrier: Int32
}

/// What is interpreted at most. Documents of people stay far below; bombs do not.
package struct LayoutLimits: Sendable {
    package var pages = 5_000
    package var glyphs = 4_000_000
    package var operations = 20_000_000
    package var formDepth = 12
    /// Of one page; further ones are not noted.
    package var pictures = 64

    package init() {}
}
