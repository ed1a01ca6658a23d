"""Long logs for script/soak and script/bench: the same seed and length give the same bytes.

Twenty lines are one second of event time. Between ordinary visitors, a few attackers are active from the first line to the
last, so that every position in the file lies inside correlation windows; others come in short bursts.
"""

import datetime
import heapq
import json
import random

START = datetime.datetime(2026, 3, 1, tzinfo=datetime.timezone.utc)
LINES_PER_SECOND = 20

AGENTS = [
    "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15",
    "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
    "kube-probe/1.29",
]
PAGES = ["/", "/products", "/products?page=2", "/about", "/contact", "/cart", "/account", "/search?q=garden+chair",
         "/search?q=select+a+gift", "/api/v1/items?limit=50&order=desc", "/api/v1/me", "/blog/2026/02/spring-is-near"]
ASSETS = ["/css/site.3fa9.css", "/js/app.91bd.js", "/img/logo.svg", "/img/hero.jpg", "/fonts/inter.woff2", "/favicon.ico"]
SQL = ["1%27%20OR%20%271%27=%271", "1%20UNION%20SELECT%20NULL,NULL--%20-", "-1%20union%20all%20select%20table_name%20from%20"
       "information_schema.tables", "1;%20WAITFOR%20DELAY%20%270:0:5%27--"]
TRAVERSAL = ["/img/..%2f..%2f..%2fetc%2fpasswd", "/download?file=../../../../etc/shadow", "/static/%2e%2e/%2e%2e/etc/hosts"]

# Active over the whole file: address, mean distance of two requests in lines.
STEADY = {
    "login": ("198.51.100.10", 100),
    "scan": ("198.51.100.20", 80),
    "sql": ("198.51.100.30", 1000),
    "traversal": ("198.51.100.40", 2500),
    "rotating": ("2001:db8:66:1::", 120),
}
STEADY_ADDRESSES = ("198.51.100.10", "198.51.100.20", "2001:db8:66:1::")

BURST_LINES = 15


def records(lines, seed):
    """(second since START, address, user, method, target, status, size, referrer, agent) for each line."""
    rng = random.Random(f"vigie/{seed}/{lines}")
    pick, draw = rng.choice, rng.random
    due = [(rng.randrange(distance), kind) for kind, (_, distance) in STEADY.items()]
    # One burst per five thousand lines: fifteen failed logins within about half a minute, each from its own address.
    for number in range(lines // 5000):
        at, address = rng.randrange(lines), f"203.0.113.{number % 250 + 1}"
        for _ in range(BURST_LINES):
            due.append((at, address))
            at += rng.randrange(10, 60)
    heapq.heapify(due)
    for line in range(lines):
        second = line // LINES_PER_SECOND
        if due and due[0][0] <= line:
            _, kind = heapq.heappop(due)
            if kind in STEADY:
                address, distance = STEADY[kind]
                heapq.heappush(due, (line + 1 + rng.randrange(2 * distance), kind))
            if kind == "scan":
                target = f"/{pick(('admin', 'old', 'backup', 'test', 'dev'))}-{rng.randrange(10 ** 6)}.php"
                yield second, address, None, "GET", target, 404, 153, None, AGENTS[1]
            elif kind == "sql":
                yield second, address, None, "GET", "/products?id=" + pick(SQL), 200, 4310, None, AGENTS[0]
            elif kind == "traversal":
                yield second, address, None, "GET", pick(TRAVERSAL), 400, 157, None, "curl/8.5.0"
            else:
                if kind == "rotating":
                    address += format(rng.randrange(1, 2 ** 16), "x")
                elif kind not in STEADY:
                    address = kind
                yield second, address, None, "POST", "/login", 401, 23, "https://shop.example/login", "python-requests/2.31.0"
            continue
        # Three quarters of ordinary requests are assets, some visitors come back, a few links are broken.
        address = f"192.0.2.{rng.randrange(1, 255)}" if draw() < 0.4 else f"100.{64 + rng.randrange(64)}.{rng.randrange(256)}.9"
        agent = AGENTS[min(5, int(draw() * draw() * 6))]
        chance = draw()
        if chance < 0.75:
            status = 304 if chance < 0.25 else 200
            yield second, address, None, "GET", pick(ASSETS), status, rng.randrange(90000), "https://shop.example/", agent
        elif chance < 0.995:
            yield second, address, None, "GET", pick(PAGES), 200, rng.randrange(9000), None, agent
        else:
            yield second, address, None, "GET", "/apple-touch-icon.png", 404, 153, None, agent


def combined(lines, seed):
    last, stamp = None, ""
    for second, address, user, method, target, status, size, referrer, agent in records(lines, seed):
        if second != last:
            last, stamp = second, (START + datetime.timedelta(seconds=second)).strftime("%d/%b/%Y:%H:%M:%S +0000")
        yield f'{address} - {user or "-"} [{stamp}] "{method} {target} HTTP/1.1" {status} {size} "{referrer or "-"}" "{agent}"\n'


def json_lines(lines, seed):
    quote = json.dumps
    last, stamp = None, ""
    for second, address, user, method, target, status, size, referrer, agent in records(lines, seed):
        if second != last:
            last, stamp = second, (START + datetime.timedelta(seconds=second)).strftime("%Y-%m-%dT%H:%M:%SZ")
        yield (f'{{"time":"{stamp}","remote_addr":"{address}","request_method":"{method}","request_uri":{quote(target)},'
               f'"status":{status},"body_bytes_sent":{size},"referer":{quote(referrer or "")},"user_agent":{quote(agent)}}}\n')


FORMATS = {"combined": combined, "json": json_lines}


def write(path, format, lines, seed):
    with open(path, "w", encoding="utf-8", buffering=1 << 20) as file:
        file.writelines(FORMATS[format](lines, seed))
