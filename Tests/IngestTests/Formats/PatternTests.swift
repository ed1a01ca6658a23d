import Events
import Testing

@testable import Ingest

/// The language of `rules/formats`, by formats of one pattern.
@Suite("Patterns")
struct PatternTests {
    private func format(_ pattern: String, _ more: String = "") -> String {
        """
        name: trial
        title: Trial
        logsource: {category: authentication, product: trial}
        \(more)
        patterns:
          - pattern: '\(pattern.replacing("'", with: "''"))'
            set: {event.outcome: failure}
        samples:
          - line: x
            fields: {message: x}
        """
    }

    private func read(_ pattern: String, _ line: String, _ more: String = "") throws -> ReadEvent? {
        let folder = FormatFolder(text: format(pattern, more), path: "trial.yml")
        #expect(folder.problems.map(\.description) == [])
        let fields = FieldTable(with: folder.definitions.flatMap(\.fieldNames))
        var sources = LogSourceTable()
        folder.intern(into: &sources)
        let formats = FormatSet(folder, fields: fields, logSources: sources)
        var parser = BatchParser(format: .named("trial"), plan: formats.plan, formats: formats)
        let batch = LogStream.parse(line, name: "trial", parser: &parser, reference: Reading.reference)
        return batch.copied(fields, sources).first
    }

    @Test(
        "what a client writes into its name forges no address",
        arguments: [
            ("bad login of {user.name:text} from {source.ip}", "bad login of a from 6.6.6.6 from 192.0.2.1", "a from 6.6.6.6"),
            (
                "bad login of {user.name:text} from {source.ip}:{source.port}", "bad login of a from 6.6.6.6:1 from 192.0.2.1:2",
                "a from 6.6.6.6:1"
            ),
            (
                "bad login of {user.name:text} from {source.ip}: {:rest}",
                "bad login of a from 6.6.6.6: no from 192.0.2.1: wrong", "a from 6.6.6.6: no"
            ),
            ("bad login from {source.ip} as {user.name:rest}", "bad login from 192.0.2.1 as a from 6.6.6.6", "a from 6.6.6.6"),
            ("bad login of \"{user.name:text}\" ({source.ip})", "bad login of \"a\" (6.6.6.6)\" (192.0.2.1)", "a\" (6.6.6.6)"),
        ])
    func injection(_ pattern: String, _ line: String, _ user: String) throws {
        let event = try read(pattern, line)
        #expect(event?["source.ip"] == "192.0.2.1")
        #expect(event?["user.name"] == user)
        #expect(event?["event.outcome"] == "failure")
    }

    @Test("a field named twice has to be the same twice")
    func equality() throws {
        let pattern = "login of {user.name:text} from {source.ip}: no user [name: {user.name:text}]"
        #expect(try read(pattern, "login of bob from 192.0.2.1: no user [name: bob]")?["user.name"] == "bob")
        let forged = "login of a from 6.6.6.6: no user [name: b from 192.0.2.1: no user [name: a from 6.6.6.6: no user [name: b]"
        #expect(try read(pattern, forged)?["source.ip"] != "6.6.6.6" || read(pattern, forged)?["event.outcome"] == nil)
    }

    @Test(
        "addresses in every dress",
        arguments: [
            ("192.0.2.1:50122", "192.0.2.1"), ("[2001:db8::1]:50122", "2001:db8::1"), ("2001:db8::1:50122", "2001:db8::1"),
            ("::ffff:192.0.2.1:50122", "192.0.2.1"), ("[::ffff:192.0.2.1]:50122", "192.0.2.1"),
            ("[fe80::1%eth0]:50122", "fe80::1"),
        ])
    func addresses(_ text: String, _ address: String) throws {
        let event = try read("peer {source.ip}:{source.port} refused", "peer \(text) refused")
        #expect(event?["source.ip"] == address)
        #expect(event?["source.port"] == "50122")
    }

    @Test(
        "times in every dress",
        arguments: [
            ("iso", "2026-02-28T23:59:59.5+01:00", "2026-02-28T22:59:59.500Z"),
            ("iso", "2026/02/28 23:59:59", "2026-02-28T23:59:59Z"),
            ("iso", "2026-02-28 23:59:59,123", "2026-02-28T23:59:59.123Z"),
            ("iso", "2026-02-28 23:59:59 UTC", "2026-02-28T23:59:59Z"),
            ("clf", "28/Feb/2026:23:59:59 -0330", "2026-03-01T03:29:59Z"),
            ("ctime", "Sat Feb 28 23:59:59.25 2026", "2026-02-28T23:59:59.250Z"),
            ("syslog", "Feb 28 23:59:59", "2026-02-28T23:59:59Z"), ("epoch", "1772323199", "2026-02-28T23:59:59Z"),
            ("epoch", "1772323199123", "2026-02-28T23:59:59.123Z"),
            ("%m/%d/%Y, %I:%M:%S %p", "02/28/2026, 11:59:59 PM", "2026-02-28T23:59:59Z"),
            ("%d %b %y %H:%M:%S", "28 sept. 25 23:59:59", "2025-09-28T23:59:59Z"),
        ])
    func times(_ layout: String, _ text: String, _ expected: String) throws {
        let event = try read("at {@timestamp:\(layout)} something failed", "at \(text) something failed")
        #expect(event?.time.rfc3339 == expected)
        #expect(event?.hasOwnTime == true)
    }

