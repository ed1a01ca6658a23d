import Programs
import Response

/// A program of this machine that is run to its end: found where the system keeps such programs, with a deadline and bounded output.
struct Program: Sendable {
    /// Whatever the server's own environment says.
    private static let environment = ["PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"]
    /// Of standard output; a listing of a hundred thousand blocks is some twenty megabytes.
    private static let maximumBytes = 256 << 20

    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    var words: [String]
    var seconds: Int = 10

    /// - Returns: its standard output.
    /// - Throws: with what it said on standard error when it did not end well, or in time.
    func run(_ arguments: [String] = [], input: String? = nil) async throws -> String {
        let name = words.first ?? ""
        var process = Subprocess(
            "/usr/bin/env", words + arguments, environment: Program.environment, input: Array((input ?? "").utf8))
        process.outputLimit = Program.maximumBytes
        process.floodLimit = Program.maximumBytes
        let outcome: Subprocess.Outcome
        do {
            outcome = try await process.run(seconds: Double(seconds))
        } catch {
            throw Failure(description: "\(name) cannot be run: \(error.description)")
        }
        switch outcome.ending {
        case .exited(0): return outcome.text
        case .exited(127): throw Failure(description: "\(name) is not installed")
        case .exited(let status):
            let said = outcome.errorText.split(separator: "\n").prefix(3).joined(separator: " ")
            throw Failure(description: "\(words.joined(separator: " ")) ended with \(status): \(said.prefix(400))")
        case .timedOut: throw Failure(description: "\(name) did not end within \(seconds) s")
        case .flooded: throw Failure(description: "\(name) wrote more than \(Program.maximumBytes >> 20) MiB")
        case .cancelled: throw Failure(description: "\(name) was broken off")
        case .killed(let signal): throw Failure(description: "\(name) was killed by signal \(signal)")
        }
    }
}
