"""The world of `script/receivers-check`: a folder, certificates, rules, a server with receivers, and what is found of what it was sent."""

import collections
import contextlib
import functools
import hashlib
import http.client
import json
import pathlib
import re
import shutil
import socket
import sqlite3
import subprocess
import tempfile
import urllib.request

from .waiting import NotReady, eventually, free_port, wait_for_port

TOKEN = "a-token-of-the-test"
# Receivers that slow senders fill.
SLOW = ("slow-silent", "slow-headers", "slow-bodies", "slow-uploads", "slow-tls")
FEW = "limits: {connections: 24}"
RULES = """
title: sshd
id: 0a5f1b6e-1111-4a51-8e57-0f4b6b5b6e01
logsource: {product: linux, service: sshd}
detection: {marked: {user.name|startswith: 'check-'}, condition: marked}
level: high
vigie: {category: other}
---
title: web
id: 0a5f1b6e-1111-4a51-8e57-0f4b6b5b6e02
logsource: {category: webserver}
detection: {marked: {url.query|startswith: 'check='}, condition: marked}
level: high
vigie: {category: other}
---
title: app
id: 0a5f1b6e-1111-4a51-8e57-0f4b6b5b6e03
logsource: {category: application}
detection: {marked: {event.action|startswith: 'check-'}, condition: marked}
level: high
vigie: {category: other}
---
title: alert
id: 0a5f1b6e-1111-4a51-8e57-0f4b6b5b6e04
logsource: {category: application}
detection: {marked: {event.kind: alert, event.action: firing}, condition: marked}
level: high
vigie: {category: other}
"""


def stop(process):
    """Ends what was started here, and waits for it."""
    if process.poll() is None:
        process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class Console:
    """What a server says over its own API, to an account of this check's."""

    def __init__(self, vigie, data, port):
        self.vigie, self.data, self.port = vigie, data, port
        self.run("user", "add", "checker", "--role", "admin")
        self.token = self.run("token", "create", "receivers-check", "--account", "checker", "--scope", "admin")

    def run(self, *arguments):
        done = subprocess.run([self.vigie, *arguments, "--data", str(self.data)], capture_output=True, text=True)
        assert done.returncode == 0, f"vigie {' '.join(arguments[:2])} ended with status {done.returncode}: {done.stderr}"
        return done.stdout.strip()

    def ask(self, path):
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", headers={"Authorization": f"Bearer {self.token}"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)


