import Events
import Foundation
import Response
import Synchronization
import Testing

@Suite struct DenyFileTests {
    private static let now = Timestamp(seconds: 1_795_000_000)

    /// A real nginx, asked from two loopback addresses.
    @Test(.timeLimit(.minutes(20))) func nginxRefusesAndLetsInAgain() async throws {
        try Shell.need(["nginx", "curl"], root: false)
        let folder = FileManager.default.temporaryDirectory.appending(path: "vigie-nginx-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        // Below what the kernel gives away, and beside those that ServerTests take.
        let port = Int.random(in: 28_000..<32_000)
        let deny = folder.appending(path: "deny.conf")
        let main = folder.appending(path: "nginx.conf")
        try "".write(to: deny, atomically: true, encoding: .utf8)
        try """
        pid \(folder.path)/nginx.pid; error_log \(folder.path)/error.log; worker_processes 1; events {}
        http { access_log off; server { listen 127.0.0.1:\(port); include \(deny.path); location / { return 200 "fine"; } } }
        """.replacing("return 200 \"fine\";", with: "root \(folder.path);").write(to: main, atomically: true, encoding: .utf8)
        try "fine".write(to: folder.appending(path: "page"), atomically: true, encoding: .utf8)
        try Shell.run("chmod", ["a+rX", "-R", folder.path])
        let nginx = { @Sendable (arguments: [String]) throws in
            // A daemon keeps what it inherits, and whoever waits for its end waits for that: it gets nothing.
            let close = "for f in /proc/$$/fd/*; do f=${f##*/}; [ $f -le 2 ] || eval \"exec $f>&-\"; done"
            let words = ["nginx", "-p", folder.path, "-e", "\(folder.path)/error.log", "-c", main.path] + arguments
            try Shell.run("bash", ["-c", "\(close); exec \"$@\" >/dev/null 2>&1", "bash"] + words)
        }
        try nginx([])
        defer { try? nginx(["-s", "stop"]) }
        let status = { (address: String) throws -> String in
            try Shell.run(
                "curl", ["-s", "-o", "/dev/null", "-w", "%{http_code}", "--interface", address, "http://127.0.0.1:\(port)/page"])
        }
        let enforcer = DenyFileEnforcer(
            .nginx,
            hands: .init(
                read: { try String(contentsOf: deny, encoding: .utf8) },
                write: { try $0.write(to: deny, atomically: true, encoding: .utf8) }, check: { try nginx(["-t", "-q"]) },
                reload: { try nginx(["-s", "reload"]) }))
        let lease = LeaseBookTests.lease("127.0.0.9")
        #expect(try status("127.0.0.9") == "200")
        try await enforcer.apply(lease, now: Self.now)
        #expect(try await enforcer.isInForce(lease))
        // A reload is taken up by new workers a moment later.
        while try status("127.0.0.9") != "403" { await Task.yield() }
        #expect(try status("127.0.0.8") == "200")
        try await enforcer.lift(lease)
        #expect(try await !enforcer.isInForce(lease))
        while try status("127.0.0.9") != "200" { await Task.yield() }
    }

    @Test func whatTheServerRefusesIsPutBack() async throws {
        let text = Mutex("deny 192.0.2.1/32;\n")
        let enforcer = DenyFileEnforcer(
            .nginx,
            hands: .init(
                read: { text.withLock { $0 } }, write: { new in text.withLock { $0 = new } },
                check: { throw Shell.Failure(description: "no") }, reload: { Issue.record("loaded what was refused") }))
        await #expect(throws: Shell.Failure.self) { try await enforcer.apply(LeaseBookTests.lease("203.0.113.9"), now: Self.now) }
        #expect(text.withLock { $0 } == "deny 192.0.2.1/32;\n")
    }

    @Test(arguments: ["203.0.113.9; allow all", "all", "203.0.113.9\nallow all", "$x"])
    func nothingButNetworksIsWritten(target: String) async throws {
        let enforcer = DenyFileEnforcer(
            .caddy, hands: .init(read: { "" }, write: { _ in Issue.record("written") }, check: {}, reload: {}))
        await #expect(throws: EnforcerError.self) { try await enforcer.apply(LeaseBookTests.lease(target), now: Self.now) }
    }

    @Test func caddyGetsOneMatcher() async throws {
        let text = Mutex("")
        let enforcer = DenyFileEnforcer(
            .caddy,
            hands: .init(read: { text.withLock { $0 } }, write: { new in text.withLock { $0 = new } }, check: {}, reload: {}))
        try await enforcer.apply(LeaseBookTests.lease("203.0.113.9"), now: Self.now)
        try await enforcer.apply(LeaseBookTests.lease("2001:db8::/48"), now: Self.now)
        #expect(text.withLock { $0 }.contains("@vigie_blocked remote_ip 2001:db8::/48 203.0.113.9/32\nabort @vigie_blocked\n"))
        #expect(try await enforcer.isInForce(LeaseBookTests.lease("203.0.113.9")))
        try await enforcer.lift(LeaseBookTests.lease("203.0.113.9"))
        try await enforcer.lift(LeaseBookTests.lease("2001:db8::/48"))
        #expect(!text.withLock { $0 }.contains("abort"))
    }
}
