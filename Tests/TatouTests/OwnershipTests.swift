import Foundation
import HTTPTypes
import OpenAPICheck
import Testing

@testable import Guard
@testable import Tatou

/// Everybody × everything × every route: somebody else's object is answered as if there were none.
///
/// The routes are those of the OpenAPI document, which `ContractTests` holds against the router.
@Suite("Whose objects they are") struct OwnershipTests {
    /// Alice has a document, a marked copy of it that came back, and the link of that copy; Bob has a document of his own.
    private struct Stage {
        let world: World
        let alice: Person
        let bob: Person
        let original: Int
        let copy: Int
        let link: String
        let version: Int
        let bobs: Int
        /// What nobody else may learn of her objects.
        let words: [String]

        init() async throws {
            world = try await World(handshake: HandshakeTests.Fixed())
            alice = try await world.person("alice")
            bob = try await world.person("bob")
            bobs = try await world.document(bob.token, SamplePDF.make("of Bob"), name: "bobs.pdf")
            original = try await world.document(alice.token, SamplePDF.make("alices words"), name: "alices minutes.pdf")
            let made = try await world.version(
                of: original, token: alice.token, secret: "alices secret", recipient: "alices recipient")
            link = try #require(made.text("link"))
            version = try #require(made.number("id"))
            let bytes = try await world.ask(.get, "/api/get-version/\(link)").body
            copy = try await world.document(alice.token, bytes, name: "alices leak.pdf")
            let listed = try await world.ask(.get, "/api/list-documents", token: alice.token).list("documents")
            words =
                ["alices", alice.email, link, String(link.prefix(12)), "%PDF"]
                + listed.compactMap { $0["sha256"] as? String } + world.folder.files("documents") + world.folder.files("versions")
        }

        /// For a document the marked copy, of which every route can do what it is for.
        func value(_ object: ObjectRoute.Object) -> String { object == .link ? link : String(copy) }

        func leaks(_ answer: Answer) -> [String] {
            let told = answer.string + answer.headers.map { "\($0.name): \($0.value)" }.joined(separator: "\n")
            return words.filter(told.contains)
        }

        /// All that she has, as she sees it.
        func everything() async throws -> [String] {
            var seen: [String] = []
            for path in [
                "/api/list-documents", "/api/list-all-versions", "/api/list-versions/\(original)",
                "/api/get-document/\(original)",
                "/api/get-document/\(copy)", "/api/get-version/\(link)",
            ] { seen.append(try await world.ask(.get, path, token: alice.token).string) }
            return seen
        }

        func decide(_ verb: String, id: String = UUID().uuidString, _ change: (inout DecisionMessage.Record) -> Void) {
            var record = DecisionMessage.Record(id: id, verb: verb)
            change(&record)
            let decisions = world.platform.protection.decisions
            decisions.add(Decision(record), sequence: decisions.read { $0.table.sequence } + 1)
        }

        func end(_ id: String) {
            let decisions = world.platform.protection.decisions
            decisions.remove(id: id, sequence: decisions.read { $0.table.sequence } + 1)
        }
    }

    private let routes: [ObjectRoute]

    init() async throws {
        routes = try ObjectRoute.all(SchemaCheck(document: try await World().ask(.get, "/api/openapi.json").object))
        // Routes by path, by query and by body, for documents and links: a table that became empty would say nothing.
        try #require(routes.count >= 25 && routes.contains { $0.object == .link })
    }

    @Test("the owner gets what is described, by every way to name an object") func owner() async throws {
        for route in routes {
            let stage = try await Stage()
            let answer = try await route.ask(stage.world, stage.value(route.object), as: stage.alice.token)
            #expect(answer.status == route.success, "\(route): \(answer.status) \(answer.string.prefix(200))")
        }
    }

