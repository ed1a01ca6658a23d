/// Marks the pictures of a document.
package enum ImageSpread {
    /// - Parameter digest: of the original, which the codes of its pictures are bound to.
    /// - Returns: how many pictures were marked. One that turns out to be damaged is left as it is.
    package static func embed(
        _ document: PDFDocument, _ pictures: DocumentPictures, original digest: [UInt8], version: String, markingSecret: [UInt8]
    ) throws(WatermarkError) -> Int {
        var count = 0
        for index in pictures.marked {
            do {
                try pictures.mark(index, in: document) { places throws(WatermarkError) in
                    try ImageMark.code(original: digest, picture: index, places: places, markingSecret: markingSecret)
                        .signs(version: version)
                }
                count += 1
            } catch  where error.code == .badInput {
                continue
            }
        }
        return count
    }
}
