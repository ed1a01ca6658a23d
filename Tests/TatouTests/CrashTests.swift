import Foundation
import HTTPTypes
import NIOCore
import Testing

@testable import Tatou

/// What stands in the folder after the process died in between, and what the next start makes of it.
@Suite struct CrashTests {
    @Test func aFileWithoutARowIsRemovedAtTheNextStart() async throws {
        let folder = try Folder()
        var world: World? = try await World(folder: folder)
        let alice = try await #require(world).person("alice")
        let id = try await #require(world).document(alice.token)
        let link = try await #require(world).version(of: id, token: alice.token).text("link") ?? ""
        // Died while a file came in; between name and row of a document; of a version; after a row was deleted.
        let place = try DocumentFolder(root: folder.path)
        let staged = try await place.stage()
        try await staged.append(.init(string: "%PDF-1.4 half of a"))
        for kind in DocumentFolder.Kind.allCases {
            let file = try await place.stage()
            try await place.adopt(file.path, as: kind, name: place.newName())
        }
        try Data("stray".utf8).write(to: URL(fileURLWithPath: "\(folder.path)/documents/stray"))
        #expect(folder.files("documents").count == 3)
        #expect(folder.files("versions").count == 2)
        world = nil

        let next = try await World(folder: folder)
        #expect(folder.files("documents").count == 1)
        #expect(folder.files("versions").count == 1)
        #expect(folder.files("staging").isEmpty)
        #expect(try await next.ask(.get, "/api/get-document/\(id)", token: alice.token).status == 200)
        #expect(try await next.ask(.get, "/api/get-version/\(link)").status == 200)
    }

    @Test func whatWasDecidedSurvivesARestart() async throws {
        let folder = try Folder()
        let world = try await World(folder: folder)
        let alice = try await world.person("alice")
        let kept = try await world.signIn(alice.email, alice.password)
        _ = try await world.ask(.post, "/api/logout", token: alice.token)
        let next = try await World(folder: folder)
        #expect(try await next.ask(.get, "/api/list-documents", token: alice.token).status == 401)
        #expect(try await next.ask(.get, "/api/list-documents", token: kept).status == 200)
    }

    @Test func onlyOneServerHasAFolder() throws {
        let folder = try Folder()
        var first: DataFolderLock? = try DataFolderLock(data: folder.path)
        #expect(throws: FileFailure.self) { try DataFolderLock(data: folder.path) }
        withExtendedLifetime(first) {}
        first = nil
        _ = try DataFolderLock(data: folder.path)
    }

    /// Between fork and exec a child has every descriptor of its parent.
    @Test func aChildThatIsBeingStartedDoesNotKeepTheFolder() throws {
        let folder = try Folder()
        var first: DataFolderLock? = try DataFolderLock(data: folder.path)
        let path = URL(filePath: "\(folder.path)/lock").resolvingSymlinksInPath().path
        let open = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").compactMap(CInt.init)
        let lock = try #require(
            open.first { (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)")) == path })
        let inherited = dup(lock)
        defer { close(inherited) }
        withExtendedLifetime(first) {}
        first = nil
        _ = try DataFolderLock(data: folder.path)
    }

    @Test func aDeletionThatRacesAVersionLeavesNothing() async throws {
        let world = try await World()
        let alice = try await world.person("alice")
        for round in 0..<20 {
            let id = try await world.document(alice.token, SamplePDF.make("round \(round)"))
            async let made = world.post(
                "/api/create-watermark/\(id)", ["method": "robust-xmp", "intended_for": "b", "secret": "s", "key": "k"],
                token: alice.token)
            async let deleted = world.ask(.delete, "/api/delete-document/\(id)", token: alice.token)
            let statuses = try await [made.status, deleted.status]
            #expect(statuses[1] == 200)
            #expect([201, 400, 404, 410, 422, 503].contains(statuses[0]))
        }
        #expect(world.folder.files("documents").isEmpty)
        #expect(try await world.ask(.get, "/api/list-all-versions", token: alice.token).list("versions").isEmpty)
        // A copy that came to late for its row is gone, too, at the latest after the next start.
        _ = try await world.platform.sweep()
        #expect(world.folder.files("versions").isEmpty)
        #expect(world.folder.files("staging").isEmpty)
    }
}
