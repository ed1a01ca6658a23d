import Synchronization

/// A distribution, counted in buckets.
public final class Histogram: MetricFamily {
    /// Bounds for times of requests, from 5 ms to 10 s.
    public static let seconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
    /// Bounds for sizes, from 100 bytes to 50 MB.
    public static let bytes = [100.0, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 50_000_000]

    let name: String
    let labels: [String]
    var suffix: String? { nil }
    private let help: String
    private let bounds: [Double]
    private let series: Mutex<SeriesTable<Distribution>>

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
        series.withLock { $0.update(values, default: Distribution(bounds: bounds)) { $0.add(value, bounds: bounds) } }
    }

    func write(to text: inout String, format: ExpositionFormat) {
        text += header("histogram", help: help, format: format)
        for (values, series) in series.withLock({ $0.sorted }) {
            text += lines(series, name: name, values: values, bounds: bounds)
        }
    }
}

/// How often values fell between bounds, and their sum.
struct Distribution: Sendable {
    /// Not cumulative; the last is for what is above every bound.
    private(set) var counts: [UInt64]
    private(set) var sum = 0.0

    init(bounds: [Double]) { counts = Array(repeating: 0, count: bounds.count + 1) }

    var count: UInt64 { counts.reduce(0, +) }

    mutating func add(_ value: Double, bounds: [Double]) {
        counts[bounds.firstIndex { value <= $0 } ?? bounds.count] += 1
        sum += value
    }

    /// Adds another one of the same bounds.
    mutating func add(_ other: Distribution) {
        for (index, count) in other.counts.enumerated() { counts[index] += count }
        sum += other.sum
    }
}

extension MetricFamily {
    /// The series of one combination of labels: its buckets, sum and count.
    func lines(_ distribution: Distribution, name: String, values: [String], bounds: [Double]) -> String {
        var text = "", count: UInt64 = 0
        for (index, bound) in bounds.enumerated() {
            count += distribution.counts[index]
            // OpenMetrics wants bounds as floating point numbers, and Prometheus takes them so.
            text += "\(name)_bucket\(labelText(values, and: ("le", "\(bound)"))) \(count)\n"
        }
        text += "\(name)_bucket\(labelText(values, and: ("le", "+Inf"))) \(distribution.count)\n"
        text += "\(name)_sum\(labelText(values)) \(sample(distribution.sum))\n"
        text += "\(name)_count\(labelText(values)) \(distribution.count)\n"
        return text
    }
}
