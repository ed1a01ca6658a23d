import Archive
import Identity
import Ingest
import Server
import Testing

@Suite("The configuration file")
struct ConfigurationTests {
    private func problem(_ text: String) -> String? {
        do throws(ConfigurationError) {
            _ = try Configuration(parsing: text, file: "vigie.yml")
            return nil
        } catch {
            return error.description
        }
    }

    @Test("every key")
    func everything() throws {
        let configuration = try Configuration(
            parsing: """
                listen: "[::1]:9000"
                data: /var/lib/vigie
                rules: [/usr/share/vigie/rules, /etc/vigie/rules]
                sources:
                  - {path: /var/log/nginx/access.log, format: combined}
                  - /var/log/auth.log
                console: {hosts: [vigie.example.org, other.example.org], behind_tls: true}
                """, file: "vigie.yml")
        var options = ServerOptions()
        options.apply(configuration)
        #expect(
            options
                == ServerOptions(
                    dataFolder: "/var/lib/vigie", rules: ["/usr/share/vigie/rules", "/etc/vigie/rules"],
                    sources: [
                        SourceOption(path: "/var/log/nginx/access.log", format: .combined),
                        SourceOption(path: "/var/log/auth.log"),
                    ],
                    host: "::1", port: 9000, hosts: ["vigie.example.org", "other.example.org"], isBehindTLS: true))
    }

    @Test("a provider to sign in through")
    func provider() throws {
        let configuration = try Configuration(
            parsing: """
                console:
                  hosts: vigie.example.org
                  behind_tls: true
                  openid:
                    issuer: https://login.example.org/realms/staff
                    name: Example
                    client_id: vigie
                    client_secret_file: /etc/vigie/openid.secret
                    scopes: [openid, groups]
                    roles_claim: realm_access.roles
                    roles: {admin: root, responder: [soc, night], viewer: staff}
                    second_factor_acr: [gold]
                """, file: "vigie.yml")
        var options = ServerOptions()
        options.apply(configuration)
        let provider = try #require(options.provider)
        #expect(provider.secret == .file("/etc/vigie/openid.secret"))
        #expect(provider.openID.roles == ["root": .admin, "soc": .responder, "night": .responder, "staff": .viewer])
        #expect(provider.openID.scopes == ["openid", "groups"] && provider.openID.rolesClaim == "realm_access.roles")
        #expect(provider.openID.nameClaim == "preferred_username" && provider.openID.strongContexts == ["gold"])
        #expect(options.providerReturnAddresses == ["https://vigie.example.org/sign-in/provider/return"])
    }

    @Test(
        "what is wrong with a provider is said, with its line",
        arguments: [
            ("issuer: http://login.example.org", "https address"), ("issuer: https://a@b", "https address"),
            ("client_secret: hush", "'client_secret' is not a known key"), ("scopes: [profile]", "'openid' in it"),
            ("roles: {boss: x}", "'boss' is not a known key"), ("roles: {admin: x, viewer: [x]}", "stands under two roles"),
            ("client_secret_file: /a\n    client_secret_env: B", "not in both"), ("roles: {}", "'roles'"),
            ("name: \(String(repeating: "n", count: 41))", "at most 40"), ("client_id: \"a\\nb\"", "printable"),
        ])
    func wrongProvider(line: String, said: String) throws {
        let whole = ["issuer: https://login.example.org", "client_id: vigie", "roles: {admin: x}"]
        let name = line.prefix { $0 != ":" }
        let lines = whole.filter { !$0.hasPrefix(name + ":") } + [line]
        let text = "console:\n  openid:\n" + lines.map { "    \($0)\n" }.joined()
        let answer = try #require(problem(text))
        #expect(answer.contains(said) && answer.hasPrefix("vigie.yml:"), "\(answer)")
        #expect(!answer.contains("hush"))
    }

    @Test("without TLS, nobody comes back from a provider to another host than this machine")
    func providerWithoutTLS() throws {
        let openID = "openid: {issuer: 'https://a', client_id: b, roles: {admin: c}}"
        #expect(problem("console: {hosts: vigie.lan, \(openID)}")?.contains("behind_tls") == true)
        #expect(problem("console: {hosts: vigie.lan, behind_tls: true, \(openID)}") == nil)
        #expect(problem("console: {\(openID)}") == nil)
    }

    @Test("every key is optional, and what is not said stays", arguments: ["", "# nothing\n", "---\n", "{}", "~"])
    func nothing(text: String) throws {
        let configuration = try Configuration(parsing: text, file: "vigie.yml")
        #expect(configuration == Configuration())
        var options = ServerOptions(dataFolder: "d", rules: ["r"], port: 1, hosts: ["h"], isBehindTLS: true)
        let before = options
        options.apply(configuration)
        #expect(options == before)
    }

    @Test("the archive")
    func archive() throws {
        let text = """
            archive:
              keep_days: 30
              security_days: 100
              when_full: delete_oldest
              minimum_free_mib: 10
              security_sources: [/a]
            """
        let archive = try #require(try Configuration(parsing: text, file: "").archive)
        #expect(archive.isEnabled && archive.policy.keepDays == 30 && archive.policy.securityDays == 100)
        #expect(archive.policy.whenFull == .deleteOldest && archive.policy.minimumFreeBytes == 10 << 20)
        #expect(archive.securitySources == ["/a"])
        #expect(try Configuration(parsing: "archive: false", file: "").archive?.isEnabled == false)
    }

    @Test("one text where a list may stand")
    func oneText() throws {
        #expect(try Configuration(parsing: "rules: /etc/rules", file: "").rules == ["/etc/rules"])
        #expect(try Configuration(parsing: "console: {hosts: a.example}", file: "").hosts == ["a.example"])
    }

    @Test(
        "what is wrong is said with its line, and the nearest that is known",
        arguments: [
            ("data: x\nlisen: 1", "vigie.yml:2: 'lisen' is not a known key; did you mean 'listen'?"),
            ("console:\n  behind_tsl: true", "vigie.yml:2: 'behind_tsl' is not a known key; did you mean 'behind_tls'?"),
            ("sources:\n  - {pth: /x}", "vigie.yml:2: 'pth' is not a known key; did you mean 'path'?"),
            (
                "zzzzzzzzz: 1",
                "vigie.yml:1: 'zzzzzzzzz' is not a known key "
                    + "(known: listen, data, rules, policies, playbooks, playbooks_from_outside, sources, trusted_proxies, receivers, response, evidence, archive, console)"
            ),
            ("archive:\n  keep_dys: 3", "vigie.yml:2: 'keep_dys' is not a known key; did you mean 'keep_days'?"),
            ("archive:\n  keep_days: 400", "vigie.yml:2: security events cannot be kept for a shorter time than all others"),
            ("archive: {when_full: panic}", "vigie.yml:1: 'when_full' is stop or delete_oldest"),
            (
                "sources:\n  - path: /x\n    format: Combined",
                "vigie.yml:3: format 'Combined' is not known; did you mean 'combined'?"
            ),
            ("sources:\n  - format: combined", "vigie.yml:2: a source needs a 'path'"),
            ("sources: /var/log/x", "vigie.yml:1: 'sources' is a list"),
            ("\nlisten: nowhere", "vigie.yml:2: an address like 127.0.0.1:8630 is expected here"),
            ("console: {behind_tls: perhaps}", "vigie.yml:1: true or false is expected here"),
            ("data: [a]", "vigie.yml:1: a text is expected here"), ("data:", "vigie.yml:1: a text is expected here"),
            ("data: ~", "vigie.yml:1: a text is expected here"), ("rules: [a, {b: c}]", "vigie.yml:1: a text is expected here"),
            ("- a\n- b", "vigie.yml:1: a mapping of keys to values is expected here"),
            ("console: yes", "vigie.yml:1: a mapping of keys to values is expected here"),
            ("data: a\n\ndata: b", "'data' is there twice"), ("data: a\nrules: [b", "vigie.yml:2: it is not YAML"),
            ("a: b: c", "vigie.yml:1: it is not YAML"),
        ])
    func problems(text: String, expected: String) {
        let found = problem(text) ?? "taken"
        #expect(found.contains(expected), "\(found)")
    }

    @Test(
        "where to listen",
        arguments: [
            ("127.0.0.1:8630", "127.0.0.1", 8630), ("8630", "127.0.0.1", 8630), ("[::1]:80", "::1", 80),
            ("localhost:0", "localhost", 0),
            ("0.0.0.0:65535", "0.0.0.0", 65_535),
        ])
    func listen(text: String, host: String, port: Int) {
        #expect(ListenAddress(text)?.host == host)
        #expect(ListenAddress(text)?.port == port)
    }

    @Test(
        "where one cannot",
        arguments: ["", ":80", "host", "host:", "host:65536", "host:-1", "::1", "::1:80", "[::1]", "[]:80", "a:b:1", "host:8o"])
    func notAnAddress(text: String) {
        #expect(ListenAddress(text) == nil)
    }
}
