import CTatouAssets
import EmbeddedFiles
import Guard
import HTTPTypes
import Hummingbird
import NIOCore

/// The pages: files inside the binary that use the API as any other client does.
///
/// They hold no secret, so nobody is asked who they are. What a browser may do with them is bounded by the headers: nothing inline,
/// nothing from elsewhere, no frames.
struct PageRoutes {
    static let files = EmbeddedFile.files(tatou_assets(), count: tatou_asset_count())

    func add(to router: Router<TatouContext>) {
        for file in Self.files {
            guard let type = file.mediaType else { continue }
            let path = file.name == "index.html" ? "/" : "/assets/\(file.name)"
            router.get(RouterPath(path)) { request, _ in Self.answer(file, type, request) }
            if file.name == "favicon.svg" {
                // Browsers ask for it whatever the page says.
                router.get("/favicon.ico") { request, _ in Self.answer(file, type, request) }
            }
        }
    }

    /// Modules name each other, so their names do not change with their content: browsers ask each time, and are told when nothing
    /// is new.
    private static func answer(_ file: EmbeddedFile, _ type: String, _ request: Request) -> Response {
        let tag = "\"\(file.tag)\""
        var headers: HTTPFields = [.contentType: type, .eTag: tag, .cacheControl: "no-cache"]
        for field in SecurityHeaders.pages.fields where !headers.contains(field.name) { headers.append(field) }
        if request.headers[.ifNoneMatch] == tag { return Response(status: .notModified, headers: headers) }
        return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: file.bytes))
    }
}
