import Foundation

/// Where one Vigie keeps everything: one folder, readable by its user only.
///
///     journal/              the truth: append-only, hashed
///     keys/checkpoint       the key that signs checkpoints of the journal: secret; checkpoint.pub is for everybody
///     keys/links            the secret of links that acknowledge; made anew where it is missing, and links from before end
///     evidence/             sealed files, by their hash
///     keys/evidence/        a key for each of them: back them up apart; whoever erases one has to erase it there, too
///     archive/              every line, compressed, for as long as policy says
///     private.db            accounts, sessions, subject keys: back it up apart, and keep it secret
///     projections.db        made from the journal, at any time anew
///     detection/snapshot.json   how far sources are read, and what correlations remember
///     detection/rules-cache     rule files as they were parsed last time; made anew where it is missing or damaged
///     detection/receivers/      what came over the network and is being read: one spool for each protocol
///     detection/journald.jsonl  what came from journald, where that is followed
package struct DataFolder: Sendable {
    package let path: String

    package var journal: String { path + "/journal" }
    package var checkpointKey: String { path + "/keys/checkpoint" }
    package var linkSecret: String { path + "/keys/links" }
    package var evidenceKeys: String { path + "/keys/evidence" }
    package var evidence: String { path + "/evidence" }
    package var archive: String { path + "/archive" }
    package var privateDatabase: String { path + "/private.db" }
    package var projections: String { path + "/projections.db" }
    package var detection: String { path + "/detection" }
    package var snapshot: String { detection + "/snapshot.json" }
    package var ruleCache: String { detection + "/rules-cache" }
    package var spools: String { detection + "/receivers" }
    package var journaldSpool: String { detection + "/journald.jsonl" }

    /// Where what came in by the receiver of that name waits to be read; written as sources are, whose positions are kept by path.
    package func spool(_ name: String) -> String { URL(fileURLWithPath: "\(spools)/\(name).jsonl").standardizedFileURL.path }

    /// Whether a source is written by the server itself, so that it can say nothing while the server does not run.
    func isSpool(_ path: String) -> Bool {
        let written = { (path: String) in URL(fileURLWithPath: path).standardizedFileURL.path }
        return path == written(journaldSpool) || path.hasPrefix(written(spools) + "/")
    }

    /// Below this much free space a start is refused: a journal that cannot be written protects nobody.
    package static let minimumFreeBytes = 64 << 20

    package init(path: String) {
        self.path = path
    }

    /// Makes the folder where it is not there.
    ///
    /// - Throws: `ServerError` when it cannot be made or written, or the disk is nearly full.
    package func prepare() throws(ServerError) {
        do {
            for folder in [path, detection] {
                try FileManager.default.createDirectory(
                    atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            }
        } catch {
            throw ServerError(
                .dataFolder, "the data folder \(path) cannot be made: \(error.localizedDescription)",
                "choose another with --data, or let Vigie's user write there")
        }
        guard FileManager.default.isWritableFile(atPath: path) else {
            throw ServerError(
                .dataFolder, "the data folder \(path) cannot be written", "choose another with --data, or change its owner")
        }
        if let free = freeBytes, free < DataFolder.minimumFreeBytes {
            throw ServerError(
                .diskFull, "the disk of the data folder \(path) has only \(free >> 20) MiB left",
                "make at least \(DataFolder.minimumFreeBytes >> 20) MiB of room, or choose another folder with --data")
        }
    }
}

extension DataFolder {
    /// Whether a server may start here; where the file system does not say, it may.
    var hasRoom: Bool { freeBytes.map { $0 >= DataFolder.minimumFreeBytes } ?? true }

    private var freeBytes: Int? {
        let attributes = try? FileManager.default.attributesOfFileSystem(forPath: path)
        return (attributes?[.systemFreeSize] as? NSNumber)?.intValue
    }

    func prepareSpools() throws(ServerError) {
        do {
            try FileManager.default.createDirectory(
                atPath: spools, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw ServerError(
                .dataFolder, "the folder \(spools) cannot be made: \(error.localizedDescription)", "let Vigie's user write there")
        }
    }

    /// An empty file in place of the accounts and keys would be filled anew without a word; beside a journal it is a loss.
    ///
    /// A first start that was cut off may leave an empty one, but never a journal with entries: that is made later.
    func checkPrivateDatabase() throws(ServerError) {
        let files = FileManager.default
        let size = { (path: String) in ((try? files.attributesOfItem(atPath: path))?[.size] as? NSNumber)?.intValue }
        guard size(privateDatabase) == 0 else { return }
        let segments = ((try? files.contentsOfDirectory(atPath: journal)) ?? []).filter { $0.hasSuffix(".log") }
        guard segments.contains(where: { (size("\(journal)/\($0)") ?? 0) > 0 }) else { return }
        throw ServerError(
            .storage, "\(privateDatabase) is empty, although the journal beside it is not: accounts and keys are gone",
            "restore it from a backup; without one, move it away and start again: personal data in the journal stays unreadable")
    }
}

/// Why a server cannot start or go on, and what to do about it.
package struct ServerError: Error, Sendable, CustomStringConvertible {
    package enum Code: String, Sendable {
        case dataFolder, diskFull, journal, storage, snapshot, rules, sources, playbooks, address, console
    }

    package var code: Code
    package var reason: String
    package var advice: String

    package init(_ code: Code, _ reason: String, _ advice: String) {
        self.code = code
        self.reason = reason
        self.advice = advice
    }

    package var description: String { "\(reason); \(advice)" }
}
