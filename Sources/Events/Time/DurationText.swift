/// How long something took.
package enum DurationText {
    /// `0.4 s`, `12 s`, `4 min 05 s`, `3 h 20 min`, `2 d 4 h`.
    package static func of(_ nanoseconds: Int64) -> String {
        let tenths = nanoseconds / 100_000_000
        let seconds = tenths / 10
        switch seconds {
        case ..<10: return "\(seconds).\(tenths % 10) s"
        case ..<60: return "\(seconds) s"
        case ..<3600: return "\(seconds / 60) min" + rest(seconds % 60, "s", two: true)
        case ..<86_400: return "\(seconds / 3600) h" + rest(seconds % 3600 / 60, "min", two: true)
        default: return "\(seconds / 86_400) d" + rest(seconds % 86_400 / 3600, "h", two: false)
        }
    }

    private static func rest(_ value: Int64, _ unit: String, two: Bool) -> String {
        value == 0 ? "" : " \(two && value < 10 ? "0" : "")\(value) \(unit)"
    }
}
