import Foundation
import Glibc

/// The file that a rule cache is kept in, readable by its owner alone.
///
/// Whatever goes wrong with it is no error: the rules are parsed then, as they would be without it.
enum RuleCacheFile {
    /// All of SigmaHQ takes a few megabytes.
    private static let maximumBytes = 64 << 20

    /// - Parameter refused: told why there is a file that is not used, unless another version of Vigie wrote it.
    /// - Returns: `nil` where there is no sound cache of this version, or where others could have written it.
    static func read(_ path: String, refused: (String) -> Void = { _ in }) -> RuleCache? {
        var status = stat()
        guard unsafe lstat(path, &status) == 0 else { return nil }
        let advice = "the rules were parsed anew, and it is replaced"
        guard status.st_mode & S_IFMT == S_IFREG, status.st_uid == geteuid(), status.st_mode & 0o022 == 0,
            status.st_size <= maximumBytes
        else {
            refused("the rule cache \(path) is not a file that this user alone can write; \(advice)")
            return nil
        }
        guard let data = FileManager.default.contents(atPath: path) else {
            refused("the rule cache \(path) cannot be read; \(advice)")
            return nil
        }
        let bytes = Array(data)
        if !RuleCache.isWhole(bytes) { refused("the rule cache \(path) is damaged; \(advice)") }
        return RuleCache(bytes)
    }

    /// By renaming, so that a reader sees the old one or the new one.
    static func write(_ cache: RuleCache, to path: String) {
        let folder = (path as NSString).deletingLastPathComponent
        try? FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let draft = "\(path).\(getpid())"
        guard
            FileManager.default.createFile(
                atPath: draft, contents: Data(cache.encoded), attributes: [.posixPermissions: 0o600])
        else { return }
        if unsafe rename(draft, path) != 0 { unsafe unlink(draft) }
    }
}
