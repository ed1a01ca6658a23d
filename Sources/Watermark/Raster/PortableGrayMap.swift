/// The format of `pdftoppm -gray`: P5, width, height, 255, then bytes; pictures stand one behind the other.
package enum PortableGrayMap {
    /// Where the pixels of a picture begin and end.
    struct Header {
        var width, height, start, end: Int
    }

    static func isPicture(_ bytes: [UInt8]) -> Bool { bytes.starts(with: "P5".utf8) }

    static func header(_ bytes: [UInt8], from start: Int) -> Header? {
        var position = start
        func word() -> String? {
            while position < bytes.count, bytes[position] <= 0x20 { position += 1 }
            let begin = position
            while position < bytes.count, bytes[position] > 0x20, position - begin < 8 { position += 1 }
            return String(validating: bytes[begin..<position], as: UTF8.self)
        }
        guard word() == "P5", let width = word().flatMap(Int.init), let height = word().flatMap(Int.init), word() == "255",
            width > 0, height > 0, width <= 30_000, height <= 30_000, width * height <= ImageDecoder.mostPixels,
            position + 1 + width * height <= bytes.count
        else { return nil }
        return Header(width: width, height: height, start: position + 1, end: position + 1 + width * height)
    }

    static func read(_ bytes: [UInt8], from start: Int) -> (image: GrayImage, end: Int)? {
        guard let header = header(bytes, from: start) else { return nil }
        let pixels = bytes[header.start..<header.end].map { Float($0) }
        return (GrayImage(width: header.width, height: header.height, pixels: pixels), header.end)
    }

    /// All pictures that stand whole in `bytes`, `most` of them at most.
    package static func images(_ bytes: [UInt8], most: Int = .max) -> [GrayImage] {
        var images: [GrayImage] = []
        var position = 0
        while images.count < most, let (image, end) = read(bytes, from: position) {
            images.append(image)
            position = end
        }
        return images
    }
}