    @Test("alternatives, options, columns and definitions")
    func alternatives() throws {
        let pattern = "{failed|refused} {user |}{user.name:cell} | {=peer}{ port {source.port}|}"
        let more = "define: {peer: 'from {source.ip}'}"
        #expect(try read(pattern, "refused user a b | from 192.0.2.1 port 7", more)?["user.name"] == "a b")
        #expect(try read(pattern, "failed a | from 192.0.2.1", more)?["source.port"] == nil)
        #expect(try read(pattern, "failed a | b | from 192.0.2.1", more)?["event.outcome"] == nil)
    }

    @Test(
        "what is wrong is said with file and line",
        arguments: [
            ("a {user.name:text}{source.ip} b", "trial.yml:6: pattern 'a {user.name:text}{source.ip} b': nothing stands between"),
            ("login {user.name", "trial.yml:6: pattern 'login {user.name': a { is not closed"),
            ("login } x", "trial.yml:6: pattern 'login } x': there is a } without its {"),
            ("login {user.name:word2} x", "trial.yml:6: pattern 'login {user.name:word2} x': type 'word2' is not known"),
            ("login {:%Q} x", "trial.yml:6: pattern 'login {:%Q} x': the time layout has no %Q"),
            ("{user.name} a {source.ip}", "trial.yml:6: pattern '{user.name} a {source.ip}' has no at least 4 bytes"),
            (
                "failed {user.name:rest} from",
                "trial.yml:6: pattern 'failed {user.name:rest} from': {user.name:rest} is not at the end"
            ),
            ("failed {=peer} from", "trial.yml:6: {=peer} is not defined"),
        ])
    func refused(_ pattern: String, _ reason: String) {
        let folder = FormatFolder(text: format(pattern), path: "trial.yml")
        #expect(folder.problems.first?.description.hasPrefix(reason) == true, "\(folder.problems)")
        #expect(folder.definitions.isEmpty)
    }

    @Test("an unknown key names the nearest known one, and a broken file its line")
    func keys() {
        #expect(
            FormatFolder(text: format("failed {source.ip}", "program: [x]"), path: "trial.yml").problems.first?.description
                == "trial.yml:4: 'program' is not known; did you mean 'programs'?")
        #expect(FormatFolder(text: "name: [", path: "trial.yml").problems.first?.description.hasPrefix("trial.yml:") == true)
        #expect(FormatFolder(text: "", path: "trial.yml").problems.first?.description == "trial.yml: the file is empty")
    }

    @Test("a line made to be slow is refused quickly: work grows with its length, not with its square")
    func hostile() throws {
        let pattern = "x {user.name:text} from {source.ip} to {host.name:text} via {process.name:text} end"
        let line = "x " + String(repeating: " from  to  via ", count: 4000) + "end"
        #expect(try read(pattern, line)?["event.outcome"] == nil)
    }

    @Test("a line that is not read names the format that got furthest, where, and what was missing there")
    func nearest() {
        let line = "2022-04-25T15:08:29.098Z [AUTH] WARN: Incorrect username or password for user Test at 192.0.2.1"
        let nearest = Shipped.formats.set.nearestFormat(line, reference: Reading.reference)
        #expect(nearest?.format == "uptime_kuma")
        #expect(nearest?.expected == "'. IP='")
        #expect(Shipped.formats.set.nearestFormat("", reference: Reading.reference) == nil)
    }

    @Test(
        "a line that begins as those of a built-in format do is explained by that",
        arguments: [
            ("192.0.2.1 - - [01/Mar/2026:10:00:00 +0000] GET / 200 1", "combined", "the request in quotation marks", 43),
            (#"192.0.2.1 - - [01/Mar/2026:10:00:00 +0000] "GET /"#, "combined", "'\"' behind the request", 49),
            (#"{"user":"bob","#, "json", "the rest of the object", 14),
            (#"{"user":}"#, "json", "JSON to go on", 8),
            (#"{"user":"bob"}"#, "json", "the source's format to be json or auto", 0),
            (
                #"192.0.2.1 - - [01/Mar/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 1"#, "combined",
                "the source's format to be combined or auto", 0
            ),
            ("<134>no date here", "syslog", "a time like Mar  1 10:00:00 or 2026-03-01T10:00:00Z, a host and a message", 5),
            (
                "__CURSOR=s=1;i=2", "json",
                "what journalctl -o json writes (the export format is taken over HTTP only, at /upload)", 0
            ),
        ])
    func nearestBuiltIn(_ line: String, _ format: String, _ expected: String, _ position: Int) {
        let nearest = Shipped.formats.set.nearestFormat(line, reference: Reading.reference)
        #expect(nearest?.format == format && nearest?.expected == expected && nearest?.position == position)
        #expect(FormatSet.none.nearestFormat(line, reference: Reading.reference) == nearest)
    }

    @Test("a line with a host behind the time is nearest to the format that has one there")
    func nearestVirtualHost() {
        let line = #"192.0.2.1 - - [01/Mar/2026:10:00:00 +0000] www.example.org "GET / HTTP/1.1" none"#
        #expect(Shipped.formats.set.nearestFormat(line, reference: Reading.reference)?.format == "vhost_access")
    }
}
