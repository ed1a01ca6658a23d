import Foundation

/// The pictures of a document that are large enough to carry a mark: found on its pages, read, and written back.
package struct DocumentPictures {
    package struct Picture: Sendable {
        /// ``PDFObject/id``
        package var id: Int
        /// Where it is shown: pages from 0. On several pages it is marked once.
        package var places: [(page: Int, matrix: Matrix)]
        /// The largest part of a page that it covers.
        package var share: Double
        package var width: Int
        package var height: Int
        /// Bytes of a pixel.
        var channels: Int
        var isFlate: Bool
        /// Why it is left as it is; nil where it can be marked.
        package var obstacle: PictureObstacle?
        /// False where others before it have used up what is marked of one document.
        package var isChosen = false

        package var megapixels: Double { Double(width * height) / 1e6 }
        package var isMarked: Bool { obstacle == nil && isChosen }
    }

    /// A picture has to cover this much of a page; smaller ones are ornaments.
    static let leastShare = 0.1
    /// Bytes of one picture, decoded: a page of colours at 400 dots per inch has 46 million.
    static let mostBytes = 48 << 20
    /// Bytes of all that are marked, decoded: about half of what a worker can do in 10 s of CPU time. Those of Flate count four times, as
    /// long as it takes to compress them.
    static let mostBytesTogether = 512 << 20
    static let costOfFlate = 4

    /// In the order in which pages show them. The same bytes give the same list: marks depend on it.
    package private(set) var pictures: [Picture] = []

    package init(_ document: PDFDocument, _ layout: TextLayout) {
        var known: [Int: Int] = [:]
        for (page, content) in layout.pages.enumerated() {
            for placed in content.pictures where placed.share >= Self.leastShare {
                if let index = known[placed.id] {
                    pictures[index].places.append((page, placed.matrix))
                    pictures[index].share = max(pictures[index].share, placed.share)
                    continue
                }
                guard let object = document.object(placed.id) else { continue }
                known[placed.id] = pictures.count
                pictures.append(
                    Picture(
                        id: placed.id, places: [(page, placed.matrix)], share: placed.share,
                        width: Self.side(object["/Width"]), height: Self.side(object["/Height"]),
                        channels: PictureObstacle.channels(object) ?? 1,
                        isFlate: PictureObstacle.filter(object) == "/FlateDecode",
                        obstacle: PictureObstacle.of(object)))
            }
        }
        choose()
    }

    private static func side(_ value: PDFObject) -> Int { min(max(value.integer ?? 0, 0), 1_000_000) }

    /// Of too many, every second, third, … one: a part of the document is likely to have some of them.
    private mutating func choose() {
        let markable = pictures.indices.filter { pictures[$0].obstacle == nil }
        let whole = markable.reduce(0) { sum, index in
            let picture = pictures[index]
            return sum + picture.channels * picture.width * picture.height * (picture.isFlate ? Self.costOfFlate : 1)
        }
        let step = max(1, (whole + Self.mostBytesTogether - 1) / Self.mostBytesTogether)
        for (number, index) in markable.enumerated() where number % step == 0 { pictures[index].isChosen = true }
    }

    package var marked: [Int] { pictures.indices.filter { pictures[$0].isMarked } }

    /// What is read of a picture to mark it, or to hold a leak against it.
    package func pixels(_ index: Int, in document: PDFDocument) throws(WatermarkError) -> PixelPicture {
        guard let object = document.object(pictures[index].id) else { throw .badInput("A picture of the document is missing.") }
        return try PictureStream(object).pixels
    }

    /// How often a mark is made fainter that shows more than it may: the second time it rarely does.
    private static let mostWeakenings = 4

    /// Marks a picture in its document, which is to be written then.
    package func mark(
        _ index: Int, in document: PDFDocument, signs: (Int) throws(WatermarkError) -> [Int8]
    ) throws(WatermarkError) {
        guard let object = document.object(pictures[index].id) else { throw .badInput("A picture of the document is missing.") }
        let stream = try PictureStream(object)
        let mark = try ImageMark(stream.pixels)
        let chosen = try signs(mark.places)
        var strength: Float = 1
        for weakening in 0...Self.mostWeakenings {
            var marked = stream.pixels
            try mark.apply(chosen, strength: strength, to: &marked)
            let excess = try stream.write(marked, to: object, of: document, isFirst: weakening == 0)
            if excess <= 0 { return }
            strength *= Float(pow(10, -(excess + 0.1) / 20))
        }
        throw .badInput("A picture of the document shows its mark, however faint that is made.")
    }
}

/// A picture's bytes in a document, decoded.
struct PictureStream {
    private enum Form {
        case jpeg(JPEGPicture)
        case flate
    }

    private let form: Form
    let pixels: PixelPicture

    /// A marked copy differs by no more than this, in decibels.
    static let leastDecibels = 42.0
    /// By our decoder. Others round otherwise: by what they show it is ``leastDecibels`` still.
    private static let leastDecibelsOfJPEG = 42.6

    init(_ object: PDFObject) throws(WatermarkError) {
        guard PictureObstacle.of(object) == nil else {
            throw .badInput("A picture of the document is in a form that is not marked.")
        }
        let bytes = object.encodedBytes
        if PictureObstacle.filter(object) == "/DCTDecode" {
            let picture = try JPEGPicture(bytes, most: DocumentPictures.mostBytes)
            form = .jpeg(picture)
            pixels = picture.pixels
            return
        }
        let width = object["/Width"].integer ?? 0
        let height = object["/Height"].integer ?? 0
        let channels = PictureObstacle.channels(object) ?? 1
        form = .flate
        pixels = PixelPicture(
            width: width, height: height, channels: channels,
            bytes: try FlatePixels.decode(
                bytes, width: width, height: height, channels: channels,
                predictor: PictureObstacle.parameters(object)["/Predictor"].integer ?? 1))
    }

    /// - Parameter isFirst: whether the least compression that does is looked for; else there is none but the finest.
    /// - Returns: by how many decibels the picture would differ more than it may. Nothing is written then.
    func write(
        _ marked: PixelPicture, to object: PDFObject, of document: PDFDocument, isFirst: Bool
    ) throws(WatermarkError) -> Double {
        switch form {
        case .jpeg(let picture):
            let (bytes, decibels) = try picture.encoded(marked, decibels: Self.leastDecibelsOfJPEG, isFinest: !isFirst)
            guard decibels >= Self.leastDecibelsOfJPEG else { return Self.leastDecibelsOfJPEG - decibels }
            object.replaceStreamData(encoded: bytes, filter: "/DCTDecode")
        case .flate:
            let decibels = marked.decibels(to: pixels)
            guard decibels >= Self.leastDecibels else { return Self.leastDecibels - decibels }
            let parameters = document.dictionary()
            parameters.replaceKey("/Predictor", with: document.integer(15))
            parameters.replaceKey("/Colors", with: document.integer(marked.channels))
            parameters.replaceKey("/BitsPerComponent", with: document.integer(8))
            parameters.replaceKey("/Columns", with: document.integer(marked.width))
            object.replaceStreamData(
                encoded: try FlatePixels.encode(
                    marked.bytes, width: marked.width, height: marked.height, channels: marked.channels),
                filter: "/FlateDecode", parameters: parameters)
        }
        return 0
    }
}
