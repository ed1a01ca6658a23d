import Foundation
import HTTPTypes
import Hummingbird
import Testing

@testable import Tatou

/// A file that is deleted or written to while it is being sent.
@Suite("Files that change while they are sent") struct FileAnswerTests {
    /// Somebody with a document of several pieces and a copy of it.
    private struct Stage {
        let world: World
        let alice: Person
        let id: Int
        /// The routes that serve a file, each with what it serves and the file's path.
        var served: [(path: String, bytes: [UInt8], file: String)] = []

        init() async throws {
            world = try await World()
            alice = try await world.person("alice")
            let pdf = SamplePDF.make("Sent in pieces", padding: 700_000)
            id = try await world.document(alice.token, pdf)
            served.append(("/api/get-document/\(id)", pdf, try file("documents")))
            let link = try #require(try await world.version(of: id, token: alice.token).text("link"))
            let copy = try await world.ask(.get, "/api/get-version/\(link)").body
            served.append(("/api/get-version/\(link)", copy, try file("versions")))
        }

        private func file(_ kind: String) throws -> String {
            "\(world.folder.path)/\(kind)/\(try #require(world.folder.files(kind).first))"
        }

        func delete() async throws {
            #expect(try await world.ask(.delete, "/api/delete-document/\(id)", token: alice.token).status == 200)
        }
    }

    private static func overwrite(_ file: String, _ bytes: [UInt8], truncate: Int? = nil) throws {
        let handle = try #require(FileHandle(forUpdatingAtPath: file))
        if let truncate { try handle.truncate(atOffset: UInt64(truncate)) }
        if !bytes.isEmpty {
            try handle.seek(toOffset: 5)
            try handle.write(contentsOf: Data(bytes))
        }
        try handle.close()
    }

    @Test("deleted by its owner after the head of the answer, it is sent as a whole", arguments: [0, 1]) func deleted(
        index: Int
    ) async throws {
        let stage = try await Stage()
        let (path, bytes, _) = stage.served[index]
        let response = try await stage.world.respond(.get, path, token: stage.alice.token)
        #expect(response.status == .ok && response.headers[.contentLength] == String(bytes.count))
        try await stage.delete()
        let body = Collector()
        try await response.body.write(body)
        #expect(body.bytes == bytes)
        #expect(try await stage.world.ask(.get, path, token: stage.alice.token).status == 404)
    }

    @Test("deleted between two pieces, it is sent as a whole; so is a part of it", arguments: [0, 1]) func deletedMeanwhile(
        index: Int
    ) async throws {
        for part in [0..<300_000, 200_000..<650_000] {
            let stage = try await Stage()
            let (path, bytes, _) = stage.served[index]
            let response = try await stage.world.respond(
                .get, path, token: stage.alice.token, headers: [.range: "bytes=\(part.lowerBound)-\(part.upperBound - 1)"])
            #expect(response.status == .partialContent)
            let body = Collector { try await stage.delete() }
            try await response.body.write(body)
            #expect(body.bytes == Array(bytes[part]))
        }
    }

    @Test("another file under its name is not mixed into it", arguments: [0, 1]) func replaced(index: Int) async throws {
        let stage = try await Stage()
        let (path, bytes, file) = stage.served[index]
        let response = try await stage.world.respond(.get, path, token: stage.alice.token)
        let body = Collector {
            try Data(repeating: 0x21, count: bytes.count).write(to: URL(fileURLWithPath: file), options: .atomic)
        }
        try await response.body.write(body)
        #expect(body.bytes == bytes)
    }

    @Test("written into meanwhile, it never becomes a whole answer", arguments: [0, 1], [true, false]) func writtenInto(
        index: Int, isCut: Bool
    ) async throws {
        let stage = try await Stage()
        let (path, bytes, file) = stage.served[index]
        let response = try await stage.world.respond(.get, path, token: stage.alice.token)
        let body = Collector {
            try Self.overwrite(file, isCut ? [] : [0x21, 0x21], truncate: isCut ? 200_000 : nil)
        }
        await #expect(throws: StoredFile.Changed.self) { try await response.body.write(body) }
        #expect(body.bytes.count < bytes.count && bytes.starts(with: body.bytes))
    }

    @Test("changed before, it is refused and told of", arguments: [0, 1]) func changedBefore(index: Int) async throws {
        for isCut in [true, false] {
            let stage = try await Stage()
            let (path, _, file) = stage.served[index]
            #expect(try await stage.world.ask(.get, path, token: stage.alice.token).status == 200)
            try Self.overwrite(file, isCut ? [] : [0x21, 0x21], truncate: isCut ? 200_000 : nil)
            #expect(try await stage.world.ask(.get, path, token: stage.alice.token).status == 410)
            #expect(try await stage.world.events("watermark_verify").map { $0["event.reason"] } == ["hash_mismatch"])
            #expect(try await stage.world.metrics().contains("tatou_suspicious_events_total{reason=\"integrity\"} 1"))
        }
    }
}
