import Events
import FoundationEssentials

extension Timestamp {
    /// The nearest moment that fits: years 1677 to 2262.
    init(_ date: Date) {
        let nanoseconds = date.timeIntervalSince1970 * 1e9
        if nanoseconds >= 9.2e18 {
            self.init(nanoseconds: .max)
        } else {
            self.init(nanoseconds: nanoseconds > -9.2e18 ? Int64(nanoseconds) : .min)
        }
    }

    /// The present by this machine's clock. Only for the edges: everything inside takes the time as an argument.
    static var system: Timestamp { Timestamp(Date()) }
}
