import Synchronization

/// Counters, gauges and histograms, shown to Prometheus.
///
/// The application names its series; see ``counter(_:help:labels:)`` and its like. Each family holds a bounded number of label
/// combinations: one more is counted under `other`, so that nobody fills the memory by inventing values.
public final class MetricRegistry: Sendable {
    /// The most label combinations of one family.
    public let seriesLimit: Int

    private let families = Mutex<[String: any MetricFamily]>([:])

    /// An empty registry.
    public init(seriesLimit: Int = 1000) {
        self.seriesLimit = max(seriesLimit, 1)
    }

    /// A number that only grows. `name` ends in `_total`.
    ///
    /// Asking again for the same name returns the same counter.
    public func counter(_ name: String, help: String, labels: String...) -> Counter {
        family(name) { Counter(name: name, help: help, labels: labels, limit: seriesLimit) }
    }

    /// A number that goes up and down.
    public func gauge(_ name: String, help: String, labels: String...) -> Gauge {
        family(name) { Gauge(name: name, help: help, labels: labels, limit: seriesLimit) }
    }

    /// A distribution, counted in buckets. Units are base units, and the name says which: seconds, bytes.
    public func histogram(
        _ name: String, help: String, buckets: [Double] = Histogram.seconds, labels: String...
    ) -> Histogram {
        family(name) { Histogram(name: name, help: help, labels: labels, buckets: buckets, limit: seriesLimit) }
    }

    /// The series about requests, under the names that the application chose.
    func requests(_ names: Configuration.RequestMetrics) -> RequestSeries {
        precondition(names.requests != names.duration, "\(names.requests) is given as the name of two metrics")
        return family(names.requests, names.duration) { RequestSeries(names, limit: seriesLimit) }
    }

    /// - Parameter names: all that it writes under; whatever else is registered has none of them.
    private func family<Family: MetricFamily>(_ names: String..., make: () -> Family) -> Family {
        families.withLock { families in
            let known = names.compactMap { families[$0] }
            if let first = known.first {
                guard let family = first as? Family, known.count == names.count, known.allSatisfy({ $0 === first }) else {
                    preconditionFailure("\(names.joined(separator: " or ")) is registered as another kind of metric")
                }
                return family
            }
            let family = make()
            precondition(
                family.isWellNamed && names.allSatisfy(Family.isName),
                "\(names.joined(separator: " or ")) or one of the labels is no name that Prometheus accepts")
            for name in names { families[name] = family }
            return family
        }
    }

    /// The text that Prometheus scrapes, families and series in order of their names.
    public func exposition(_ format: ExpositionFormat = .prometheus) -> String {
        // One that writes under two names stands under both.
        let families = families.withLock { $0 }.filter { $0.key == $0.value.name }.values.sorted { $0.name < $1.name }
        var text = ""
        for family in families { family.write(to: &text, format: format) }
        if format == .openMetrics { text += "# EOF\n" }
        return text
    }
}

/// The forms of the text.
public enum ExpositionFormat: Sendable {
    /// Prometheus text format 0.0.4.
    case prometheus
    /// OpenMetrics 1.0.0.
    case openMetrics

    /// The better one of those that an `Accept` header names.
    public init(accept: String?) {
        self = accept?.contains("application/openmetrics-text") == true ? .openMetrics : .prometheus
    }

    /// The media type.
    public var contentType: String {
        switch self {
        case .prometheus: "text/plain; version=0.0.4; charset=utf-8"
        case .openMetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8"
        }
    }
}

protocol MetricFamily: AnyObject, Sendable {
    var name: String { get }
    var labels: [String] { get }
    var suffix: String? { get }
    func write(to text: inout String, format: ExpositionFormat)
}

extension MetricFamily {
    static func isName(_ text: String) -> Bool { isName(text, colons: true) }

    private static func isName(_ text: String, colons: Bool) -> Bool {
        guard let first = text.utf8.first, !(0x30...0x39).contains(first) else { return false }
        return text.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || byte == 0x5F
                || colons && byte == 0x3A
        }
    }

    var isWellNamed: Bool {
        Self.isName(name) && (suffix.map(name.hasSuffix) ?? true)
            && labels.allSatisfy { Self.isName($0, colons: false) && !$0.hasPrefix("__") && $0 != "le" && $0 != "quantile" }
            && Set(labels).count == labels.count
    }

    /// `HELP` and `TYPE`. OpenMetrics names a counter's family without `_total`.
    func header(_ type: String, help: String, format: ExpositionFormat) -> String {
        let family = format == .openMetrics ? String(name.dropLast(suffix?.count ?? 0)) : name
        return Self.header(type, name: family, help: help, format: format)
    }

    static func header(_ type: String, name: String, help: String, format: ExpositionFormat) -> String {
        var escaped = help.replacing("\\", with: "\\\\").replacing("\n", with: "\\n")
        if format == .openMetrics { escaped = escaped.replacing("\"", with: "\\\"") }
        return "# HELP \(name) \(escaped)\n# TYPE \(name) \(type)\n"
    }

    func labelText(_ values: [String], and last: (String, String)? = nil) -> String {
        var pairs = zip(labels, values).map { "\($0)=\"\(escaped($1))\"" }
        if let last { pairs.append("\(last.0)=\"\(last.1)\"") }
        return pairs.isEmpty ? "" : "{\(pairs.joined(separator: ","))}"
    }

    private func escaped(_ value: String) -> String {
        value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
    }
}

/// The series of one family by the values of their labels, at most `limit` of them.
struct SeriesTable<Value: Sendable>: Sendable {
    private(set) var values: [[String]: Value] = [:]
    let labels: Int
    let limit: Int

    init(labels: Int, limit: Int) {
        self.labels = labels
        self.limit = limit
    }

    /// Changes the series of `key`, or where there is no room for it that of `other`.
    mutating func update(_ key: [String], default value: @autoclosure () -> Value, _ change: (inout Value) -> Void) {
        precondition(key.count == labels, "as many label values as the family has labels")
        if let index = values.index(forKey: key) {
            change(&values.values[index])
        } else if values.count < limit - 1 || labels == 0 {
            change(&values[key, default: value()])
        } else {
            change(&values[Array(repeating: "other", count: labels), default: value()])
        }
    }

    var sorted: [(key: [String], value: Value)] {
        values.sorted { $0.key.lexicographicallyPrecedes($1.key) }
    }
}
