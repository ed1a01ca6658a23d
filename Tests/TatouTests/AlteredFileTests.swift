import Foundation
import Glibc
import HTTPTypes
import Synchronization
import Testing

@testable import Tatou

/// Nothing is made of a file that is not what came in or was issued, whoever changed it, and whoever watches is told.
@Suite("Files that somebody else changed") struct AlteredFileTests {
    enum Use: CaseIterable {
        case fetched, inspected, marked, read, copyFetched
    }

    enum Alteration: CaseIterable {
        case writtenInto, cut, exchanged, symbolicLink, folder, pipe, gone

        func apply(to path: String, in folder: Folder) throws {
            let manager = FileManager.default
            switch self {
            case .writtenInto:
                let handle = try #require(FileHandle(forUpdatingAtPath: path))
                try handle.seek(toOffset: 5)
                try handle.write(contentsOf: Data("changed".utf8))
                try handle.close()
            case .cut: #expect(truncate(path, 100) == 0)
            case .exchanged: try Data(SamplePDF.make("Something else")).write(to: URL(fileURLWithPath: path), options: .atomic)
            case .symbolicLink:
                // To the very same bytes: it is the link that nobody here made.
                try manager.moveItem(atPath: path, toPath: folder.path + "/moved")
                try manager.createSymbolicLink(atPath: path, withDestinationPath: folder.path + "/moved")
            case .folder:
                try manager.removeItem(atPath: path)
                try manager.createDirectory(atPath: path, withIntermediateDirectories: false)
            case .pipe:
                try manager.removeItem(atPath: path)
                #expect(mkfifo(path, 0o600) == 0)
            case .gone: try manager.removeItem(atPath: path)
            }
        }
    }

    /// Somebody with a document and a copy of it.
    private struct Stage {
        static let original = SamplePDF.make("What was uploaded")

        let world: World
        let alice: Person
        let id: Int
        let link: String

        init() async throws {
            world = try await World()
            alice = try await world.person("alice")
            id = try await world.document(alice.token, Self.original)
            link = try #require(try await world.version(of: id, token: alice.token).text("link"))
        }

        func file(_ use: Use) throws -> String {
            let kind = use == .copyFetched ? "versions" : "documents"
            return "\(world.folder.path)/\(kind)/\(try #require(world.folder.files(kind).first))"
        }

        func ask(_ use: Use) async throws -> Answer {
            switch use {
            case .fetched: try await world.ask(.get, "/api/get-document/\(id)", token: alice.token)
            case .inspected: try await world.ask(.get, "/api/inspect-document/\(id)", token: alice.token)
            case .marked:
                // Its copies begin with the bytes that they were made of.
                try await world.post(
                    "/api/create-watermark/\(id)", ["method": "toy-eof", "intended_for": "b", "secret": "s", "key": "k"],
                    token: alice.token)
            case .read:
                try await world.post("/api/read-watermark/\(id)", ["method": "robust-xmp", "key": "k"], token: alice.token)
            case .copyFetched: try await world.ask(.get, "/api/get-version/\(link)")
            }
        }

        var ordered: Int { world.processing.script.withLock { $0.orders.count } }

        func expectTold(_ reason: String) async throws {
            #expect(try await world.events("watermark_verify").map { $0["event.reason"] } == [reason])
            #expect(try await world.metrics().contains("tatou_suspicious_events_total{reason=\"integrity\"} 1"))
        }
    }

    @Test("are neither sent nor worked on", arguments: Use.allCases, Alteration.allCases)
    func refused(use: Use, alteration: Alteration) async throws {
        let stage = try await Stage()
        // Asked for before, so that what is remembered of it is no longer true.
        _ = try await stage.ask(use)
        #expect(try await stage.world.events("watermark_verify").isEmpty)
        let (ordered, copies) = (stage.ordered, stage.world.folder.files("versions"))
        try alteration.apply(to: stage.file(use), in: stage.world.folder)
        #expect(try await stage.ask(use).status == 410)
        try await stage.expectTold(alteration == .gone ? "missing" : "hash_mismatch")
        #expect(stage.ordered == ordered && stage.world.folder.files("staging").isEmpty)
        if use != .copyFetched { #expect(stage.world.folder.files("versions") == copies) }
    }

    @Test("an original that is exchanged while it is marked: the copy is of the one that was looked at") func exchanged()
        async throws
    {
        let stage = try await Stage()
        let file = URL(fileURLWithPath: try stage.file(.marked))
        stage.world.processing.script.withLock {
            $0.beforeEmbedding = { try Data(SamplePDF.make("Something else")).write(to: file, options: .atomic) }
        }
        let made = try await stage.ask(.marked)
        #expect(made.status == 201)
        let copy = try await stage.world.ask(.get, "/api/get-version/\(made.text("link") ?? "")").body
        #expect(copy.starts(with: Stage.original))
        #expect(try await stage.ask(.marked).status == 410)
    }

    @Test("an original that is written into while it is marked gives no copy") func writtenIntoMeanwhile() async throws {
        let stage = try await Stage()
        let file = try stage.file(.marked)
        stage.world.processing.script.withLock {
            $0.beforeEmbedding = {
                let handle = try #require(FileHandle(forUpdatingAtPath: file))
                try handle.seekToEnd()
                try handle.write(contentsOf: Data("more".utf8))
                try handle.close()
            }
        }
        #expect(try await stage.ask(.marked).status == 410)
        try await stage.expectTold("hash_mismatch")
        #expect(stage.world.folder.files("versions").count == 1 && stage.world.folder.files("staging").isEmpty)
    }

    @Test("what its owner deleted after its row was read is not found, and nobody is told of tampering") func deleted()
        async throws
    {
        let stage = try await Stage()
        let (documents, versions) = (stage.world.platform.documents, stage.world.platform.versions)
        let document = try await documents.document(Int64(stage.id), for: Int64(stage.alice.id))
        let version = try #require(try await versions.versions(owner: Int64(stage.alice.id)).first?.version)
        #expect(try await stage.world.ask(.delete, "/api/delete-document/\(stage.id)", token: stage.alice.token).status == 200)
        let order = VersionOrder(method: "robust-xmp", intendedFor: "b", secret: "s", key: "k")
        await #expect(throws: DocumentRefusal.notFound) { try await documents.open(document) }
        await #expect(throws: DocumentRefusal.notFound) { try await documents.inspection(of: document) }
        await #expect(throws: DocumentRefusal.notFound) { try await versions.create(order, of: document) }
        await #expect(throws: DocumentRefusal.notFound) {
            try await versions.read(document, method: "robust-xmp", key: "k")
        }
        await #expect(throws: VersionRefusal.notFound) { try await versions.file(of: version) }
    }
}
