import Foundation
import HTTPTypes
import Testing

@testable import Guard

@Suite struct MetricsTests {
    private func filled() -> MetricRegistry {
        let metrics = MetricRegistry(seriesLimit: 5)
        let failures = metrics.counter("tatou_login_failures_total", help: "Refused \"sign-ins\"\\\nby reason.", labels: "reason")
        failures.increment("invalid_credentials")
        failures.increment("invalid_credentials", by: 2)
        failures.increment("a \"quoted\"\nvalue \\ here")
        metrics.counter("tatou_uploads_total", help: "Uploads.").increment()
        metrics.gauge("goimg_active_sessions", help: "Sessions.").set(-1.5)
        let times = metrics.histogram("tatou_watermark_duration_seconds", help: "Seconds.", buckets: [1, 0.1], labels: "method")
        for value in [0.05, 0.1, 0.5, 3] { times.observe(value, "robust-xmp") }
        return metrics
    }

    @Test func `the text is the one that Prometheus reads`() {
        let text = filled().exposition()
        #expect(text.contains("# TYPE tatou_login_failures_total counter\n"))
        #expect(text.contains("tatou_login_failures_total{reason=\"invalid_credentials\"} 3\n"))
        #expect(text.contains(#"tatou_login_failures_total{reason="a \"quoted\"\nvalue \\ here"} 1"#))
        #expect(text.contains("goimg_active_sessions -1.5\n"))
        #expect(text.contains("tatou_watermark_duration_seconds_bucket{method=\"robust-xmp\",le=\"0.1\"} 2\n"))
        #expect(text.contains("tatou_watermark_duration_seconds_bucket{method=\"robust-xmp\",le=\"1.0\"} 3\n"))
        #expect(text.contains("tatou_watermark_duration_seconds_bucket{method=\"robust-xmp\",le=\"+Inf\"} 4\n"))
        #expect(text.contains("tatou_watermark_duration_seconds_sum{method=\"robust-xmp\"} 3.65\n"))
        #expect(!text.contains("# EOF"))
    }

    @Test func `OpenMetrics names families without their suffix, and ends`() {
        let text = filled().exposition(.openMetrics)
        #expect(text.contains("# TYPE tatou_login_failures counter\n"))
        #expect(text.contains("tatou_login_failures_total{reason=\"invalid_credentials\"} 3\n"))
        #expect(text.hasSuffix("# EOF\n"))
        #expect(ExpositionFormat(accept: "application/openmetrics-text; version=1.0.0,text/plain;q=0.5") == .openMetrics)
        #expect(ExpositionFormat(accept: "*/*") == .prometheus)
    }

    @Test func `values that are invented fill one series, not the memory`() {
        let metrics = MetricRegistry(seriesLimit: 5)
        let counter = metrics.counter("requests_total", help: "Requests.", labels: "path")
        for number in 0..<1000 { counter.increment("/\(number)") }
        let lines = metrics.exposition().split(separator: "\n").filter { $0.hasPrefix("requests_total") }
        #expect(lines.count == 5)
        #expect(lines.contains("requests_total{path=\"other\"} 996"))
    }

    @Test func `the same name is the same series`() {
        let metrics = MetricRegistry()
        metrics.counter("a_total", help: "A.").increment()
        metrics.counter("a_total", help: "A.").increment()
        #expect(metrics.exposition().contains("a_total 2\n"))
    }

    static let promtool = ["/usr/bin/promtool", "/usr/local/bin/promtool"].first {
        FileManager.default.isExecutableFile(atPath: $0)
    }

