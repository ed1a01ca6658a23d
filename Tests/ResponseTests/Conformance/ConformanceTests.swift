import Events
import Foundation
import Journal
import Response
import Testing

/// CACAO 2.0, requirement by requirement. `requirements.tsv` lists each MUST and SHOULD with its section and its case: a change of
/// the smallest playbook (`cases/`), a run (`scenarios/`), or a test by name.
@Suite struct ConformanceTests {
    struct Requirement {
        var level: String
        var section: String
        var about: String
        var kind: String
        var name: String
    }

    static let folder = Files.tests.appending(path: "Conformance")
    static let cases = (try? Files.list(folder.appending(path: "cases"), "json")) ?? []

    static func requirements() throws -> [Requirement] {
        try String(contentsOf: folder.appending(path: "requirements.tsv"), encoding: .utf8).split(separator: "\n").dropFirst().map
        {
            let cells = $0.split(separator: "\t").map(String.init)
            let parts = (cells.last ?? "").split(separator: ":", maxSplits: 1).map(String.init)
            return Requirement(level: cells[0], section: cells[1], about: cells[2], kind: parts[0], name: parts.last ?? "")
        }
    }

    /// The list is only as good as what stands behind it: every case exists, every file is listed, every test is there.
    @Test func everyRequirementHasItsCase() throws {
        let requirements = try Self.requirements()
        #expect(requirements.count { $0.level == "MUST" } >= 200)
        let files = Set(Self.cases.map { $0.deletingPathExtension().lastPathComponent })
        let scenarios = Set(ScenarioTests.files.map { $0.deletingPathExtension().lastPathComponent })
        let sources = try FileManager.default.subpathsOfDirectory(atPath: Files.tests.path).filter { $0.hasSuffix(".swift") }
            .map { try String(contentsOf: Files.tests.appending(path: $0), encoding: .utf8) }.joined()
        for requirement in requirements {
            let isThere =
                switch requirement.kind {
                case "case": files.contains(requirement.name)
                case "scenario": scenarios.contains(requirement.name)
                default: sources.contains("func \(requirement.name)(")
                }
            #expect(isThere, "\(requirement.section) \(requirement.about): \(requirement.kind):\(requirement.name)")
        }
        #expect(files == Set(requirements.filter { $0.kind == "case" }.map(\.name)))
    }

    /// The smallest playbook is sound, one change makes it unsound in one way, and that is what is said, at that place.
    @Test(arguments: cases)
    func aBrokenRequirementIsNamed(file: URL) throws {
        let json = try Files.json(file)
        var document = Authoring.smallest
        for change in try #require(json["set"]?.arrayValue) {
            let parts = try #require(change.arrayValue)
            let value = parts[1] == ["delete": true] ? nil : parts[1]
            document = document.setting(try #require(parts[0].stringValue), to: value)
        }
        let problems = PlaybookDecoder.read(document).problems
        guard let expected = json["expect"], expected != .null else {
            #expect(problems.filter { $0.severity == .error } == [])
            return
        }
        let check = try #require(expected["check"]?.stringValue.flatMap { PlaybookCheck(rawValue: $0) })
        let found = problems.filter { $0.check == check && $0.path == expected["path"]?.stringValue }
        #expect(!found.isEmpty, "\(problems)")
        #expect(found.contains { $0.severity.rawValue == expected["severity"]?.stringValue }, "\(problems)")
    }

    @Test func aNewVersionKeepsItsCreation() throws {
        let first = try #require(PlaybookDecoder.read(Authoring.smallest).playbook)
        let second = try #require(
            PlaybookDecoder.read(Authoring.smallest.setting("/modified", to: "2026-11-02T00:00:00.000Z")).playbook)
        #expect(second.isVersion(of: first))
        let other = try #require(
            PlaybookDecoder.read(
                Authoring.smallest.setting("/modified", to: "2026-11-03T00:00:00.000Z")
                    .setting("/created", to: "2026-11-02T00:00:00.000Z")
            ).playbook)
        #expect(!other.isVersion(of: first), "the creation has changed: this is another playbook under the same id")
    }

    @Test func aCommandWithoutVersionIsRun() throws {
        let playbook = try #require(PlaybookDecoder.read(Authoring.smallest).playbook)
        let rehearsal = Rehearsal(RunEngine(library: PlaybookLibrary([playbook])))
        #expect(try rehearsal.run(RunStart(playbook)).outcome == .succeeded)
    }

    @Test func aVariableIsDeclaredOnce() {
        let text = "{\"playbook_variables\": {\"__a__\": {\"type\": \"string\"}, \"__a__\": {\"type\": \"string\"}}}"
        #expect(PlaybookDecoder.read(Array(text.utf8)).problems.map(\.check) == [.json])
    }
}
