/// Up to 256 entries in a file (C2SP tlog-tiles): each behind its length in 2 bytes.
package enum EntryBundle {
    /// - Parameter entries: at most 65,535 bytes each, which ``Entry/byteLimit`` ensures.
    package static func encode(_ entries: [[UInt8]]) -> [UInt8] {
        entries.flatMap { UInt16($0.count).bigEndianBytes + $0 }
    }

    /// `nil` when the lengths do not add up.
    package static func decode(_ bytes: [UInt8]) -> [[UInt8]]? {
        var entries: [[UInt8]] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            guard rest.count >= 2 else { return nil }
            let length = Int(UInt16(bigEndianBytes: rest.prefix(2)))
            rest = rest.dropFirst(2)
            guard rest.count >= length else { return nil }
            entries.append(Array(rest.prefix(length)))
            rest = rest.dropFirst(length)
        }
        return entries
    }
}
