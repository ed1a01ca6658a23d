import Foundation

/// What a document is made of, as a tree: the document, its pages, and what of them can carry marks.
package struct DocumentDescription: Encodable, Sendable {
    package struct Page: Encodable, Sendable {
        package var id: String
        package var type = "Page"
        package var index: Int
        /// Left, bottom, right, top, in points.
        package var bbox: [Double]
        package var rotation: Int
        package var words: Int
        package var pictureCoverage: Double
    }

    /// A picture that covers a tenth of a page or more.
    package struct Picture: Encodable, Sendable {
        package var type = "Picture"
        /// From 0.
        package var pages: [Int]
        package var width: Int
        package var height: Int
        package var marked: Bool
        /// Why it cannot be marked.
        package var obstacle: String?
    }

    package var id: String
    package var type = "Document"
    package var size: Int
    package var sha256: String
    package var encrypted: Bool
    package var linearized: Bool
    package var signed: Bool
    package var carriers: Int
    package var hiddenWords: Int
    package var pictures: [Picture]
    package var children: [Page]

    package init(_ pdf: [UInt8]) throws(WatermarkError) {
        let document = try PDFDocument(pdf)
        let layout = try LayoutReader.read(document)
        sha256 = Self.digest(pdf)
        id = "pdf:\(sha256)"
        size = pdf.count
        encrypted = document.isEncrypted
        linearized = document.isLinearized
        signed = Signatures.areIn(document)
        carriers = layout.carrierCount
        hiddenWords = layout.hiddenWords
        pictures = DocumentPictures(document, layout).pictures.map {
            Picture(
                pages: $0.places.map(\.page), width: $0.width, height: $0.height, marked: $0.isMarked,
                obstacle: $0.obstacle?.rawValue)
        }
        children = layout.pages.enumerated().map { index, page in
            let digits = String(index)
            return Page(
                id: "page:" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits, index: index,
                bbox: [page.box.minX, page.box.minY, page.box.maxX, page.box.maxY], rotation: page.rotation,
                words: page.words.count,
                pictureCoverage: (page.pictureCoverage * 1000).rounded() / 1000)
        }
    }

    /// SHA-256 in hexadecimal.
    package static func digest(_ bytes: [UInt8]) -> String {
        var digest = DocumentDigest()
        digest.add(bytes.span)
        return digest.hexadecimal
    }
}
