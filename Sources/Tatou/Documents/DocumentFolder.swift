import Foundation
import Glibc
package import Identity
import NIOCore
import NIOPosix

/// The files of the data folder: originals, marked copies, and what is still coming in.
///
/// Names are random and the server's own; nothing that a client says becomes part of a path. A file gets its name here before its row
/// is written, so a row never lacks its file; a file without a row is what a crash left, and is removed at the next start.
package struct DocumentFolder: Sendable {
    /// Which files, each in a folder of its own.
    package enum Kind: String, Sendable, CaseIterable {
        case documents
        case versions
        /// What documents look like, by which pictures of them are recognised. Made anew where it is missing: no backup needs it.
        case fingerprints

        var suffix: String { self == .fingerprints ? "" : ".pdf" }
    }

    package let root: String
    private let randomness: Randomness

    /// Makes the folders where they are missing; only Tatou's user may look into them.
    package init(root: String, randomness: Randomness = .system) throws {
        self.root = root
        self.randomness = randomness
        for folder in Kind.allCases.map(\.rawValue) + ["staging"] {
            try FileManager.default.createDirectory(
                atPath: "\(root)/\(folder)", withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        }
    }

    /// A name that is in use nowhere: 128 random bits.
    func newName() -> String { SecretToken(bits: 128, from: randomness).text }

    package func path(_ kind: Kind, _ name: String) -> String { "\(root)/\(kind.rawValue)/\(name)\(kind.suffix)" }

    func stagingPath(_ name: String) -> String { "\(root)/staging/\(name)" }

    /// A new file to write to; it is gone after the next start unless ``adopt(_:as:name:)`` gave it a name.
    func stage() async throws -> StagedFile {
        let path = stagingPath(newName())
        return try await Self.blocking { try StagedFile(path: path) }
    }

    /// Gives a staged file its name, once its bytes are on the disk; after a crash it is whole or not there.
    func adopt(_ staged: String, as kind: Kind, name: String) async throws {
        let path = path(kind, name)
        let folder = "\(root)/\(kind.rawValue)"
        try await Self.blocking {
            let descriptor = Glibc.open(staged, O_RDONLY | O_CLOEXEC)
            guard descriptor >= 0 else { throw FileFailure("open", staged) }
            defer { close(descriptor) }
            guard fsync(descriptor) == 0 else { throw FileFailure("sync", staged) }
            guard rename(staged, path) == 0 else { throw FileFailure("rename", staged) }
            try Self.sync(folder: folder)
        }
    }

    /// - Returns: whether there was such a file.
    func remove(_ kind: Kind, _ name: String) async throws -> Bool {
        try await removeFile(path(kind, name))
    }

    @discardableResult
    func removeFile(_ path: String) async throws -> Bool {
        try await Self.blocking {
            if unlink(path) == 0 { return true }
            guard errno == ENOENT else { throw FileFailure("remove", path) }
            return false
        }
    }

    /// Removes what a crash left: everything staged, and every file whose name is not `known`.
    ///
    /// - Returns: how many files that were.
    func sweep(known: [Kind: Set<String>]) throws -> Int {
        var removed = 0
        for file in try FileManager.default.contentsOfDirectory(atPath: "\(root)/staging") {
            if unlink("\(root)/staging/\(file)") == 0 { removed += 1 }
        }
        for kind in Kind.allCases {
            for file in try FileManager.default.contentsOfDirectory(atPath: "\(root)/\(kind.rawValue)")
            where known[kind]?.contains(file.hasSuffix(kind.suffix) ? String(file.dropLast(kind.suffix.count)) : "") != true {
                if unlink("\(root)/\(kind.rawValue)/\(file)") == 0 { removed += 1 }
            }
        }
        return removed
    }

    private static func sync(folder: String) throws {
        let descriptor = Glibc.open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileFailure("open", folder) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw FileFailure("sync", folder) }
    }

    /// Disks may take their time; threads that answer requests do not wait for them.
    static func blocking<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await NIOSingletons.posixBlockingThreadPool.runIfActive(work)
    }
}

/// The system refused something about a file.
package struct FileFailure: Error, Sendable, CustomStringConvertible {
    package var description: String
    package var code: CInt

    init(_ what: String, _ path: String) {
        code = errno
        description = "cannot \(what) \(path): \(String(cString: strerror(code)))"
    }
}
