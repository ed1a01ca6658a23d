/// Uses the libraries that read and write pictures once, on one of our own: a process that locks itself in has looked up what they want
/// to know by then.
package enum PictureWarmUp {
    package static func run() throws(WatermarkError) {
        let gray = (0..<(96 * 96)).map { UInt8(truncatingIfNeeded: $0 % 96 * 2 + $0 / 96) }
        _ = try JPEGPicture.warmUp(gray, side: 96)
        let packed = try FlatePixels.encode(gray, width: 96, height: 96, channels: 1)
        _ = try FlatePixels.decode(packed, width: 96, height: 96, channels: 1, predictor: 15)
    }
}
