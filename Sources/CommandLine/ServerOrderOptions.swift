import ArgumentParser
import Foundation
import Journal
import Server

/// What every order is given with that only a running server can carry out.
struct ServerOrderOptions<Spool: OrderSpooling>: ParsableArguments {
    @Option(help: "The data folder.")
    var data = "data"

    @Flag(help: "Print one JSON object.")
    var json = false

    /// Leaves the order for the server that runs on the folder.
    ///
    /// - Throws: `CommandFailure` for a refusal, and where no server answers.
    func ask(_ order: String, _ fields: [String: JSONValue] = [:]) async throws -> JSONValue {
        let folder = DataFolder(path: data)
        guard FileManager.default.fileExists(atPath: folder.journal) else {
            throw CommandFailure(.unreachable, "there is no journal in \(data); name the data folder of a server with --data")
        }
        var document = fields
        document["order"] = .string(order)
        document["by"] = .string("uid:\(getuid())")
        guard let answer = try await Spool(folder).ask(.object(document)) else {
            throw CommandFailure(
                .unreachable,
                "no server runs on \(data), or it does not answer; start it with `vigie serve`, and give the order again")
        }
        if let refusal = AnsweredRefusal(answer) {
            throw CommandFailure(.failed, "\(refusal.reason); \(refusal.advice)")
        }
        return answer
    }
}
