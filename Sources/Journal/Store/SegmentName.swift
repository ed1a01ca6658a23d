/// A segment's file name: the sequence of its first entry in 20 digits, so that names sort as sequences do.
enum SegmentName {
    static let suffix = ".log"

    static func name(of sequence: UInt64) -> String {
        let digits = String(sequence)
        return String(repeating: "0", count: 20 - digits.utf8.count) + digits + suffix
    }

    /// `nil` for other files.
    static func sequence(of name: String) -> UInt64? {
        guard name.hasSuffix(suffix), let sequence = UInt64(name.dropLast(suffix.count)), self.name(of: sequence) == name
        else { return nil }
        return sequence
    }

    /// First sequences of all segments in a directory, rising.
    static func list(in directory: String) throws(JournalError) -> [UInt64] {
        try FileSystem.names(in: directory).compactMap(sequence(of:)).sorted()
    }
}
