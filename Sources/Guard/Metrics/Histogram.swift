import Synchronization

/// A distribution, counted in buckets.
public final class Histogram: MetricFamily {
    /// Bounds for times of requests, from 5 ms to 10 s.
    public static let seconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
    /// Bounds for sizes, from 100 bytes to 50 MB.
    public static let bytes = [100.0, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 50_000_000]

    private struct Series: Sendable {
        /// Not cumulative; the last is for what is above every bound.
        var counts: [UInt64]
        var sum = 0.0
    }

    let name: String
    let labels: [String]
    var suffix: String? { nil }
    private let help: String
    private let bounds: [Double]
    private let series: Mutex<SeriesTable<Series>>

    init(name: String, help: String, labels: [String], buckets: [Double], limit: Int) {
        precondition(!buckets.isEmpty && buckets.allSatisfy(\.isFinite), "a histogram needs finite bounds")
        self.name = name
        self.help = help
        self.labels = labels
        bounds = Set(buckets).sorted()
        series = Mutex(SeriesTable(labels: labels.count, limit: limit))
    }

    /// Counts `value` in the series with these label values.
    public func observe(_ value: Double, _ values: String...) {
        observe(value, values: values)
    }

    func observe(_ value: Double, values: [String]) {
        let bucket = bounds.firstIndex { value <= $0 } ?? bounds.count
        series.withLock { series in
            series.update(values, default: Series(counts: Array(repeating: 0, count: bounds.count + 1))) {
                $0.counts[bucket] += 1
                $0.sum += value
            }
        }
    }

    func write(to text: inout String, format: ExpositionFormat) {
        text += header("histogram", help: help, format: format)
        for (values, series) in series.withLock({ $0.sorted }) {
            var count: UInt64 = 0
            for (index, bound) in bounds.enumerated() {
                count += series.counts[index]
                // OpenMetrics wants bounds as floating point numbers, and Prometheus takes them so.
                text += "\(name)_bucket\(labelText(values, and: ("le", "\(bound)"))) \(count)\n"
            }
            count += series.counts[bounds.count]
            text += "\(name)_bucket\(labelText(values, and: ("le", "+Inf"))) \(count)\n"
            text += "\(name)_sum\(labelText(values)) \(sample(series.sum))\n"
            text += "\(name)_count\(labelText(values)) \(count)\n"
        }
    }
}
