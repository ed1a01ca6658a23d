import HTTPTypes
import Testing

@testable import Tatou

/// Everybody × everything × every route: somebody else's object is answered as if there were none.
@Suite struct OwnershipTests {
    struct Route: Sendable, CustomTestStringConvertible {
        var method: HTTPRequest.Method
        var path: String
        var body: String?
        var success: Int

        var testDescription: String { "\(method) \(path)" }

        private static let order = #""method":"robust-xmp","intended_for":"b","secret":"s","key":"the key""#

        static let all: [Route] = [
            Route(method: .get, path: "/api/get-document/ID", success: 200),
            Route(method: .head, path: "/api/get-document/ID", success: 200),
            Route(method: .get, path: "/api/get-document?id=ID", success: 200),
            Route(method: .get, path: "/api/get-document?documentid=ID", success: 200),
            Route(method: .get, path: "/api/inspect-document/ID", success: 200),
            Route(method: .get, path: "/api/list-versions/ID", success: 200),
            Route(method: .get, path: "/api/list-versions?id=ID", success: 200),
            Route(method: .get, path: "/api/list-versions?documentid=ID", success: 200),
            Route(method: .post, path: "/api/create-watermark/ID", body: "{\(order)}", success: 201),
            Route(method: .post, path: "/api/create-watermark", body: "{\(order),\"id\":ID}", success: 201),
            Route(method: .post, path: "/api/create-watermark?documentid=ID", body: "{\(order)}", success: 201),
            Route(method: .post, path: "/api/read-watermark/ID", body: #"{"method":"robust-xmp","key":"the key"}"#, success: 201),
            Route(
                method: .post, path: "/api/read-watermark", body: #"{"method":"robust-xmp","key":"the key","id":ID}"#,
                success: 201),
            Route(method: .delete, path: "/api/delete-document/ID", success: 200),
            Route(method: .delete, path: "/api/delete-document?id=ID", success: 200),
            Route(method: .post, path: "/api/delete-document", body: #"{"id":ID}"#, success: 200),
            Route(method: .post, path: "/api/delete-document", body: #"{"documentid":"ID"}"#, success: 200),
        ]

        func ask(_ world: World, _ id: Int, as token: String?) async throws -> Answer {
            try await world.ask(
                method, path.replacing("ID", with: String(id)), token: token,
                body: body.map { Array($0.replacing("ID", with: String(id)).utf8) })
        }
    }

    @Test(arguments: Route.all) func onlyTheOwnerGetsAnywhere(route: Route) async throws {
        let world = try await World()
        let alice = try await world.person("alice")
        let bob = try await world.person("bob")
        // A marked document, so that reading it can succeed.
        let original = try await world.document(alice.token)
        let link = try await world.version(of: original, token: alice.token).text("link") ?? ""
        let hers = try await world.document(alice.token, try await world.ask(.get, "/api/get-version/\(link)").body)
        let nobodys = 4711

        let foreign = try await route.ask(world, hers, as: bob.token)
        let missing = try await route.ask(world, nobodys, as: bob.token)
        #expect(foreign.status == 404)
        #expect(missing.status == 404)
        // Nothing tells the two apart but what is different in every answer.
        #expect(foreign.error == missing.error)
        #expect(foreign.headers.map(\.name.canonicalName).sorted() == missing.headers.map(\.name.canonicalName).sorted())
        #expect(try await route.ask(world, hers, as: nil).status == 401)

        // The log knows, and knows whose it was.
        let denials = try await world.log().split(separator: "\n").filter { $0.contains("\"event.reason\":\"not_owner\"") }
        #expect(denials.count == 1)
        #expect(denials.first?.contains("\"user.id\":\"\(bob.id)\"") == true)
        #expect(denials.first?.contains("\"resource.owner.id\":\"\(alice.id)\"") == true)
        #expect(denials.first?.contains("\"resource.id\":\"\(hers)\"") == true)

        // It is all there still, and it is hers.
        #expect(try await route.ask(world, hers, as: alice.token).status == route.success)
    }

    /// Two people of the same login saw each other's versions upstream; here nothing is looked up by login.
    @Test func listsHoldOnlyOnesOwn() async throws {
        let world = try await World()
        let alice = try await world.person("alice")
        let bob = try await world.person("bob")
        let id = try await world.document(alice.token)
        _ = try await world.version(of: id, token: alice.token)
        #expect(try await world.ask(.get, "/api/list-documents", token: bob.token).list("documents").isEmpty)
        #expect(try await world.ask(.get, "/api/list-all-versions", token: bob.token).list("versions").isEmpty)
        #expect(try await world.ask(.get, "/api/list-all-versions", token: alice.token).list("versions").count == 1)
    }

    @Test func everyRouteOfTheContractAsksForASignIn() async throws {
        let world = try await World()
        let paths: [(HTTPRequest.Method, String)] = [
            (.post, "/api/upload-document"), (.get, "/api/list-documents"), (.get, "/api/list-versions/1"),
            (.get, "/api/list-all-versions"), (.get, "/api/get-document/1"), (.delete, "/api/delete-document/1"),
            (.post, "/api/delete-document"), (.post, "/api/create-watermark/1"), (.post, "/api/read-watermark/1"),
            (.post, "/api/load-plugin"), (.post, "/api/logout"), (.post, "/api/logout-all"), (.post, "/api/refresh-token"),
        ]
        for (method, path) in paths {
            let answer = try await world.ask(method, path)
            #expect(answer.status == 401, "\(path)")
            #expect(answer.error == "Missing or invalid Authorization header", "\(path)")
        }
    }
}
