import Events
import Foundation
import Incidents
import Journal
import Logging
import Response
import Testing

@testable import Server

@Suite("Orders in a folder")
struct OrderFolderTests {
    private let path = FileManager.default.temporaryDirectory.path + "/vigie-orders-\(UUID().uuidString)"
    private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    /// Leaves orders of these ids, the first the oldest, lets `body` have the folder, and removes it.
    private func withOrders(_ ids: [String], _ body: (OrderFolder) async throws -> Void) async throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: path) }
        for (number, id) in ids.enumerated() {
            let file = "\(path)/\(id).order"
            try Data(#"{"order":"\#(id)"}"#.utf8).write(to: URL(fileURLWithPath: file))
            let date = Date(timeIntervalSince1970: 1_700_000_000 + Double(number))
            try FileManager.default.setAttributes([.modificationDate: date], ofItemAtPath: file)
        }
        try await body(OrderFolder(path))
    }

    private func names() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: path).sorted() }

    private func answer(_ id: String) throws -> String { try String(contentsOfFile: "\(path)/\(id).answer", encoding: .utf8) }

    @Test("a refusal of any kind is answered by its code, why, and what to do; what fails otherwise by the error")
    func refusals() async throws {
        try await withOrders(["lease", "incident", "silence", "none", "broken", "done"]) { folder in
            try await folder.serve(logger: logger) { id, order in
                #expect(order == ["order": .string(id)])
                switch id {
                case "lease": throw LeaseRefusal(.noEnforcer, "nothing can do it", "do it by hand")
                case "incident": throw IncidentRefusal(.alreadyDone, "it is closed", "there is nothing to do")
                case "silence": throw SilenceRefusal(.unknown, "there is no silence S-9", "see the list")
                case "none": throw LeaseRefusal(.unknown, "there is no \"lease\"", "")
                case "broken": throw Broken()
                default: return ["reason": "guesses passwords"]
                }
            }
            #expect(try answer("lease") == #"{"advice":"do it by hand","code":"no_enforcer","reason":"nothing can do it"}"#)
            #expect(
                try answer("incident") == #"{"advice":"there is nothing to do","code":"already_done","reason":"it is closed"}"#)
            #expect(
                try answer("silence")
                    == #"{"advice":"see the list","code":"unknown_silence","reason":"there is no silence S-9"}"#)
            #expect(try answer("none") == #"{"advice":"","code":"unknown","reason":"there is no \"lease\""}"#)
            #expect(
                try answer("broken")
                    == #"{"advice":"the server's log says more","code":"failed","reason":"the order cannot be carried out: it broke"}"#
            )
            #expect(try answer("done") == #"{"reason":"guesses passwords"}"#)
            #expect(try names().allSatisfy { $0.hasSuffix(".answer") })
        }
    }

    @Test("who serves says what to do where Vigie itself fails")
    func advice() async throws {
        try await withOrders(["broken"]) { folder in
            try await folder.serve(logger: logger, failureAdvice: "nothing was done") { _, _ in throw Broken() }
            #expect(
                try answer("broken")
                    == #"{"advice":"nothing was done","code":"failed","reason":"the order cannot be carried out: it broke"}"#)
        }
    }

    @Test("a server that stops answers nothing: the order waits for the next start")
    func stopping() async throws {
        try await withOrders(["first", "second"]) { folder in
            await #expect(throws: CancellationError.self) {
                try await folder.serve(logger: logger) { _, _ in throw CancellationError() }
            }
            let left = try names()
            #expect(left == ["first.order", "second.order"])
        }
    }

    @Test("an answer is read as the refusal that was written, and what was done is no refusal")
    func read() {
        let refusal = LeaseRefusal(.protected, "::1 is loopback", "name another")
        let read = AnsweredRefusal(AnsweredRefusal(refusal).document)
        #expect(read == AnsweredRefusal(code: "protected", reason: "::1 is loopback", advice: "name another"))
        #expect(
            AnsweredRefusal(["code": "invalid", "reason": "no"]) == AnsweredRefusal(code: "invalid", reason: "no", advice: ""))
        for answer in [["reason": "guesses"], ["code": "x"], ["code": 7, "reason": "x"], [:], "refused"] as [JSONValue] {
            #expect(AnsweredRefusal(answer) == nil)
        }
    }
}

private struct Broken: Error, CustomStringConvertible {
    var description: String { "it broke" }
}
