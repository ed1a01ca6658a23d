import Journal
import Response
import Testing

@Suite struct RequestLineTests {
    @Test func aStartLineIsReadAndJoined() throws {
        let line = try #require(RequestLine("POST /api/v1/leases?x=1 HTTP/1.1"))
        #expect(line.method == "POST")
        #expect(RequestLine.join("http://host:1/", line.path) == "http://host:1/api/v1/leases?x=1")
        #expect(RequestLine("POST") == nil)
    }

    /// curl is told nothing that it could take for an option, a file or another line.
    @Test(arguments: [
        HTTPExchange("POST", "file:///etc/passwd"), HTTPExchange("PO ST", "http://127.0.0.1:1/"),
        HTTPExchange("GET", "http://127.0.0.1:1/\nproxy=x"),
        HTTPExchange("GET", "http://127.0.0.1:1/", headers: [("@/etc/passwd", "")]),
        HTTPExchange("GET", "http://127.0.0.1:1/", headers: [("A", "b\r\nC: d")]),
        HTTPExchange("POST", "http://127.0.0.1:1/", body: "a\u{0}b"),
    ])
    func whatIsNoRequestIsNotSent(exchange: HTTPExchange) async {
        await #expect {
            _ = try await exchange.send(seconds: 600)
        } throws: { ($0 as? HTTPExchange.Failure)?.isUnsent == true }
    }

    /// Nothing listens on port 1.
    @Test func aClosedPortIsKnownAsUnsent() async {
        await #expect {
            _ = try await HTTPExchange("POST", "http://127.0.0.1:1/", body: "@/etc/passwd").send(seconds: 600)
        } throws: { ($0 as? HTTPExchange.Failure)?.isUnsent == true }
    }
}
