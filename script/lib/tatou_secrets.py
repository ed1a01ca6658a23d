"""Plants secrets wherever Tatou takes one, asks every operation of its API for success and for every kind of failure, and then looks for the
secrets wherever something is told or kept: answers that refuse, headers, metrics, the security log, standard output and error, the database,
the state, command lines, and the folder of a Vigie that read along.

An operation that the API's description has and nothing here asks fails the trial.
"""

import base64
import json
import os
import pathlib
import re
import secrets
import tempfile
import urllib.parse

from lib import rmap_client, waiting
from lib.tatou_attacks import Vigie
from lib.tatou_client import Client, Server, pdf, scan

IDENTITY = "Group_07"
LAST = "the-last-one@example.org"
# Where something that is a secret elsewhere stands by design: its owner's files, and what the owner is shown again.
FILES = ("documents/", "versions/", "fingerprints/")
# Of 420 by 594 pixels.
SCAN = pathlib.Path(__file__).resolve().parents[2] / "Tests/WatermarkTests/Fixtures/scan.jpg"


class Plants:
    """What was planted: each with its name, and the places of the data folder where it may stand."""

    def __init__(self):
        self.values = {}

    def add(self, name, value=None, allowed=()):
        value = value or f"planted-{name.replace(' ', '-')}-{secrets.token_hex(6)}"
        self.values[value] = (name, tuple(allowed))
        return value

    def forms(self, value):
        """How it could be written: as it is, in hexadecimal, in Base64 at each of its three offsets, with per cent."""
        data = value.encode()
        yield data
        yield data.hex().encode()
        yield data.hex().upper().encode()
        for offset in range(3):
            whole = base64.b64encode(b"\0" * offset + data)
            # The letters at both ends are made of neighbours, too.
            inner = whole[(4 if offset else 0):len(whole) - 4]
            if len(inner) >= 12:
                yield inner
                yield base64.urlsafe_b64encode(base64.b64decode(inner))
        if (quoted := urllib.parse.quote(value, safe="")) != value:
            yield quoted.encode()

    def standing(self, data):
        """Names of what stands in `data`, allowed or not, each with where it may stand."""
        return {name: allowed for value, (name, allowed) in self.values.items() if any(form in data for form in self.forms(value))}

    def found(self, place, data):
        """Names of what stands in `data`, which was read at `place`, and may not stand there."""
        return sorted(name for name, allowed in self.standing(data).items() if not place.startswith(allowed or ("\0",)))

    def check(self, places):
        """Raises where the search is blind: for a form of what was planted, or for a control in the place that has to have it."""
        for value, (name, _) in self.values.items():
            data = value.encode()
            written = [data, data.hex().encode(), urllib.parse.quote(value, safe="").encode()]
            # Amid other text, which shifts the letters of Base64.
            written += [encode(b"-" * offset + data + b"-" * 5) for offset in range(3) for encode in (base64.b64encode, base64.urlsafe_b64encode)]
            assert all(any(form in text for form in self.forms(value)) for text in written), f"{name} would not be found in every form"
        for control, begin in (("file name", "findings"), ("file name", "log with names"), ("kept title", "tatou.db"), ("kept content", "documents/")):
            assert any(control in self.standing(data) for place, data in places if place.startswith(begin)), f"{control} is not found in {begin}, where it stands"


