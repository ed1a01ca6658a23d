import Foundation
import Guard
import HTTPTypes
import Synchronization
import Testing

@testable import Tatou

@Suite struct VersionTests {
    @Test func methodsAreAllListed() async throws {
        let answer = try await World().ask(.get, "/api/get-watermarking-methods")
        #expect(answer.status == 200)
        let names = answer.list("methods").compactMap { $0["name"] as? String }
        #expect(names.contains("robust-xmp"))
        #expect(names.contains("word-shift"))
        #expect(answer.number("count") == names.count)
        let honest = answer.list("methods").first { $0["name"] as? String == "robust-xmp" }?["description"] as? String
        #expect(honest?.contains("older than what it promises") == true)
    }

    @Test func aVersionIsMadeServedListedAndRead() async throws {
        let world = try await World()
        let alice = try await world.person("alice")
        let id = try await world.document(alice.token, name: "Annual Report.pdf")
        let made = try await world.version(
            of: id, token: alice.token, recipient: "Bob & Söhne", and: ["position": "metadata-only"])
        #expect(made.number("documentid") == id)
        #expect(made.text("intended_for") == "Bob & Söhne")
        #expect(made.text("method") == "robust-xmp")
        #expect(made.text("position") == "metadata-only")
        #expect(made.text("filename") == "annual-report__bob-s-hne.pdf")
        let link = try #require(made.text("link"))
        #expect(link.count == 32)

        let copy = try await world.ask(.get, "/api/get-version/\(link)")
        #expect(copy.status == 200)
        #expect(copy.body.count == made.number("size"))
        #expect(copy.headers[.contentType] == "application/pdf")
        #expect(copy.headers[.cacheControl] == "private, max-age=0")
        #expect(copy.headers[.contentDisposition]?.contains("\(link).pdf") == true)

        let listed = try await world.ask(.get, "/api/list-versions/\(id)", token: alice.token).list("versions")
        #expect(listed.count == 1)
        #expect(listed[0]["link"] as? String == link)
        #expect(listed[0]["secret"] as? String == "for bob only")
        let all = try await world.ask(.get, "/api/list-all-versions", token: alice.token).list("versions")
        #expect(all.count == 1)
        #expect(all[0]["secret"] == nil)
        #expect(all[0]["documentid"] as? Int == id)

        // The leak comes back as a new document.
        let leak = try await world.document(alice.token, copy.body)
        let read = try await world.post(
            "/api/read-watermark/\(leak)", ["method": "robust-xmp", "key": "the key", "position": "eof"], token: alice.token)
        #expect(read.status == 201)
        #expect(read.text("secret") == "for bob only")
        #expect(read.number("documentid") == leak)
        #expect(read.text("intended_for") == "Bob & Söhne")
        // One thread through upload, watermark and read.
        let upload = try #require(try await world.events("document_upload").first?["labels.correlation_id"])
        #expect(try await world.events("watermark_create").first?["labels.correlation_id"] == upload)
        #expect(try await world.events("watermark_read").first?["labels.correlation_id"] == upload)
        #expect(try await world.events("version_retrieved").first?["labels.correlation_id"] == upload)
        let metrics = try await world.metrics()
        #expect(metrics.contains("tatou_watermarks_created_total{method=\"robust-xmp\"} 1"))
        #expect(metrics.contains("tatou_watermarks_read_total{method=\"robust-xmp\"} 1"))
        #expect(metrics.contains("tatou_watermark_duration_seconds_count{method=\"robust-xmp\"} 2"))
    }

    @Test(arguments: ["id", "documentid"]) func identifiersMayStandInTheBodyOrQuery(name: String) async throws {
        let world = try await World()
        let alice = try await world.person("alice")
        let id = try await world.document(alice.token)
        let order: [String: Any] = ["method": "robust-xmp", "intended_for": "b", "secret": "s", "key": "k"]
        var withIdentifier = order
        withIdentifier[name] = id
        #expect(try await world.post("/api/create-watermark", withIdentifier, token: alice.token).status == 201)
        #expect(try await world.post("/api/create-watermark?\(name)=\(id)", order, token: alice.token).status == 201)
        #expect(try await world.ask(.get, "/api/list-versions?\(name)=\(id)", token: alice.token).list("versions").count == 2)
    }

