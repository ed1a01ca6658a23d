import Incidents
import Testing

/// One situation that grouping has to get right, as a labelled log.
struct Scenario: CustomTestStringConvertible, Sendable {
    var name: String
    /// How many incidents there should be.
    var campaigns: Int
    /// How many there are with the present design, and the recall it reaches, where that is not all. Strangers never merge.
    var incidents: Int? = nil
    var recall = 1.0
    /// What risk makes of it at least, and at most, where that is the point.
    var severity: Severity? = nil
    var write: @Sendable (inout CampaignLog) -> Void

    var testDescription: String { name }

    static let hour: Int64 = 3_600

    static let all = [
        Scenario(name: "two attackers, interleaved, same account, loud enough for a surge", campaigns: 2) { log in
            for step in 0..<300 {
                log.ssh("one", from: "203.0.113.9", user: "root", at: Int64(step) * 4)
                log.ssh("two", from: "198.51.100.7", user: "root", at: Int64(step) * 4 + 1)
                if step % 10 == 0 {
                    log.web("one", from: "203.0.113.9", "GET /?id=\(step)%20union%20select%20password", at: Int64(step) * 4 + 2)
                }
            }
        },
        Scenario(name: "innocents behind a NAT, an attacker elsewhere", campaigns: 1) { log in
            for step in 0..<400 {
                let at = Int64(step) * 30
                log.web(nil, from: "192.0.2.50", "GET /articles/\(step % 40)", at: at)
                // Somebody mistypes now and then, and gets in at the second try.
                if step % 60 == 0 {
                    log.web(nil, from: "192.0.2.50", "POST /login", status: 401, at: at + 1)
                    log.web(nil, from: "192.0.2.50", "POST /login", status: 302, at: at + 9)
                }
                if step % 130 == 0 {
                    log.ssh(nil, from: "192.0.2.50", user: "alice", at: at + 2)
                    log.ssh(nil, from: "192.0.2.50", user: "alice", at: at + 12, accepted: true)
                }
            }
            for step in 0..<120 {
                log.web("attacker", from: "203.0.113.9", "POST /login", status: 401, at: 4_000 + Int64(step) * 3)
                log.web("attacker", from: "203.0.113.9", "GET /../../etc/passwd", status: 404, at: 4_001 + Int64(step) * 3)
            }
        },
        Scenario(name: "many addresses on one account, each below its own threshold", campaigns: 1, severity: .high) { log in
            for step in 0..<180 {
                log.ssh("botnet", from: "198.51.100.\(step % 60 + 1)", user: "alice", at: Int64(step) * 60)
                if step % 7 == 0 {
                    log.ssh(nil, from: "192.0.2.\(step % 30 + 1)", user: "person\(step % 30)", at: Int64(step) * 60 + 5)
                }
            }
        },
        Scenario(name: "a thousand findings of one attacker", campaigns: 1, severity: .medium) { log in
            for step in 0..<1_000 {
                log.web(
                    "attacker", from: "203.0.113.9", "GET /item?id=\(step)%27%20or%201=1--%20union%20select%201",
                    at: Int64(step) * 7)
            }
        },
        Scenario(name: "a slow campaign, over the night and on the next day", campaigns: 1) { log in
            for step in 0..<100 {
                let pause = step >= 50 ? 9 * hour : 0
                log.ssh("slow", from: "203.0.113.9", user: step % 2 == 0 ? "root" : "admin", at: Int64(step) * 1_200 + pause)
            }
        },
        Scenario(name: "an attacker who hops within an IPv6 /64, a stranger in the next one", campaigns: 2) { log in
            for step in 0..<200 {
                log.ssh("hopper", from: "2001:db8:0:1:\(String(step * 7 + 1, radix: 16))::1", user: "root", at: Int64(step) * 20)
                if step % 2 == 0 {
                    log.web(
                        "neighbour", from: "2001:db8:0:2::1", "GET /wp-content/../../../etc/passwd?\(step)", status: 404,
                        at: Int64(step) * 20 + 3)
                }
            }
        },
        Scenario(name: "an attacker who moves from the web to ssh", campaigns: 1) { log in
            for step in 0..<60 {
                log.web("attacker", from: "203.0.113.9", "GET /.env.\(step)", status: 404, at: Int64(step) * 2)
                log.ssh("attacker", from: "203.0.113.9", user: "user\(step)", at: 3 * hour + Int64(step) * 5)
            }
        },
        Scenario(name: "the same address again after a quiet week", campaigns: 2) { log in
            for step in 0..<40 {
                log.ssh("first", from: "203.0.113.9", user: "root", at: Int64(step) * 5)
                log.ssh("second", from: "203.0.113.9", user: "root", at: 7 * 24 * hour + Int64(step) * 5)
            }
        },
        Scenario(name: "background noise: twenty loud strangers on root at once", campaigns: 20, severity: .low) { log in
            for step in 0..<60 {
                for stranger in 0..<20 {
                    log.ssh(
                        "stranger \(stranger)", from: "198.51.100.\(stranger + 1)", user: "root",
                        at: Int64(step) * 40 + Int64(stranger))
                }
            }
        },
        Scenario(name: "a botnet on one account, each member loud by itself", campaigns: 1) { log in
            for step in 0..<60 {
                for member in 0..<20 {
                    log.ssh("botnet", from: "198.51.100.\(member + 1)", user: "alice", at: Int64(step) * 100 + Int64(member * 2))
                }
            }
        },
        // A limit of the design: an attacker who changes the address and goes for no account in particular is seen as two, with a link
        // that says they may be one.
        Scenario(name: "an attacker who changes the address half-way", campaigns: 1, incidents: 2, recall: 0.4) { log in
            for step in 0..<60 {
                log.web(
                    "attacker", from: step < 30 ? "203.0.113.9" : "198.51.100.7", "GET /?id=\(step)%20union%20select%20password",
                    at: Int64(step) * 9)
            }
        },
        Scenario(name: "three scanners with the same tool, each begun before the last one ended", campaigns: 3) { log in
            for (place, name) in ["first", "second", "third"].enumerated() {
                for step in 0..<40 {
                    log.web(
                        name, from: "198.51.100.\(place + 1)", "GET /wp-content/../../../etc/passwd?\(step)", status: 404,
                        at: Int64(step) * 3 + Int64(place) * 60, agent: "scanner/1.0")
                }
            }
        },
        Scenario(name: "a dump of six minutes by SQL injection, access log only", campaigns: 1, severity: .high) { log in
            for step in 0..<120 {
                let row = "GET /item?id=-1%20union%20select%20name,password%20from%20users%20limit%20\(step),1--%20"
                log.web("attacker", from: "203.0.113.9", row, bytes: 5_000 + step * 37 % 90, at: Int64(step) * 3)
                guard step % 10 == 0 else { continue }
                log.web(nil, from: "192.0.2.44", "GET /item?id=\(step)", bytes: 5_000 + step, at: Int64(step) * 3 + 1)
            }
        },
        Scenario(name: "a dump character by character, where the page says yes or no", campaigns: 1, severity: .high) { log in
            for step in 0..<120 {
                let value = "ascii(substr((select%20password%20from%20users%20limit%201),\(step / 7 + 1),1))"
                log.web(
                    "attacker", from: "203.0.113.9", "GET /item?id=7%20and%20\(value)%3E\(40 + step % 7 * 9)",
                    bytes: step % 3 == 0 ? 4_870 : 5_120, at: Int64(step) * 3)
            }
        },
        Scenario(name: "an environment file that is served", campaigns: 1, severity: .high) { log in
            log.web(nil, from: "192.0.2.44", "GET /", bytes: 4_321, at: 0)
            log.web("attacker", from: "203.0.113.9", "GET /.env", bytes: 612, at: 60)
        },
        Scenario(name: "a web shell that answers", campaigns: 1, severity: .critical) { log in
            log.web(nil, from: "192.0.2.44", "GET /", bytes: 4_321, at: 0)
            log.web("attacker", from: "203.0.113.9", "POST /wp-content/uploads/2026/03/a.php", bytes: 48, at: 60)
        },
        Scenario(
            name: "kits on a site that answers 200 with its start page to everything", campaigns: 12, severity: .low
        ) { log in
            log.web(nil, from: "192.0.2.44", "GET /", bytes: 4_321, at: 0)
            for kit in 0..<12 {
                for (place, request) in (Background.kit + served).enumerated() {
                    log.web(
                        "kit \(kit)", from: "198.51.100.\(kit + 1)", request, bytes: 4_321, at: Int64(60 + kit * 1_200 + place),
                        agent: "libredtail-http")
                }
            }
        },
    ]

    /// What gives something away where it is there.
    private static let served = [
        "GET /.git/config", "GET /.aws/credentials", "GET /wp-config.php.bak", "GET /backup.sql", "GET /@fs/etc/passwd",
        "GET /static/../../../../etc/passwd", "POST /c99.php", "POST /wp-content/uploads/x.php", "GET /?id=1%27%20or%201=1--",
    ]
}
