import Crypto

/// Rule files as they were parsed last time, so that a start needs no YAML; and the literals that regular expressions need,
/// which take longer to find than all the rest of compiling them.
///
/// Entries are named by a file's path and the SHA-256 of its text: what has changed is parsed anew, and nothing else is. The
/// bytes end with the SHA-256 of what stands before it; bytes that
/// were damaged, or written by another version, are no cache.
package struct RuleCache {
    /// Raised whenever what the parser makes of a document changes, or how it is written here.
    static let version: UInt64 = 3
    private static let magic: UInt64 = 0x5641_4749_4552_5543

    private var entries: [String: Entry] = [:]
    /// The literals of regular expressions, by the expression.
    var literals = RegexLiteralMemory()
    /// Something was parsed anew: the cache is to be written.
    var isStale: Bool { hasNewEntries || keeps && literals.hasGrown }
    private var hasNewEntries = false

    private struct Entry {
        var hash: String
        var documents: [SigmaDocument]
        var isUsed = false
    }

    /// Whether what is parsed is kept. Without a file to write it to, it would only take memory.
    private let keeps: Bool

    /// An empty one.
    init(keeps: Bool) {
        self.keeps = keeps
    }

    /// - Returns: `nil` for bytes that are no cache of this version.
    init?(_ bytes: [UInt8]) {
        guard RuleCache.isWhole(bytes) else { return nil }
        self.init(unsealed: Array(bytes.dropLast(32)))
    }

    /// Whether the bytes are as some version wrote them.
    static func isWhole(_ bytes: [UInt8]) -> Bool {
        bytes.count > 32 && Array(SHA256.hash(data: bytes.dropLast(32))) == Array(bytes.suffix(32))
    }

    /// Reads what stands before the checksum.
    package init?(unsealed bytes: [UInt8]) {
        keeps = true
        var reader = CacheReader(bytes: bytes)
        guard reader.number() == RuleCache.magic, reader.number() == RuleCache.version, reader.readStrings() else { return nil }
        guard let count = reader.count() else { return nil }
        for _ in 0..<count {
            guard let path = reader.string(), let hash = reader.string(), let documents = reader.documents() else { return nil }
            entries[path] = Entry(hash: hash, documents: documents)
        }
        guard let literals = reader.literals() else { return nil }
        self.literals = RegexLiteralMemory(known: literals)
        guard reader.isAtEnd else { return nil }
    }

    /// The file's documents, parsed only if they have to be.
    mutating func documents(_ source: RuleSource) -> [Result<SigmaDocument, RuleProblem>] {
        let hash = SigmaParser.hash(source)
        if let entry = entries[source.path], entry.hash == hash {
            entries[source.path]?.isUsed = true
            return entry.documents.map { .success($0) }
        }
        let parsed = SigmaParser.parse(source)
        guard keeps else { return parsed }
        let documents = parsed.compactMap { try? $0.get() }
        guard documents.count == parsed.count else { return parsed }
        entries[source.path] = Entry(hash: hash, documents: documents, isUsed: true)
        hasNewEntries = true
        return parsed
    }

    /// The bytes to keep: of the files that were asked for.
    var encoded: [UInt8] {
        var writer = CacheWriter()
        let used = entries.filter(\.value.isUsed).sorted { $0.key < $1.key }
        writer.number(UInt64(used.count))
        for (path, entry) in used {
            writer.string(path)
            writer.string(entry.hash)
            writer.documents(entry.documents)
        }
        writer.literals(literals.used)
        var bytes = writer.finish(magic: RuleCache.magic, version: RuleCache.version)
        bytes += Array(SHA256.hash(data: bytes))
        return bytes
    }
}
