"""A whole day of a platform, written rather than lived: a slow campaign cannot be played in seconds.

Nine failed sign-ins and three registrations of existing accounts in 28 minutes from one address, against test2 and victim1
to victim6; around it, what people and their programs do all day and careless rules take for attacks. The same seed gives the
same bytes. Addresses are those of documentation.
"""

import datetime
import json
import random

MIDNIGHT = datetime.datetime(2026, 3, 2, tzinfo=datetime.timezone.utc)
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
ATTACKER, OFFICE, SYNC, PHOTOS, MONITOR, FEEDS, LINKS, SHOPPERS = (
    "198.51.100.66", "192.0.2.10", "192.0.2.21", "192.0.2.22", "192.0.2.23", "192.0.2.24", "192.0.2.25", "203.0.113.")
VISITORS = 12
LOG, APP = "day-access.log", "day-app.jsonl"
FORMATS = {LOG: "combined", APP: "json"}


class Day:
    def __init__(self, seed):
        self.random = random.Random(f"day/{seed}")
        self.access, self.events = [], []

    def request(self, second, address, method, target, status, size=2310, agent=BROWSER, referrer="-", account="-"):
        self.access.append((second, address, method, target, status, size, agent, referrer, account))

    def event(self, second, address, action, outcome, category, **more):
        self.events.append((second, address, action, outcome, category, more))

    def sign_in(self, second, address, account, succeeded):
        self.request(second, address, "POST", "/api/login", 200 if succeeded else 401, 180)
        reason = {} if succeeded else {"event.reason": "bad_credentials"}
        self.event(second, address, "login", "success" if succeeded else "failure", "authentication",
                   **{"user.name": account}, **reason)

    def register(self, second, address, account, succeeded):
        self.request(second, address, "POST", "/api/create-user", 201 if succeeded else 409, 120)
        reason = {} if succeeded else {"event.reason": "account_exists"}
        self.event(second, address, "register", "success" if succeeded else "failure", "iam", **{"user.name": account}, **reason)


def clock(hours, minutes=0, seconds=0):
    return hours * 3600 + minutes * 60 + seconds


def campaign(day):
    """The account test2 is known from its refused registration; then the numbered accounts, in six seconds."""
    for time, kind in [(clock(16, 28, 19), "L"), (clock(16, 28, 25), "R"), (clock(16, 36, 2), "L"), (clock(16, 44, 40), "L"),
                       (clock(16, 50, 42), "R")]:
        (day.sign_in if kind == "L" else day.register)(time, ATTACKER, "test2@test.example", False)
    for number in range(1, 7):
        day.sign_in(clock(16, 56, 2 + number), ATTACKER, f"victim{number}@test.example", False)
    day.register(clock(16, 56, 14), ATTACKER, "test2@test.example", False)


def office(day):
    """Forty people behind one address: they sign in at nine and after lunch, five mistype in the course of the day."""
    for person in range(40):
        for start in (clock(8, 40), clock(13)):
            second = start + day.random.randrange(2400)
            day.sign_in(second, OFFICE, f"{'abcdefgh'[person % 8]}{'aeiou'[person // 8]}nn@office.example", True)
            for page in range(6):
                day.request(second + 5 + page * 9, OFFICE, "GET", f"/documents/{person * 6 + page}", 200, 8000,
                            referrer="https://app.example/")
    for hour, minute, person in ((8, 52, "agata"), (9, 20, "bruno"), (11, 5, "clara"), (13, 31, "bruno"), (15, 40, "dario")):
        day.sign_in(clock(hour, minute), OFFICE, f"{person}@office.example", False)
        day.sign_in(clock(hour, minute, 12), OFFICE, f"{person}@office.example", True)


