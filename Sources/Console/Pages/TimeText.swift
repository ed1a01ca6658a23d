import Events

/// How moments look on a page.
enum TimeText {
    /// For a `<time>` element: machine form, UTC text to the second, and the distance from `now`.
    static func model(_ time: Timestamp, now: Timestamp) -> PageModel {
        let full = time.rfc3339
        return [
            "iso": full,
            "day": String(full.prefix(10)),
            "clock": String(full.dropFirst(11).prefix(8)),
            "ago": ago(time, now: now),
        ]
    }

    /// `now`, `40 s ago`, `4 min ago`, `3 h ago`, `12 d ago`; `in 4 min` for what lies ahead. The script uses the same steps.
    static func ago(_ time: Timestamp, now: Timestamp) -> String {
        let seconds = now.nanoseconds(since: time) / 1_000_000_000
        let distance = seconds == .min ? .max : abs(seconds)
        let text: String
        switch distance {
        case ..<5: return "now"
        case ..<60: text = "\(distance) s"
        case ..<3600: text = "\(distance / 60) min"
        case ..<86_400: text = "\(distance / 3600) h"
        default: text = "\(distance / 86_400) d"
        }
        return seconds < 0 ? "in \(text)" : "\(text) ago"
    }
}

/// How numbers look: a thin space between thousands, as ISO 80000-1 has it.
enum NumberText {
    static func grouped(_ number: Int) -> String {
        let digits = String(number.magnitude)
        var text = number < 0 ? "−" : ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % 3 == 0 { text += "\u{202f}" }
            text.append(digit)
        }
        return text
    }

    static func bytes(_ count: Int) -> String {
        if count < 1024 { return "\(count) B" }
        var value = Double(count) / 1024
        var unit = "KiB"
        for next in ["MiB", "GiB", "TiB"] where value >= 1024 {
            value /= 1024
            unit = next
        }
        let tenths = Int((value * 10).rounded())
        return tenths >= 100 ? "\(tenths / 10) \(unit)" : "\(tenths / 10).\(tenths % 10) \(unit)"
    }
}
