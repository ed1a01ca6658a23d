import Synchronization

/// A number that only grows.
public final class Counter: MetricFamily {
    let name: String
    let labels: [String]
    var suffix: String? { "_total" }
    private let help: String
    private let series: Mutex<SeriesTable<Double>>

    init(name: String, help: String, labels: [String], limit: Int) {
        self.name = name
        self.help = help
        self.labels = labels
        var table = SeriesTable<Double>(labels: labels.count, limit: limit)
        // A counter without labels exists from the start: a rate can be taken over its first increment.
        if labels.isEmpty { table.update([], default: 0) { _ in } }
        series = Mutex(table)
    }

    /// Adds one, or more, to the series with these label values, given in the order of the labels.
    public func increment(_ values: String..., by amount: Double = 1) {
        precondition(amount >= 0, "a counter does not go down")
        series.withLock { $0.update(values, default: 0) { $0 += amount } }
    }

    /// For a total that is counted elsewhere.
    func set(_ total: Double) {
        series.withLock { $0.update([], default: 0) { $0 = total } }
    }

    func write(to text: inout String, format: ExpositionFormat) {
        text += header("counter", help: help, format: format)
        for (values, value) in series.withLock({ $0.sorted }) { text += "\(name)\(labelText(values)) \(sample(value))\n" }
    }
}

/// A number that goes up and down.
public final class Gauge: MetricFamily {
    let name: String
    let labels: [String]
    var suffix: String? { nil }
    private let help: String
    private let series: Mutex<SeriesTable<Double>>

    init(name: String, help: String, labels: [String], limit: Int) {
        self.name = name
        self.help = help
        self.labels = labels
        series = Mutex(SeriesTable(labels: labels.count, limit: limit))
    }

    /// Sets the series with these label values.
    public func set(_ value: Double, _ values: String...) {
        series.withLock { $0.update(values, default: 0) { $0 = value } }
    }

    /// Adds to the series with these label values; negative amounts take away.
    public func add(_ amount: Double, _ values: String...) {
        series.withLock { $0.update(values, default: 0) { $0 += amount } }
    }

    func write(to text: inout String, format: ExpositionFormat) {
        text += header("gauge", help: help, format: format)
        for (values, value) in series.withLock({ $0.sorted }) { text += "\(name)\(labelText(values)) \(sample(value))\n" }
    }
}

/// A value as Prometheus and OpenMetrics write it.
func sample(_ value: Double) -> String {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
    if value == value.rounded(), abs(value) < 1e15 { return String(Int64(value)) }
    return "\(value)"
}
