/// Why a picture of a document is left as it is.
package enum PictureObstacle: String, Sendable, CaseIterable {
    case blackAndWhite, cmyk, palette, otherColours, masked, notEightBits, otherCompression, wrappedTwice, inverted, tooSmall,
        tooLarge, damaged

    /// For the person who asks: after "3 pictures".
    package var words: String {
        switch self {
        case .blackAndWhite:
            "have black and white alone, as faxes do, and no grey that could carry a mark; scan in grey, or convert them"
        case .cmyk: "are in CMYK, which is not marked; convert them to RGB"
        case .palette: "have a palette of fixed colours, which leaves no room for a mark"
        case .otherColours: "are in spot or other colours that are not marked"
        case .masked: "have colours that stand for transparency, which a mark would change"
        case .notEightBits: "do not have 8 bits a colour"
        case .otherCompression: "are compressed in a way that is not written here, as JPEG 2000"
        case .wrappedTwice: "are compressed twice"
        case .inverted: "are drawn with their brightness changed"
        case .tooSmall: "have too few pixels"
        case .tooLarge: "are larger than is marked here, \(DocumentPictures.mostBytes >> 20) MiB decoded"
        case .damaged: "are damaged"
        }
    }

    /// The only filter; nil where there is none, or several.
    static func filter(_ object: PDFObject) -> String? {
        let filter = object["/Filter"]
        return filter.isArray ? (filter.count == 1 ? filter[0].nameText : nil) : filter.nameText
    }

    static func parameters(_ object: PDFObject) -> PDFObject {
        let parameters = object["/DecodeParms"]
        return parameters.isArray ? parameters[0] : parameters
    }

    /// 1 for shades of grey, 3 for red, green and blue.
    static func channels(_ object: PDFObject) -> Int? {
        let space = object["/ColorSpace"]
        switch space.isArray ? space[0].nameText : space.nameText {
        case "/DeviceGray", "/CalGray", "/G": return 1
        case "/DeviceRGB", "/CalRGB", "/RGB": return 3
        case "/ICCBased":
            let count = space[1]["/N"].integer
            return count == 1 || count == 3 ? count : nil
        default: return nil
        }
    }

    static func of(_ object: PDFObject) -> PictureObstacle? {
        guard let width = object["/Width"].integer, let height = object["/Height"].integer, width > 0, height > 0 else {
            return .damaged
        }
        let isMask = object["/ImageMask"].isTrue
        let filter = filter(object)
        if isMask || object["/BitsPerComponent"].integer == 1 || filter == "/CCITTFaxDecode" || filter == "/JBIG2Decode" {
            return .blackAndWhite
        }
        guard let filter else { return object["/Filter"].isArray ? .wrappedTwice : .otherCompression }
        guard filter == "/DCTDecode" || filter == "/FlateDecode" else { return .otherCompression }
        guard object["/BitsPerComponent"].integer == 8 else { return .notEightBits }
        guard let channels = channels(object) else { return colours(object) }
        guard !object["/Mask"].isArray, object["/SMask"]["/Matte"].isNull else { return .masked }
        let decode = object["/Decode"]
        for index in 0..<min(decode.count, 8) where decode[index].number != Double(index % 2) { return .inverted }
        guard width <= 60_000, height <= 60_000, width * height * channels <= DocumentPictures.mostBytes else { return .tooLarge }
        guard ImageMark.fits(width: width, height: height) else { return .tooSmall }
        return filter == "/DCTDecode" ? jpeg(object, width, height, channels) : flate(object, width, channels)
    }

    private static func colours(_ object: PDFObject) -> PictureObstacle {
        let space = object["/ColorSpace"]
        switch space.isArray ? space[0].nameText : space.nameText {
        case "/DeviceCMYK", "/CMYK": return .cmyk
        case "/Indexed", "/I": return .palette
        case "/ICCBased": return space[1]["/N"].integer == 4 ? .cmyk : .otherColours
        default: return .otherColours
        }
    }

    private static func jpeg(_ object: PDFObject, _ width: Int, _ height: Int, _ channels: Int) -> PictureObstacle? {
        guard parameters(object)["/ColorTransform"].integer != 0 else { return .otherColours }
        guard let header = JPEGPicture.header(object.encodedBytes) else { return .damaged }
        if header.isCMYK { return .cmyk }
        // The file decides how large the picture is, and has to say the same.
        guard header.width == width, header.height == height else { return .damaged }
        guard header.isSupported, (header.sampling == JPEGPicture.gray ? 1 : 3) == channels else { return .otherColours }
        return header.size <= DocumentPictures.mostBytes ? nil : .tooLarge
    }

    private static func flate(_ object: PDFObject, _ width: Int, _ channels: Int) -> PictureObstacle? {
        let parameters = parameters(object)
        guard let predictor = parameters["/Predictor"].integer, predictor != 1 else { return nil }
        guard predictor == 2 || (10...15).contains(predictor) else { return .otherCompression }
        guard (parameters["/Colors"].integer ?? 1) == channels, (parameters["/Columns"].integer ?? 1) == width,
            (parameters["/BitsPerComponent"].integer ?? 8) == 8
        else { return .damaged }
        return nil
    }
}
