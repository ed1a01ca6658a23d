/// Moves words by about a hundredth of an em, to the left or to the right: which word goes where names the copy.
///
/// Survives what keeps the picture of the page: rewriting, printing to a file, rendering, scanning. Does not survive recognition of
/// the text, or typing it again.
package enum WordShift {
    /// Thousandths of an em: 0.13 pt in text of 11 pt.
    package static let amplitude = 12.0

    /// A copy of `document` with every carrier moved by `amplitude` thousandths of an em in the direction of its sign.
    ///
    /// With an amplitude of 0 the copy looks exactly as the original does.
    package static func embed(
        _ document: PDFDocument, _ layout: TextLayout, signs: [Int8], amplitude: Double = WordShift.amplitude
    ) throws(WatermarkError) {
        guard signs.count == layout.carrierCount else {
            throw WatermarkError(.other, "The mark has \(signs.count) places, and the document \(layout.carrierCount).")
        }
        let shifts = signs.map { Double($0) * amplitude }
        for stream in layout.streams where stream.operations.contains(where: { !$0.glyphs.isEmpty }) {
            let bytes = ContentRewriter.rewrite(stream, shifts: shifts)
            switch stream.owner {
            case .page(let index):
                document.page(index)?.replaceKey("/Contents", with: document.indirect(document.stream(bytes)))
            case .form(let id):
                document.object(id)?.replaceStreamData(bytes)
            }
        }
    }
}
