import CPNG

/// A picture file as a document of one page that is all picture: what marks and traces documents serves pictures, too.
package enum PictureDocument {
    /// The longer side of the page, in points.
    private static let longerSide = 792.0

    /// The same file gives the same document.
    package static func wrap(_ file: [UInt8]) throws(WatermarkError) -> [UInt8] {
        if file.starts(with: [0xFF, 0xD8]) {
            guard let header = JPEGPicture.header(file), header.isSupported else {
                throw .badInput("The JPEG picture is damaged, or in colours that are not marked. Convert it to RGB or grey.")
            }
            return page(
                header.width, header.height, channels: header.sampling == JPEGPicture.gray ? 1 : 3, file, "/Filter /DCTDecode")
        }
        let pixels = try decode(file)
        let (width, height, channels) = (pixels.width, pixels.height, pixels.channels)
        return page(
            width, height, channels: channels,
            try FlatePixels.encode(pixels.bytes, width: width, height: height, channels: channels),
            "/Filter /FlateDecode /DecodeParms << /Predictor 15 /Colors \(channels) /BitsPerComponent 8 /Columns \(width) >>")
    }

    /// The picture of such a document as a file: JPEG, or PNG.
    package static func unwrap(_ pdf: [UInt8]) throws(WatermarkError) -> [UInt8] {
        let document = try PDFDocument(pdf)
        guard let object = document.page(0)?["/Resources"]["/XObject"]["/P"], object.isStream else {
            throw .badInput("This document is not all picture.")
        }
        if PictureObstacle.filter(object) == "/DCTDecode" { return object.encodedBytes }
        return try encode(try PictureStream(object).pixels)
    }

    private static func page(_ width: Int, _ height: Int, channels: Int, _ data: [UInt8], _ entries: String) -> [UInt8] {
        let scale = longerSide / Double(max(width, height))
        let (across, down) = (Double(width) * scale, Double(height) * scale)
        let content = "q \(across) 0 0 \(down) 0 0 cm /P Do Q"
        let objects = [
            Array("<< /Type /Catalog /Pages 2 0 R >>".utf8),
            Array("<< /Type /Pages /Kids [3 0 R] /Count 1 >>".utf8),
            Array(
                """
                << /Type /Page /Parent 2 0 R /MediaBox [0 0 \(across) \(down)] /Contents 5 0 R \
                /Resources << /XObject << /P 4 0 R >> >> >>
                """.utf8),
            Array(
                """
                << /Type /XObject /Subtype /Image /Width \(width) /Height \(height) /BitsPerComponent 8 \
                /ColorSpace \(channels == 1 ? "/DeviceGray" : "/DeviceRGB") \(entries) /Length \(data.count) >>
                stream

                """.utf8) + data + Array("\nendstream".utf8),
            Array("<< /Length \(content.utf8.count) >>\nstream\n\(content)\nendstream".utf8),
        ]
        var bytes = Array("%PDF-1.7\n".utf8)
        var table = "xref\n0 \(objects.count + 1)\n0000000000 65535 f \n"
        for (index, object) in objects.enumerated() {
            let offset = String(bytes.count)
            table += String(repeating: "0", count: 10 - offset.count) + offset + " 00000 n \n"
            bytes += Array("\(index + 1) 0 obj\n".utf8) + object + Array("\nendobj\n".utf8)
        }
        let start = bytes.count
        return bytes + Array("\(table)trailer\n<< /Size \(objects.count + 1) /Root 1 0 R >>\nstartxref\n\(start)\n%%EOF\n".utf8)
    }

    // MARK: - PNG

    private static func decode(_ bytes: [UInt8]) throws(WatermarkError) -> PixelPicture {
        var header = unsafe png_image()
        unsafe header.version = UInt32(PNG_IMAGE_VERSION)
        defer { unsafe png_image_free(&header) }
        guard ImageDecoder.isImage(bytes), unsafe png_image_begin_read_from_memory(&header, bytes, bytes.count) != 0 else {
            throw .badInput("This is no PNG or JPEG picture, or it is damaged. Convert it to one of them.")
        }
        let (width, height) = (Int(unsafe header.width), Int(unsafe header.height))
        let format = unsafe header.format
        guard format & UInt32(PNG_FORMAT_FLAG_ALPHA) == 0 else {
            throw .badInput("The PNG picture is transparent in parts, which a mark would show. Lay it on a ground first.")
        }
        let channels = format & UInt32(PNG_FORMAT_FLAG_COLOR) == 0 ? 1 : 3
        guard width > 0, height > 0, width * height * channels <= DocumentPictures.mostBytes else {
            throw .badInput(
                "The picture is larger than is marked here, \(DocumentPictures.mostBytes >> 20) MiB. Make it smaller.")
        }
        unsafe header.format = channels == 1 ? UInt32(PNG_FORMAT_GRAY) : UInt32(PNG_FORMAT_RGB)
        var pixels = [UInt8](repeating: 0, count: width * height * channels)
        guard unsafe png_image_finish_read(&header, nil, &pixels, Int32(width * channels), nil) != 0 else {
            throw .badInput("The PNG picture is damaged.")
        }
        return PixelPicture(width: width, height: height, channels: channels, bytes: pixels)
    }

    private static func encode(_ picture: PixelPicture) throws(WatermarkError) -> [UInt8] {
        var header = unsafe png_image()
        unsafe header.version = UInt32(PNG_IMAGE_VERSION)
        unsafe header.width = UInt32(picture.width)
        unsafe header.height = UInt32(picture.height)
        unsafe header.format = picture.channels == 1 ? UInt32(PNG_FORMAT_GRAY) : UInt32(PNG_FORMAT_RGB)
        defer { unsafe png_image_free(&header) }
        // Noise does not compress: rows with their filters, and what frames them.
        var size = picture.bytes.count + picture.bytes.count / 500 + picture.height * 8 + 65_536
        var output = [UInt8](repeating: 0, count: size)
        guard unsafe png_image_write_to_memory(&header, &output, &size, 0, picture.bytes, Int32(picture.stride), nil) != 0 else {
            throw WatermarkError(.other, "A PNG picture could not be written.")
        }
        return Array(output.prefix(size))
    }
}