class Asker:
    """Asks, and keeps every answer that refuses, with its headers."""

    def __init__(self, server, description):
        self.server, self.asked, self.told = server, {}, []
        self.operations = {f"{method.upper()} {path}": re.compile(re.sub(r"\{[a-z]+\}", "[^/]+", path))
                           for path, item in description["paths"].items() for method in item}

    def ask(self, client, method, path, body=None, headers=None, token=True):
        status, fields, content = client.ask(method, path, body, headers, token)
        route = urllib.parse.urlsplit(path).path
        self.asked.setdefault(f"{method} {self.name(method, route)}", set()).add(status)
        # What is served to whoever may have it names it, too.
        if status >= 400:
            self.told.append((f"answer to {method} {self.name(method, route)}: {status}", str(fields).encode() + content))
        return status, content

    def name(self, method, route):
        """The path as the description has it; what is none of them may hold a secret, and is not told."""
        return next((name.split()[1] for name, pattern in self.operations.items() if name.split()[0] == method and pattern.fullmatch(route)), "elsewhere")

    def json(self, client, method, path, value, token=True, headers=None):
        return self.ask(client, method, path, json.dumps(value).encode(), {"Content-Type": "application/json", **(headers or {})}, token)

    def file(self, client, path, name, content, media_type="application/pdf", field="file", title=None):
        boundary = secrets.token_hex(16)
        form = b""
        if title:
            form += f'--{boundary}\r\nContent-Disposition: form-data; name="name"\r\n\r\n{title}\r\n'.encode()
        form += (f'--{boundary}\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\nContent-Type: {media_type}\r\n\r\n'
                 ).encode() + content + f"\r\n--{boundary}--\r\n".encode()
        status, body = self.ask(client, "POST", path, form, {"Content-Type": f"multipart/form-data; boundary={boundary}"})
        return status, json.loads(body)


def people(asker, plants, server):
    """Ana with a session and a second one, Bob, and every way to fail to sign in."""
    ana, bob = Client(server.address), Client(server.address)
    password, wrong = plants.add("password"), plants.add("wrong password")
    for client, name in ((ana, "ana"), (bob, "bob")):
        client.sign_up(name, password)
        plants.add(f"token of {name}", client.token)
    for body in ({"email": "ana@example.org", "password": wrong}, {"email": "nobody@example.org", "password": wrong},
                 {"email": wrong, "password": wrong}, {"password": wrong}, {"email": "ana@example.org", "password": [wrong]},
                 {"email": {"of": wrong}, "password": wrong}, [wrong], wrong):
        asker.json(ana, "POST", "/api/login", body, token=False)
        asker.json(ana, "POST", "/api/create-user", body | {"login": "ana"} if isinstance(body, dict) else body, token=False)
    asker.ask(ana, "POST", "/api/login", b'{"email": "ana@example.org", "password": "' + wrong.encode(), {"Content-Type": "application/json"})
    for email, login in (("ana@example.org", "ana2"), ("ana2@example.org", "ana"), ("ana3@example.org", "x"), ("no address", "ana3")):
        asker.json(ana, "POST", "/api/create-user", {"email": email, "login": login, "password": wrong}, token=False)
    asker.json(ana, "POST", "/api/create-user", {"email": "c@example.org", "login": "carla", "password": password}, token=False)
    asker.json(ana, "POST", "/api/login", {"email": "c@example.org", "password": password}, token=False)
    return ana, bob, password


def tokens(asker, plants, client, password):
    """Exchanged, replayed, ended, damaged, and put where none belongs."""
    for end in ("/api/logout", "/api/logout-all", "/api/refresh-token"):
        client.sign_in("ana", password)
        old = plants.add(f"token ended by {end}", client.token)
        _, content = asker.json(client, "POST", end, {})
        if end.endswith("refresh-token"):
            plants.add("exchanged token", json.loads(content)["token"])
        for path in ("/api/list-documents", "/api/list-all-versions"):
            asker.ask(client, "GET", path)
        asker.json(client, "POST", "/api/refresh-token", {})
        asker.ask(client, "GET", f"/api/list-documents?access_token={old}&token={old}", token=False)
        asker.ask(client, "GET", f"/{old}", token=False)
        for value in (f"Basic {old}", f"Bearer {old}x", f"bearer {old} {old}", old):
            asker.ask(client, "GET", "/api/list-documents", headers={"Authorization": value}, token=False)
        asker.ask(client, "GET", "/api/list-documents", headers={"Cookie": f"session={old}", "X-Api-Key": old}, token=False)
        asker.ask(client, "GET", "/metrics", headers={"X-Metrics-Token": old}, token=False)
    client.sign_in("ana", password)
    plants.add("last token", client.token)