    @Test(arguments: ["method", "intended_for", "secret", "key"]) func nothingOfAnOrderMayBeMissing(name: String) async throws {
        let world = try await World()
        let alice = try await world.person("alice")
        let id = try await world.document(alice.token)
        var order: [String: Any] = ["method": "robust-xmp", "intended_for": "b", "secret": "s", "key": "k"]
        order[name] = ""
        let empty = try await world.post("/api/create-watermark/\(id)", order, token: alice.token)
        #expect(empty.status == 400)
        #expect(empty.error == "method, intended_for, secret, and key are required")
        order[name] = 5
        #expect(try await world.post("/api/create-watermark/\(id)", order, token: alice.token).status == 400)
        order[name] = String(repeating: "x", count: 5000)
        #expect(try await world.post("/api/create-watermark/\(id)", order, token: alice.token).status == 400)
        #expect(world.folder.files("versions").isEmpty)
        #expect(world.folder.files("staging").isEmpty)
    }

    @Test func anUnknownOrUnfitMethodIsABadRequest() async throws {
        let world = try await World()
        let alice = try await world.person("alice")
        let id = try await world.document(alice.token)
        func ask(_ method: String) async throws -> Answer {
            try await world.post(
                "/api/create-watermark/\(id)", ["method": method, "intended_for": "b", "secret": "s", "key": "k"],
                token: alice.token)
        }
        let unknown = try await ask("bash-bridge-eof")
        #expect(unknown.status == 400)
        #expect(unknown.error == "unknown watermarking method")
        let unfit = try await ask("word-shift")
        #expect(unfit.status == 400)
        #expect(unfit.error?.hasPrefix("watermarking method not applicable") == true)
        #expect(
            try await world.metrics().contains(
                "tatou_watermarks_failed_total{method=\"word-shift\",stage=\"applicability\"} 1"))
        #expect(world.folder.files("versions").isEmpty)
    }

    @Test func readingSaysWhyItFailed() async throws {
        let world = try await World()
        let alice = try await world.person("alice")
        let id = try await world.document(alice.token)
        let copy = try await world.version(of: id, token: alice.token)
        let bytes = try await world.ask(.get, "/api/get-version/\(copy.text("link") ?? "")").body
        let leak = try await world.document(alice.token, bytes)
        let none = try await world.post("/api/read-watermark/\(id)", ["method": "robust-xmp", "key": "k"], token: alice.token)
        #expect(none.status == 400)
        let wrong = try await world.post(
            "/api/read-watermark/\(leak)", ["method": "robust-xmp", "key": "no"], token: alice.token)
        #expect(wrong.status == 400)
        #expect(try await world.events("watermark_read").map { $0["event.reason"] } == ["not_marked", "wrong_key"])
        let missing = try await world.post("/api/read-watermark/\(leak)", ["method": "robust-xmp"], token: alice.token)
        #expect(missing.status == 400)
        #expect(missing.error == "method, and key are required")
    }

    @Test func aLeakThatLostItsTokenIsTracedAmongTheOwnersVersions() async throws {
        let world = try await World()
        let alice = try await world.person("alice")
        let id = try await world.document(alice.token)
        _ = try await world.version(of: id, token: alice.token)
        let name = try #require(world.processing.script.withLock { $0.orders.first?.version })
        world.processing.script.withLock { $0.traced.accused = [.init(version: name, score: 9, falsePositiveBound: 1e-12)] }
        let leak = try await world.document(alice.token, SamplePDF.make("leak"))
        let read = try await world.post("/api/read-watermark/\(leak)", ["method": "word-shift", "key": "k"], token: alice.token)
        #expect(read.status == 201)
        #expect(read.text("secret") == "for bob only")
        #expect(read.text("intended_for") == "bob")
    }

    @Test func aLinkMayWorkOnce() async throws {
        let world = try await World()
        let alice = try await world.person("alice")
        let id = try await world.document(alice.token)
        let link = try #require(try await world.version(of: id, token: alice.token, and: ["one_time": true]).text("link"))
        #expect(try await world.ask(.head, "/api/get-version/\(link)").status == 200)
        // What can be had once is had as a whole.
        let copy = try await world.ask(.get, "/api/get-version/\(link)", headers: [.range: "bytes=0-3"])
        #expect(copy.status == 200)
        #expect(copy.body.count > 4)
        #expect(try await world.ask(.get, "/api/get-version/\(link)").status == 410)
        #expect(
            try await world.post(
                "/api/create-watermark/\(id)",
                ["method": "robust-xmp", "intended_for": "b", "secret": "s", "key": "k", "one_time": 1], token: alice.token
            ).status == 400)
    }

    @Test func aLinkMayEnd() async throws {
        let world = try await World()
        let alice = try await world.person("alice")
        let id = try await world.document(alice.token)
        let link = try #require(try await world.version(of: id, token: alice.token, and: ["expires_in": 60]).text("link"))
        #expect(try await world.ask(.get, "/api/get-version/\(link)").status == 200)
        world.hands.advance(seconds: 60)
        #expect(try await world.ask(.get, "/api/get-version/\(link)").status == 410)
    }

    @Test(arguments: ["0", "paper.pdf", "..%2F..%2Ftatou.db", "%2e%2e", String(repeating: "0", count: 32), "' OR 1=1 --"])
    func guessedLinksFindNothing(link: String) async throws {
        let world = try await World()
        let escaped = link.contains("%") ? link : link.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
        let answer = try await world.ask(.get, "/api/get-version/\(escaped)")
        #expect(answer.status == 404)
        #expect(try await world.events("version_retrieved").map { $0["event.reason"] } == ["forbidden"])
    }

    @Test func whoGuessesLinksIsSlowedDown() async throws {
        let world = try await World { $0.rates.unknownLink = RateLimit("unknown-links", requests: 3, per: .seconds(86_400)) }
        let alice = try await world.person("alice")
        let link = try #require(
            try await world.version(of: try await world.document(alice.token), token: alice.token).text("link"))
        var statuses: [Int] = []
        for guess in 0..<5 { statuses.append(try await world.ask(.get, "/api/get-version/\(guess)").status) }
        #expect(statuses == [404, 404, 404, 429, 429])
        #expect(try await world.ask(.get, "/api/get-version/\(link)").status == 200)
    }

    @Test func aCopyThatWasChangedIsNotServed() async throws {
        let world = try await World()
        let alice = try await world.person("alice")
        let id = try await world.document(alice.token)
        let link = try #require(try await world.version(of: id, token: alice.token).text("link"))
        #expect(try await world.ask(.get, "/api/get-version/\(link)").status == 200)
        let file = "\(world.folder.path)/versions/\(try #require(world.folder.files("versions").first))"
        let bytes = try #require(FileManager.default.contents(atPath: file))
        try (bytes + Data("tampered".utf8)).write(to: URL(fileURLWithPath: file))
        #expect(try await world.ask(.get, "/api/get-version/\(link)").status == 410)
        #expect(try await world.events("watermark_verify").map { $0["event.reason"] } == ["hash_mismatch"])
        try FileManager.default.removeItem(atPath: file)
        #expect(try await world.ask(.get, "/api/get-version/\(link)").status == 410)
        #expect(try await world.events("watermark_verify").last?["event.reason"] == "missing")
    }

    @Test func versionsOfTheSameNameAndRecipientStandBesideEachOther() async throws {
        let world = try await World()
        let alice = try await world.person("alice")
        let id = try await world.document(alice.token)
        var links: Set<String> = []
        for _ in 0..<5 { links.insert(try await world.version(of: id, token: alice.token).text("link") ?? "") }
        #expect(links.count == 5)
        for link in links { #expect(try await world.ask(.get, "/api/get-version/\(link)").status == 200) }
        // They go with their document.
        #expect(try await world.ask(.delete, "/api/delete-document/\(id)", token: alice.token).status == 200)
        #expect(world.folder.files("versions").isEmpty)
        for link in links { #expect(try await world.ask(.get, "/api/get-version/\(link)").status == 404) }
    }

    @Test func plugInsAreGone() async throws {
        let world = try await World()
        let alice = try await world.person("alice")
        let answer = try await world.post("/api/load-plugin", ["filename": "../x.pkl", "overwrite": true], token: alice.token)
        #expect(answer.status == 410)
        #expect(try await world.post("/api/load-plugin", [:]).status == 401)
    }

    @Test func aMarkThatSaysSomethingElseThanWasIssuedIsTampering() async throws {
        let world = try await World()
        let alice = try await world.person("alice")
        let id = try await world.document(alice.token)
        // Under other words in the table than in the file: what a database that was changed looks like.
        let copy = try await world.version(of: id, token: alice.token)
        let bytes = try await world.ask(.get, "/api/get-version/\(copy.text("link") ?? "")").body
        let leak = try await world.document(alice.token, bytes)
        let version = try #require(try await world.platform.versions.versions(owner: Int64(alice.id)).first?.version)
        let document = try await world.platform.documents.document(Int64(leak), for: Int64(alice.id))
        let reading = try await world.platform.versions.read(document, method: "robust-xmp", key: "the key")
        #expect(reading.version?.id == version.id)
        #expect(!reading.isMismatch)
    }
}