class World:
    """A folder, certificates, a server, and the programs that were started."""

    def __init__(self, vigie):
        self.vigie = vigie
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="vigie-receivers-"))
        (self.folder / "rules").mkdir()
        (self.folder / "rules/check.yml").write_text(RULES)
        self.processes = []
        self.ports = {name: free_port(socket.SOCK_DGRAM if name == "udp" else socket.SOCK_STREAM)
                      for name in ("http", "https", "udp", "tcp", "octets", "tls", "proxied-http", "proxied-tls", *SLOW, "slow-syslog")}
        self.certificates()
        self.server = self.console = None
        # Findings of each rule for what was sent until now.
        self.expected = collections.Counter()

    def certificates(self):
        def openssl(*arguments):
            subprocess.run(["openssl", *arguments], check=True, capture_output=True, cwd=self.folder)
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=test authority",
                "-keyout", "ca.key", "-out", "ca.pem")
        for name in ("server", "client"):
            openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.csr",
                    "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1")
            openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2",
                    "-copy_extensions", "copy", "-out", f"{name}.pem")

    def start(self):
        digest = hashlib.sha256(TOKEN.encode()).hexdigest()
        tls = f"{{certificate: {self.folder}/server.pem, key: {self.folder}/server.key"
        slow = "\n".join(f"    - {{listen: 127.0.0.1:{self.ports[name]}, {FEW}{f', tls: {tls}}}' if name == 'slow-tls' else ''}}}"
                         for name in SLOW)
        listen = free_port()
        if self.console:
            self.console.port = listen
        (self.folder / "vigie.yml").write_text(f"""
listen: 127.0.0.1:{listen}
data: {self.folder}/data
rules: [{self.folder}/rules]
sources: []
receivers:
  http:
    - {{listen: 127.0.0.1:{self.ports['http']}}}
    - {{listen: "0.0.0.0:{self.ports['https']}", tls: {tls}}}, tokens: ["sha256:{digest}"]}}
    - {{listen: 127.0.0.1:{self.ports['proxied-http']}, proxy_protocol: [127.0.0.1]}}
{slow}
  syslog:
    - {{listen: 127.0.0.1:{self.ports['udp']}, transport: udp}}
    - {{listen: 127.0.0.1:{self.ports['tcp']}, transport: tcp}}
    - {{listen: 127.0.0.1:{self.ports['octets']}, transport: tcp}}
    - {{listen: "0.0.0.0:{self.ports['tls']}", tls: {tls}, client_authority: {self.folder}/ca.pem}}}}
    - {{listen: 127.0.0.1:{self.ports['proxied-tls']}, tls: {tls}, client_authority: {self.folder}/ca.pem}}, proxy_protocol: [127.0.0.1]}}
    - {{listen: 127.0.0.1:{self.ports['slow-syslog']}, tls: {tls}, client_authority: {self.folder}/ca.pem}}, {FEW}}}
""")
        log = open(self.folder / "vigie.log", "ab")
        self.server = subprocess.Popen([self.vigie, "serve", "--config", str(self.folder / "vigie.yml")], stderr=log, stdout=log)
        eventually("the server listens", 120, self.is_ready)
        wait_for_port(listen, self.server, "the console", 120)
        self.console = self.console or Console(self.vigie, self.folder / "data", listen)

    def is_ready(self):
        if self.server.poll() is not None:
            raise AssertionError(f"vigie ended:\n{(self.folder / 'vigie.log').read_text()}")
        try:
            return self.request("GET", "/ready")[0] == 200
        except OSError:
            return False

    def kill(self):
        self.server.kill()
        self.server.wait()

    def request(self, method, path, body=None, headers=None, port=None, timeout=60, tls=None):
        kind = functools.partial(http.client.HTTPSConnection, context=tls) if tls else http.client.HTTPConnection
        connection = kind("127.0.0.1", port or self.ports["http"], timeout=timeout)
        with contextlib.closing(connection):
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.read().decode(errors="replace"), dict(answer.getheaders())

    def source(self, name):
        """What the server says of one of its receivers, by the name of its spool."""
        sources = self.console.ask("/api/v1/sources")["sources"]
        return next(source for source in sources if pathlib.Path(source["name"]).name == f"{name}.jsonl")

    def run(self, *command, **options):
        process = subprocess.Popen([str(part) for part in command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options)
        self.processes.append(process)
        return process

    def findings(self, rule):
        path = self.folder / "data/projections.db"
        if not path.exists():
            return 0
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)) as database:
            return database.execute("SELECT count(*) FROM finding WHERE rule_title = ?", (rule,)).fetchone()[0]

    def close(self):
        for process in [*self.processes, self.server]:
            if process and process.poll() is None:
                process.terminate()
        for process in [*self.processes, self.server]:
            if process:
                try:
                    process.wait(20)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def expect(self, rule, count, seconds=60):
        """So many more findings than were expected until now, and not one more: what comes too late for this look is found at the next."""
        self.expect_all({rule: count}, seconds)

    def expect_all(self, counts, seconds=60):
        """The same of several rules whose events came together."""
        self.expected.update(collections.Counter(counts))
        for rule in counts:
            try:
                eventually(f"{self.expected[rule]} findings of '{rule}'", seconds, lambda: self.findings(rule) >= self.expected[rule])  # noqa: B023
            except NotReady as error:
                raise AssertionError(f"{error}; there are {self.findings(rule)}") from None
        self.no_more()

    def no_more(self):
        """No rule has found more than what was sent."""
        surplus = {rule: f"{self.findings(rule)} findings for {count} events" for rule, count in self.expected.items()
                   if self.findings(rule) > count}
        assert not surplus, surplus


def memory(pid):
    """MiB resident."""
    return int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text()).group(1)) // 1024