def documents(asker, plants, ana, bob):
    """Documents, copies and links: made, read, refused, lost."""
    content, title = plants.add("content", allowed=FILES), plants.add("title", allowed=("tatou.db",))
    # What a client calls its file stands in the event of the upload, and so in what Vigie makes of it.
    name = plants.add("file name", allowed=("Vigie", "findings"))
    secret, key, wrong = plants.add("embedded secret", allowed=("versions/", "documents/")), plants.add("key"), plants.add("wrong key")
    recipient = plants.add("recipient", allowed=("tatou.db", *FILES))
    status, made = asker.file(ana, "/api/upload-document", "a.pdf", pdf(content, words=400), title=title)
    assert status == 201, f"not uploaded: {status} {made}"
    first = made["id"]
    refused = set()
    for called, data, kind, field in ((f"../{name}.pdf", pdf("x"), "application/pdf", "file"), ("a.php", content.encode(), "text/x-php", "file"),
                                    ("a.pdf", content.encode(), "application/pdf", "file"), ("a.pdf", b"%PDF-1.7\n" + content.encode(), "application/pdf", "file"),
                                    ("a.pdf", pdf(content), "application/pdf", content), ("a.pdf", pdf(content) + b"x" * (2 << 20), "application/pdf", "file")):
        for path in ("/api/upload-document", "/api/trace-leak"):
            refused.add(asker.file(ana, path, called, data, kind, field)[0])
    assert {400, 413, 415, 422} <= refused, f"uploads were refused with {sorted(refused)} only"
    status, made = asker.file(ana, "/api/upload-document", "scan.pdf", scan(SCAN.read_bytes(), 420, 594))
    assert status == 201, f"a scan is not uploaded: {status} {made}"
    originals = dict.fromkeys(("robust-xmp", "word-shift", "visible-stamp", "sealed-token", "toy-eof"), first) | {"image-spread": made["id"]}
    links = []
    for method, original in originals.items():
        order = {"method": method, "intended_for": recipient, "secret": secret, "key": key}
        status, answer = asker.json(ana, "POST", f"/api/create-watermark/{original}", order)
        assert status == 201, f"{method} is not marked: {answer}"
        links.append(plants.add(f"link of {method}", json.loads(answer)["link"]))
        status, answer = asker.json(ana, "POST", "/api/create-watermark", {"id": original} | order | {"one_time": True})
        assert status == 201, f"{method} is not marked by its identifier in the body: {answer}"
        plants.add(f"second link of {method}", json.loads(answer)["link"])
        for change in ({"method": secret}, {"key": ""}, {"secret": [secret]}, {"intended_for": recipient * 40}, {"position": {"at": key}},
                       {"one_time": key}, {"expires_in": key}, {"id": key}):
            asker.json(ana, "POST", "/api/create-watermark", {"id": original} | order | change)
        for who, number in ((ana, original), (bob, original), (ana, 4711)):
            asker.json(who, "POST", f"/api/create-watermark/{number}", order | ({} if who is bob else {"method": f"{method}x"}))
    for link, (method, original) in zip(links, originals.items()):
        _, copy = asker.ask(bob, "GET", f"/api/get-version/{link}", token=False)
        leak = asker.file(ana, "/api/upload-document", "leak.pdf", copy)[1]["id"]
        for tried in (key, wrong):
            for number in (leak, original):
                asker.json(ana, "POST", f"/api/read-watermark/{number}", {"method": method, "key": tried})
            for who in (ana, bob):
                asker.json(who, "POST", "/api/read-watermark", {"method": method, "key": tried, "id": leak})
        asker.json(ana, "POST", "/api/read-watermark", {"method": [method], "key": {"is": wrong}, "id": leak})
        asker.file(ana, "/api/trace-leak", "leak.pdf", copy)
        asker.file(bob, "/api/trace-leak", "leak.pdf", copy)
        for path in (f"/api/get-version/{link}x", f"/api/get-version/{link.upper()}", f"/get-version/{link}", f"/api/get-version/%{ord(link[0]):02x}{link[1:]}",
                     f"/api/get-version/{link}?token={ana.token}", f"/api/get-version//{link}", f"/api/get-version/../get-version/{link}",
                     f"/api/get-document/{link}", f"/api/get-document?id={link}", f"/{link}"):
            asker.ask(bob, "GET", path, token=False)
            asker.ask(bob, "POST", path, token=False)
        asker.ask(bob, "GET", f"/api/get-version/{link}", headers={"Range": f"bytes={link}", "If-None-Match": f'"{link}"', "Referer": f"https://x.example/{link}"},
                  token=False)
        asker.ask(bob, "GET", f"/api/get-version/{link}", headers={"Range": "bytes=99999999-"}, token=False)
    return first, links


