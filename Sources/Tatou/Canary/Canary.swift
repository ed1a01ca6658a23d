import Crypto
import Events
import Foundation
import Glibc
package import Identity

/// Where the canary is.
package struct CanaryOptions: Sendable {
    /// A file that nobody has a reason to read.
    package var path: String
    /// Where its digest is kept: apart from it, in a folder that only Tatou's user may look into.
    package var digestPath: String
    /// Whether permissions wider than the owner's count as damage, too.
    package var isStrict: Bool

    package init(path: String, digestPath: String, isStrict: Bool = false) {
        self.path = path
        self.digestPath = digestPath
        self.isStrict = isStrict
    }
}

/// A file that exists only to be found. Its content is never shown, logged or compared but by digest.
package struct Canary: Sendable {
    package enum State: Sendable, Equatable {
        case intact
        case changed
        case missing
        /// Another file stands in its place than the one that is open; it has to be looked at.
        case replaced
        /// Strict only: others than its owner may read it.
        case exposed
    }

    /// `resource.id` of its events.
    package static let identifier = "canary-1"

    package let options: CanaryOptions
    private let randomness: Randomness

    package init(options: CanaryOptions, randomness: Randomness = .system) {
        self.options = options
        self.randomness = randomness
    }

    /// Compares the file with its digest, by a descriptor that is not opened anew where one is given: opening is what a watch sees.
    package func state(descriptor: CInt? = nil) throws -> State {
        var status = stat()
        guard stat(options.path, &status) == 0 else { return .missing }
        let expected = try String(contentsOfFile: options.digestPath, encoding: .utf8).trimmed
        let reading = descriptor ?? open(options.path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard reading >= 0 else { throw FileFailure("open", options.path) }
        defer { if descriptor == nil { close(reading) } }
        var opened = stat()
        guard fstat(reading, &opened) == 0, opened.st_ino == status.st_ino, opened.st_dev == status.st_dev else {
            return .replaced
        }
        guard try FileIntegrity.digest(reading, options.path) == expected else { return .changed }
        return options.isStrict && status.st_mode & 0o077 != 0 ? .exposed : .intact
    }

    /// Whether there is one.
    package var exists: Bool { access(options.digestPath, F_OK) == 0 }

    /// Writes a new one, with other content than any before.
    package func regenerate() throws {
        let content = SecretToken(bits: 256, from: randomness).text + "\n"
        let digest = SHA256.hash(data: Array(content.utf8)).hexadecimal + "\n"
        try Self.replace(options.digestPath, with: digest, mode: 0o600)
        try Self.replace(options.path, with: content, mode: 0o400)
    }

    private static func replace(_ path: String, with text: String, mode: mode_t) throws {
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let beside = path + ".new"
        unlink(beside)
        let descriptor = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw FileFailure("create", beside) }
        defer { close(descriptor) }
        let bytes = Array(text.utf8)
        guard write(descriptor, bytes, bytes.count) == bytes.count, fsync(descriptor) == 0 else {
            throw FileFailure("write", beside)
        }
        guard rename(beside, path) == 0 else { throw FileFailure("rename", beside) }
    }
}
