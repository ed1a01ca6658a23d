import Foundation
import Testing

@testable import Detection

/// What the Sigma 2.1 specification says of detections, as rules, events and verdicts: `Fixtures/conformance/*.cases`.
///
/// A case is a heading (`# …`), a detection, a line `----`, and events, each behind `+` (it matches) or `-` (it does not).
/// Cases are parted by `====`.
@Suite struct ConformanceTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var name: String
        var detection: String
        var events: [(text: String, matches: Bool)]

        var testDescription: String { name }

        static let all: [Case] = {
            let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
                .appendingPathComponent("Fixtures/conformance").path
            let names = (try? FileManager.default.contentsOfDirectory(atPath: folder))?.sorted() ?? []
            return names.flatMap { name in
                let text = (try? String(contentsOfFile: folder + "/" + name, encoding: .utf8)) ?? ""
                return text.components(separatedBy: "\n====\n").map { Case($0, file: name) }
            }
        }()

        private init(_ text: String, file: String) {
            let parts = text.components(separatedBy: "\n----\n")
            let lines = parts[0].split(separator: "\n")
            name = file + ": " + (lines.first.map { $0.dropFirst(2) } ?? "")
            detection = lines.dropFirst().joined(separator: "\n")
            events = parts.dropFirst().joined().split(separator: "\n").map { ($0.dropFirst(2).description, $0.first == "+") }
        }
    }

    @Test func nothingIsLeftOut() {
        #expect(Case.all.reduce(0) { $0 + $1.events.count } >= 400)
        #expect(Case.all.allSatisfy { example in example.events.contains(where: \.matches) && !example.detection.isEmpty })
    }

    @Test(arguments: Case.all)
    func verdicts(_ example: Case) {
        var trial = EngineTrial(EngineTrial.rule(example.detection))
        #expect(trial.ruleSet.problems == [])
        for (event, matches) in example.events {
            #expect(trial.consume([event]).isEmpty != matches, "\(event)")
        }
    }
}
