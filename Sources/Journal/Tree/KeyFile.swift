#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A private key in a file that only its user may read, and the public key beside it for everybody.
package enum KeyFile {
    package static func publicPath(_ path: String) -> String { "\(path).pub" }

    /// - Throws: when there is none, when others may read it, or when it is no key.
    package static func read(_ path: String, kind: NoteKey.Kind) throws(JournalError) -> NoteSigner {
        let file = try JournalFile.open(path, .reading)
        guard try file.mode() & 0o077 == 0 else {
            throw refusal(
                path, "others may read it (mode \(String(try file.mode() & 0o777, radix: 8))); `chmod 600` it, and ask who did")
        }
        let text = String(decoding: try file.read(at: 0, count: 1024), as: UTF8.self)
        do {
            let signer = try NoteSigner(parsing: String(text.prefix { $0 != "\n" }))
            guard signer.key.kind == kind else { throw NoteError(.content, "it is a key of another kind") }
            return signer
        } catch {
            throw refusal(path, "\(error)")
        }
    }

    /// The key in the file; where there is none, a new one, durable before this returns.
    ///
    /// - Parameter origin: name of a new key; without one it is made from the public key.
    package static func readOrMake(
        _ path: String, kind: NoteKey.Kind, origin: String? = nil, random: RandomSource = .system
    ) throws(JournalError) -> NoteSigner {
        if try exists(path) { return try read(path, kind: kind) }
        let signer: NoteSigner
        do {
            signer = try NoteSigner(kind: kind, random: random) { publicKey in
                origin ?? "vigie/" + (MerkleHash.leaf(publicKey).description.prefix(16))
            }
        } catch {
            throw refusal(path, "\(error)")
        }
        let folder = path.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
        try FileSystem.makeDirectory(folder)
        try FileSystem.replace(publicPath(path), with: Array((signer.key.text + "\n").utf8))
        try FileSystem.replace(path, with: Array((signer.privateText + "\n").utf8))
        try FileSystem.syncDirectory(folder)
        return signer
    }

    /// The public key in a file: one line.
    package static func readPublic(_ path: String) throws(JournalError) -> NoteKey {
        let text = String(decoding: try JournalFile.open(path, .reading).read(at: 0, count: 1024), as: UTF8.self)
        do {
            return try NoteKey(parsing: String(text.prefix { $0 != "\n" }))
        } catch {
            throw refusal(path, "\(error)")
        }
    }

    package static func exists(_ path: String) throws(JournalError) -> Bool {
        try FileSystem.contents(path, limit: 0) != nil
    }

    private static func refusal(_ path: String, _ why: String) -> JournalError {
        .tree(TreeDamage(file: path, reason: .key(why)))
    }
}

extension JournalFile {
    /// Permission bits.
    fileprivate func mode() throws(JournalError) -> Int {
        var status = stat()
        guard stat(path, &status) == 0 else { throw FileSystem.failure("examining", path) }
        return Int(status.st_mode) & 0o7777
    }
}
