import Foundation
import Testing

/// A folder of its own for one test, removed when the test is over.
final class TemporaryFolder {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "/journal-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    func file(_ name: String) -> String { "\(path)/\(name)" }
}

enum Files {
    static func read(_ path: String) throws -> [UInt8] {
        Array(try Data(contentsOf: URL(fileURLWithPath: path)))
    }

    static func write(_ bytes: [UInt8], to path: String) throws {
        try Data(bytes).write(to: URL(fileURLWithPath: path))
    }

    static func names(in path: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: path).sorted()
    }
}

enum Repository {
    static let testFolder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()

    static func fixtures(_ folder: String) -> [Fixture] {
        let path = testFolder.appendingPathComponent("Fixtures/\(folder)").path
        return ((try? Files.names(in: path)) ?? []).map { Fixture(name: $0, path: "\(path)/\($0)") }
    }
}

struct Fixture: CustomTestStringConvertible, Sendable {
    var name: String
    var path: String
    var testDescription: String { name }

    /// What stands before `--` in the name: the code of the error that is expected.
    var code: String { name.components(separatedBy: "--")[0] }
}

/// Vectors of others, read from `$VIGIE_SUITES`.
enum Suites {
    private struct Absent: Error {}

    /// The folder or file of that name. Where it is absent the test is cancelled with the reason; in CI it fails.
    static func require(_ name: String) throws -> URL {
        let environment = ProcessInfo.processInfo.environment
        let root =
            environment["VIGIE_SUITES"].map { URL(fileURLWithPath: $0) }
            ?? Repository.testFolder.appendingPathComponent("../../../shared/suites").standardizedFileURL
        let found = root.appendingPathComponent(name)
        if FileManager.default.fileExists(atPath: found.path) { return found }
        let reason = "not run: \(name) is not in \(root.path); set VIGIE_SUITES to the folder of test suites"
        if environment["CI"] == "true" {
            Issue.record("\(reason); in CI it has to be there")
            throw Absent()
        }
        try Test.cancel("\(reason)")
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
