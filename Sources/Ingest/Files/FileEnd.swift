/// The last bytes that were read of a file, remembered to tell it from others that begin alike.
package struct FileEnd: Codable, Hashable, Sendable {
    /// Some lines, which name times and clients; what stands in front of them is not compared.
    package static let maximumBytes = 256

    /// Where the first byte behind them stands.
    package var offset: Int64
    package var count: Int
    package var hash: UInt64

    init(_ bytes: some BidirectionalCollection<UInt8>, before offset: Int64) {
        let last = bytes.suffix(FileEnd.maximumBytes)
        self.offset = offset
        count = last.count
        hash = last.reduce(JSONFieldPlan.hashSeed) { JSONFieldPlan.extend($0, $1) }
    }

    var isPlausible: Bool { (1...FileEnd.maximumBytes).contains(count) && offset >= Int64(count) }
}
