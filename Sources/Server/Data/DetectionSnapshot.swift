import Archive
import Detection
import Events
import Foundation
import Ingest

/// How far everything has been read and what detection remembers, as of one journal sequence.
///
/// Written by rename, so that there is always a whole one. It may lag behind the journal: what is read again after a
/// crash gives findings that the journal knows already.
///
/// The file is one line of JSON and, behind it, the windows as bytes: a million groups are a hundred megabytes.
struct DetectionSnapshot: Codable, Equatable {
    static let currentVersion = 2

    struct Source: Codable, Equatable {
        var path: String
        var positions: [FilePosition]
        var counters: SourceCounters
        /// Event time of the newest event, in nanoseconds; lines without a time are given it.
        var lastTime: Int64?
        /// When it usually speaks; snapshots of versions before 0.2 lack it.
        var rhythm: SourceRhythm?
    }

    struct Windows: Codable, Equatable {
        var rule: String
        var definition: String
        /// How many of the bytes behind the first line are its own.
        var length: Int
    }

    struct Origin: Codable, Equatable {
        var source: String
        var generation: Int
    }

    var version = DetectionSnapshot.currentVersion
    /// Entries in the journal when it was made.
    var journal_sequence: UInt64
    /// In the order they were given; of the positions of one, an old file being finished stands before its successor.
    var states: [Source]
    /// Hash of the rule set that was in force; snapshots of versions before 0.2 lack it.
    var rules: String?
    var origins: [Origin]
    var windows: [Windows]
    /// The secret of the hashes in the windows.
    var hash_key: [UInt64]
    /// Event time that absences go by, in nanoseconds.
    var clock: Int64
    /// How far the archive goes that belongs to the positions of the sources; `nil` where nothing is archived.
    var archive: ArchivePosition?
    /// The windows' bytes, one after the other; not part of the JSON.
    var bytes: [UInt8] = []

    private enum CodingKeys: String, CodingKey {
        case version, journal_sequence, states, rules, origins, windows, hash_key, clock, archive
    }

    init(journalSequence: UInt64, states: [Source], rules: String, engine: EngineSnapshot) {
        journal_sequence = journalSequence
        self.states = states
        self.rules = rules
        origins = engine.origins.map { Origin(source: $0.source, generation: $0.generation) }
        windows = engine.correlations.map { Windows(rule: $0.ruleID, definition: $0.definition, length: $0.bytes.count) }
        hash_key = [engine.hashKey.low, engine.hashKey.high]
        clock = engine.clock
        bytes = engine.correlations.flatMap(\.bytes)
    }

    var engine: EngineSnapshot {
        var correlations: [EngineSnapshot.Windows] = []
        var start = 0
        for window in windows {
            let end = min(start + max(window.length, 0), bytes.count)
            correlations.append(
                EngineSnapshot.Windows(ruleID: window.rule, definition: window.definition, bytes: Array(bytes[start..<end])))
            start = end
        }
        return EngineSnapshot(
            origins: origins.map { BatchOrigin(source: $0.source, generation: $0.generation) }, correlations: correlations,
            hashKey: HashKey(low: hash_key.first ?? 0, high: hash_key.last ?? 0), clock: clock)
    }

    /// - Returns: `nil` when there is none yet.
    /// - Throws: `ServerError` when there is one that cannot be read.
    static func load(_ folder: DataFolder) throws(ServerError) -> DetectionSnapshot? {
        guard FileManager.default.fileExists(atPath: folder.snapshot) else { return nil }
        let advice = "move it away to read all sources again from their start; findings that are recorded are not recorded twice"
        do {
            let data = try Data(contentsOf: URL(fileURLWithPath: folder.snapshot))
            let end = data.firstIndex(of: UInt8(ascii: "\n")) ?? data.endIndex
            let version = try JSONDecoder().decode(Version.self, from: data[..<end]).version
            guard version == currentVersion else {
                throw ServerError(
                    .snapshot, "\(folder.snapshot) is of version \(version), this Vigie knows \(currentVersion)", advice)
            }
            var snapshot = try JSONDecoder().decode(DetectionSnapshot.self, from: data[..<end])
            snapshot.bytes = Array(data[end...].dropFirst())
            guard snapshot.windows.reduce(0, { $0 + max($1.length, 0) }) == snapshot.bytes.count else {
                throw ServerError(.snapshot, "\(folder.snapshot) cannot be read: it is cut short", advice)
            }
            return snapshot
        } catch let error as ServerError {
            throw error
        } catch {
            throw ServerError(.snapshot, "\(folder.snapshot) cannot be read: \(error)", advice)
        }
    }

    private struct Version: Decodable {
        var version: Int
    }

    /// Writes it durably: the file, its name, and the folder that holds the name.
    func save(_ folder: DataFolder) throws {
        let temporary = folder.snapshot + ".new"
        var data = try JSONEncoder().encode(self)
        data.append(UInt8(ascii: "\n"))
        data.append(contentsOf: bytes)
        _ = FileManager.default.createFile(atPath: temporary, contents: nil, attributes: [.posixPermissions: 0o600])
        let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: temporary))
        try handle.truncate(atOffset: 0)
        try handle.write(contentsOf: data)
        try handle.synchronize()
        try handle.close()
        try DurableName.rename(temporary, to: folder.snapshot, in: folder.detection)
    }
}
