import Detection
import Testing

struct RuleHashTests {
    private static let rule = """
        title: Probe
        id: 00000000-0000-4000-8000-000000000001
        logsource: {category: webserver}
        detection:
          probe: {url.path|contains: [/admin, /login]}
          condition: probe
        level: low
        """

    private func hash(_ text: String) throws -> String {
        let set = RuleSet(sources: [RuleSource(path: "a.yml", text: text)])
        return try #require(set.headers.first?.header.hash, "\(set.problems)")
    }

    @Test("It stays as it is under comments, white space, order of keys, quotes and samples")
    func stable() throws {
        let hash = try hash(RuleHashTests.rule)
        #expect(hash.count == 64)
        let same = [
            "# a comment\n" + RuleHashTests.rule + "   # another\n",
            """
            level: "low"
            id: '00000000-0000-4000-8000-000000000001'
            title: Probe
            detection:
                condition: probe
                probe:
                    url.path|contains:
                        - /admin
                        - "/login"
            logsource:
                category: webserver
            """,
            RuleHashTests.rule + "\nvigie: {samples: [{name: one, lines: x, expect: []}]}",
        ]
        for text in same { #expect(try self.hash(text) == hash) }
    }

    @Test(
        "A value, its type, or the order of a list changes it",
        arguments: [
            ("/login", "/logon"), ("level: low", "level: high"), ("[/admin, /login]", "[/login, /admin]"),
            ("title: Probe", "title: Probes"), ("/admin, ", "404, "), ("/admin, ", "'404', "),
        ])
    func sensitive(_ old: String, _ new: String) throws {
        #expect(try hash(RuleHashTests.rule.replacing(old, with: new)) != hash(RuleHashTests.rule))
    }

    @Test("404 and '404' are two values")
    func types() throws {
        let number = try hash(RuleHashTests.rule.replacing("/admin", with: "404"))
        #expect(try number != hash(RuleHashTests.rule.replacing("/admin", with: "'404'")))
    }

    @Test("Rules of one file have hashes of their own, and the set's hash follows each of them")
    func documents() throws {
        let second = RuleHashTests.rule.replacing("0001", with: "0002").replacing("Probe", with: "Other")
        let set = { (text: String) in RuleSet(sources: [RuleSource(path: "a.yml", text: text)]) }
        let before = set(RuleHashTests.rule + "\n---\n" + second)
        let after = set(RuleHashTests.rule + "\n---\n" + second.replacing("low", with: "high"))
        #expect(before.headers[0].header.hash == after.headers[0].header.hash)
        #expect(before.headers[1].header.hash != after.headers[1].header.hash)
        #expect(before.hash != after.hash)
        let change = RuleSetChange(from: before, to: after)
        #expect(change.added.isEmpty && change.removed.isEmpty && change.changed == [after.headers[1].header.id])
    }
}
