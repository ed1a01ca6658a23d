import Events

/// The events that one correlation keeps, of all its groups: nodes of doubly linked lists in shared arrays.
///
/// 40 bytes an event; 16 more where addresses are kept, 16 more where values are.
struct EventPool: Sendable {
    static let none = UInt32.max

    struct Node: Sendable, BitwiseCopyable {
        var time: Int64
        var offset: Int64
        /// The line number below 2^48, the member above.
        fileprivate var lineAndMember: UInt64
        var origin: Int32
        var user: UInt32
        var next: UInt32
        var previous: UInt32

        var member: UInt16 { UInt16(truncatingIfNeeded: lineAndMember >> 48) }
        var line: Int64 { Int64(lineAndMember & 0xFFFF_FFFF_FFFF) }
    }

    let keepsAddresses: Bool
    let keepsValues: Bool
    private(set) var nodes: [Node] = []
    /// By node; empty where they are not kept. The unspecified address `::` stands for none.
    private var addresses: [IPAddress] = []
    private(set) var values: [UInt64] = []
    /// The group that the node belongs to, kept beside values.
    private(set) var owners: [UInt32] = []
    private var free = EventPool.none
    private(set) var count = 0

    init(keepsAddresses: Bool, keepsValues: Bool) {
        self.keepsAddresses = keepsAddresses
        self.keepsValues = keepsValues
    }

    var bytesPerNode: Int { 40 + (keepsAddresses ? 16 : 0) + (keepsValues ? 12 : 0) }

    subscript(_ node: UInt32) -> Node {
        get { nodes[Int(node)] }
        set { nodes[Int(node)] = newValue }
    }

    func address(_ node: UInt32) -> IPAddress? {
        guard keepsAddresses else { return nil }
        let address = addresses[Int(node)]
        return address == EventPool.noAddress ? nil : address
    }

    func value(_ node: UInt32) -> UInt64 { keepsValues ? values[Int(node)] : 0 }

    func event(_ node: UInt32) -> CountedEvent {
        let kept = self[node]
        return CountedEvent(
            time: kept.time, origin: kept.origin, offset: kept.offset, line: kept.line, member: kept.member, user: kept.user,
            address: address(node), value: value(node))
    }

    private static let noAddress = IPAddress(high: 0, low: 0)

    /// A node that is in no list yet.
    mutating func make(_ event: CountedEvent, owner: UInt32) -> UInt32 {
        let node = Node(
            time: event.time, offset: event.offset,
            lineAndMember: UInt64(truncatingIfNeeded: event.line) & 0xFFFF_FFFF_FFFF | UInt64(event.member) << 48,
            origin: event.origin, user: event.user, next: EventPool.none, previous: EventPool.none)
        count += 1
        if free != EventPool.none {
            let place = free
            free = nodes[Int(place)].next
            nodes[Int(place)] = node
            if keepsAddresses { addresses[Int(place)] = event.address ?? EventPool.noAddress }
            if keepsValues {
                values[Int(place)] = event.value
                owners[Int(place)] = owner
            }
            return place
        }
        nodes.append(node)
        if keepsAddresses { addresses.append(event.address ?? EventPool.noAddress) }
        if keepsValues {
            values.append(event.value)
            owners.append(owner)
        }
        return UInt32(nodes.count - 1)
    }

    /// The node must have been taken out of its list.
    mutating func release(_ node: UInt32) {
        nodes[Int(node)].next = free
        free = node
        count -= 1
    }
}
