import CConsoleAssets
import HTTPTypes
import Hummingbird
import HummingbirdCore
import NIOCore

/// The files inside the binary: templates, style sheet, script, icon.
struct ConsoleAssets: Sendable {
    struct File: Sendable {
        let name: String
        let bytes: ByteBuffer

        /// A name that changes with the content, so that browsers may keep it for ever. FNV-1a tells versions apart; it protects nothing.
        var versionedName: String {
            var hash: UInt64 = 0xcbf2_9ce4_8422_2325
            for byte in bytes.readableBytesView { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
            let parts = name.split(separator: ".", maxSplits: 1)
            return "\(parts[0])-\(String(hash, radix: 16)).\(parts.count > 1 ? parts[1] : "")"
        }

        /// `nil` for what is not served by itself.
        var mediaType: String? {
            if name.hasSuffix(".css") { return "text/css; charset=utf-8" }
            if name.hasSuffix(".js") { return "text/javascript; charset=utf-8" }
            if name.hasSuffix(".svg") { return "image/svg+xml" }
            return nil
        }
    }

    let files: [File]

    static let embedded = ConsoleAssets(files: readEmbedded())

    private static func readEmbedded() -> [File] {
        // The C table is constant data of the binary: it outlives every copy made here.
        let table = UnsafeBufferPointer(start: console_assets(), count: console_asset_count())
        return table.map { asset in
            let bytes = UnsafeBufferPointer(start: asset.start, count: asset.count)
            return File(name: String(cString: asset.name), bytes: ByteBuffer(bytes: bytes))
        }
    }

    /// Name without extension → text.
    var templates: [String: String] {
        var templates: [String: String] = [:]
        for file in files where file.name.hasSuffix(".mustache") {
            templates[String(file.name.dropLast(".mustache".count))] = String(buffer: file.bytes)
        }
        return templates
    }

    func bytes(of name: String) -> ByteBuffer { files.first { $0.name == name }?.bytes ?? ByteBuffer() }

    /// `/assets/console-….css` for `console.css`.
    func path(of name: String) -> String {
        files.first { $0.name == name }.map { "/assets/\($0.versionedName)" } ?? ""
    }
}

extension Console {
    func addAssetRoutes(to routes: ConsoleRoutes) {
        var served: [String: (bytes: ByteBuffer, type: String)] = [:]
        for file in assets.files {
            guard let type = file.mediaType else { continue }
            served[file.versionedName] = (file.bytes, type)
        }
        let files = served
        routes.get("assets/:name", .everybody) { _, context in
            guard let name = context.parameters.get("name"), let file = files[name] else { throw ConsoleFailure.notFound }
            return Response(
                status: .ok,
                headers: [.contentType: file.type, .cacheControl: "public, max-age=31536000, immutable"],
                body: ResponseBody(byteBuffer: file.bytes))
        }
        // Browsers ask for it whatever the page says.
        routes.get("favicon.ico", .everybody) { _, _ in HTTPAnswer.redirect(to: assets.path(of: "favicon.svg")) }
    }
}
