import Console
import Events
import Identity
import Testing

/// What only a real connection shows.
struct WireTests {
    private func request(_ line: String, _ headers: [String] = [], body: String = "") -> String {
        ([line, "Host: localhost", "Connection: close"] + headers).joined(separator: "\r\n") + "\r\n\r\n" + body
    }

    @Test(.timeLimit(.minutes(20))) func answersOnASocket() async throws {
        let world = try World()
        let plain = request("GET /healthz HTTP/1.1")
        try await withServer(world) { port in
            let text = try await withConnection(port: port, sending: plain) { try await $0.readToEnd() }
            #expect(text.hasPrefix("HTTP/1.1 200 OK\r\n") && text.hasSuffix(#"{"status":"ok"}"#))
        }
    }

    @Test(.timeLimit(.minutes(20))) func refusesHugeHeaders() async throws {
        let world = try World()
        let huge = request("GET /healthz HTTP/1.1", ["X-Filler: \(String(repeating: "x", count: 20_000))"])
        let many = request("GET /healthz HTTP/1.1", (0..<100).map { "X-\($0): y" })
        try await withServer(world) { port in
            for text in [huge, many] {
                let answer = try await withConnection(port: port, sending: text) { try await $0.readToEnd() }
                #expect(answer.isEmpty || answer.hasPrefix("HTTP/1.1 4"), "refused, or closed at once: \(answer.prefix(40))")
            }
        }
    }

    @Test(.timeLimit(.minutes(20))) func refusesAnEndlessChunkedBody() async throws {
        let world = try World()
        let browser = try await world.signedIn()
        _ = try await browser.get("/incidents")
        let cookie = browser.cookies.map { "\($0.key)=\($0.value)" }.joined(separator: "; ")
        let chunk = String(8192, radix: 16) + "\r\n" + String(repeating: "x", count: 8192) + "\r\n"
        let text = request(
            "POST /sign-out HTTP/1.1",
            ["Cookie: \(cookie)", "Content-Type: application/x-www-form-urlencoded", "Transfer-Encoding: chunked"],
            body: String(repeating: chunk, count: 9))
        try await withServer(world) { port in
            let answer = try await withConnection(port: port, sending: text) { try await $0.read(until: "\r\n\r\n") }
            #expect(answer.hasPrefix("HTTP/1.1 413 "))
        }
    }

    @Test(.timeLimit(.minutes(20))) func changesArriveOverTheSocket() async throws {
        let world = try World()
        let browser = try await world.signedIn()
        let cookie = browser.cookies.map { "\($0.key)=\($0.value)" }.joined(separator: "; ")
        let text = request("GET /events HTTP/1.1", ["Cookie: \(cookie)"])
        try await withServer(world) { port in
            try await withConnection(port: port, sending: text) { incoming in
                let hello = try await incoming.read(until: "hello")
                #expect(hello.contains("id: 100"))
                world.updates.publish(sequence: 101, incidentID: "SEC-2026-0001")
                let change = try await incoming.read(until: "SEC-2026-0001")
                #expect(change.contains("id: 101\nevent: incident"))
            }
            // The stream notices that nobody reads any more, or is closed here at the latest.
            world.updates.close()
        }
    }

    @Test(.timeLimit(.minutes(20))) func aStoppingServerDoesNotWaitForOpenPages() async throws {
        let world = try World()
        let browser = try await world.signedIn()
        let cookie = browser.cookies.map { "\($0.key)=\($0.value)" }.joined(separator: "; ")
        let text = request("GET /events HTTP/1.1", ["Cookie: \(cookie)"])
        try await withServer(world) { stop in
            { port in
                let ending = try await withConnection(port: port, sending: text) { incoming in
                    _ = try await incoming.read(until: "hello")
                    await stop()
                    return try await incoming.readToEnd()
                }
                #expect(ending.contains("event: hello"))
            }
        }
        #expect(world.updates.subscriberCount == 0)
    }
}
