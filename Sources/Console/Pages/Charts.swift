import Events
import Incidents

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Every time as a dot on an axis of powers, with the median and its interval. Units are those of the drawing's view box.
struct DotChart {
    static let width = 320.0
    private static let height = 52.0
    private static let middle = 22.0
    /// Dots drawn; of more, every n-th by size.
    private static let maximumDots = 300
    /// Seconds at which the axis is marked.
    private static let marks: [(Double, String)] = [
        (1, "1 s"), (60, "1 min"), (900, "15 min"), (3600, "1 h"), (14_400, "4 h"), (86_400, "1 d"), (604_800, "7 d"),
    ]

    private let times: [Int64]
    private let distribution: TimeDistribution
    private let low: Double
    private let high: Double

    init(_ times: [Int64], _ distribution: TimeDistribution) {
        self.times = times.sorted()
        self.distribution = distribution
        let ends = [times.min() ?? 0, times.max() ?? 0].map(DotChart.power)
        low = ends[0] - 0.2
        high = max(ends[1] + 0.2, low + 1)
    }

    /// Of seconds; what took less than a tenth of one is drawn there.
    private static func power(_ nanoseconds: Int64) -> Double { log10(max(Double(nanoseconds) / 1e9, 0.1)) }

    private func place(_ power: Double) -> String { coordinate(8 + (power - low) / (high - low) * (DotChart.width - 16)) }

    var model: PageModel {
        let step = max(1, (times.count + DotChart.maximumDots - 1) / DotChart.maximumDots)
        var model: PageModel = [
            "width": coordinate(DotChart.width), "height": coordinate(DotChart.height), "middle": coordinate(DotChart.middle),
            "median": place(DotChart.power(distribution.median)),
            "dots": stride(from: 0, to: times.count, by: step).map { index -> PageModel in
                // Neighbours are shifted, so that equal times are seen to be many.
                ["x": place(DotChart.power(times[index])), "y": coordinate(DotChart.middle + Double(index / step % 5 - 2) * 4)]
            },
            "marks": DotChart.marks.filter { (low...high).contains(log10($0.0)) }.map { mark -> PageModel in
                ["x": place(log10(mark.0)), "label": mark.1]
            },
        ]
        if let interval = distribution.interval {
            let (from, to) = (DotChart.power(interval.lowerBound), DotChart.power(interval.upperBound))
            model["band"] =
                ["x": place(from), "width": coordinate((to - from) / (high - low) * (DotChart.width - 16))] as PageModel
        }
        return model
    }
}

/// Met, missed and the rest side by side; what was missed is hatched, as colour alone says nothing to many.
struct ShareBar {
    private static let width = 320.0
    private let counts: [Int]

    init(_ counts: [Int]) { self.counts = counts }

    var model: PageModel {
        let total = Double(max(counts.reduce(0, +), 1))
        var x = 0.0
        var parts: [PageModel] = []
        for (index, count) in counts.enumerated() where count > 0 {
            let width = Double(count) / total * ShareBar.width
            parts.append([
                "x": coordinate(x), "width": coordinate(width), "style": ["met", "missed", "rest", "rest"][index],
                "isHatched": index == 1,
                "lines": index == 1
                    ? stride(from: x, to: x + width, by: 6).map { start -> PageModel in
                        ["from": coordinate(start), "to": coordinate(min(start + 6, x + width))]
                    } : [],
            ])
            x += width
        }
        return ["width": coordinate(ShareBar.width), "parts": parts]
    }
}

/// Numbers as columns, with the number above each.
struct ColumnChart {
    private static let width = 640.0
    private static let height = 120.0
    private let numbers: [Int]

    init(_ numbers: [Int]) { self.numbers = numbers }

    var model: PageModel {
        let step = ColumnChart.width / Double(max(numbers.count, 1))
        let most = Double(max(numbers.max() ?? 1, 1))
        return [
            "width": coordinate(ColumnChart.width), "height": coordinate(ColumnChart.height),
            "ground": coordinate(ColumnChart.height - 4),
            "columns": numbers.enumerated().map { index, number -> PageModel in
                let height = Double(number) / most * (ColumnChart.height - 28)
                return [
                    "x": coordinate(Double(index) * step + step * 0.15), "width": coordinate(step * 0.7),
                    "y": coordinate(ColumnChart.height - 4 - height), "height": coordinate(height),
                    "middle": coordinate(Double(index) * step + step / 2), "top": coordinate(ColumnChart.height - 10 - height),
                    "number": NumberText.grouped(number),
                ]
            },
        ]
    }
}

/// A tenth of a unit is finer than a screen.
private func coordinate(_ value: Double) -> String {
    let tenths = Int((value * 10).rounded())
    return "\(tenths < 0 ? "-" : "")\(abs(tenths) / 10).\(abs(tenths) % 10)"
}
