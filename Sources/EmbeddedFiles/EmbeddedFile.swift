package import CEmbeddedFiles
package import NIOCore

/// A file inside the binary: a template, a style sheet, a script, a picture.
package struct EmbeddedFile: Sendable {
    package let name: String
    package let bytes: ByteBuffer

    /// A table that a C target embeds.
    package static func files(_ table: UnsafePointer<embedded_file>?, count: Int) -> [EmbeddedFile] {
        // Constant data of the binary: it outlives every copy made here.
        UnsafeBufferPointer(start: table, count: count).map { file in
            EmbeddedFile(
                name: String(cString: file.name),
                bytes: ByteBuffer(bytes: UnsafeBufferPointer(start: file.start, count: file.count)))
        }
    }

    /// Changes with the content. FNV-1a tells versions apart; it protects nothing.
    package var tag: String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in bytes.readableBytesView { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return String(hash, radix: 16)
    }

    /// A name that changes with the content, so that browsers may keep it for ever.
    package var versionedName: String {
        let parts = name.split(separator: ".", maxSplits: 1)
        return "\(parts[0])-\(tag).\(parts.count > 1 ? parts[1] : "")"
    }

    /// `nil` for what is not served by itself.
    package var mediaType: String? {
        if name.hasSuffix(".css") { return "text/css; charset=utf-8" }
        if name.hasSuffix(".js") { return "text/javascript; charset=utf-8" }
        if name.hasSuffix(".svg") { return "image/svg+xml" }
        if name.hasSuffix(".html") { return "text/html; charset=utf-8" }
        return nil
    }
}
