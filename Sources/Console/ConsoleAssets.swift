import CConsoleAssets
import EmbeddedFiles
import HTTPTypes
import Hummingbird
import HummingbirdCore
import NIOCore

/// The files inside the binary: templates, style sheet, script, icon.
struct ConsoleAssets: Sendable {
    let files: [EmbeddedFile]

    static let embedded = ConsoleAssets(files: EmbeddedFile.files(console_assets(), count: console_asset_count()))

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
