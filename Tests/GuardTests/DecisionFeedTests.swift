import Events
import Foundation
import Synchronization
import Testing

@testable import Guard

/// Guard and a Vigie on two sockets; what the other side says, and what it keeps from saying.
@Suite(.timeLimit(.minutes(20))) struct DecisionFeedTests {
    private static let user = ["Authorization: Bearer u-1/t-1/s-1"]

    private func world(_ folder: Folder, vigie port: Int, coldStart: Vigie.ColdStart = .refuseSubjects) throws -> World {
        try World(folder: folder) {
            $0.vigie = Vigie(
                url: "http://127.0.0.1:\(port)", token: "secret-of-tatou", cache: folder.path + "/decisions.ndjson",
                coldStart: coldStart)
        }
    }

    /// A port on which nobody listens.
    private static let nobody = 1

    @Test func `what was decided before and what is decided now is in force, and lifted`() async throws {
        let vigie = FakeVigie(first: 41, [.make("old", "revoke") { $0.token = "t-1" }])
        let folder = try Folder()
        try await withVigie(vigie) { vigiePort async throws in
            let world = try world(folder, vigie: vigiePort)
            try await withApplication(world.router(), services: [world.protection]) { port async throws in
                try await eventually { try await ask(port, "/mine", headers: Self.user).status == 401 }
                try await eventually { vigie.state.withLock { !$0.streams.isEmpty } }
                try vigie.add(.make("new", "block") { $0.address = "127.0.0.1" })
                try await eventually { try await ask(port, "/").status == 403 }
                try vigie.remove("new")
                try await eventually { try await ask(port, "/").status == 200 }
                #expect(vigie.state.withLock { $0.tokens.allSatisfy { $0 == "Bearer secret-of-tatou" } })
                try await eventually { world.protection.decisions.read { $0.durableSequence == 43 && $0.isConnected } }
            }
        }
    }

    @Test func `without cache and Vigie: whoever shows a token waits, others are served`() async throws {
        let world = try world(Folder(), vigie: Self.nobody)
        try await withApplication(world.router(), services: [world.protection]) { port async throws in
            #expect(try await ask(port, "/").status == 200)
            let refused = try await ask(port, "/mine", headers: Self.user)
            #expect(refused.status == 503)
            #expect(refused.header("retry-after") == "5")
            #expect(try await ask(port, "/documents/d-1").status == 503)
        }
    }

    @Test func `without cache and Vigie: nothing is served where that is wanted`() async throws {
        let world = try world(Folder(), vigie: Self.nobody, coldStart: .refuseAll)
        try await withApplication(world.router(), services: [world.protection]) { port async throws in
            #expect(try await ask(port, "/").status == 503)
            #expect(try await ask(port, "/metrics", headers: ["X-Metrics-Token: metrics-token-for-tests"]).status == 200)
        }
    }

    @Test func `without cache and Vigie: everything is served where that is wanted`() async throws {
        let world = try world(Folder(), vigie: Self.nobody, coldStart: .serve)
        try await withApplication(world.router(), services: [world.protection]) { port async throws in
            #expect(try await ask(port, "/mine", headers: Self.user).status == 200)
        }
    }

    @Test func `what was in force stays so when Vigie goes, and when the application starts again without it`() async throws {
        let vigie = FakeVigie()
        let folder = try Folder()
        try await withVigie(vigie) { vigiePort async throws in
            let world = try world(folder, vigie: vigiePort)
            try await withApplication(world.router(), services: [world.protection]) { port async throws in
                try await eventually { vigie.state.withLock { !$0.streams.isEmpty } }
                try vigie.add(.make("a", "revoke") { $0.token = "t-1" })
                try vigie.add(.make("b", "block") { $0.address = "203.0.113.9" })
                try await eventually { world.protection.decisions.read { $0.durableSequence == 2 } }
                vigie.setDown(true)
                try await eventually { world.protection.decisions.read { !$0.isConnected } }
                #expect(try await ask(port, "/mine", headers: Self.user).status == 401)
            }
        }
        let again = try world(folder, vigie: Self.nobody)
        try await withApplication(again.router(), services: [again.protection]) { port async throws in
            #expect(try await ask(port, "/mine", headers: Self.user).status == 401)
            #expect(try await ask(port, "/mine", headers: ["Authorization: Bearer u-1/t-2/s-2"]).status == 200)
            let answer = try await ask(port, "/guard/v1/decisions", headers: ["Authorization: Bearer read-back-token-for-tests"])
            #expect(answer.body.contains(#""sequence":2,"durable_sequence":2,"known":true,"connected":false"#))
        }
    }

    @Test func `changes that were missed are asked for from where they stopped`() async throws {
        let vigie = FakeVigie()
        let folder = try Folder()
        try await withVigie(vigie) { vigiePort async throws in
            let world = try world(folder, vigie: vigiePort)
            try await withApplication(world.router(), services: [world.protection]) { port async throws in
                try await eventually { vigie.state.withLock { !$0.streams.isEmpty } }
                try vigie.add(.make("a", "block") { $0.address = "203.0.113.9" })
                try await eventually { world.protection.decisions.read { $0.table.sequence == 1 } }
                vigie.setDown(true)
                try vigie.add(.make("b", "block") { $0.address = "127.0.0.1" })
                vigie.setDown(false)
                try await eventually { try await ask(port, "/").status == 403 }
                #expect(vigie.state.withLock { $0.snapshots } == 1)
                #expect(vigie.state.withLock { $0.continued } == [0, 1])
            }
        }
    }

    @Test func `where Vigie's numbering began anew everything is asked for again`() async throws {
        let vigie = FakeVigie()
        let folder = try Folder()
        try await withVigie(vigie) { vigiePort async throws in
            let world = try world(folder, vigie: vigiePort)
            try await withApplication(world.router(), services: [world.protection]) { port async throws in
                try await eventually { vigie.state.withLock { !$0.streams.isEmpty } }
                try vigie.add(.make("a", "block") { $0.address = "127.0.0.1" })
                try await eventually { try await ask(port, "/").status == 403 }
                vigie.state.withLock { state in
                    state.epoch = "e2"
                    state.changes = []
                }
                vigie.hangUp()
                try await eventually { try await ask(port, "/").status == 200 }
                try await eventually { vigie.state.withLock { $0.snapshots } >= 2 }
            }
        }
    }

    @Test(arguments: [
        "{\"sequence\":9,\"change\":\"add\",\"decision\":{\"id\":\"x\",\"verb\":\"block\",\"address\":\"127.0.0.1\"}}\n",
        "{\"sequence\":3,\"change\":\"heartbeat\"}\n", "not json\n", "{\"sequence\":1,\"change\":\"explode\"}\n",
        "{\"sequence\":1,\"change\":\"add\"}\n",
    ])
    func `a line that does not fit makes Guard ask again, and lifts nothing`(_ line: String) async throws {
        let vigie = FakeVigie([.make("old", "revoke") { $0.token = "t-1" }])
        let folder = try Folder()
        try await withVigie(vigie) { vigiePort async throws in
            let world = try world(folder, vigie: vigiePort)
            try await withApplication(world.router(), services: [world.protection]) { port async throws in
                try await eventually { vigie.state.withLock { !$0.streams.isEmpty } }
                vigie.say(line)
                try await eventually { vigie.state.withLock { $0.continued.count } >= 2 }
                #expect(try await ask(port, "/mine", headers: Self.user).status == 401)
                #expect(try await ask(port, "/").status == 200)
            }
        }
    }

    @Test(arguments: [
        "", "{}", "[]", #"{"version":2,"epoch":"e","sequence":1,"decisions":[]}"#,
        #"{"version":1,"epoch":"e","sequence":1,"decisions":[{"verb":"block"}]}"#,
    ])
    func `a document that cannot be read is no decision`(_ text: String) async throws {
        let vigie = FakeVigie()
        vigie.state.withLock { $0.garbage = text }
        let folder = try Folder()
        try await withVigie(vigie) { vigiePort async throws in
            let world = try world(folder, vigie: vigiePort)
            try await withApplication(world.router(), services: [world.protection]) { port async throws in
                try await eventually { vigie.state.withLock { $0.snapshots } >= 2 }
                #expect(try await ask(port, "/mine", headers: Self.user).status == 503)
            }
        }
    }
}

