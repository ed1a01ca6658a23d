import Events
import Foundation
import Identity
import Synchronization

/// The keys of applications and bouncers: read from files at the start, kept as digests.
struct MachineKeys: Sendable {
    /// Guessing one is hopeless from here on; shorter ones are refused.
    static let minimumBytes = 16

    private let digests: [(name: String, digest: String)]

    /// - Parameter files: the path of each caller's key.
    /// - Throws: `ServerError` for a file that cannot be read, is readable for everybody, or holds something short.
    init(_ files: [(name: String, path: String)]) throws(ServerError) {
        var digests: [(name: String, digest: String)] = []
        for (name, path) in files {
            digests.append((name, SecretToken(text: try MachineKeys.read(path, of: name)).digest.hex))
        }
        guard Set(digests.map(\.digest)).count == digests.count else {
            throw ServerError(.dataFolder, "two applications or bouncers have the same key", "give each one of its own")
        }
        self.digests = digests
    }

    static func read(_ path: String, of name: String) throws(ServerError) -> String {
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        guard let data = FileManager.default.contents(atPath: path), data.count <= 4_096,
            let text = String(data: data, encoding: .utf8)?.trimmingCharacters(in: .whitespacesAndNewlines)
        else {
            throw ServerError(
                .dataFolder, "the key of '\(name)' cannot be read from \(path)",
                "make it: openssl rand -hex 32 > \(path), mode 600")
        }
        if let mode = (attributes?[.posixPermissions] as? NSNumber)?.intValue, mode & 0o007 != 0 {
            throw ServerError(.dataFolder, "everybody on this machine may read the key in \(path)", "chmod o= \(path)")
        }
        guard text.utf8.count >= minimumBytes, text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw ServerError(
                .dataFolder,
                "the key of '\(name)' in \(path) is shorter than \(minimumBytes) characters, or has others than a "
                    + "header may carry", "make one: openssl rand -hex 32 > \(path)")
        }
        return text
    }

    /// Whose key it is. All are compared, each as long as the others, so that the time tells nothing.
    func owner(of key: String) -> String? {
        let digest = SecretToken(text: key).digest.hex
        return digests.reduce(nil) { found, one in constantTimeEquals(one.digest, digest) ? one.name : found }
    }
}

/// Refuses whoever keeps showing wrong keys: ten in a minute from one address are enough.
final class WrongKeys: Sendable {
    static let limit = 10
    private static let maximumAddresses = 10_000
    private let counts = Mutex<[String: (count: Int, since: Timestamp)]>([:])

    func isRefused(_ address: String, at now: Timestamp) -> Bool {
        counts.withLock { counts in
            guard let entry = counts[address], now >= entry.since, now.nanoseconds(since: entry.since) < 60_000_000_000 else {
                return false
            }
            return entry.count >= WrongKeys.limit
        }
    }

    func note(_ address: String, at now: Timestamp) {
        counts.withLock { counts in
            if counts.count >= WrongKeys.maximumAddresses { counts = [:] }
            guard let entry = counts[address], now >= entry.since, now.nanoseconds(since: entry.since) < 60_000_000_000 else {
                counts[address] = (1, now)
                return
            }
            counts[address] = (entry.count + 1, entry.since)
        }
    }
}
