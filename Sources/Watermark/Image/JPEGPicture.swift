import CTurboJPEG

/// A JPEG picture whose brightness can be changed while its colours stay as they are: neither is turned into the other.
struct JPEGPicture {
    /// Its brightness, with the planes of colour behind it.
    var pixels: PixelPicture
    private let sampling: Int32
    private let quality: Int
    private let metadata: [UInt8]

    /// Less would take the mark away again, where the picture was compressed harder.
    private static let leastQuality = 85

    /// The sampling of a picture without colours.
    static let gray = Int32(TJSAMP_GRAY.rawValue)

    struct Header {
        var width, height: Int
        var sampling, colours: Int32

        /// Bytes of all planes together.
        var size: Int { Int(clamping: tjBufSizeYUV2(Int32(width), 1, Int32(height), sampling)) }
        /// Brightness alone, or brightness and two colours.
        var isSupported: Bool {
            (colours == Int32(TJCS_GRAY.rawValue) || colours == Int32(TJCS_YCbCr.rawValue)) && sampling >= 0
        }
        var isCMYK: Bool { colours == Int32(TJCS_CMYK.rawValue) || colours == Int32(TJCS_YCCK.rawValue) }
    }

    /// Nil where this is no JPEG picture that can be read. Nothing is decoded yet.
    static func header(_ bytes: [UInt8]) -> Header? {
        guard bytes.starts(with: [0xFF, 0xD8]), let decoder = unsafe tjInitDecompress() else { return nil }
        defer { unsafe tjDestroy(decoder) }
        var width: Int32 = 0, height: Int32 = 0, sampling: Int32 = 0, colours: Int32 = 0
        guard unsafe tjDecompressHeader3(decoder, bytes, UInt(bytes.count), &width, &height, &sampling, &colours) == 0,
            width > 0, height > 0
        else { return nil }
        return Header(width: Int(width), height: Int(height), sampling: sampling, colours: colours)
    }

    /// - Parameter most: bytes that its planes may have.
    init(_ bytes: [UInt8], most: Int) throws(WatermarkError) {
        guard let header = Self.header(bytes), header.isSupported, header.size > 0, header.size <= most else {
            throw .badInput("The JPEG picture is damaged, too large, or in colours that are not read here.")
        }
        let planes = try Self.decode(bytes, header)
        pixels = PixelPicture(
            width: header.width, height: header.height, channels: 1,
            stride: Int(tjPlaneWidth(0, Int32(header.width), header.sampling)), bytes: planes)
        sampling = header.sampling
        metadata = JPEGSegments.metadata(of: bytes)
        quality = min(max(JPEGQuality.estimate(bytes) ?? 90, Self.leastQuality), 100)
    }

    private static func decode(_ bytes: [UInt8], _ header: Header) throws(WatermarkError) -> [UInt8] {
        guard let decoder = unsafe tjInitDecompress() else { throw WatermarkError(.other, "No memory for a JPEG decoder.") }
        defer { unsafe tjDestroy(decoder) }
        var planes = [UInt8](repeating: 128, count: header.size)
        // What is cut off would be marked as if it were grey: such a picture is left as it is.
        guard
            unsafe tjDecompressToYUV2(
                decoder, bytes, UInt(bytes.count), &planes, Int32(header.width), 1, Int32(header.height), TJFLAG_ACCURATEDCT) == 0
        else { throw .badInput("The JPEG picture is damaged.") }
        return planes
    }

    /// The picture with other bytes, compressed as it was, or as much less as it takes to come out with `decibels` at least; and what it
    /// came out with, which is less where the finest compression does not do.
    ///
    /// - Parameter isFinest: no other compression is tried.
    func encoded(
        _ marked: PixelPicture, decibels: Double, isFinest: Bool
    ) throws(WatermarkError) -> (bytes: [UInt8], decibels: Double) {
        var last: [UInt8] = []
        var reached = 0.0
        for quality in isFinest ? [100] : Set([quality, max(quality, 93), max(quality, 97), 100]).sorted() {
            last = try encoded(marked, quality: quality)
            guard let header = Self.header(last) else { throw WatermarkError(.other, "A JPEG picture could not be written.") }
            let planes = try Self.decode(last, header)
            let seen = PixelPicture(
                width: pixels.width, height: pixels.height, channels: 1, stride: pixels.stride, bytes: planes)
            reached = seen.decibels(to: pixels)
            if reached >= decibels { break }
        }
        return (JPEGSegments.insert(metadata, into: last), reached)
    }

    /// A square of grey, there and back.
    static func warmUp(_ pixels: [UInt8], side: Int) throws(WatermarkError) -> JPEGPicture {
        let bytes = try encode(
            PixelPicture(width: side, height: side, channels: 1, bytes: pixels), sampling: gray, quality: 90)
        return try JPEGPicture(bytes, most: 1 << 20)
    }

    private func encoded(_ marked: PixelPicture, quality: Int) throws(WatermarkError) -> [UInt8] {
        try Self.encode(marked, sampling: sampling, quality: quality)
    }

    private static func encode(_ marked: PixelPicture, sampling: Int32, quality: Int) throws(WatermarkError) -> [UInt8] {
        guard let encoder = unsafe tjInitCompress() else { throw WatermarkError(.other, "No memory for a JPEG encoder.") }
        defer { unsafe tjDestroy(encoder) }
        var output: UnsafeMutablePointer<UInt8>?
        var size: UInt = 0
        defer { unsafe tjFree(output) }
        guard
            unsafe tjCompressFromYUV(
                encoder, marked.bytes, Int32(marked.width), 1, Int32(marked.height), sampling, &output, &size, Int32(quality),
                TJFLAG_ACCURATEDCT) == 0, let output = unsafe output
        else { throw WatermarkError(.other, "A JPEG picture could not be written.") }
        return unsafe Array(UnsafeBufferPointer(start: output, count: Int(size)))
    }
}
