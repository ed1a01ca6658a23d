import Events

/// Notices a source whose events all come from one private address.
struct SoleAddress: Sendable {
    /// Fewer events may just be a quiet morning in the office.
    static let minimumEvents = 100

    private var address: IPAddress?
    private var count = 0
    private var isSettled = false

    /// How many events there were, when all of them came from one private address.
    var warning: Int? { !isSettled && count >= SoleAddress.minimumEvents ? count : nil }

    mutating func note(_ bytes: Span<UInt8>, _ sink: FieldSink) {
        guard !isSettled, let range = sink.range(of: .sourceIP), let found = IPAddress(bytes.extracting(range.bounds)) else {
            return
        }
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