@Suite struct DecisionCacheTests {
    private func cache(_ folder: Folder) -> DecisionCache { DecisionCache(path: folder.path + "/state/decisions.ndjson") }

    private func change(_ sequence: Int, add record: DecisionMessage.Record) -> DecisionMessage.Change {
        DecisionMessage.Change(sequence: sequence, change: "add", decision: record, id: nil)
    }

    private func table(_ count: Int) -> DecisionTable {
        DecisionTable(
            epoch: "e", sequence: 7,
            decisions: (0..<count).map { number in Decision(.make("l-\(number)", "revoke") { $0.token = "t-\(number)" }) })
    }

    /// A cache of three decisions and two changes, as bytes.
    private func written(_ folder: Folder) throws -> Data {
        let cache = cache(folder)
        try cache.replace(with: table(3))
        try cache.append([change(8, add: .make("l-8", "revoke") { $0.token = "t-8" })])
        try cache.append([
            DecisionMessage.Change(sequence: 9, change: "remove", decision: nil, id: "l-0")
        ])
        return try Data(contentsOf: URL(filePath: cache.path))
    }

    @Test func `what was written is read`() throws {
        let folder = try Folder()
        _ = try written(folder)
        guard case .whole(let table) = cache(folder).load() else {
            Issue.record("not whole")
            return
        }
        #expect(table.sequence == 9 && table.epoch == "e")
        #expect(table.decisions.keys.sorted() == ["l-1", "l-2", "l-8"])
        #expect(table.tokens["t-8"] != nil && table.tokens["t-0"] == nil)
    }

