import Crypto
import Events
import Foundation
import Journal

/// Bytes by their SHA-256: written once, never changed, each encrypted under a key of its own.
///
///     blobs/ab/ab12….sealed   the bytes, see SealedStream
///     incoming/               being written; left over from a crash it means nothing
///     lock                    held while a blob or its key comes or goes
///
/// Encrypted, so that no scanner or person trips over what is suspicious, and so that what has to be erased can be: without its key a
/// blob says nothing, neither here nor in a backup. Callable from any task and any process: a blob is there as a whole or not at all.
package struct BlobStore: Sendable {
    package let directory: String
    private let keys: String

    package struct Sealed: Hashable, Sendable {
        package var sha256: String
        package var size: UInt64
    }

    /// - Parameter keys: the folder with a key for each blob, named like it; made with the first.
    package init(directory: String, keys: String) {
        self.directory = directory
        self.keys = keys
    }

    /// Takes everything from a file; durable before this returns.
    package func add(_ file: ByteFile) throws -> Sealed {
        try makeFolders()
        let incoming = "\(directory)/incoming/\(EvidenceItem.newID())"
        defer {
            unlink(incoming)
            unlink("\(incoming).key")
        }
        let output = try ByteFile.creating(incoming)
        var hasher = SHA256()
        var size: UInt64 = 0
        let secret = RandomSource.system.bytes(32)
        var sealer = SealedStream.Sealer(secret: secret)
        while case let piece = try file.next(), !piece.isEmpty {
            hasher.update(data: piece)
            size += UInt64(piece.count)
            try output.write(try sealer.add(piece))
        }
        try output.write(try sealer.finish())
        try output.synchronise()
        let sealed = Sealed(sha256: hasher.finalize().hexadecimal, size: size)
        try locked { try install(incoming, secret: secret, as: sealed) }
        return sealed
    }

    package func add(_ bytes: [UInt8]) throws -> Sealed {
        try makeFolders()
        let path = "\(directory)/incoming/\(EvidenceItem.newID())-bytes"
        defer { unlink(path) }
        try ByteFile.creating(path).write(bytes)
        return try add(ByteFile.reading(path))
    }

    /// The key goes first, and an unfinished blob before it: no crash leaves a blob beside the key of another.
    private func install(_ incoming: String, secret: [UInt8], as sealed: Sealed) throws {
        let path = path(of: sealed.sha256)
        let key = keyPath(of: sealed.sha256)
        // The same bytes may lie there already, added before or just now by somebody else; then these here are not needed.
        if FileManager.default.fileExists(atPath: key), size(of: path) == SealedStream.sealedSize(sealed.size) { return }
        unlink(path)
        let file = try ByteFile.creating("\(incoming).key")
        try file.write(Array((Base64.encode(secret) + "\n").utf8))
        try file.synchronise()
        guard rename("\(incoming).key", key) == 0 else { throw EvidenceError(.key, "\(key) cannot be made; check its folder") }
        try synchronise(keys)
        let folder = "\(directory)/blobs/\(sealed.sha256.prefix(2))"
        try makeFolder(folder)
        guard rename(incoming, path) == 0 else { throw EvidenceError(.file, "\(path) cannot be made; check the folder") }
        try synchronise(folder)
        try synchronise("\(directory)/blobs")
    }

    /// Gives the bytes of an item, piece by piece, and checks on the way that they are the ones that were collected.
    ///
    /// - Throws: at the end, when they are not; who writes them somewhere then has to throw that away.
    package func read(_ item: EvidenceItem, _ body: ([UInt8]) throws -> Void) throws {
        let path = path(of: item.sha256)
        guard FileManager.default.fileExists(atPath: path) else {
            throw EvidenceError(
                .damaged, "\(path) is missing, the bytes of \(item.id) (\(item.name)); bring it back from a backup")
        }
        let file = try ByteFile.reading(path)
        var hasher = SHA256()
        var size: UInt64 = 0
        var opener = SealedStream.Opener(secret: try secret(of: item))
        func take(_ bytes: [UInt8]) throws {
            hasher.update(data: bytes)
            size += UInt64(bytes.count)
            try body(bytes)
        }
        do {
            while case let piece = try file.next(), !piece.isEmpty { try take(try opener.add(piece)) }
            try take(try opener.finish())
        } catch let error as EvidenceError where error.code == .damaged {
            throw EvidenceError(.damaged, "\(path): \(error.description); bring it back from a backup")
        }
        guard hasher.finalize().hexadecimal == item.sha256, size == item.size else {
            throw EvidenceError(
                .damaged,
                "\(path) does not hold the bytes that were collected as \(item.id) (\(item.name)): it was changed or swapped; "
                    + "bring it back from a backup")
        }
    }

    /// Destroys the key to a blob, then the blob. Its hash in the journal stays, and whatever proves that.
    ///
    /// Fine when it is gone already: cut off, it can be done once more.
    package func erase(_ sha256: String) throws {
        try makeFolders()
        try locked {
            let key = keyPath(of: sha256)
            // Some file systems write it over in place; where they do not, the name is what goes.
            if let handle = FileHandle(forWritingAtPath: key) {
                try? handle.write(contentsOf: Data(repeating: 0, count: 45))
                try? handle.synchronize()
                try? handle.close()
            }
            guard unlink(key) == 0 || errno == ENOENT else { throw EvidenceError(.key, "\(key) cannot be removed") }
            try synchronise(keys)
            let path = path(of: sha256)
            guard unlink(path) == 0 || errno == ENOENT else {
                throw EvidenceError(.file, "\(path) cannot be removed; its key is destroyed")
            }
            if FileManager.default.fileExists(atPath: "\(directory)/blobs/\(sha256.prefix(2))") {
                try synchronise("\(directory)/blobs/\(sha256.prefix(2))")
            }
        }
    }

    private func path(of sha256: String) -> String { "\(directory)/blobs/\(sha256.prefix(2))/\(sha256).sealed" }

    private func keyPath(of sha256: String) -> String { "\(keys)/\(sha256)" }

    private func size(of path: String) -> UInt64? {
        ((try? FileManager.default.attributesOfItem(atPath: path))?[.size] as? NSNumber)?.uint64Value
    }

    private func secret(of item: EvidenceItem) throws -> [UInt8] {
        let path = keyPath(of: item.sha256)
        guard let attributes = try? FileManager.default.attributesOfItem(atPath: path) else {
            throw EvidenceError(
                .key,
                "\(path) is missing, the key to the bytes of \(item.id) (\(item.name)): they were erased, or it has to come back from a backup"
            )
        }
        guard (attributes[.posixPermissions] as? NSNumber)?.intValue == 0o600 else {
            throw EvidenceError(.key, "others may read \(path); `chmod 600` it, and ask who did")
        }
        let text = String(decoding: try ByteFile.reading(path).next(100), as: UTF8.self)
        guard let bytes = Base64.decode(text.prefix { $0 != "\n" }), bytes.count == 32 else {
            throw EvidenceError(.key, "\(path) holds no key; bring it back from a backup")
        }
        return bytes
    }

    private func makeFolders() throws {
        for folder in [directory, "\(directory)/blobs", "\(directory)/incoming", keys] { try makeFolder(folder) }
    }

    /// One process at a time; short, since nothing is read or encrypted meanwhile.
    private func locked(_ body: () throws -> Void) throws {
        let path = "\(directory)/lock"
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw EvidenceError(.file, "\(path) cannot be made; check the folder") }
        defer {
            // A process that is being started just now holds a copy of the descriptor, and with it the lock.
            _ = flock(descriptor, LOCK_UN)
            close(descriptor)
        }
        while flock(descriptor, LOCK_EX) != 0 {
            guard errno == EINTR else { throw EvidenceError(.file, "\(path) cannot be locked") }
        }
        try body()
    }
}

/// Makes a folder that only this user may enter; fine when it is there.
func makeFolder(_ path: String) throws(EvidenceError) {
    do {
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    } catch {
        throw EvidenceError(.file, "the folder \(path) cannot be made: \(error.localizedDescription)")
    }
}

/// Makes new names in a folder durable.
func synchronise(_ folder: String) throws(EvidenceError) {
    let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw EvidenceError(.file, "the folder \(folder) cannot be opened") }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 || errno == EINVAL else {
        throw EvidenceError(.file, "the folder \(folder) cannot be synchronised")
    }
}
