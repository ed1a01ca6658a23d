import Events
import Response
import Server
import Testing

@Suite struct ResponseConfigurationTests {
    private func options(_ text: String) throws -> ResponseOptions {
        try #require(try Configuration(parsing: "response:\n" + text, file: "vigie.yml").response)
    }

    private func problem(_ text: String) -> String? {
        do throws(ConfigurationError) {
            _ = try Configuration(parsing: "response:\n" + text, file: "vigie.yml")
            return nil
        } catch {
            return error.description
        }
    }

    @Test func everyKey() throws {
        let options = try options(
            """
              listen: 127.0.0.1:9000
              enforcers:
                - nftables
                - {kind: nginx, file: /etc/nginx/deny.conf}
                - {kind: systemd, units: [notes.service], command: [sudo, -n, systemctl]}
                - {kind: docker, containers: [notes]}
                - {kind: webhook, url: "https://example.org/", secret_file: /etc/key, verbs: [rotate_key]}
              guard:
                - {name: notes, key_file: /etc/notes, url: "http://127.0.0.1:8080", read_back_key_file: /etc/notes-read}
              bouncers:
                - {name: edge, key_file: /etc/edge, nft_sets: [ip crowdsec crowdsec-blacklists]}
              never_block:
                - 192.0.2.0/28
                - {address: 2001:db8::1, owner: the monitor}
              budget_per_hour: 7
              widest_ipv4: 30
              ask_for: [block_address]
              page_after_seconds: 60

            """)
        #expect(options.listen == ListenAddress(host: "127.0.0.1", port: 9000))
        #expect(options.enforcers.count == 7, "what is asked for decisions is an enforcer without being told so")
        #expect(options.enforcers.first == .nftables(table: "vigie", command: ["nft"]))
        #expect(options.enforcers.contains(.systemd(units: ["notes.service"], command: ["sudo", "-n", "systemctl"])))
        #expect(options.neverBlock.map(\.owner) == ["the never-block list", "the monitor"])
        #expect(options.policy.budgetPerHour == 7)
        #expect(options.policy.widestV4 == 30)
        #expect(options.policy.asksFor == [.blockAddress])
        #expect(options.policy.proofWithin("bouncers") == 30)
        #expect(options.pageAfter == 60)
    }

    @Test(arguments: [
        ("  enforcers: [iptables]\n", "'iptables' alone is no enforcer"),
        ("  enforcers: [{kind: nginx}]\n", "needs 'file'"),
        ("  enforcers: [{kind: nftables, table: \"a; flush\"}]\n", "small letters"),
        ("  enforcers: [{kind: webhook, url: \"https://x/\", secret_file: f}]\n", "needs 'verbs'"),
        (
            "  enforcers: [{kind: webhook, url: \"https://x/\", secret_file: f, verbs: [rotate_keys]}]\n",
            "did you mean 'rotate_key'"
        ),
        ("  guard: [{name: notes, key_file: f, url: \"http://x\"}]\n", "what cannot be read back is not in force"),
        ("  guard: [{name: platform, key_file: f, url: \"http://x\", read_back_key_file: g}]\n", "is no name"),
        ("  bouncers: [{name: a, key_file: f}, {name: a, key_file: g}]\n", "the same name"),
        ("  bouncers: [{name: a, key_file: f, nft_sets: [x]}]\n", "no set of nftables"),
        ("  listen: 0.0.0.0:8632\n  bouncers: [{name: a, key_file: f}]\n", "can be reached from other machines"),
        ("  never_block: [everyone]\n", "no address"), ("  budget_per_hour: -1\n", "from 0 to"),
        ("  budget: 1\n", "not a known key"),
    ])
    func mistakesAreNamedWithWhatToDo(text: String, part: String) {
        #expect(problem(text)?.contains(part) == true, "\(problem(text) ?? "taken")")
    }
}