def handshake(asker, plants, client, keys):
    """RMAP: a whole exchange, and every message that is refused."""
    nonce = secrets.randbits(60) | 1 << 60
    plants.add("client's nonce", str(nonce))
    plants.add("client's nonce in hexadecimal", f"{nonce:016x}")
    sent = []

    def message(value, path):
        body = keys.sealed(value)
        # What was sent, by some of its middle: letters that no other message has.
        sent.append(plants.add("message", body["payload"][200:264]))
        return asker.json(client, "POST", path, body, token=False)

    status, content = message({"nonceClient": nonce, "identity": IDENTITY}, "/api/rmap-initiate")
    assert status == 200, f"RMAP's first message is answered {status}"
    answer = json.loads(content)
    server_nonce = keys.opened(answer)["nonceServer"]
    plants.add("server's nonce", str(server_nonce))
    plants.add("server's nonce in hexadecimal", f"{server_nonce:016x}")
    plants.add("answer", answer["payload"][200:264])
    planted = plants.add("text in a message")
    # Whom somebody claims to be is logged: it is what tells that identities are tried. Nothing else of a message is.
    for value in ({"nonceClient": nonce, "identity": "Group_99", "more": planted}, {"nonceClient": planted, "identity": IDENTITY}, {"nonceClient": True, "identity": IDENTITY},
                  [planted], {planted: nonce}):
        message(value, "/api/rmap-initiate")
        message(value, "/api/rmap-get-link")
    message({"nonceServer": server_nonce ^ 1}, "/api/rmap-get-link")
    for payload in (planted, base64.b64encode(planted.encode()).decode(), "", None, [planted]):
        for path in ("/api/rmap-initiate", "/api/rmap-get-link"):
            asker.json(client, "POST", path, {"payload": payload}, token=False)
    status, content = message({"nonceServer": server_nonce}, "/api/rmap-get-link")
    assert status == 200, f"RMAP's second message is answered {status}"
    link = plants.add("RMAP's link", keys.opened(json.loads(content))["result"])
    message({"nonceServer": server_nonce}, "/api/rmap-get-link")
    asker.ask(client, "GET", f"/api/get-version/{link}", token=False)


def rest(asker, client, first):
    """What is left of the API, and objects that go away."""
    for path in ("/healthz", "/api/healthz", "/api/openapi.json", "/api/get-watermarking-methods", "/api/list-documents", "/api/list-all-versions",
                 f"/api/list-versions/{first}", f"/api/list-versions?id={first}", f"/api/get-document/{first}", f"/api/get-document?id={first}",
                 f"/api/inspect-document/{first}", "/api/inspect-document/0", "/metrics", "/guard/v1/decisions"):
        asker.ask(client, "GET", path)
    asker.json(client, "POST", "/api/load-plugin", {"filename": "x.pkl"})


