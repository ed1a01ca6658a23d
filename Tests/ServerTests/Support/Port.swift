import Synchronization

/// Ports of the loopback for servers that have to be known before they listen.
enum Port {
    /// Below what the kernel gives to connections and to those who leave the choice to it (`net.ipv4.ip_local_port_range`, as Linux
    /// ships it), so that nothing else of this process takes one between choosing and binding.
    private static let last = Atomic<Int>(Int.random(in: 20_000..<27_000))

    static func next() -> Int { last.add(1, ordering: .relaxed).newValue }
}
