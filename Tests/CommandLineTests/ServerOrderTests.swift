import ArgumentParser
import Foundation
import Journal
import Server
import Testing

@testable import CommandLine

/// Orders of commands to a server, which a test stands in for.
@Suite(.timeLimit(.minutes(20))) struct ServerOrderTests {
    /// A data folder that has a journal, gone when the test is over.
    private final class Folder: Sendable {
        let path = FileManager.default.temporaryDirectory.path + "/vigie-\(UUID().uuidString)"

        init() throws {
            try FileManager.default.createDirectory(
                atPath: DataFolder(path: path).journal, withIntermediateDirectories: true)
        }

        deinit { try? FileManager.default.removeItem(atPath: path) }

        /// Waits for an order in `place`, answers it, and says what it was.
        func answer(_ answer: JSONValue, in place: String) async throws -> JSONValue {
            while true {
                let names = (try? FileManager.default.contentsOfDirectory(atPath: "\(path)/\(place)")) ?? []
                if let name = names.first(where: { $0.hasSuffix(".order") }) {
                    let order = "\(path)/\(place)/\(name)"
                    let document = try JSONValue(parsing: Array(Data(contentsOf: URL(fileURLWithPath: order))))
                    let answerPath = order.dropLast(".order".count) + ".answer"
                    try FileManager.default.removeItem(atPath: order)
                    try Data(answer.canonicalBytes()).write(to: URL(fileURLWithPath: String(answerPath)), options: .atomic)
                    return document
                }
                try await Task.sleep(for: .milliseconds(10))
            }
        }
    }

    @Test func ordersOfBothKindsSayWhoGivesThemAndPassTheAnswerOn() async throws {
        let folder = try Folder()
        let answer: JSONValue = ["id": "x", "reason": "guesses passwords"]
        async let lease = folder.answer(answer, in: "lease-orders")
        let options = try LeaseOptions.parse(["--data", folder.path, "--json"])
        #expect(options.json)
        #expect(try await options.ask("undo", ["lease": "L-1"]) == answer)
        #expect(try await lease == ["by": .string("uid:\(getuid())"), "lease": "L-1", "order": "undo"])
        async let silence = folder.answer(answer, in: "orders/silences")
        #expect(try await SilenceOptions.parse(["--data", folder.path]).ask("list") == answer)
        #expect(try await silence == ["by": .string("uid:\(getuid())"), "order": "list"])
    }

    @Test func aRefusalIsOneSentenceAndAFailure() async throws {
        let folder = try Folder()
        async let lease = folder.answer(
            ["code": "protected", "reason": "::1 is loopback", "advice": "name another"], in: "lease-orders")
        let refused = await #expect(throws: CommandFailure.self) {
            try await LeaseApply.parse(
                ["block_address", "::1", "--for", "1h", "--incident", "SEC-2026-0001", "--reason", "so", "--data", folder.path]
            ).run()
        }
        #expect(refused?.code == .failed && refused?.message == "::1 is loopback; name another")
        #expect(try await lease["target"] == "::1")
        async let silence = folder.answer(
            ["code": "unknown_silence", "reason": "there is no silence S-9"], in: "orders/silences")
        let unknown = await #expect(throws: CommandFailure.self) {
            try await SilencesEnd.parse(["s-9", "--reason", "over", "--data", folder.path]).run()
        }
        #expect(unknown?.code == .failed && unknown?.message == "there is no silence S-9; ")
        #expect(try await silence["silence"] == "S-9")
    }

    @Test func withoutAJournalNothingIsLeft() async throws {
        let nowhere = FileManager.default.temporaryDirectory.path + "/vigie-\(UUID().uuidString)"
        let message = "there is no journal in \(nowhere); name the data folder of a server with --data"
        let lease = await #expect(throws: CommandFailure.self) { try await LeaseList.parse(["--data", nowhere]).run() }
        #expect(lease?.code == .unreachable && lease?.message == message)
        let silence = await #expect(throws: CommandFailure.self) { try await SilencesList.parse(["--data", nowhere]).run() }
        #expect(silence?.code == .unreachable && silence?.message == message)
        #expect(!FileManager.default.fileExists(atPath: nowhere))
    }

    @Test func helpNamesTheFolderAndTheFormOfBoth() {
        for help in [LeaseList.helpMessage(), SilencesList.helpMessage()] {
            #expect(help.contains("--data <data>") && help.contains("The data folder. (default: data)"))
            #expect(help.contains("--json") && help.contains("Print one JSON object."))
        }
    }
}
