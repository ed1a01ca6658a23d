import CPNG
import CTurboJPEG

/// PNG and JPEG to grey pixels. What it is says the first bytes; nothing else is tried.
package enum ImageDecoder {
    /// Larger pictures are refused before they are decoded.
    static let mostPixels = 120_000_000

    package static func isImage(_ bytes: [UInt8]) -> Bool { isPNG(bytes) || isJPEG(bytes) }
    private static func isPNG(_ bytes: [UInt8]) -> Bool { bytes.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) }
    private static func isJPEG(_ bytes: [UInt8]) -> Bool { bytes.starts(with: [0xFF, 0xD8, 0xFF]) }

    package static func decode(_ bytes: [UInt8]) throws(WatermarkError) -> GrayImage {
        if isPNG(bytes) { return try png(bytes) }
        if isJPEG(bytes) { return try jpeg(bytes) }
        throw .badInput("This is no PNG or JPEG picture. Convert it to one of them.")
    }

    private static func check(_ width: Int, _ height: Int) throws(WatermarkError) {
        guard width > 0, height > 0, width <= 60_000, height <= 60_000, width * height <= mostPixels else {
            throw .badInput("The picture is larger than \(mostPixels / 1_000_000) megapixels. Make it smaller.")
        }
    }

    private static func png(_ bytes: [UInt8]) throws(WatermarkError) -> GrayImage {
        var header = unsafe png_image()
        unsafe header.version = UInt32(PNG_IMAGE_VERSION)
        defer { unsafe png_image_free(&header) }
        guard unsafe png_image_begin_read_from_memory(&header, bytes, bytes.count) != 0 else {
            throw .badInput("The PNG picture is damaged.")
        }
        let width = Int(unsafe header.width)
        let height = Int(unsafe header.height)
        try check(width, height)
        unsafe header.format = UInt32(PNG_FORMAT_GRAY)
        var pixels = [UInt8](repeating: 255, count: width * height)
        // Transparency is laid on paper.
        var white = png_color(red: 255, green: 255, blue: 255)
        guard unsafe png_image_finish_read(&header, &white, &pixels, Int32(width), nil) != 0 else {
            throw .badInput("The PNG picture is damaged.")
        }
        return GrayImage(width: width, height: height, pixels: pixels.map { Float($0) })
    }

    private static func jpeg(_ bytes: [UInt8]) throws(WatermarkError) -> GrayImage {
        guard let decoder = unsafe tjInitDecompress() else { throw WatermarkError(.other, "No memory for a JPEG decoder.") }
        defer { unsafe tjDestroy(decoder) }
        var width: Int32 = 0, height: Int32 = 0, sampling: Int32 = 0, colours: Int32 = 0
        guard unsafe tjDecompressHeader3(decoder, bytes, UInt(bytes.count), &width, &height, &sampling, &colours) == 0 else {
            throw .badInput("The JPEG picture is damaged.")
        }
        try check(Int(width), Int(height))
        // CMYK has no way to grey in this library.
        guard colours != Int32(TJCS_CMYK.rawValue), colours != Int32(TJCS_YCCK.rawValue) else {
            throw .badInput("The JPEG picture is in CMYK. Convert it to RGB or grey.")
        }
        var pixels = [UInt8](repeating: 255, count: Int(width) * Int(height))
        let status = unsafe tjDecompress2(
            decoder, bytes, UInt(bytes.count), &pixels, width, 0, height, Int32(TJPF_GRAY.rawValue), 0)
        // Cut-off pictures show what they have; what cannot be read at all is refused.
        let severity = unsafe tjGetErrorCode(decoder)
        guard status == 0 || severity == Int32(TJERR_WARNING.rawValue) else {
            throw .badInput("The JPEG picture is damaged.")
        }
        return GrayImage(width: Int(width), height: Int(height), pixels: pixels.map { Float($0) })
    }
}
