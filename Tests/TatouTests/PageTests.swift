import EmbeddedFiles
import Foundation
import HTTPTypes
import NIOCore
import Testing

@testable import Tatou

/// The files of the pages: all there, nothing inline, nothing from elsewhere.
@Suite struct PageTests {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appending(path: "../../Sources/CTatouAssets/assets")

    @Test func everyFileOfTheFolderIsServed() async throws {
        let world = try await World()
        let names = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path).sorted()
        #expect(names == PageRoutes.files.map(\.name).sorted())
        for name in names where name != "openapi.json" {
            let answer = try await world.ask(.get, name == "index.html" ? "/" : "/assets/\(name)")
            #expect(answer.status == 200, "\(name)")
            #expect(answer.body == [UInt8](try Data(contentsOf: Self.folder.appending(path: name))), "\(name)")
            let policy = answer.headers[.contentSecurityPolicy] ?? ""
            #expect(policy.contains("default-src 'none'") && policy.contains("script-src 'self'"), "\(name)")
            #expect(!policy.contains("unsafe"), "\(name)")
            let tag = try #require(answer.headers[.eTag])
            let again = try await world.ask(
                .get, name == "index.html" ? "/" : "/assets/\(name)", headers: [.ifNoneMatch: tag])
            #expect(again.status == 304 && again.body.isEmpty, "\(name)")
        }
        #expect(try await world.ask(.get, "/favicon.ico").headers[.contentType] == "image/svg+xml")
        #expect(try await world.ask(.get, "/assets/../tatou.db").status == 404)
        #expect(try await world.ask(.get, "/nothing.html").status == 404)
    }

    @Test func nothingIsInlineAndNothingComesFromElsewhere() throws {
        let served = Set(PageRoutes.files.map(\.name))
        for file in PageRoutes.files {
            let text = String(buffer: file.bytes)
            // Namespaces are names, not addresses.
            let plain = text.replacing("http://www.w3.org/2000/svg", with: "")
            #expect(!plain.contains("http://") && !plain.contains("https://") && !plain.contains("innerHTML"), "\(file.name)")
            #expect(!plain.contains("<style") && !plain.contains(" style=") && !plain.contains(" onclick=\""), "\(file.name)")
            for name in text.matches(of: #/from "\.\/([a-z-]+\.js)"/#) {
                #expect(served.contains(String(name.1)), "\(file.name)")
            }
            for name in text.matches(of: #/"\/assets\/([^"]+)"/#) { #expect(served.contains(String(name.1)), "\(file.name)") }
        }
    }
}
