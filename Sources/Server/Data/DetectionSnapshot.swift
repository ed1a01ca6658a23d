import Detection
import Events
import Foundation
import Ingest

/// How far everything has been read and what detection remembers, as of one journal sequence.
///
/// Written by rename, so that there is always a whole one. It may lag behind the journal: what is read again after a
/// crash gives findings that the journal knows already.
struct DetectionSnapshot: Codable, Equatable {
    static let currentVersion = 1

    struct Source: Codable, Equatable {
        var path: String
        var positions: [FilePosition]
        var counters: SourceCounters
        /// Event time of the newest event, in nanoseconds; lines without a time are given it.
        var lastTime: Int64?
    }

    struct Windows: Codable, Equatable {
        var rule: String
        var hash: String
        var bytes: Data
    }

    struct Origin: Codable, Equatable {
        var source: String
        var generation: Int
    }

    var version = DetectionSnapshot.currentVersion
    /// Entries in the journal when it was made.
    var journal_sequence: UInt64
    /// Of every file being read, in the order they were given; an old file being finished stands before its successor.
    var sources: [FilePosition]
    var states: [Source]
    var origins: [Origin]
    var windows: [Windows]

    init(journalSequence: UInt64, states: [Source], engine: EngineSnapshot) {
        journal_sequence = journalSequence
        self.states = states
        sources = states.flatMap(\.positions)
        origins = engine.origins.map { Origin(source: $0.source, generation: $0.generation) }
        windows = engine.correlations.map { Windows(rule: $0.ruleID, hash: $0.ruleHash, bytes: Data($0.bytes)) }
    }

    var engine: EngineSnapshot {
        EngineSnapshot(
            origins: origins.map { BatchOrigin(source: $0.source, generation: $0.generation) },
            correlations: windows.map { EngineSnapshot.Windows(ruleID: $0.rule, ruleHash: $0.hash, bytes: Array($0.bytes)) })
    }

    /// - Returns: `nil` when there is none yet.
    /// - Throws: `ServerError` when there is one that cannot be read.
    static func load(_ folder: DataFolder) throws(ServerError) -> DetectionSnapshot? {
        guard FileManager.default.fileExists(atPath: folder.snapshot) else { return nil }
        let advice = "move it away to read all sources again from their start; findings that are recorded are not recorded twice"
        do {
            let snapshot = try JSONDecoder().decode(
                DetectionSnapshot.self, from: Data(contentsOf: URL(fileURLWithPath: folder.snapshot)))
            guard snapshot.version == currentVersion else {
                throw ServerError(
                    .snapshot, "\(folder.snapshot) is of version \(snapshot.version), this Vigie knows \(currentVersion)", advice)
            }
            return snapshot
        } catch let error as ServerError {
            throw error
        } catch {
            throw ServerError(.snapshot, "\(folder.snapshot) cannot be read: \(error)", advice)
        }
    }

    /// Writes it durably: the file, its name, and the folder that holds the name.
    func save(_ folder: DataFolder) throws {
        let temporary = folder.snapshot + ".new"
        let data = try JSONEncoder().encode(self)
        _ = FileManager.default.createFile(atPath: temporary, contents: nil, attributes: [.posixPermissions: 0o600])
        let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: temporary))
        try handle.truncate(atOffset: 0)
        try handle.write(contentsOf: data)
        try handle.synchronize()
        try handle.close()
        try DurableName.rename(temporary, to: folder.snapshot, in: folder.detection)
    }
}
