import Foundation
import Testing

/// Programs that tests run.
enum Shell {
    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    @discardableResult
    static func run(_ program: String, _ arguments: [String], input: String? = nil) throws -> String {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = [program] + arguments
        var environment = ProcessInfo.processInfo.environment
        environment["PATH"] = (environment["PATH"] ?? "") + ":/usr/sbin:/sbin"
        process.environment = environment
        let output = Pipe()
        let errors = Pipe()
        let source = Pipe()
        process.standardOutput = output
        process.standardError = errors
        process.standardInput = source
        try process.run()
        if let input { try source.fileHandleForWriting.write(contentsOf: Data(input.utf8)) }
        try source.fileHandleForWriting.close()
        let said = output.fileHandleForReading.readDataToEndOfFile()
        let complaint = errors.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw Failure(
                description: "\(program) \(arguments.joined(separator: " ")): \(String(decoding: complaint, as: UTF8.self))")
        }
        return String(decoding: said, as: UTF8.self)
    }

    /// Cancels the test, and says why, where programs or rights are missing; with CI=true a missing program is a failure.
    static func need(_ programs: [String], root: Bool) throws {
        for program in programs where (try? run("which", [program])) == nil {
            guard ProcessInfo.processInfo.environment["CI"] != "true" else {
                throw Failure(description: "\(program) is not installed; script/test installs it")
            }
            try Test.cancel("not run: \(program) is not installed")
        }
        if root, getuid() != 0 { try Test.cancel("not run: needs root, for network namespaces") }
    }
}
