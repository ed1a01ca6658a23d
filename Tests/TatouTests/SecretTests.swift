import Foundation
import HTTPTypes
import Testing

@testable import Tatou

/// What must be known to nobody but its owner is planted in every place that takes it, and looked for in every place that tells.
@Suite struct SecretTests {
    @Test func plantedSecretsAreNowhere() async throws {
        let world = try await World()
        let alice = try await world.person("alice")
        let bob = try await world.person("bob")
        let secret = "planted-secret-9f3a"
        let key = "planted-key-77c1"
        let password = "planted-password-51e0"
        let content = "planted content 0b42"
        let id = try await world.document(alice.token, SamplePDF.make(content))
        let made = try await world.version(of: id, token: alice.token, secret: secret, key: key)
        let link = try #require(made.text("link"))

        var errors = ""
        func note(_ answer: Answer) {
            if answer.status >= 400 { errors += answer.string }
        }
        note(try await world.post("/api/login", ["email": alice.email, "password": password]))
        note(try await world.post("/api/create-user", ["login": "alice", "email": alice.email, "password": password]))
        note(try await world.post("/api/create-user", ["login": "x", "email": "planted", "password": password]))
        _ = try await world.ask(.get, "/api/get-version/\(link)")
        note(try await world.ask(.get, "/api/get-version/\(link)x"))
        note(try await world.ask(.get, "/api/get-version/%\(String(link.utf8.first ?? 0, radix: 16))\(link.dropFirst())"))
        note(try await world.ask(.get, "/api/get-version/\(link)?token=\(alice.token)"))
        let copy = try await world.ask(.get, "/api/get-version/\(link)").body
        let leak = try await world.document(alice.token, copy)
        for (method, tried) in [("robust-xmp", key), ("robust-xmp", key + "x"), ("nonsense", key), ("word-shift", key)] {
            note(try await world.post("/api/read-watermark/\(leak)", ["method": method, "key": tried], token: alice.token))
            note(try await world.post("/api/read-watermark/\(leak)", ["method": method, "key": tried], token: bob.token))
            note(
                try await world.post(
                    "/api/create-watermark/\(id)", ["method": method, "key": tried, "secret": secret, "intended_for": "b"],
                    token: bob.token))
            note(
                try await world.post(
                    "/api/create-watermark/\(id)", ["method": method, "key": tried, "secret": secret, "intended_for": 1],
                    token: alice.token))
        }
        note(try await world.ask(.get, "/api/list-documents", token: alice.token + "0"))
        note(try await world.ask(.get, "/api/list-documents?access_token=\(alice.token)"))
        _ = try await world.ask(.post, "/api/logout", token: bob.token)
        note(try await world.ask(.get, "/api/list-documents", token: bob.token))

        let told = [("log", try await world.log()), ("metrics", try await world.metrics()), ("errors", errors)]
        let secrets = [
            secret, key, password, content, alice.token, bob.token, alice.password, bob.password, link, World.metricsToken,
        ]
        for (place, text) in told {
            #expect(!text.isEmpty)
            for secret in secrets { #expect(!text.contains(secret), "\(secret) is in the \(place)") }
        }
        // Neither are they in the database's files: links and secrets are sealed, tokens and passwords digested, keys not kept.
        let files = try FileManager.default.contentsOfDirectory(atPath: world.folder.path).filter { $0.hasPrefix("tatou.db") }
        #expect(files.contains("tatou.db"))
        for file in files {
            let bytes = try #require(FileManager.default.contents(atPath: "\(world.folder.path)/\(file)"))
            for secret in [secret, key, alice.token, alice.password, link] {
                #expect(bytes.firstRange(of: Data(secret.utf8)) == nil, "\(secret) is in \(file)")
            }
        }
    }

    @Test("a password that was typed where the address belongs is in no log") func passwordsInTheWrongField() async throws {
        let world = try await World()
        for name in ["planted-password-51e0", "planted@password-51e0", "planted password@51e0.example"] {
            #expect(try await world.post("/api/login", ["email": name, "password": "x"]).status == 401)
            let form = ["email": name, "login": "alice", "password": "a fine password"]
            #expect(try await world.post("/api/create-user", form).status == 400)
            #expect(try await world.post("/api/create-user", ["email": name]).status == 400)
        }
        #expect(try await world.log().contains("planted") == false)
        #expect(try await world.events("login").map { $0["user.name"] } == Array(repeating: "(no address)", count: 3))
        // Whom somebody tries to be is what rules count by.
        _ = try await world.post("/api/login", ["email": " Nobody@Example.org", "password": "x"])
        #expect(try await world.events("login").last?["user.name"] == "nobody@example.org")
    }

    @Test func metricsAreToldToNobodyElse() async throws {
        let world = try await World()
        let name = try #require(HTTPField.Name("x-metrics-token"))
        #expect(try await world.ask(.get, "/metrics").status == 404)
        #expect(try await world.ask(.get, "/metrics", headers: [name: "wrong"]).status == 404)
        #expect(try await world.ask(.get, "/metrics", headers: [name: World.metricsToken]).status == 200)
    }

    /// Labels are routes, methods and reasons of ours: what clients write never makes a series.
    @Test func clientsMakeNoSeries() async throws {
        let world = try await World()
        let alice = try await world.person("alice")
        let before = try await world.metrics().split(separator: "\n").count
        let id = try await world.document(alice.token)
        _ = try await world.metrics()
        let settled = try await world.metrics().split(separator: "\n").count
        #expect(settled > before)
        for number in 0..<20 {
            _ = try await world.post(
                "/api/create-watermark/\(id)", ["method": "m\(number)", "intended_for": "b", "secret": "s", "key": "k"],
                token: alice.token)
            _ = try await world.post(
                "/api/read-watermark/\(id)", ["method": "m\(number)", "key": "k"], token: alice.token)
            _ = try await world.ask(.get, "/api/get-version/\(number)")
            _ = try await world.ask(.get, "/nothing-\(number)")
        }
        let after = try await world.metrics()
        for number in 0..<20 { #expect(!after.contains("\"m\(number)\"") && !after.contains("nothing-\(number)")) }
    }

    @Test func theSeriesOfTheDocumentsAreThere() async throws {
        let world = try await World()
        let alice = try await world.person("alice")
        let id = try await world.document(alice.token)
        _ = try await world.version(of: id, token: alice.token)
        let text = try await world.metrics()
        for series in [
            "tatou_http_requests_total{method=\"POST\",route=\"/api/login\",status=\"200\"} 1",
            "tatou_http_request_duration_seconds_count{method=\"POST\",route=\"/api/login\"} 1",
            "tatou_http_requests_in_progress_total{route=\"/api/login\"} 0", "tatou_http_request_body_bytes_bucket",
            "tatou_login_successes_total 1", "tatou_uploads_total 1", "tatou_upload_bytes_total \(SamplePDF.make().count)",
            "tatou_watermarks_created_total{method=\"robust-xmp\"} 1",
            "tatou_db_query_duration_seconds_count{operation=\"insert_document\"} 1",
            "tatou_db_query_duration_seconds_count{operation=\"login_select\"} 1",
        ] { #expect(text.contains(series), "\(series)") }
    }
}