def kept(asker, plants, client):
    """What stays to the end, and has to be found where it stands: a control of the search itself."""
    content, title = plants.add("kept content", allowed=FILES), plants.add("kept title", allowed=("tatou.db",))
    status, made = asker.file(client, "/api/upload-document", "kept.pdf", pdf(content), title=title)
    assert status == 201, f"not uploaded: {status} {made}"


def deletions(asker, plants, server, client, first):
    """Files that are changed and lost, of which nothing is made or sent, and every way to delete."""
    more = [client.upload(f"{number}.pdf", pdf(f"number {number}"))["id"] for number in range(2)]
    secret, key = plants.add("late secret"), plants.add("late key")

    def gone(link):
        """Asks for everything that is made of an original, and for a copy."""
        answers = {path: asker.ask(client, "GET", path)[0] for path in (f"/api/get-document/{first}", f"/api/inspect-document/{first}", f"/api/get-version/{link}")}
        for path, order in ((f"/api/create-watermark/{first}", {"method": "toy-eof", "intended_for": "b", "secret": secret, "key": key}),
                            (f"/api/read-watermark/{first}", {"method": "toy-eof", "key": key})):
            answers[path] = asker.json(client, "POST", path, order)[0]
        assert set(answers.values()) == {410}, f"of files that were changed or lost something was made: {answers}"

    files = [file for kind in ("documents", "versions") for file in (server.folder / "data" / kind).iterdir()]
    link = client.json("GET", f"/api/list-versions/{first}")["versions"][0]["link"]

    def told():
        return sum('"hash_mismatch"' in line for line in server.log().splitlines())

    before = told()
    for file in files:
        with file.open("r+b") as open_file:
            open_file.write(b"changed")
    gone(link)
    waiting.eventually("each of five changed files is told of", 30, lambda: told() == before + 5)
    for file in files:
        file.unlink()
    gone(link)
    asker.json(client, "POST", "/api/delete-document", {"id": more[0]})
    asker.ask(client, "DELETE", f"/api/delete-document?id={more[1]}")
    asker.ask(client, "DELETE", f"/api/delete-document/{first}")
    asker.ask(client, "DELETE", f"/api/delete-document/{first}")


def limits(tatou, plants, said):
    """A server that limits: sign-ins and links until it refuses."""
    password = plants.add("guessed password")
    with Server(tatou) as server:
        client = Client(server.address)
        asker = Asker(server, {"paths": {}})
        statuses = {asker.json(client, "POST", "/api/login", {"email": "ana@example.org", "password": password}, token=False)[0] for _ in range(25)}
        statuses |= {asker.ask(client, "GET", f"/api/get-version/{plants.add(f'guessed link {number}', secrets.token_hex(16))}", token=False)[0] for number in range(40)}
        assert 429 in statuses, f"nothing was limited: {sorted(statuses)}"
        said += asker.told + [("log of the limited server", server.log().encode()), ("output of the limited server", "".join(server.said).encode())]


def without_names(log):
    """The log without `file.name`: what a client calls its file is in the log of uploads by design, and nowhere else."""
    lines = []
    for line in log.splitlines():
        event = json.loads(line)
        event.pop("file.name", None)
        lines.append(json.dumps(event, ensure_ascii=False))
    return "\n".join(lines)


def has_read(watch, log):
    """Whether Vigie is at the end of a log to which nobody writes any more."""
    source = next((one for one in watch.ask("/api/v1/sources")["sources"] if one["name"] == str(log)), None)
    return source and source["lag_bytes"] == 0 and source["counters"]["bytes"] == log.stat().st_size


def command_lines(process):
    """Of the server and all that it started."""
    children = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return b"\n".join(pathlib.Path(f"/proc/{number}/cmdline").read_bytes() for number in [str(process.pid), *children] if os.path.exists(f"/proc/{number}"))


