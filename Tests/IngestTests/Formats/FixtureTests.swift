import Ingest
import Testing

@Suite("Lines as programs write them")
struct FixtureTests {
    @Test("nginx and Apache", arguments: Fixture.all("combined"))
    func combined(_ fixture: Fixture) throws { try fixture.check(.combined) }

    @Test("syslog", arguments: Fixture.all("syslog"))
    func syslog(_ fixture: Fixture) throws { try fixture.check(.syslog) }

    @Test("sshd, and what attackers write into its lines", arguments: Fixture.all("sshd"))
    func sshd(_ fixture: Fixture) throws { try fixture.check(.sshd) }

    @Test("what a request says once its encodings are undone", arguments: Fixture.all("decoder"))
    func decoder(_ fixture: Fixture) throws { try fixture.check(.combined) }

    @Test("formats are recognised without being named", arguments: Fixture.all("combined") + Fixture.all("sshd"))
    func recognised(_ fixture: Fixture) throws {
        // Whether a refused line is then taken for another format is not this test's.
        guard !fixture.expected.contains(where: { $0.key == "unparsed" }) else { return }
        try fixture.check(.auto)
    }

    @Test("what syslog carries, the format named and not", arguments: Fixture.all("behind-syslog"))
    func behindSyslog(_ fixture: Fixture) throws {
        try fixture.check(.syslog)
        try fixture.check(.auto)
        // Who names the format of the access log means that of the lines, whatever carries them.
        if fixture.expected.contains(where: { $0.key == "logsource" && $0.value == "webserver" }) { try fixture.check(.combined) }
    }

    @Test("what sshd writes without syslog", arguments: Fixture.all("sshd-alone"))
    func sshdAlone(_ fixture: Fixture) throws { try fixture.check(.sshd) }

    @Test("no folder of fixtures is empty", arguments: ["combined", "syslog", "sshd", "decoder"])
    func present(_ folder: String) { #expect(Fixture.all(folder).count > 20) }

    @Test("what was read before changes nothing in what an access line gives")
    func afterOthers() {
        let access = #" - - [01/Mar/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 1 "-" "-""#
        for client in ["192.0.2.1", "2001:db8::", "fe80::1%eth0", "client", "unix:", "-", "nginx:", "<190>192.0.2.1", ""] {
            let alone = Reading(client + access, .combined).events.map { $0.fields["source.ip"] }
            let second = Reading("192.0.2.9\(access)\n\(client)\(access)", .combined).events.dropFirst()
            #expect(second.map { $0.fields["source.ip"] } == alone, "\(client)")
        }
    }
}
