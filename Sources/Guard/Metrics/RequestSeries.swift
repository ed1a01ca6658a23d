import HTTPTypes
import Synchronization

/// How many requests were answered, and how long it took: a counter and a histogram that each request costs one look-up for both.
final class RequestSeries: MetricFamily {
    private struct Key: Hashable {
        /// The route's pattern: paths would make a series each.
        var route: String
        var method: String
        var status: Int
    }

    let name: String
    let labels: [String]
    var suffix: String? { "_total" }
    private let duration: String
    private let limit: Int
    private let series = Mutex<[Key: Distribution]>([:])

    /// - Parameter limit: how many combinations of route, method and status are told apart; the others are `other`.
    init(_ names: Configuration.RequestMetrics, limit: Int) {
        name = names.requests
        duration = names.duration
        labels = ["method", names.routeLabel, "status"]
        self.limit = limit
    }

    func observe(method: HTTPRequest.Method, route: String, status: Int, seconds: Double) {
        let key = Key(route: route, method: Self.methods.contains(method) ? method.rawValue : "other", status: status)
        series.withLock { series in
            if let index = series.index(forKey: key) {
                series.values[index].add(seconds, bounds: Histogram.seconds)
            } else {
                let known = series.count < limit ? key : Key(route: "other", method: "other", status: status)
                series[known, default: Distribution(bounds: Histogram.seconds)].add(seconds, bounds: Histogram.seconds)
            }
        }
    }

    /// Labels of metrics: anybody may send any token as a method.
    private static let methods: Set<HTTPRequest.Method> = [.get, .head, .post, .put, .patch, .delete, .options]

    func write(to text: inout String, format: ExpositionFormat) {
        let series = series.withLock { $0 }.sorted {
            ($0.key.method, $0.key.route, $0.key.status) < ($1.key.method, $1.key.route, $1.key.status)
        }
        text += header("counter", help: "Requests answered.", format: format)
        var durations: [(values: [String], distribution: Distribution)] = []
        for (key, distribution) in series {
            text += "\(name)\(labelText([key.method, key.route, String(key.status)])) \(distribution.count)\n"
            if durations.last?.values == [key.method, key.route] {
                durations[durations.count - 1].distribution.add(distribution)
            } else {
                durations.append(([key.method, key.route], distribution))
            }
        }
        text += Self.header("histogram", name: duration, help: "Time to the answer's head.", format: format)
        for (values, distribution) in durations {
            text += lines(distribution, name: duration, values: values, bounds: Histogram.seconds)
        }
    }
}
