import Events

/// The rules that become candidates by what a field's value is as a number or as an address, or by its being there.
struct ValueGauge: Sendable {
    struct Bound: Sendable, BitwiseCopyable {
        var comparison: Comparison
        var number: Double
        var rule: Int32
    }

    struct Block: Sendable {
        var block: AddressBlock
        var rule: Int32
    }

    var bounds: [Bound] = []
    var blocks: [Block] = []
    /// Rules that ask for the field.
    var present: [Int32] = []

    /// Calls `found` with every rule for which the value is as it asks.
    @inline(__always)
    func read(_ bytes: Span<UInt8>, _ range: Range<Int>, _ found: (Int32) -> Void) {
        for index in present.indices { found(present[index]) }
        if !bounds.isEmpty, let number = DecimalNumber.value(bytes, range) {
            for index in bounds.indices where bounds[index].comparison.holds(number, bounds[index].number) {
                found(bounds[index].rule)
            }
        }
        if !blocks.isEmpty, let address = IPAddress(bytes.extracting(range)) {
            for index in blocks.indices where blocks[index].block.contains(address) { found(blocks[index].rule) }
        }
    }
}