    @Test func `nobody else can read it`() throws {
        let folder = try Folder()
        _ = try written(folder)
        let mode =
            try FileManager.default.attributesOfItem(atPath: folder.path + "/state/decisions.ndjson")[.posixPermissions] as? Int
        #expect(mode == 0o600)
    }

    /// The law: cut anywhere, the cache never claims to be whole with less than was there before the last change.
    @Test func `cut anywhere, it never lets anybody back in unnoticed`() throws {
        let folder = try Folder()
        let bytes = try written(folder)
        let path = folder.path + "/state/decisions.ndjson"
        let newlines = bytes.indices.filter { bytes[$0] == UInt8(ascii: "\n") }
        for length in 0..<bytes.count {
            try bytes.prefix(length).write(to: URL(filePath: path))
            switch cache(folder).load() {
            case .nothing: Issue.record("a file that is there is not nothing")
            case .damaged(let table): #expect(table.decisions.count <= 4)
            case .whole(let table):
                // Head and three decisions are on the disk before the file has its name.
                #expect(length > newlines[3] - 1)
                #expect(table.tokens["t-1"] != nil && table.tokens["t-2"] != nil)
                #expect(table.sequence == 9 || table.tokens["t-0"] != nil)
                #expect(table.sequence < 8 || table.tokens["t-8"] != nil)
            }
        }
    }

    @Test(arguments: [-1, -4, Int.min, Int.max, 6, 1_000_000])
    func `a number of decisions that cannot be is damage, and what can be read is in force`(count: Int) throws {
        let folder = try Folder()
        let text = String(decoding: try written(folder), as: UTF8.self)
        let changed = text.replacing(#""count":3"#, with: #""count":\#(count)"#)
        #expect(changed != text)
        try Data(changed.utf8).write(to: URL(filePath: folder.path + "/state/decisions.ndjson"))
        guard case .damaged(let table) = cache(folder).load() else {
            Issue.record("not damaged")
            return
        }
        #expect(Set(table.decisions.keys).isSuperset(of: ["l-0", "l-1", "l-2"]))
    }

    @Test func `with any byte changed it never traps, and a lift behind damage is not believed`() throws {
        let folder = try Folder()
        let bytes = try written(folder)
        let path = folder.path + "/state/decisions.ndjson"
        var random = SeededGenerator(seed: 3)
        for _ in 0..<400 {
            var damaged = bytes
            damaged[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            try damaged.write(to: URL(filePath: path))
            _ = cache(folder).load()
        }
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
        try Data((lines[0...3] + ["garbage"] + lines[5...]).joined(separator: "\n").appending("\n").utf8).write(
            to: URL(filePath: path))
        guard case .damaged(let table) = cache(folder).load() else {
            Issue.record("not damaged")
            return
        }
        #expect(table.tokens["t-0"] != nil)
    }

    @Test func `damaged, it enforces what can be read, and does not claim to know`() async throws {
        let folder = try Folder()
        let damaged = try written(folder).dropLast(30) + Data("\n".utf8)
        try damaged.write(to: URL(filePath: folder.path + "/state/decisions.ndjson"))
        let world = try World(folder: folder) {
            $0.vigie = Vigie(url: "http://127.0.0.1:1", token: "t", cache: folder.path + "/state/decisions.ndjson")
        }
        try await withApplication(world.router()) { port async throws in
            #expect(try await ask(port, "/mine", headers: ["Authorization: Bearer u/t-1/s"]).status == 401)
            #expect(try await ask(port, "/mine", headers: ["Authorization: Bearer u/t-77/s"]).status == 503)
        }
    }

    @Test func `after an append that failed everything is written anew`() throws {
        let folder = try Folder()
        let cache = cache(folder)
        #expect(cache.wantsReplacement(holding: 0))
        #expect(throws: (any Error).self) { () throws in try cache.append([change(8, add: .make("l", "block"))]) }
        try cache.replace(with: table(1))
        #expect(!cache.wantsReplacement(holding: 1))
    }
}
