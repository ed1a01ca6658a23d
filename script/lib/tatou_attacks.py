"""A day at a Tatou whose security log Vigie reads: honest people first, then one attack after another, each from its own address.

Every attack has to become the finding that its playbook begins with; the honest people none.
"""

import base64
import json
import os
import pathlib
import secrets
import subprocess
import tempfile
import urllib.parse
import urllib.request
import zlib

from lib import rmap_client, waiting
from lib.tatou_client import Client, Server, pdf

PATIENCE = 90
IDENTITY = "Group_07"


class Vigie:
    """`vigie serve` on the log, and what it found."""

    def __init__(self, vigie, root, folder, log):
        self.vigie, self.data = vigie, folder / "vigie"
        port = waiting.free_port()
        self.address = f"http://127.0.0.1:{port}"
        self.errors = (folder / "vigie.log").open("w")
        self.process = subprocess.Popen(
            [vigie, "serve", "--data", str(self.data), "--rules", str(root / "rules"), "--policies", str(root / "policies"),
             "--listen", f"127.0.0.1:{port}", str(log)], stderr=self.errors, cwd=folder)
        waiting.wait_for_port(port, self.process, "vigie serve", seconds=PATIENCE)
        self.run("user", "add", "checker", "--role", "admin")
        self.token = self.run("token", "create", "tatou-check", "--account", "checker", "--scope", "admin")

    def run(self, *arguments):
        done = subprocess.run([self.vigie, *arguments, "--data", str(self.data)], capture_output=True, text=True)
        assert done.returncode == 0, f"vigie {' '.join(arguments[:2])} ended with status {done.returncode}: {done.stderr}"
        return done.stdout.strip()

    def ask(self, path):
        request = urllib.request.Request(self.address + path, headers={"Authorization": f"Bearer {self.token}"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def findings(self):
        """(rule, severity, address) of every finding of every incident."""
        found = set()
        for incident in self.ask("/api/v1/incidents?limit=500")["incidents"]:
            for finding in self.ask(f"/api/v1/incidents/{incident['id']}")["findings"]:
                # A finding about nobody in particular has no address.
                addresses = [entity["value"] for entity in finding["entities"] if entity["type"] == "ip"] or [""]
                found |= {(finding["rule"]["title"], finding["severity"], address) for address in addresses}
        return found

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=60)
        self.errors.close()


class Day:
    """What people and attackers do."""

    def __init__(self, server, keys):
        self.server, self.keys = server, keys
        self.password = secrets.token_urlsafe(18)

    def client(self, number):
        return Client(self.server.address, f"203.0.113.{number}")

    def member(self, number, name):
        client = self.client(number)
        client.sign_up(name, self.password)
        return client

    def honest(self):
        """Signs up, mistypes a password and a key, uploads, makes copies that are fetched and read back, and RMAP."""
        client = self.member(1, "ana")
        client.post("/api/login", {"email": "ana@example.org", "password": "mistyped it"}, token=False)
        first = client.upload("minutes.pdf", pdf("minutes", pages=2, words=120))["id"]
        links = [client.mark(first, "robust-xmp", f"reader {number}")["link"] for number in range(5)]
        readers = [Client(self.server.address, f"198.51.100.{number}") for number in range(1, 6)]
        copies = [reader.ask("GET", f"/api/get-version/{link}")[2] for reader, link in zip(readers, links)]
        leak = client.upload("found.pdf", copies[2])["id"]
        client.post(f"/api/read-watermark/{leak}", {"method": "robust-xmp", "key": "not this one"})
        status, answer = client.post(f"/api/read-watermark/{leak}", {"method": "robust-xmp", "key": "the key"})
        assert status == 201 and answer["intended_for"] == "reader 2", f"the copy was not read: {status} {answer}"
        for path in ("/api/list-documents", "/api/list-all-versions", f"/api/get-document/{first}", "/api/logout"):
            client.ask("POST" if path.endswith("logout") else "GET", path)
        self.first, self.owner = first, client

    # Each attack: its address, and the rule that has to speak, with its severity where that is what matters.

    def guesses_passwords(self):
        client = self.client(11)
        for number in range(12):
            client.post("/api/login", {"email": "ana@example.org", "password": f"guess number {number}"})

    def guesses_keys(self):
        client = self.member(12, "keys")
        copy = client.mark(client.upload("a.pdf", pdf("a"))["id"], "robust-xmp", "bob")["link"]
        leak = client.upload("b.pdf", client.ask("GET", f"/api/get-version/{copy}")[2])["id"]
        for number in range(7):
            client.post(f"/api/read-watermark/{leak}", {"method": "robust-xmp", "key": f"key {number}"})

    def replays_an_exchanged_token(self):
        client = self.member(13, "replay")
        client.post("/api/refresh-token", {})
        status, _ = client.post("/api/refresh-token", {})
        assert status == 401, f"an exchanged token is answered {status}"

    def uses_an_ended_session(self):
        client = self.member(14, "ended")
        client.post("/api/logout", {})
        for _ in range(4):
            client.ask("GET", "/api/list-documents")

    def injects_statements(self):
        client = self.client(15)
        for path in ("/api/get-document?id=1' UNION SELECT login, hpassword FROM Users--", "/api/list-versions?id=1 OR 1=1--",
                     "/api/get-version/x' OR '1'='1", "/api/get-document?id=1;DROP TABLE Documents--"):
            client.ask("GET", urllib.parse.quote(path, safe="/?=&"))

    def claims_identities(self):
        for name in ("Group_01", "Group_02", "Group_03", "Group_04"):
            self.rmap(16, "/api/rmap-initiate", self.keys.sealed({"nonceClient": 1, "identity": name}))

    def sends_malformed_messages(self):
        for number in range(6):
            self.rmap(17, "/api/rmap-initiate", {"payload": base64.b64encode(b"\x85" + os.urandom(200 + number)).decode()})

    def replays_a_message(self):
        client = self.client(18)
        _, answer = client.post("/api/rmap-initiate", self.keys.sealed({"nonceClient": 5, "identity": IDENTITY}))
        second = self.keys.sealed({"nonceServer": self.keys.opened(answer)["nonceServer"]})
        status, answer = client.post("/api/rmap-get-link", second)
        assert status == 200, f"RMAP's second message is answered {status}: {answer}"
        assert client.post("/api/rmap-get-link", second)[0] == 400

    def rmap(self, number, path, body):
        status, answer = self.client(number).post(path, body)
        assert status == 400, f"a bad message is answered {status}: {answer}"

    def opens_the_canary(self):
        (self.server.folder / "data/canary/flag").read_bytes()

    def sends(self, number, name, *files):
        client = self.member(number, name)
        for file, content, media_type in files:
            status, answer = client.send("/api/upload-document", file, content, media_type)
            assert 400 <= status < 500, f"{file} is answered {status}: {answer}"

    def leaves_the_folder(self):
        self.sends(20, "climber", ("../../etc/cron.d/x.pdf", pdf("x"), "application/pdf"))

    def sends_other_types(self):
        self.sends(21, "types", *[(f"{number}.pdf", b"MZ\x90 a program", "application/pdf") for number in range(4)])

    def sends_a_polyglot(self):
        self.sends(22, "poly", ("a.pdf", b"%PDF-1.4\n<script>alert(1)</script>\n" + pdf("x")[9:], "application/pdf"))

    def sends_a_script(self):
        self.sends(23, "script", ("shell.php", b"<?php system($_GET['c']); ?>", "application/x-php"))

    def sends_what_does_not_parse(self):
        self.sends(24, "parser", *[(f"{number}.pdf", b"%PDF-1.7\n" + os.urandom(300), "application/pdf") for number in range(5)])

    def sends_a_bomb(self):
        self.sends(25, "bomber", ("b.pdf", flate_bomb(), "application/pdf"))

    def brings_programs(self):
        """Its names are escaped, and nothing of the action stands in a page."""
        client = self.member(29, "launcher")
        client.upload("a.pdf", pdf("x", catalog="/#4FpenAction << /S /L#61unch /F (cmd.exe) >>"))

    def brings_scripts(self):
        client = self.member(31, "scripter")
        client.upload("a.pdf", pdf("x", catalog="/AA << /WC << /S /JavaScript /JS (app.alert\\(1\\)) >> >>"))

    def walks_through_documents(self):
        victim = self.member(30, "victim")
        ids = [victim.upload(f"{number}.pdf", pdf(f"{number}"))["id"] for number in range(6)]
        client = self.member(26, "walker")
        for number in ids:
            status, _, _ = client.ask("GET", f"/api/get-document/{number}")
            assert status == 404, f"somebody else's document is answered {status}"

    def guesses_links(self):
        client = self.client(27)
        for _ in range(25):
            client.ask("GET", f"/api/get-version/{secrets.token_hex(16)}")

    def guesses_tokens(self):
        client = self.client(28)
        for _ in range(18):
            client.ask("GET", "/api/list-documents", headers={"Authorization": f"Bearer {secrets.token_hex(32)}"})


def flate_bomb():
    """A page whose content is two gigabytes, packed twice into some kilobytes."""
    packer, packed = zlib.compressobj(9), b""
    for _ in range(2048):
        packed += packer.compress(b" " * (1 << 20))
    content = zlib.compress(packed + packer.flush(), 9)
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
               b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R >>",
               b"<< /Length %d /Filter [/FlateDecode /FlateDecode] >>\nstream\n" % len(content) + content + b"\nendstream"]
    file = b"%PDF-1.7\n" + b"".join(b"%d 0 obj\n%s\nendobj\n" % (number, body) for number, body in enumerate(objects, 1))
    return file + b"trailer\n<< /Size 5 /Root 1 0 R >>\n%%EOF\n"


