import Foundation
import GRDB
import Glibc
import Testing

@testable import Tatou

/// The program itself, with its worker, ended in between.
@Suite("Killed and started again", .timeLimit(.minutes(20))) struct KillTests {
    private func signIn(_ server: Server) throws -> String {
        let password = "correct horse battery"
        _ = try server.client.post("/api/create-user", ["login": "alice", "email": "alice@example.org", "password": password])
        let answer = try server.client.post("/api/login", ["email": "alice@example.org", "password": password])
        return try #require(answer?.text("token"))
    }

    @Test("the whole way, through the worker") func serves() throws {
        let folder = try Folder()
        let server = try Server(data: folder.path)
        let token = try signIn(server)
        let uploaded = try #require(server.client.upload(SamplePDF.make("The whole way"), token: token))
        #expect(uploaded.status == 201, "\(uploaded.string)")
        let id = try #require(uploaded.number("id"))
        let order = ["method": "robust-xmp", "intended_for": "bob", "secret": "for bob", "key": "the key"]
        let made = try #require(try server.client.post("/api/create-watermark/\(id)", order, token: token))
        #expect(made.status == 201, "\(made.string)")
        let copy = try #require(server.client.ask("GET", "/api/get-version/\(made.text("link") ?? "")"))
        #expect(copy.status == 200)
        let leak = try #require(server.client.upload(copy.body, token: token)?.number("id"))
        let read = try server.client.post(
            "/api/read-watermark/\(leak)", ["method": "robust-xmp", "key": "the key"], token: token)
        #expect(read?.text("secret") == "for bob")
        #expect(server.client.upload(Array("%PDF-1.7\nnonsense".utf8), token: token)?.status == 422)
        #expect(server.stop() == 0)
    }

    /// Another connection holds the database, so that the server waits between the file's name and its row; there it dies.
    @Test("kill -9 between file and row leaves neither", arguments: ["documents", "versions"]) func diesInBetween(
        kind: String
    ) throws {
        let folder = try Folder()
        var server = try Server(data: folder.path)
        let token = try signIn(server)
        let id = try #require(server.client.upload(SamplePDF.make("first"), token: token)?.number("id"))
        let order = ["method": "robust-xmp", "intended_for": "bob", "secret": "for bob", "key": "the key"]
        let link = try #require(try server.client.post("/api/create-watermark/\(id)", order, token: token)?.text("link"))
        #expect(folder.files(kind).count == 1)

        let other = try DatabaseQueue(path: folder.path + "/tatou.db")
        while true {
            try other.writeWithoutTransaction { database in
                try database.execute(sql: "BEGIN IMMEDIATE")
                let work = Thread { [client = server.client] in
                    if kind == "documents" {
                        _ = client.upload(SamplePDF.make("second"), token: token)
                    } else {
                        _ = try? client.post("/api/create-watermark/\(id)", order, token: token)
                    }
                }
                work.start()
                while folder.files(kind).count < 2, !work.isFinished { sched_yield() }
                server.kill()
                try database.execute(sql: "ROLLBACK")
            }
            if folder.files(kind).count == 2 { break }
            // The server waits for the database for five seconds. A machine that did not run this test for so long let it give up before
            // it was killed: it died elsewhere, and dies once more.
            server = try Server(data: folder.path)
        }

        let next = try Server(data: folder.path)
        #expect(folder.files("documents").count == 1 && folder.files("versions").count == 1)
        #expect(folder.files("staging").isEmpty)
        let list = next.client.ask("GET", "/api/list-documents", token: token)
        #expect(list?.list("documents").compactMap { $0["id"] as? Int } == [id])
        let versions = next.client.ask("GET", "/api/list-all-versions", token: token)
        #expect(versions?.list("versions").compactMap { $0["link"] as? String } == [link])
        #expect(next.client.ask("GET", "/api/get-document/\(id)", token: token)?.body == SamplePDF.make("first"))
        #expect(next.client.ask("GET", "/api/get-version/\(link)")?.status == 200)
        #expect(next.stop() == 0)
    }

    @Test("kill -9 on the way in: every document that was accepted is there, and no file without one") func storm() throws {
        let folder = try Folder()
        var accepted: [Int: [UInt8]] = [:]
        var token = ""
        for round in 0..<6 {
            let server = try Server(data: folder.path)
            token = try signIn(server)
            for (id, pdf) in accepted { #expect(server.client.ask("GET", "/api/get-document/\(id)", token: token)?.body == pdf) }
            let count = server.client.ask("GET", "/api/list-documents", token: token)?.list("documents").count ?? 0
            #expect(folder.files("documents").count == count)
            #expect(folder.files("staging").isEmpty)
            // Killed after an upload, at a step of one of the next that the folder shows: while it comes in, or when it has its name.
            let kind = round.isMultiple(of: 2) ? "staging" : "documents"
            let killer = Thread { [identifier = server.identifier] in
                let known = kind == "staging" ? 0 : folder.files(kind).count
                while folder.files(kind).count <= known {
                    guard !Thread.current.isCancelled else { return }
                    sched_yield()
                }
                Glibc.kill(identifier, SIGKILL)
            }
            for number in 0..<1000 {
                let pdf = SamplePDF.make("round \(round) document \(number)")
                guard let answer = server.client.upload(pdf, token: token) else { break }
                #expect(answer.status == 201)
                if let id = answer.number("id") { accepted[id] = pdf }
                if number == 0 { killer.start() }
            }
            killer.cancel()
            server.kill()
        }
        let server = try Server(data: folder.path)
        for (id, pdf) in accepted { #expect(server.client.ask("GET", "/api/get-document/\(id)", token: token)?.body == pdf) }
        #expect(accepted.count >= 6)
    }
}
