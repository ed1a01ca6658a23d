import HTTPTypes
import Synchronization
import Testing

@testable import Tatou

/// A leaked file, held against everything that its finder has issued.
@Suite struct TraceTests {
    private func trace(_ world: World, _ token: String?, fileName: String = "leak.pdf") async throws -> Answer {
        try await world.ask(
            .post, "/api/trace-leak", token: token, headers: [.contentType: Form.contentType],
            body: Form.make(SamplePDF.make("leak"), fileName: fileName))
    }

    private func issued(_ world: World, _ token: String) async throws -> String {
        _ = try await world.version(of: try await world.document(token), token: token)
        return try #require(world.processing.script.withLock { $0.orders.last?.version })
    }

    @Test func theCopyIsNamedWithItsEvidenceAndTheFileIsForgotten() async throws {
        let world = try await World()
        let alice = try await world.person("alice")
        let name = try await issued(world, alice.token)
        let staged = world.folder.files("staging")
        world.processing.script.withLock {
            $0.traced = TraceVerdict(
                isRecognised: true, accused: [.init(version: name, score: 11.5, falsePositiveBound: 2e-12)],
                pages: [.init(number: 1, words: 420, isPicture: false)], decoys: 1_000, highestDecoyScore: 3.1,
                evidence: .init(number: 1, width: 595, height: 842, words: [.init(x: 72, y: 90.5, agrees: true)]))
        }
        let answer = try await trace(world, alice.token)
        #expect(answer.status == 200)
        let accused = try #require(answer.list("accused").first)
        #expect(accused["intended_for"] as? String == "bob" && accused["score"] as? Double == 11.5)
        #expect(answer.list("pages").first?["words"] as? Int == 420)
        #expect(answer.object["reason"] == nil)
        let evidence = try #require(answer.object["evidence"] as? [String: Any])
        #expect(evidence["page"] as? Int == 1 && (evidence["words"] as? [[String: Any]])?.first?["y"] as? Double == 90.5)
        #expect(try await world.ask(.get, "/api/list-documents", token: alice.token).list("documents").count == 1)
        #expect(world.folder.files("staging") == staged)
        #expect(try await world.events("watermark_read").count == 1)
    }

    @Test func nobodyLearnsOfCopiesOfOthers() async throws {
        let world = try await World()
        let alice = try await world.person("alice")
        let bob = try await world.person("bob")
        let hers = try await issued(world, alice.token)
        _ = try await issued(world, bob.token)
        // Whatever a worker says.
        world.processing.script.withLock {
            $0.traced = TraceVerdict(
                isRecognised: true, accused: [.init(version: hers, score: 11.5, falsePositiveBound: 2e-12)],
                evidence: .init(number: 1, width: 595, height: 842, words: [.init(x: 72, y: 90.5, agrees: true)]))
        }
        let answer = try await trace(world, bob.token)
        #expect(answer.status == 200 && answer.list("accused").isEmpty)
        #expect(answer.text("reason")?.contains("Nobody is accused") == true)
        #expect(answer.object["evidence"] == nil)
        #expect(try await trace(world, nil).status == 401)
    }

    @Test func whoHasIssuedNothingIsToldSoWithoutAskingTheWorker() async throws {
        let world = try await World()
        let alice = try await world.person("alice")
        world.processing.script.withLock { $0.traced.accused = [.init(version: "x", score: 9, falsePositiveBound: 0)] }
        let answer = try await trace(world, alice.token)
        #expect(answer.status == 200 && answer.text("reason")?.hasPrefix("None of your documents") == true)
    }

    @Test func whatIsNoDocumentIsRefusedAndForgotten() async throws {
        let world = try await World()
        let alice = try await world.person("alice")
        #expect(try await trace(world, alice.token, fileName: "leak.exe").status == 415)
        for picture in ["leak.png", "leak.JPG", "leak.jpeg"] {
            #expect(try await trace(world, alice.token, fileName: picture).status == 200)
        }
        world.processing.script.withLock { $0.traceFailure = ProcessingFailure(.tooSlow, "The file takes too long to read.") }
        _ = try await issued(world, alice.token)
        #expect(try await trace(world, alice.token).status == 422)
        #expect(world.folder.files("staging").isEmpty)
    }

    @Test func aMethodsStrengthIsSaidBeforeAnythingIsMarked() async throws {
        let world = try await World()
        let alice = try await world.person("alice")
        let id = try await world.document(alice.token)
        world.processing.script.withLock {
            $0.inspected = [
                .init(name: "word-shift", isApplicable: true, strength: "fair", notes: ["It does not survive text recognition."])
            ]
        }
        let answer = try await world.ask(.get, "/api/inspect-document/\(id)", token: alice.token)
        let method = try #require(answer.list("methods").first)
        #expect(method["strength"] as? String == "fair" && method["applicable"] as? Bool == true)
        #expect(method["notes"] as? [String] == ["It does not survive text recognition."])
    }
}
