import Crypto
import Foundation
import Journal

/// Bytes by their SHA-256: written once, never changed. Suspicious ones lie encrypted under the store's key.
///
///     blobs/ab/ab12…          as they were collected
///     blobs/ab/ab12….sealed   encrypted, see SealedStream
///     pending/EV-….json       entries that a running server has yet to write down
///
/// Callable from any task and any process: a blob is there as a whole or not at all.
package struct BlobStore: Sendable {
    package let directory: String
    private let keyPath: String

    package struct Sealed: Hashable, Sendable {
        package var sha256: String
        package var size: UInt64
    }

    /// - Parameter keyPath: the file with the key for suspicious blobs; made when the first is stored.
    package init(directory: String, keyPath: String) {
        self.directory = directory
        self.keyPath = keyPath
    }

    /// Takes everything from a file; durable before this returns.
    ///
    /// - Parameter atMost: bytes after which it stops; for excerpts.
    package func add(_ file: ByteFile, isSuspicious: Bool) throws -> Sealed {
        try makeFolders()
        let incoming = "\(directory)/incoming/\(EvidenceItem.newID())"
        defer { unlink(incoming) }
        let output = try ByteFile.creating(incoming)
        var hasher = SHA256()
        var size: UInt64 = 0
        var sealer = isSuspicious ? SealedStream.Sealer(secret: try secret(makes: true)) : nil
        while case let piece = try file.next(), !piece.isEmpty {
            hasher.update(data: piece)
            size += UInt64(piece.count)
            try output.write(try sealer?.add(piece) ?? piece)
        }
        if var last = sealer { try output.write(try last.finish()) }
        try output.synchronise()
        let sealed = Sealed(sha256: hexadecimal(hasher.finalize()), size: size)
        let path = path(of: sealed.sha256, isSuspicious: isSuspicious)
        // The same bytes may lie there already, added before or just now by somebody else; then these here are not needed.
        if !FileManager.default.fileExists(atPath: path) || !isWhole(sealed, isSuspicious: isSuspicious) {
            let folder = "\(directory)/blobs/\(sealed.sha256.prefix(2))"
            try makeFolder(folder)
            guard rename(incoming, path) == 0 else { throw EvidenceError(.file, "\(path) cannot be made; check the folder") }
            try synchronise(folder)
            try synchronise("\(directory)/blobs")
        }
        return sealed
    }

    package func add(_ bytes: [UInt8], isSuspicious: Bool = false) throws -> Sealed {
        try makeFolders()
        let path = "\(directory)/incoming/\(EvidenceItem.newID())-bytes"
        defer { unlink(path) }
        try ByteFile.creating(path).write(bytes)
        return try add(ByteFile.reading(path), isSuspicious: isSuspicious)
    }

    /// Gives the bytes of an item, piece by piece, and checks on the way that they are the ones that were collected.
    ///
    /// - Throws: at the end, when they are not; who writes them somewhere then has to throw that away.
    package func read(_ item: EvidenceItem, _ body: ([UInt8]) throws -> Void) throws {
        let path = path(of: item.sha256, isSuspicious: item.isSuspicious)
        guard FileManager.default.fileExists(atPath: path) else {
            throw EvidenceError(
                .damaged, "\(path) is missing, the bytes of \(item.id) (\(item.name)); bring it back from a backup")
        }
        let file = try ByteFile.reading(path)
        var hasher = SHA256()
        var size: UInt64 = 0
        var opener = item.isSuspicious ? SealedStream.Opener(secret: try secret(makes: false)) : nil
        func take(_ bytes: [UInt8]) throws {
            hasher.update(data: bytes)
            size += UInt64(bytes.count)
            try body(bytes)
        }
        do {
            while case let piece = try file.next(), !piece.isEmpty { try take(try opener?.add(piece) ?? piece) }
            if var last = opener { try take(try last.finish()) }
        } catch let error as EvidenceError where error.code == .damaged {
            throw EvidenceError(.damaged, "\(path): \(error.description); bring it back from a backup")
        }
        guard hexadecimal(hasher.finalize()) == item.sha256, size == item.size else {
            throw EvidenceError(
                .damaged,
                "\(path) does not hold the bytes that were collected as \(item.id) (\(item.name)): it was changed or swapped; "
                    + "bring it back from a backup")
        }
    }

    private func isWhole(_ sealed: Sealed, isSuspicious: Bool) -> Bool {
        let expected = isSuspicious ? SealedStream.sealedSize(sealed.size) : sealed.size
        let attributes = try? FileManager.default.attributesOfItem(atPath: path(of: sealed.sha256, isSuspicious: isSuspicious))
        return (attributes?[.size] as? NSNumber)?.uint64Value == expected
    }

    private func path(of sha256: String, isSuspicious: Bool) -> String {
        "\(directory)/blobs/\(sha256.prefix(2))/\(sha256)\(isSuspicious ? ".sealed" : "")"
    }

    private func secret(makes: Bool) throws -> [UInt8] {
        if !FileManager.default.fileExists(atPath: keyPath) {
            guard makes else {
                throw EvidenceError(
                    .key, "\(keyPath) is missing; suspicious files cannot be read without it: bring it back from a backup")
            }
            try makeFolder(
                String(keyPath.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")))
            let temporary = "\(keyPath).\(EvidenceItem.newID())"
            defer { unlink(temporary) }
            let file = try ByteFile.creating(temporary)
            try file.write(Array((Base64.encode(RandomSource.system.bytes(32)) + "\n").utf8))
            try file.synchronise()
            // Two processes may get here at once; link does not replace, so both use the key of the first.
            guard link(temporary, keyPath) == 0 || errno == EEXIST else {
                throw EvidenceError(.key, "\(keyPath) cannot be made; check its folder")
            }
        }
        let attributes = try FileManager.default.attributesOfItem(atPath: keyPath)
        guard (attributes[.posixPermissions] as? NSNumber)?.intValue == 0o600 else {
            throw EvidenceError(.key, "others may read \(keyPath); `chmod 600` it, and ask who did")
        }
        let text = String(decoding: try ByteFile.reading(keyPath).next(100), as: UTF8.self)
        guard let bytes = Base64.decode(text.prefix { $0 != "\n" }), bytes.count == 32 else {
            throw EvidenceError(.key, "\(keyPath) holds no key; bring it back from a backup")
        }
        return bytes
    }

    private func makeFolders() throws {
        for folder in ["", "/blobs", "/incoming"] { try makeFolder(directory + folder) }
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

func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
    bytes.map { ($0 < 0x10 ? "0" : "") + String($0, radix: 16) }.joined()
}