# What each has to become: a rule, and the severity that the playbook is chosen by where it is the point.
EXPECTED = [
    (Day.guesses_passwords, 11, "Brute force from one address", None),
    (Day.guesses_keys, 12, "Watermark keys guessed", None),
    (Day.replays_an_exchanged_token, 13, "Refresh token used twice", None),
    (Day.uses_an_ended_session, 14, "Revoked token used again", None),
    (Day.injects_statements, 15, "SQL injection that reads data", None),
    (Day.claims_identities, 16, "RMAP identities tried one by one", None),
    (Day.sends_malformed_messages, 17, "RMAP abuse", None),
    (Day.replays_a_message, 18, "RMAP message replayed", None),
    (Day.opens_the_canary, None, "Canary touched", "P0"),
    (Day.leaves_the_folder, 20, "Upload with a name that leaves its folder", None),
    (Day.sends_other_types, 21, "Uploads that disguise their type", None),
    (Day.sends_a_polyglot, 22, "Polyglot upload", None),
    (Day.sends_a_script, 23, "Script uploaded", None),
    (Day.sends_what_does_not_parse, 24, "Parser fails on uploads", None),
    (Day.sends_a_bomb, 25, "Upload made to exhaust the server", None),
    (Day.brings_programs, 29, "Uploaded document starts programs", "P1"),
    (Day.brings_scripts, 31, "Uploaded document acts by itself", "P2"),
    (Day.walks_through_documents, 26, "Objects of others tried one by one", None),
    # The log names links by their digests: to rules about addresses they are one, to those about objects they are many.
    (Day.guesses_links, 27, "Objects of others tried one by one", None),
    (Day.guesses_tokens, 28, "Tokens guessed", None),
]