def run(tatou, vigie, root):
    """Raises where a planted secret was found, or an operation was not asked; returns how many were planted, and in how many places they were looked for."""
    plants = Plants()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="tatou-secrets-"))
    passphrase = plants.add("passphrase")
    keys = rmap_client.Keys(folder, IDENTITY, passphrase)
    for number, line in enumerate((keys.folder / "server.asc").read_text().splitlines()[3:-3]):
        plants.add(f"line {number} of the private key", line)
    environment = {"TATOU_METRICS_TOKEN": plants.add("metrics token"), "TATOU_READ_BACK_TOKEN": plants.add("read-back token"), "TATOU_RMAP_PASSPHRASE": passphrase}
    options = ["--unlimited", "--document-megabytes", "2", "--rmap-keys", str(keys.folder), "--rmap-document", "1"]
    said = []
    limits(tatou, plants, said)
    with keys, Server(tatou, *options, folder=folder, environment=environment) as server:
        asker = Asker(server, json.loads(Client(server.address).ask("GET", "/api/openapi.json")[2]))
        watch = Vigie(vigie, root, folder, server.log_path)
        try:
            ana, bob, password = people(asker, plants, server)
            tokens(asker, plants, ana, password)
            first, _ = documents(asker, plants, ana, bob)
            assert first == 1, "RMAP hands out another document"
            handshake(asker, plants, bob, keys)
            rest(asker, ana, first)
            said.append(("command lines", command_lines(server.process)))
            deletions(asker, plants, server, ana, first)
            kept(asker, plants, ana)
            _, metrics = asker.ask(ana, "GET", "/metrics", headers={"X-Metrics-Token": environment["TATOU_METRICS_TOKEN"]})
            asker.ask(ana, "GET", "/guard/v1/decisions", headers={"Authorization": f"Bearer {environment['TATOU_READ_BACK_TOKEN']}"}, token=False)
            assert b"tatou_http_requests_total" in metrics, "no metrics were told"
            missing = sorted(set(asker.operations) - {name for name, statuses in asker.asked.items() if min(statuses) < 400 or "load-plugin" in name})
            assert not missing, f"nothing here asks with success: {', '.join(missing)}"
            # A line of the log that nobody else wrote, and nothing after it: once Vigie has read so far, it has read all.
            asker.json(bob, "POST", "/api/login", {"email": LAST, "password": "x"}, token=False)
            waiting.eventually("the last sign-in is logged", 30, lambda: LAST in server.log())
            waiting.eventually("Vigie has read the whole log", 90, lambda: has_read(watch, server.log_path), pause=0.2)
            assert watch.findings(), "Vigie found nothing in a day of failures"
            said += [("metrics", metrics), ("findings", json.dumps([watch.ask(f"/api/v1/incidents/{one['id']}")
                                                                    for one in watch.ask("/api/v1/incidents?limit=500")["incidents"]]).encode())]
        finally:
            watch.stop()
        log = server.log()
        assert len(log.splitlines()) > 200, "the log is too short to be that of this day"
        said += asker.told + [("log", without_names(log).encode()), ("output", "".join(server.said).encode())]
        files = [(path.relative_to(server.folder / "data").as_posix(), path.read_bytes()) for path in (server.folder / "data").rglob("*") if path.is_file()]
        files = [(name, data) for name, data in files if not name.startswith("logs/")]
        said += [(f"Vigie's {path.relative_to(watch.data)}", path.read_bytes()) for path in watch.data.rglob("*") if path.is_file()]
        said.append(("Vigie's output", (folder / "vigie.log").read_bytes()))
        places = said + files
        plants.check([*places, ("log with names", log.encode())])
        leaks = [f"{name} in {place}" for place, data in places for name in plants.found(place, data)]
        assert not leaks, f"{len(leaks)} times a secret is told: " + "; ".join(sorted(set(leaks))[:40])
    return len(plants.values), len(places)
