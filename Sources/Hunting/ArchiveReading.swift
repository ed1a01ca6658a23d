package import Ingest

/// What lines are read with, as a number: value filters of the archive are believed only by those who read with the same.
package enum ArchiveReading {
    /// Raised when built-in formats take other words for addresses or accounts than before.
    private static let version: UInt64 = 2

    package static func fingerprint(_ formats: FormatSet, pipelines: String) -> UInt64 {
        // FNV-1a over all three: stable from run to run, as `Hasher` is not.
        pipelines.utf8.reduce(formats.fingerprint ^ version) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    }
}
