import Foundation
import Journal
import Response

/// The playbooks that runs began with, by hash: a run goes on with them although its file was changed since.
struct PlaybookStore: Sendable {
    let directory: String

    init(_ folder: DataFolder) { directory = folder.path + "/playbooks" }

    /// Durable when it returns; harmless where it is there.
    func keep(_ playbook: Playbook) throws {
        let path = "\(directory)/\(playbook.contentHash).json"
        guard !FileManager.default.fileExists(atPath: path) else { return }
        try FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let new = path + ".new"
        try Data(playbook.document.canonicalBytes()).write(to: URL(fileURLWithPath: new))
        let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: new))
        try handle.synchronize()
        try handle.close()
        try DurableName.rename(new, to: path, in: directory)
    }

    /// - Throws: `ServerError` where it is gone, or is not what its name says.
    func read(_ hash: String) throws -> Playbook {
        let path = "\(directory)/\(hash).json"
        guard let data = FileManager.default.contents(atPath: path),
            let playbook = PlaybookDecoder.read(Array(data)).playbook, playbook.contentHash == hash
        else {
            throw ServerError(
                .playbooks, "\(path), with which a run began, is gone or changed", "restore it from a backup, or cancel the run")
        }
        return playbook
    }
}