def run(tatou, vigie, root):
    """Raises where an attack has no finding, or an honest day has one; returns the rules that spoke."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="tatou-day-"))
    keys = rmap_client.Keys(folder, IDENTITY)
    options = ["--trusted-proxy", "127.0.0.1", "--rmap-keys", str(keys.folder), "--rmap-document", "1"]
    with keys, Server(tatou, *options, folder=folder) as server:
        day = Day(server, keys)
        day.honest()
        watch = Vigie(vigie, root, folder, server.log_path)
        try:
            for attack, *_ in EXPECTED:
                attack(day)

            def missing():
                """Attacks without their finding."""
                found = watch.findings()
                return [f"{attack.__name__}: {title}" for attack, number, title, severity in EXPECTED
                        if not any(rule == title and (number is None or address == f"203.0.113.{number}")
                                   and severity in (None, grade) for rule, grade, address in found)]
            try:
                waiting.eventually("every attack has its finding", PATIENCE, lambda: not missing(), pause=1)
            except waiting.NotReady:
                raise AssertionError(f"without a finding: {'; '.join(missing())}\nfound: {sorted(watch.findings())}") from None
            honest = [finding for finding in watch.findings() if finding[2] == "203.0.113.1" or finding[2].startswith("198.51.100.")
                      or finding[2] == "203.0.113.30"]
            assert not honest, f"honest people were suspected: {honest}"
            return sorted({rule for rule, _, _ in watch.findings()})
        finally:
            watch.stop()
