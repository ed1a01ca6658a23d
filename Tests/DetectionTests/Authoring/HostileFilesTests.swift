import Detection
import Foundation
import Testing

/// What somebody, or a broken disk, may have put into a folder of rules.
struct HostileFilesTests {
    /// A folder that is gone when the test is over.
    private final class Folder {
        let path = FileManager.default.temporaryDirectory.path + "/rules-" + UUID().uuidString
        init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }
        deinit {
            _ = try? FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: path + "/closed")
            try? FileManager.default.removeItem(atPath: path)
        }
        func write(_ name: String, _ data: Data) throws { try data.write(to: URL(fileURLWithPath: path + "/" + name)) }
    }

    private static let rule = """
        title: Probe
        id: 00000000-0000-4000-8000-000000000001
        logsource: {category: webserver}
        detection: {probe: {url.path|contains: /admin}, condition: probe}
        """

    private func problems(_ name: String, _ data: Data) throws -> [RuleProblem] {
        let folder = try Folder()
        try folder.write("good.yml", Data(HostileFilesTests.rule.utf8))
        try folder.write(name, data)
        let (ruleSet, problems) = RuleFolder(paths: [folder.path]).compile()
        #expect(ruleSet.count == 1, "the good rule runs all the same")
        return problems
    }

    @Test func binaryFile() throws {
        let problems = try problems("bad.yml", Data((0..<4096).map { UInt8(truncatingIfNeeded: $0 &* 131 &+ 7) }))
        #expect(problems.count == 1 && problems[0].reason.contains("UTF-8"), "\(problems)")
    }

    @Test func tenMegabytes() throws {
        let problems = try problems("bad.yml", Data(repeating: UInt8(ascii: "a"), count: 10 << 20))
        #expect(problems.count == 1 && problems[0].reason.contains("1 MiB"), "\(problems)")
    }

    @Test func aliasesThatExplode() throws {
        var text = "title: Bomb\nid: 00000000-0000-4000-8000-000000000002\nlogsource: {category: webserver}\na0: &a0 [x, x]\n"
        for level in 1...40 { text += "a\(level): &a\(level) [*a\(level - 1), *a\(level - 1)]\n" }
        text += "detection: {probe: {url.path: *a40}, condition: probe}\n"
        let problems = try problems("bad.yml", Data(text.utf8))
        #expect(problems.count == 1 && problems[0].reason.contains("larger or deeper"), "\(problems)")
    }

    @Test(arguments: ["[", "{a: ", "- "])
    func deepNesting(_ opening: String) throws {
        let problems = try problems("bad.yml", Data(String(repeating: opening, count: 200_000).utf8))
        #expect(problems.count == 1, "\(problems.count)")
    }

    @Test func linksInACircle() throws {
        let folder = try Folder()
        try folder.write("good.yml", Data(HostileFilesTests.rule.utf8))
        let manager = FileManager.default
        try manager.createSymbolicLink(atPath: folder.path + "/loop", withDestinationPath: folder.path)
        try manager.createSymbolicLink(atPath: folder.path + "/self.yml", withDestinationPath: folder.path + "/self.yml")
        try manager.createSymbolicLink(atPath: folder.path + "/gone.yml", withDestinationPath: folder.path + "/nowhere")
        let (ruleSet, problems) = RuleFolder(paths: [folder.path]).compile()
        #expect(ruleSet.count == 1)
        #expect(problems.map(\.reason).contains { $0.contains("circle") } && problems.count == 2, "\(problems)")
    }

    @Test func aPipeIsNotWaitedFor() throws {
        let folder = try Folder()
        #expect(mkfifo(folder.path + "/pipe.yml", 0o600) == 0)
        let problems = RuleFolder(paths: [folder.path]).problems
        #expect(problems.count == 1 && problems[0].reason.contains("no ordinary file"), "\(problems)")
    }

    @Test(.enabled(if: getuid() != 0, "root reads everything")) func aFolderThatMayNotBeRead() throws {
        let folder = try Folder()
        try FileManager.default.createDirectory(
            atPath: folder.path + "/closed", withIntermediateDirectories: true, attributes: [.posixPermissions: 0])
        let problems = RuleFolder(paths: [folder.path]).problems
        #expect(problems.count == 1 && problems[0].reason.contains("may not be read"), "\(problems)")
    }

    @Test("A file that is named alone brings the samples beside it, once")
    func samplesBesideOneFile() throws {
        let folder = try Folder()
        try folder.write("a.yml", Data(HostileFilesTests.rule.utf8))
        try folder.write("b.yml", Data(HostileFilesTests.rule.utf8))
        let sample = "- {name: one, format: combined, expect: [], lines: x}"
        for name in ["a", "b"] { try folder.write("\(name).samples.yml", Data(sample.utf8)) }
        #expect(RuleFolder(paths: [folder.path + "/a.yml"]).samples.map(\.path) == [folder.path + "/a.samples.yml"])
        #expect(RuleFolder(paths: [folder.path + "/a.yml", folder.path + "/a.samples.yml"]).samples.count == 1)
        #expect(RuleFolder(paths: [folder.path]).samples.count == 2)
    }

    @Test("Samples that are no YAML are refused at their line")
    func samplesThatAreNoYAML() {
        let source = RuleSource(path: "a.samples.yml", text: "- name: one\n\texpect: []\n")
        #expect {
            try RuleSample.parse(source)
        } throws: { error in
            guard let problem = error as? RuleProblem else { return false }
            return problem.line == 2 && problem.reason.hasPrefix("not YAML: ") && !problem.reason.contains("\n")
        }
    }

    @Test func whatIsNotThere() {
        let problems = RuleFolder(paths: ["/nowhere/rules"]).problems
        #expect(problems.count == 1 && problems[0].reason.contains("no such file"))
    }

    @Test("A touched, added or removed file changes the fingerprint")
    func fingerprint() throws {
        let folder = try Folder()
        try folder.write("a.yml", Data("a".utf8))
        let first = RuleFilesFingerprint(paths: [folder.path])
        #expect(RuleFilesFingerprint(paths: [folder.path]) == first)
        try folder.write("a.yml", Data("ab".utf8))
        let second = RuleFilesFingerprint(paths: [folder.path])
        #expect(second != first)
        try folder.write("b.yml", Data("b".utf8))
        #expect(RuleFilesFingerprint(paths: [folder.path]) != second)
    }
}