def sync(day):
    """A file-sync client: a challenge first, PROPFIND, then new files that are asked for before they are stored."""
    agent = "Mozilla/5.0 (Linux) mirall/3.13.0 (Nextcloud)"
    for start in range(clock(7), clock(22), 7200):
        day.request(start, SYNC, "PROPFIND", "/remote.php/dav/files/anna/", 401, 500, agent)
        day.request(start + 1, SYNC, "PROPFIND", "/remote.php/dav/files/anna/", 207, 9000, agent, account="anna")
        for number in range(20):
            path = f"/remote.php/dav/files/anna/photos/{start}-{number}.jpg"
            day.request(start + 2 + number // 10, SYNC, "HEAD", path, 404, 0, agent, account="anna")
            day.request(start + 3 + number // 10, SYNC, "PUT", path, 201, 0, agent, account="anna")


def photos(day):
    """A photo application on a telephone: sixty thumbnails a second, some of them not made yet, and its own originals."""
    agent = "Dart/3.5 (dart:io)"
    for visit in range(2):
        start = clock(8 + visit, 17)
        for number in range(180):
            status = 404 if number % 9 == 0 else 200
            day.request(start + number // 60, PHOTOS, "GET",
                        f"/api/assets/{visit:04x}{number:04x}-77aa-4c0e/thumbnail?size=preview", status, 9000, agent)
        for number in range(40):
            day.event(start + 5 + number // 5, PHOTOS, "image_retrieved", "success", "web", **{
                "user.id": "u-7", "resource.id": f"i-{visit * 60 + number}",
                "resource.owner.id": "u-7", "resource.visibility": "private"})


def programs(day):
    """Monitoring, a feed reader, a link checker."""
    for second in range(0, clock(24), 300):
        day.request(second, MONITOR, "GET", "/healthz", 200, 2, "Uptime-Kuma/1.23.13")
    for second in range(clock(0, 7), clock(24), 1800):
        day.request(second, FEEDS, "GET", "/feed.xml", 304, 0, "Miniflux/2.1.4")
    for number in range(120):
        day.request(clock(3) + number * 2, LINKS, "HEAD", f"/articles/{number}", 404 if number % 12 == 0 else 200, 0,
                    "LinkChecker/10.4", referrer="https://app.example/articles")


def visitors(day):
    """People: pages with their pictures, a single-page application that wakes up with an old session, a mistyped password."""
    for person in range(VISITORS):
        address, second = f"{SHOPPERS}{person + 1}", clock(7) + day.random.randrange(clock(14))
        for page in range(4):
            day.request(second + page * 20, address, "GET", f"/articles/{page}", 200, 12000, referrer="https://app.example/")
            for picture in range(9):
                day.request(second + page * 20 + 1, address, "GET", f"/static/{page}-{picture}.webp", 200, 40000,
                            referrer="https://app.example/")
        if person % 3 == 0:
            for call in range(12):
                day.request(second + 200, address, "GET", f"/api/widgets/{call}", 401, 40, referrer="https://app.example/")
                day.event(second + 200, address, "token_validate", "failure", "session",
                          **{"event.reason": "token_expired", "token.id": f"t-{person}"})
        if person % 4 == 0:
            day.sign_in(second + 210, address, f"visitor-{chr(97 + person)}@mail.example", False)
        day.sign_in(second + 220, address, f"visitor-{chr(97 + person % 26)}@mail.example", True)
        if person % 10 == 5:
            day.register(second + 150, address, f"visitor-{chr(97 + person % 26)}@mail.example", False)


def write(folder, seed):
    day = Day(seed)
    for part in (campaign, office, sync, photos, programs, visitors):
        part(day)
    lines = []
    for second, address, method, target, status, size, agent, referrer, account in sorted(day.access, key=lambda entry: entry[0]):
        time = (MIDNIGHT + datetime.timedelta(seconds=second)).strftime("%d/%b/%Y:%H:%M:%S +0000")
        lines.append(f'{address} - {account} [{time}] "{method} {target} HTTP/1.1" {status} {size} "{referrer}" "{agent}"')
    (folder / LOG).write_text("\n".join(lines) + "\n")
    events = []
    for second, address, action, outcome, category, more in sorted(day.events, key=lambda entry: entry[0]):
        time = (MIDNIGHT + datetime.timedelta(seconds=second)).strftime("%Y-%m-%dT%H:%M:%SZ")
        events.append(json.dumps({"@timestamp": time, "service.name": "platform", "event.category": category,
                                  "event.action": action, "event.outcome": outcome, "source.ip": address, **more}))
    (folder / APP).write_text("\n".join(events) + "\n")

    end = (MIDNIGHT + datetime.timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    people = [(OFFICE, "an office of forty behind one address"), (SYNC, "a file-sync client (WebDAV)"),
              (PHOTOS, "a photo application on a telephone"), (MONITOR, "monitoring"), (FEEDS, "a feed reader"),
              (LINKS, "a link checker")] + [(f"{SHOPPERS}{person + 1}", "a visitor") for person in range(VISITORS)]
    truth = {
        "about": "A slow campaign in a benign day. Everything that is expected must be found for the address, in each log, "
                 "with the accounts named; nothing may be found on a benign address.",
        "files": {name: {"format": FORMATS[name], "lines": len(some), "reference_time": end}
                  for name, some in ((LOG, lines), (APP, events))},
        "attackers": [{"address": ATTACKER, "kind": "nine failed sign-ins and three registrations in 28 minutes",
                       "first": "2026-03-02T16:28:19Z", "last": "2026-03-02T16:56:14Z",
                       "accounts": ["test2@test.example"] + [f"victim{number}@test.example" for number in range(1, 7)],
                       "expect": {LOG: ["brute_force", "enumeration"], APP: ["enumeration"]}}],
        "benign": [{"address": address, "kind": kind} for address, kind in people],
    }
    (folder / "day-ground-truth.json").write_text(json.dumps(truth, indent=2) + "\n")
    return truth
