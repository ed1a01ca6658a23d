import Foundation
import Journal
import Testing

/// Files that tests read: the repository's own, and those of others where they are present.
enum Files {
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    static let tests = root.appending(path: "Tests/ResponseTests")
    static let playbooks = root.appending(path: "playbooks")

    static func bytes(_ url: URL) throws -> [UInt8] { Array(try Data(contentsOf: url)) }

    static func json(_ url: URL) throws -> JSONValue {
        try JSONValue(parsing: bytes(url), limits: .init(depth: 64, bytes: 8 << 20))
    }

    /// The files of a folder with an extension, sorted by name.
    static func list(_ folder: URL, _ pathExtension: String) throws -> [URL] {
        try FileManager.default.contentsOfDirectory(at: folder.resolvingSymlinksInPath(), includingPropertiesForKeys: nil)
            .filter { $0.pathExtension == pathExtension }.sorted { $0.path < $1.path }
    }

    /// A file of `$VIGIE_SUITES/cacao`; the test is cancelled, and says so, where it is absent.
    static func suite(_ name: String) throws -> URL {
        let suites =
            ProcessInfo.processInfo.environment["VIGIE_SUITES"].map { URL(filePath: $0) }
            ?? root.appending(path: "../shared/suites").standardizedFileURL
        let file = suites.appending(path: "cacao").appending(path: name)
        guard FileManager.default.fileExists(atPath: file.path) else {
            try Test.cancel("not run: \(name) is not in \(suites.path)/cacao; set VIGIE_SUITES to the folder of test suites")
        }
        return file
    }
}

/// Numbers that are the same in every run (splitmix64).
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
