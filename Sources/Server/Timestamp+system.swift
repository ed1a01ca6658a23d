package import Events
import Foundation

extension Timestamp {
    /// The present by this machine's clock, to a quarter of a microsecond. Only for the edges: everything inside takes the time as an
    /// argument.
    package static var system: Timestamp {
        let seconds = Date().timeIntervalSince1970
        let whole = seconds.rounded(.down)
        return Timestamp(nanoseconds: Int64(whole) * 1_000_000_000 + Int64((seconds - whole) * 1_000_000_000))
    }
}
