// The compiler takes `timespec` for Dispatch's.
import Dispatch
package import Events
import Foundation

extension Timestamp {
    /// The present by this machine's clock. Only for the edges: everything inside takes the time as an argument.
    package static var system: Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }
}
