import Events

/// Notices a source whose events all come from one private address.
struct SoleAddress: Sendable {
    /// Fewer events may just be a quiet morning in the office.
    static let minimumEvents = 100

    private var address: IPAddress?
    private var count = 0
    /// Its events come from several addresses, or from a public one: what is still to come changes nothing.
    private(set) var isSettled = false

    /// How many events there were, when all of them came from one private address.
    var warning: Int? { !isSettled && count >= SoleAddress.minimumEvents ? count : nil }

    /// - Parameter range: where an event has its address.
    mutating func note(_ bytes: Span<UInt8>, _ range: Range<Int>) {
        guard let found = IPAddress(bytes.extracting(range)) else { return }
        if let address {
            if found == address { count += 1 } else { isSettled = true }
        } else if PrivateAddresses.contain(found) {
            address = found
            count = 1
        } else {
            isSettled = true
        }
    }
}
