import Foundation
import HTTPTypes
import Testing

@testable import Tatou

@Suite struct DocumentTests {
    @Test func anUploadIsListedFetchedAndDeleted() async throws {
        let world = try await World()
        let alice = try await world.person("alice")
        let pdf = SamplePDF.make("Annual report")
        let uploaded = try await world.upload(pdf, token: alice.token)
        #expect(uploaded.status == 201)
        #expect(uploaded.text("name") == "paper.pdf")
        #expect(uploaded.number("size") == pdf.count)
        #expect(uploaded.text("creation") == "2026-03-02T16:56:03Z")
        let sha256 = try #require(uploaded.text("sha256"))
        #expect(sha256.count == 64)
        let id = try #require(uploaded.number("id"))

        world.hands.advance(seconds: 1)
        _ = try await world.document(alice.token, SamplePDF.make("second"), name: "Second one")
        let list = try await world.ask(.get, "/api/list-documents", token: alice.token).list("documents")
        #expect(list.map { $0["name"] as? String } == ["Second one", "paper.pdf"])
        #expect(list.last?["sha256"] as? String == sha256)

        for path in ["/api/get-document/\(id)", "/api/get-document?id=\(id)", "/api/get-document?documentid=\(id)"] {
            let fetched = try await world.ask(.get, path, token: alice.token)
            #expect(fetched.status == 200)
            #expect(fetched.body == pdf)
            #expect(fetched.headers[.contentType] == "application/pdf")
            #expect(fetched.headers[.eTag] == "\"\(sha256)\"")
            #expect(fetched.headers[.lastModified] == "Mon, 02 Mar 2026 16:56:03 GMT")
            #expect(fetched.headers[.cacheControl] == "private, max-age=0, must-revalidate")
            #expect(fetched.headers[.contentDisposition]?.hasPrefix("inline") == true)
        }

        let deleted = try await world.ask(.delete, "/api/delete-document/\(id)", token: alice.token)
        #expect(deleted.status == 200)
        #expect(deleted.object["deleted"] as? Bool == true)
        #expect(deleted.number("id") == id)
        #expect(deleted.object["file_deleted"] as? Bool == true)
        #expect(deleted.object["file_missing"] as? Bool == false)
        #expect(deleted.object["note"] is NSNull)
        #expect(try await world.ask(.get, "/api/get-document/\(id)", token: alice.token).status == 404)
        #expect(world.folder.files("documents").count == 1)
    }

    @Test func conditionsAndRangesAreKept() async throws {
        let world = try await World()
        let alice = try await world.person("alice")
        let pdf = SamplePDF.make("Conditions")
        let id = try await world.document(alice.token, pdf)
        let path = "/api/get-document/\(id)"
        let tag = try #require(try await world.ask(.get, path, token: alice.token).headers[.eTag])
        let modified = "Mon, 02 Mar 2026 16:56:03 GMT"

        for (name, value) in [(HTTPField.Name.ifNoneMatch, tag), (.ifNoneMatch, "\"x\", \(tag)"), (.ifModifiedSince, modified)] {
            let answer = try await world.ask(.get, path, token: alice.token, headers: [name: value])
            #expect(answer.status == 304)
            #expect(answer.body.isEmpty)
            #expect(answer.headers[.eTag] == tag)
        }
        #expect(try await world.ask(.get, path, token: alice.token, headers: [.ifNoneMatch: "\"x\""]).status == 200)
        let earlier = HTTPFields([HTTPField(name: .ifModifiedSince, value: "Sun, 01 Mar 2026 16:56:03 GMT")])
        #expect(try await world.ask(.get, path, token: alice.token, headers: earlier).status == 200)

        let part = try await world.ask(.get, path, token: alice.token, headers: [.range: "bytes=5-9"])
        #expect(part.status == 206)
        #expect(part.body == Array(pdf[5...9]))
        #expect(part.headers[.contentRange] == "bytes 5-9/\(pdf.count)")
        let tail = try await world.ask(.get, path, token: alice.token, headers: [.range: "bytes=-6"])
        #expect(tail.body == Array(pdf.suffix(6)))
        let beyond = try await world.ask(.get, path, token: alice.token, headers: [.range: "bytes=999999-"])
        #expect(beyond.status == 416)
        #expect(beyond.headers[.contentRange] == "bytes */\(pdf.count)")
        let stale = try await world.ask(.get, path, token: alice.token, headers: [.range: "bytes=5-9", .ifRange: "\"old\""])
        #expect(stale.status == 200)
    }