    @Test("another user's answer is that of an object that there is not, and tells nothing of it") func anotherUser() async throws
    {
        let stage = try await Stage()
        let before = try await stage.everything()
        var denials = 0
        for route in routes where route.object == .document {
            for method in route.methods {
                for id in [stage.original, stage.copy] {
                    let foreign = try await route.ask(stage.world, String(id), as: stage.bob.token, method: method)
                    let missing = try await route.ask(stage.world, "4711", as: stage.bob.token, method: method)
                    #expect(foreign.status == 404 && missing.status == 404, "\(route): \(foreign.status), \(missing.status)")
                    // Nothing tells the two apart but what is different in every answer.
                    #expect(foreign.error == missing.error, "\(route)")
                    #expect(foreign.object.keys.sorted() == (method == .head ? [] : ["error", "request_id"]), "\(route)")
                    let names = [foreign, missing].map { $0.headers.map(\.name.canonicalName).sorted() }
                    #expect(names[0] == names[1], "\(route)")
                    #expect(stage.leaks(foreign).isEmpty, "\(route) tells \(stage.leaks(foreign))")
                    denials += 1
                }
            }
        }
        #expect(try await stage.everything() == before)
        // The log knows, and knows whose it was.
        let events = try await stage.world.log().split(separator: "\n").filter { $0.contains("\"event.reason\":\"not_owner\"") }
        #expect(events.count == denials)
        for event in events {
            #expect(
                event.contains("\"user.id\":\"\(stage.bob.id)\"") && event.contains("\"resource.owner.id\":\"\(stage.alice.id)\"")
            )
        }
    }

    @Test("without a sign-in, after a sign-out and with another's token nothing is told") func withoutSession() async throws {
        let stage = try await Stage()
        let ended = try await stage.world.signIn(stage.alice.email, stage.alice.password)
        _ = try await stage.world.ask(.post, "/api/logout", token: ended)
        let revoked = try await stage.world.signIn(stage.alice.email, stage.alice.password)
        let identifier = try #require(try await stage.world.events("login").last?["token.id"])
        stage.decide("revoke") { $0.token = identifier }
        let exchanged = try await stage.world.signIn(stage.alice.email, stage.alice.password)
        #expect(try await stage.world.ask(.post, "/api/refresh-token", token: exchanged).status == 200)
        let before = try await stage.everything()
        for route in routes where route.object == .document {
            for method in route.methods {
                for token in [nil, "", ended, revoked, exchanged, String(repeating: "0", count: 64)] {
                    for id in [String(stage.copy), "4711"] {
                        let answer = try await route.ask(stage.world, id, as: token, method: method)
                        #expect(answer.status == 401, "\(route): \(answer.status)")
                        #expect(stage.leaks(answer).isEmpty, "\(route) tells \(stage.leaks(answer))")
                    }
                }
            }
        }
        #expect(try await stage.everything() == before)
    }

    @Test("a disabled account gets nothing, its own objects neither") func disabledAccount() async throws {
        let stage = try await Stage()
        let before = try await stage.everything()
        for person in [stage.alice, stage.bob] { stage.decide("disable", id: person.email) { $0.user = String(person.id) } }
        for route in routes where route.object == .document {
            for method in route.methods {
                for token in [stage.alice.token, stage.bob.token] {
                    let answer = try await route.ask(stage.world, String(stage.copy), as: token, method: method)
                    #expect(answer.status == 403, "\(route): \(answer.status)")
                    #expect(stage.leaks(answer).isEmpty, "\(route) tells \(stage.leaks(answer))")
                }
            }
        }
        for person in [stage.alice, stage.bob] { stage.end(person.email) }
        #expect(try await stage.everything() == before)
    }

    @Test("what is in quarantine is not there, for its owner neither, and stays as it is") func quarantined() async throws {
        let stage = try await Stage()
        for id in [stage.original, stage.copy] {
            stage.decide("quarantine") { $0.object = .init(type: "document", id: String(id)) }
        }
        let files = stage.world.folder.files("documents") + stage.world.folder.files("versions")
        for route in routes {
            for method in route.methods {
                for token in [stage.alice.token, stage.bob.token] {
                    let answer = try await route.ask(stage.world, stage.value(route.object), as: token, method: method)
                    #expect(answer.status == 404, "\(route): \(answer.status)")
                    #expect(stage.leaks(answer).isEmpty, "\(route) tells \(stage.leaks(answer))")
                }
            }
        }
        #expect(stage.world.folder.files("documents") + stage.world.folder.files("versions") == files)
    }

    @Test("a link opens its copy to everybody, and no other link opens anything") func links() async throws {
        let stage = try await Stage()
        stage.decide("disable") { $0.user = String(stage.bob.id) }
        let last = try #require(stage.link.last)
        let guesses =
            [
                String(stage.link.dropLast()) + (last == "0" ? "1" : "0"), String(stage.link.dropLast()), stage.link + "0",
                stage.link.uppercased() == stage.link ? stage.link + "x" : stage.link.uppercased(), String(stage.version),
                String(stage.copy), String(repeating: "0", count: 32),
            ] + stage.world.folder.files("versions").map { String($0.dropLast(4)) }
        for route in routes where route.object == .link {
            for method in route.methods {
                for token in [stage.alice.token, stage.bob.token, nil, "no token"] {
                    let answer = try await route.ask(stage.world, stage.link, as: token, method: method)
                    #expect(answer.status == route.success, "\(route): \(answer.status)")
                    for guess in guesses {
                        let answer = try await route.ask(stage.world, guess, as: token, method: method)
                        #expect(answer.status == 404, "\(route) \(guess): \(answer.status)")
                        #expect(stage.leaks(answer).filter { !guess.contains($0) }.isEmpty, "\(route) \(guess)")
                    }
                }
            }
        }
        stage.decide("quarantine") { $0.object = .init(type: "version", id: String(stage.version)) }
        for route in routes where route.object == .link {
            #expect(try await route.ask(stage.world, stage.link, as: stage.alice.token).status == 404, "\(route)")
        }
    }

    @Test("where a request names two objects, the one that is not acted upon opens nothing") func twoObjects() async throws {
        let stage = try await Stage()
        let before = try await stage.everything()
        let asked: [(HTTPRequest.Method, String)] = [
            (.get, "/api/get-document?id=\(stage.bobs)&documentid=\(stage.copy)"),
            (.get, "/api/get-document?documentid=\(stage.copy)&id=\(stage.bobs)"),
            (.get, "/api/get-document/\(stage.bobs)?id=\(stage.copy)"),
            (.get, "/api/list-versions/\(stage.bobs)?documentid=\(stage.original)"),
            (.get, "/api/get-document?id=\(stage.copy)&documentid=\(stage.bobs)"),
            (.get, "/api/get-document?id=\(stage.copy)&id=\(stage.bobs)"),
            (.get, "/api/get-document/\(stage.copy)?id=\(stage.bobs)"),
        ]
        for (method, path) in asked {
            let answer = try await stage.world.ask(method, path, token: stage.bob.token)
            #expect([200, 404].contains(answer.status), "\(path)")
            #expect(stage.leaks(answer).filter { $0 != "%PDF" }.isEmpty, "\(path) tells \(stage.leaks(answer))")
        }
        // The path decides; the identifier in the body is somebody else's.
        for (path, more) in [("create", ["intended_for": "b", "secret": "s"]), ("read", [:])] {
            for member in ["id", "documentid"] {
                let order = ["method": "robust-xmp", "key": "the key", member: stage.copy].merging(more) { $1 }
                let answer = try await stage.world.post("/api/\(path)-watermark/\(stage.bobs)", order, token: stage.bob.token)
                #expect(stage.leaks(answer).isEmpty, "\(path)")
            }
        }
        let deleted = try await stage.world.ask(
            .delete, "/api/delete-document/\(stage.bobs)", token: stage.bob.token, body: Array("{\"id\":\(stage.copy)}".utf8))
        #expect(deleted.number("id") == stage.bobs)
        #expect(try await stage.everything() == before)
    }

    /// Two people of the same login saw each other's versions upstream; here nothing is looked up by login.
    @Test("lists hold only one's own: no route without an object tells of somebody else's") func lists() async throws {
        let stage = try await Stage()
        let document = SchemaCheck(document: try await stage.world.ask(.get, "/api/openapi.json").object)
        for (path, method, _) in document.operations where method == "GET" && !path.contains("{") {
            let answer = try await stage.world.ask(.get, path, token: stage.bob.token)
            #expect(stage.leaks(answer).isEmpty, "\(path) tells \(stage.leaks(answer))")
        }
        #expect(try await stage.world.ask(.get, "/api/list-all-versions", token: stage.bob.token).list("versions").isEmpty)
        #expect(try await stage.world.ask(.get, "/api/list-all-versions", token: stage.alice.token).list("versions").count == 1)
    }
}