    /// Prometheus's own reader and linter; from Debian's package prometheus. Skipped, and said so, where it is absent.
    @Test(.enabled(if: promtool != nil, "promtool is not installed")) func `promtool finds nothing to complain about`() throws {
        let promtool = try #require(Self.promtool)
        let process = Process()
        process.executableURL = URL(filePath: promtool)
        process.arguments = ["check", "metrics"]
        let (input, output) = (Pipe(), Pipe())
        process.standardInput = input
        process.standardOutput = output
        process.standardError = output
        try process.run()
        try input.fileHandleForWriting.write(contentsOf: Data(filled().exposition().utf8))
        try input.fileHandleForWriting.close()
        let complaint = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationStatus == 0, "\(complaint)")
        #expect(complaint.isEmpty)
    }

    @Test func `whoever has no token is not told that there are metrics`() async throws {
        let world = try World {
            $0.requestMetrics = .init(requests: "tatou_http_requests_total", duration: "tatou_http_request_duration_seconds")
        }
        try await withApplication(world.router()) { port async throws in
            #expect(try await ask(port, "/metrics").status == 404)
            #expect(try await ask(port, "/metrics", headers: ["X-Metrics-Token: wrong"]).status == 404)
            _ = try await ask(port, "/documents/17")
            _ = try await ask(port, "/nowhere/at/all")
            _ = try await ask(port, "/", method: "PROPFIND")
            let answer = try await ask(port, "/metrics", headers: ["X-Metrics-Token: metrics-token-for-tests"])
            #expect(answer.status == 200)
            #expect(answer.body.contains(#"tatou_http_requests_total{method="GET",route="/documents/{id}",status="200"} 1"#))
            #expect(answer.body.contains(#"route="NotFound",status="404""#))
            #expect(answer.body.contains(#"method="other""#))
            #expect(!answer.body.contains("/nowhere"))
            #expect(answer.body.contains("guard_events_dropped_total 0"))
        }
    }

    @Test func `requests are counted by status, and timed by route`() {
        let metrics = MetricRegistry(seriesLimit: 3)
        let requests = metrics.requests(.init(requests: "http_requests_total", duration: "http_request_duration_seconds"))
        for (status, seconds) in [(200, 0.002), (200, 0.3), (404, 20)] {
            requests.observe(method: .get, route: "/a", status: status, seconds: seconds)
        }
        for number in 0..<5 { requests.observe(method: .post, route: "/\(number)", status: 500, seconds: 1) }
        let text = metrics.exposition()
        #expect(text.contains(#"http_requests_total{method="GET",route="/a",status="200"} 2"#))
        #expect(text.contains(#"http_requests_total{method="GET",route="/a",status="404"} 1"#))
        #expect(text.contains(#"http_request_duration_seconds_bucket{method="GET",route="/a",le="0.005"} 1"#))
        #expect(text.contains(#"http_request_duration_seconds_bucket{method="GET",route="/a",le="10.0"} 2"#))
        #expect(text.contains(#"http_request_duration_seconds_count{method="GET",route="/a"} 3"#))
        #expect(text.contains(#"http_request_duration_seconds_sum{method="GET",route="/a"} 20.302"#))
        // One more combination than there is room for, and all after it, are one.
        #expect(text.contains(#"http_requests_total{method="other",route="other",status="500"} 4"#))
        #expect(metrics.exposition(.openMetrics).contains("# TYPE http_requests counter\n"))
        #expect(metrics.exposition(.openMetrics).contains("# TYPE http_request_duration_seconds histogram\n"))
    }

    @Test func `both names of the series about requests are taken, and asked for again they are the same series`() throws {
        let names = Configuration.RequestMetrics(requests: "http_requests_total", duration: "http_request_duration_seconds")
        let metrics = MetricRegistry()
        let requests = metrics.requests(names)
        requests.observe(method: .get, route: "/a", status: 200, seconds: 0.1)
        #expect(metrics.requests(names) === requests)
        let lines = metrics.exposition().split(separator: "\n")
        #expect(lines.count { $0.hasPrefix("# TYPE") } == 2)
        #expect(Set(lines).count == lines.count, "no line is written twice")
    }

    @Test func `an application's metric of the same name as one about requests is caught when it is registered`() async {
        await #expect(processExitsWith: .failure) {
            let metrics = MetricRegistry()
            _ = metrics.requests(.init(requests: "http_requests_total", duration: "http_request_duration_seconds"))
            _ = metrics.histogram("http_request_duration_seconds", help: "Mine.")
        }
        await #expect(processExitsWith: .failure) {
            let metrics = MetricRegistry()
            _ = metrics.histogram("http_request_duration_seconds", help: "Mine.")
            _ = metrics.requests(.init(requests: "http_requests_total", duration: "http_request_duration_seconds"))
        }
        await #expect(processExitsWith: .failure) {
            _ = MetricRegistry().requests(.init(requests: "http_requests_total", duration: "seconds of a request"))
        }
    }
}