    @Test(arguments: ["id", "documentid"]) func deletionTakesItsIdentifierFromAnywhere(name: String) async throws {
        let world = try await World()
        let alice = try await world.person("alice")
        let first = try await world.document(alice.token)
        #expect(try await world.ask(.delete, "/api/delete-document?\(name)=\(first)", token: alice.token).status == 200)
        let second = try await world.document(alice.token)
        #expect(try await world.ask(.post, "/api/delete-document?\(name)=\(second)", token: alice.token).status == 200)
        let third = try await world.document(alice.token)
        #expect(try await world.post("/api/delete-document", [name: third], token: alice.token).status == 200)
        let fourth = try await world.document(alice.token)
        #expect(try await world.post("/api/delete-document", [name: String(fourth)], token: alice.token).status == 200)
        #expect(world.folder.files("documents").isEmpty)
    }

    @Test(arguments: [
        "", "0", "-1", "1.5", "abc", "1 OR 1=1", "1;DROP TABLE document", "99999999999999999999", "+1", "0x1", "true",
    ])
    func identifiersAreNumbers(id: String) async throws {
        let world = try await World()
        let alice = try await world.person("alice")
        _ = try await world.document(alice.token)
        let escaped = id.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
        for (method, path) in [
            (HTTPRequest.Method.get, "/api/get-document?id="), (.get, "/api/list-versions?id="),
            (.delete, "/api/delete-document?id="),
        ] {
            let answer = try await world.ask(method, path + escaped, token: alice.token)
            #expect(answer.status == 400, "\(path)\(escaped)")
        }
        #expect(try await world.ask(.get, "/api/list-documents", token: alice.token).list("documents").count == 1)
    }

    @Test func theWrongTypeOfIdentifierIsNoIdentifier() async throws {
        let world = try await World()
        let alice = try await world.person("alice")
        for id in [true, 1.5, ["1"], ["$gt": 0]] as [Any] {
            #expect(try await world.post("/api/delete-document", ["id": id], token: alice.token).status == 400)
        }
        #expect(try await world.ask(.delete, "/api/delete-document", token: alice.token).error == "document id required")
    }

    @Test func aFileThatVanishedIsGone() async throws {
        let world = try await World()
        let alice = try await world.person("alice")
        let id = try await world.document(alice.token)
        for file in world.folder.files("documents") {
            try FileManager.default.removeItem(atPath: "\(world.folder.path)/documents/\(file)")
        }
        let answer = try await world.ask(.get, "/api/get-document/\(id)", token: alice.token)
        #expect(answer.status == 410)
        #expect(answer.error == "file missing on disk")
        let mark = try await world.post(
            "/api/create-watermark/\(id)", ["method": "robust-xmp", "intended_for": "b", "secret": "s", "key": "k"],
            token: alice.token)
        #expect(mark.status == 410)
        let deleted = try await world.ask(.delete, "/api/delete-document/\(id)", token: alice.token)
        #expect(deleted.object["file_missing"] as? Bool == true)
    }

    @Test func whatIsStoredIsReadableByNobodyElse() async throws {
        let world = try await World()
        let alice = try await world.person("alice")
        _ = try await world.document(alice.token)
        for path in ["", "/documents", "/versions", "/staging", "/state"] {
            let mode = try FileManager.default.attributesOfItem(atPath: world.folder.path + path)[.posixPermissions] as? Int
            if !path.isEmpty { #expect(mode == 0o700, "\(path)") }
        }
        for path in ["/tatou.db", "/state/platform.key", "/documents/" + (world.folder.files("documents").first ?? "")] {
            let mode = try FileManager.default.attributesOfItem(atPath: world.folder.path + path)[.posixPermissions] as? Int
            #expect(mode == 0o600, "\(path)")
        }
    }
}
