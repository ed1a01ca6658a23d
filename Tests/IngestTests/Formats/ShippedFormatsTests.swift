import Foundation
import Ingest
import Testing

@Suite("The formats in rules/formats")
struct ShippedFormatsTests {
    static let folder = FormatFolder(paths: [
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../../rules").standardizedFileURL
            .path
    ])

    @Test("every file is read and no sample gives other fields than it says")
    func samples() {
        for problem in Self.folder.problems { Issue.record("\(problem)") }
        #expect(Self.folder.definitions.count >= 30)
        let outcomes = FormatTrial(Self.folder).run()
        #expect(outcomes.count > 100)
        for outcome in outcomes {
            if let failure = outcome.failure {
                Issue.record("\(outcome.file.split(separator: "/").last ?? ""):\(outcome.line): \(failure)")
            }
        }
    }
}
