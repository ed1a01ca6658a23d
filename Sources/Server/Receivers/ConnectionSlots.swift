import Events
import Synchronization

/// Connections that are open on one port at the same time, and how many of them one address may have: whoever opens them and sends
/// nothing takes no more than that share from everybody else. An IPv6 /64 is one address. Safe to use from any thread.
final class ConnectionSlots: Sendable {
    private struct State {
        /// By connection; `nil` while nobody has said whose it is.
        var open: [ObjectIdentifier: IPAddress?] = [:]
        var ofAddress: [IPAddress: Int] = [:]
    }

    private let limit: Int
    private let share: Int
    private let state = Mutex(State())

    init(limit: Int, share: Int) {
        self.limit = limit
        self.share = share
    }

    convenience init(_ limits: ReceiverLimits) { self.init(limit: limits.connections, share: limits.connectionShare) }

    /// - Parameter address: `nil` where it does not say whose connection it is, as a proxy's does not.
    func take(_ connection: AnyObject, of address: IPAddress?) throws(ConnectionRefusal) {
        let key = ObjectIdentifier(connection)
        try state.withLock { (state) throws(ConnectionRefusal) -> Void in
            guard state.open.count < limit else { throw ConnectionRefusal(reason: "more than \(limit) connections") }
            if let address { try count(address, &state) }
            state.open[key] = .some(address?.prefix)
        }
    }

    /// Whose connection it is, once a proxy has said it.
    func assign(_ connection: AnyObject, to address: IPAddress) throws(ConnectionRefusal) {
        let key = ObjectIdentifier(connection)
        try state.withLock { (state) throws(ConnectionRefusal) -> Void in
            guard case .some(.none) = state.open[key] else { return }
            try count(address, &state)
            state.open[key] = .some(address.prefix)
        }
    }

    /// Gives back what the connection has; a second time changes nothing.
    func give(_ connection: AnyObject) {
        let key = ObjectIdentifier(connection)
        state.withLock { state in
            guard let held = state.open.removeValue(forKey: key), let address = held else { return }
            let left = (state.ofAddress[address] ?? 1) - 1
            state.ofAddress[address] = left > 0 ? left : nil
        }
    }

    private func count(_ address: IPAddress, _ state: inout State) throws(ConnectionRefusal) {
        let open = state.ofAddress[address.prefix] ?? 0
        guard open < share else { throw ConnectionRefusal(reason: "more than \(share) connections of one address") }
        state.ofAddress[address.prefix] = open + 1
    }
}

/// Why a connection is not taken.
struct ConnectionRefusal: Error, Equatable {
    /// Under which it is counted.
    static let code = "connections"

    var reason: String
}
