import Foundation
import HTTPTypes
import Synchronization
import Testing

@testable import Tatou

/// Uploads that are refused leave nothing behind, neither row nor file, and say why to whoever has to know.
@Suite struct UploadTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var form: [UInt8]
        var contentType = Form.contentType
        var status: Int
        var reason: String
        var metric: String

        var testDescription: String { name }

        static let pdf = SamplePDF.make()
        static let all: [Case] = [
            Case(
                name: "no form", form: pdf, contentType: "application/pdf", status: 400, reason: "missing_file",
                metric: "upload_missing_file_field"),
            Case(
                name: "no boundary", form: pdf, contentType: "multipart/form-data", status: 400, reason: "missing_file",
                metric: "upload_missing_file_field"),
            Case(
                name: "other field", form: Form.make(pdf, field: "document"), status: 400, reason: "missing_file",
                metric: "upload_missing_file_field"),
            Case(
                name: "field without file name", form: Form.make(pdf, fileName: nil), status: 400, reason: "missing_file",
                metric: "upload_missing_file_field"),
            Case(
                name: "empty file name", form: Form.make(pdf, fileName: ""), status: 400, reason: "missing_file",
                metric: "upload_missing_file_field"),
            Case(
                name: "cut off", form: Form.make(pdf).dropLast(8), status: 400, reason: "missing_file",
                metric: "upload_missing_file_field"),
            Case(
                name: "wrong type", form: Form.make(pdf, type: "text/html"), status: 415, reason: "bad_mime",
                metric: "upload_bad_mime"),
            Case(
                name: "wrong extension", form: Form.make(pdf, fileName: "shell.php"), status: 415, reason: "bad_extension",
                metric: "upload_bad_extension"),
            Case(
                name: "traversal", form: Form.make(pdf, fileName: "../../etc/passwd.pdf"), status: 400, reason: "path_traversal",
                metric: "path_traversal"),
            Case(
                name: "traversal of Windows", form: Form.make(pdf, fileName: "..\\..\\x.pdf"), status: 400,
                reason: "path_traversal", metric: "path_traversal"),
            Case(
                name: "traversal, escaped", form: Form.make(pdf, fileName: "%2e%2e%2fx.pdf"), status: 400,
                reason: "path_traversal", metric: "path_traversal"),
            Case(
                name: "traversal, escaped twice", form: Form.make(pdf, fileName: "%252e%252e%252fx.pdf"), status: 400,
                reason: "path_traversal", metric: "path_traversal"),
            Case(
                name: "traversal in the name", form: Form.make(pdf, name: "../x"), status: 400, reason: "path_traversal",
                metric: "path_traversal"),
            Case(
                name: "no PDF", form: Form.make(Array("<html>hello</html>".utf8)), status: 415, reason: "type_mismatch",
                metric: "type_mismatch"),
            Case(name: "empty", form: Form.make([]), status: 415, reason: "type_mismatch", metric: "type_mismatch"),
            Case(
                name: "a page in front", form: Form.make(Array("%PDF-1.4\n<script>alert(1)</script>\n".utf8) + pdf), status: 415,
                reason: "polyglot", metric: "polyglot"),
            Case(
                name: "an archive behind", form: Form.make(pdf + [0x50, 0x4B, 0x05, 0x06] + [UInt8](repeating: 0, count: 18)),
                status: 415, reason: "polyglot", metric: "polyglot"),
            Case(
                name: "a header and nothing else", form: Form.make(Array("%PDF-1.7\nnonsense".utf8)), status: 422,
                reason: "parse_error", metric: "parser_failure"),
            Case(
                name: "too large", form: Form.make(pdf + [UInt8](repeating: 0x20, count: 300 << 10)), status: 413,
                reason: "too_large", metric: "upload_oversize"),
        ]
    }

    @Test(arguments: Case.all) func refusalsLeaveNothing(item: Case) async throws {
        let world = try await World { $0.documents.documentBytes = 256 << 10 }
        let alice = try await world.person("alice")
        let answer = try await world.ask(
            .post, "/api/upload-document", token: alice.token, headers: [.contentType: item.contentType], body: item.form,
            pieces: 100)
        #expect(answer.status == item.status, "\(answer.string)")
        #expect(answer.error?.isEmpty == false)
        #expect(world.folder.files("documents").isEmpty)
        #expect(world.folder.files("staging").isEmpty)
        #expect(try await world.ask(.get, "/api/list-documents", token: alice.token).list("documents").isEmpty)
        let events = try await world.events("document_upload")
        #expect(events.map { $0["event.reason"] } == [item.reason])
        #expect(events.first?["user.id"] == "1")
        #expect(try await world.metrics().contains("tatou_suspicious_events_total{reason=\"\(item.metric)\"} 1"))
    }

    @Test func whatNobodyReadsIsRefusedByItsAnnouncement() async throws {
        let world = try await World { $0.documents.documentBytes = 256 << 10 }
        let alice = try await world.person("alice")
        let answer = try await world.ask(
            .post, "/api/upload-document", token: alice.token,
            headers: [.contentType: Form.contentType, .contentLength: "999999999"],
            body: [])
        #expect(answer.status == 413)
        #expect(try await world.metrics().contains("tatou_suspicious_events_total{reason=\"upload_oversize\"} 1"))
    }

    @Test("what a document does is told to its owner and to the log, and it is taken in", arguments: ContentFinding.allCases)
    func activeContentIsTold(finding: ContentFinding) async throws {
        let world = try await World()
        let alice = try await world.person("alice")
        world.processing.script.withLock { $0.content = [finding] }
        let uploaded = try await world.upload(token: alice.token)
        #expect(uploaded.status == 201)
        #expect(uploaded.list("warnings").compactMap { $0["kind"] as? String } == [finding.rawValue])
        #expect(uploaded.list("warnings").compactMap { $0["message"] as? String } == [finding.message])
        let id = try #require(uploaded.number("id"))
        let inspected = try await world.ask(.get, "/api/inspect-document/\(id)", token: alice.token)
        #expect(inspected.list("warnings").compactMap { $0["kind"] as? String } == [finding.rawValue])
        let event = try #require(try await world.events("document_upload").first)
        #expect(event["event.outcome"] == "success" && event["event.reason"] == "active_content")
        #expect(event["labels.active_content"] == finding.rawValue)
        // Lists stay as they are documented.
        let listed = try await world.ask(.get, "/api/list-documents", token: alice.token).list("documents")
        #expect(listed.count == 1 && listed.allSatisfy { $0["warnings"] == nil })
        world.processing.script.withLock { $0.content = [] }
        let plain = try await world.upload(token: alice.token)
        #expect(plain.object["warnings"] as? [String] == [])
        #expect(try await world.events("document_upload").last?["event.reason"] == nil)
    }

    @Test("what the operator refuses is refused, the rest is not") func activeContentIsRefused() async throws {
        let world = try await World { $0.documents.refusedContent = [.launch, .script] }
        let alice = try await world.person("alice")
        for (content, status) in [
            ([ContentFinding.attachment], 201), ([.script, .attachment], 422), ([.launch], 422), ([], 201),
        ] {
            world.processing.script.withLock { $0.content = content }
            let answer = try await world.upload(token: alice.token)
            #expect(answer.status == status, "\(content)")
            guard status == 422 else { continue }
            #expect(answer.error?.contains("not taken in") == true && answer.error?.contains("attached") == false)
        }
        #expect(world.folder.files("documents").count == 2 && world.folder.files("staging").isEmpty)
        let refused = try await world.events("document_upload").filter { $0["event.outcome"] == "failure" }
        #expect(refused.map { $0["event.reason"] } == ["active_content", "active_content"])
        #expect(refused.map { $0["labels.active_content"] } == ["script attachment", "launch"])
        #expect(try await world.metrics().contains("tatou_suspicious_events_total{reason=\"active_content\"} 2"))
    }

    @Test func aDocumentThatKillsTheWorkerIsRefusedAndNoted() async throws {
        let world = try await World()
        let alice = try await world.person("alice")
        for (kind, reason, metric) in [
            (ProcessingFailure.Kind.tooLarge, "decompression_bomb", "bomb"), (.tooSlow, "decompression_bomb", "bomb"),
            (.crashed, "parse_error", "parser_failure"),
        ] {
            world.processing.script.withLock {
                $0.inspectFailure = ProcessingFailure(kind, "The document cannot be read safely.")
            }
            let answer = try await world.upload(token: alice.token)
            #expect(answer.status == 422)
            #expect(try await world.events("document_upload").last?["event.reason"] == reason)
            #expect(try await world.metrics().contains("tatou_suspicious_events_total{reason=\"\(metric)\"}"))
        }
        world.processing.script.withLock { $0.inspectFailure = ProcessingFailure(.busy, "Try again in a moment.") }
        #expect(try await world.upload(token: alice.token).status == 503)
        #expect(world.folder.files("documents").isEmpty)
        #expect(world.folder.files("staging").isEmpty)
    }

    @Test func namesAreKeptWithoutTheirFolders() async throws {
        let world = try await World()
        let alice = try await world.person("alice")
        for (given, kept) in [
            ("C:\\fakepath\\Offer.pdf", "Offer.pdf"), ("Ünïcode – 文書.pdf", "Ünïcode – 文書.pdf"), ("a;b=c.PDF", "a;b=c.PDF"),
            ("no extension", "no extension"),
        ] {
            #expect(try await world.upload(fileName: given, token: alice.token).text("name") == kept)
        }
        #expect(try await world.upload(name: "  Offer  ", token: alice.token).text("name") == "Offer")
    }

    @Test func anUploadNeedsASignIn() async throws {
        let world = try await World()
        let answer = try await world.ask(
            .post, "/api/upload-document", headers: [.contentType: Form.contentType], body: Form.make(SamplePDF.make()))
        #expect(answer.status == 401)
        #expect(world.folder.files("staging").isEmpty)
    }

    @Test func aShareOfTheDiskIsAShare() async throws {
        let world = try await World {
            $0.documents.accountDocuments = 2
        }
        let alice = try await world.person("alice")
        _ = try await world.document(alice.token)
        _ = try await world.document(alice.token)
        #expect(try await world.upload(token: alice.token).status == 413)
        #expect(world.folder.files("documents").count == 2)
        let bob = try await world.person("bob")
        #expect(try await world.upload(token: bob.token).status == 201)
    }

    @Test(arguments: [1, 2, 3, 7, 64, 1000]) func howItIsCutUpDoesNotMatter(pieces: Int) async throws {
        let world = try await World()
        let alice = try await world.person("alice")
        let pdf = SamplePDF.make("line\r\n--\r\n\r\n------boundary-of-a-tes")
        let answer = try await world.upload(pdf, name: "x", token: alice.token, pieces: pieces)
        #expect(answer.status == 201)
        #expect(try await world.ask(.get, "/api/get-document/1", token: alice.token).body == pdf)
    }
}
