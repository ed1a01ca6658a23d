"""Receivers of pages for script/pagers-check: mail servers, webhooks that misbehave, stand-ins for Slack's and PagerDuty's addresses."""

import collections
import contextlib
import email
import email.policy
import http.server
import json
import logging
import shutil
import socket
import ssl
import subprocess
import threading
import time
import warnings

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

MAIL_PASSWORD = "mail-password-of-this-trial"
# Handshakes that fail are what is tried here.
logging.getLogger("mail.log").setLevel(logging.CRITICAL)
warnings.filterwarnings("ignore", message="Requiring AUTH while not requiring TLS")
WEBHOOK_SECRET = "whsec_dGhlIHNlY3JldCBvZiB0aGUgd2ViaG9vaydzIHRyaWFs"
PAGERDUTY_KEY = "0123456789abcdef0123456789abcdef"


class MailServer(Controller):
    """aiosmtpd. `refusals` are said to so many mails before one is taken."""

    def __init__(self, port, refusals=(), silent=False, **options):
        self.taken, self.asked, self.refusals, self.silent, self.over = [], 0, list(refusals), silent, threading.Event()
        self.asked_at = []
        super().__init__(self, hostname="127.0.0.1", port=port, **options)

    async def handle_DATA(self, server, session, envelope):
        self.asked += 1
        self.asked_at.append(time.time())
        if self.refusals:
            return self.refusals.pop(0)
        self.taken.append({
            "mail": email.message_from_bytes(envelope.content, policy=email.policy.default), "to": envelope.rcpt_tos,
            "from": envelope.mail_from, "tls": session.ssl is not None or self.ssl_context is not None,
            "user": session.auth_data.login.decode() if session.auth_data else None})
        return "250 taken"


class SilentMailServer:
    """Accepts connections and never says a word."""

    def __init__(self, port):
        self.socket = socket.create_server(("127.0.0.1", port))
        self.asked, self.kept = 0, []
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        with contextlib.suppress(OSError):
            while True:
                self.kept.append(self.socket.accept()[0])
                self.asked += 1

    def stop(self):
        self.socket.close()
        for connection in self.kept:
            connection.close()


class Web(http.server.BaseHTTPRequestHandler):
    """One address for each way to misbehave; every request is kept."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        with self.server.lock:
            seen = self.server.seen[self.path]
            seen.append({"headers": dict(self.headers.items()), "body": body.decode(), "time": time.time()})
            count = len(seen)
        if self.path == "/hangs" or self.path == "/tired" and count == 2:
            self.server.over.wait(600)
            self.close_connection = True
            return
        status = {"/gone": 410, "/tired": 500 if count == 1 else 204, "/slack": 200, "/pagerduty": 202}.get(self.path, 204)
        with contextlib.suppress(OSError):
            self.send_response(status)
            self.send_header("content-length", "0")
            self.end_headers()

    def log_message(self, *_):
        pass


class Receivers:
    """All of them, on loopback, with certificates of an authority of their own; gone at the end."""

    def __init__(self, folder, ports):
        self.folder, self.ports, self.stack = folder, ports, contextlib.ExitStack()
        self.mail = {}

    def __enter__(self):
        try:
            self.start()
            return self
        except BaseException:
            self.stack.close()
            raise

    def __exit__(self, *_):
        self.stack.close()

    def start(self):
        self.authority = certify(self.folder, "authority", "mail")
        certify(self.folder, "stranger", "strange")
        known, strange = (context(self.folder, name) for name in ("mail", "strange"))
        def account(server, session, envelope, mechanism, data):
            right = isinstance(data, LoginPassword) and (data.login, data.password) == (b"vigie", MAIL_PASSWORD.encode())
            return AuthResult(success=right, auth_data=data if right else None, handled=not right)
        login = {"authenticator": account, "auth_required": True}
        self.add("starttls", MailServer(
            self.ports["starttls"], refusals=["451 come again later"], tls_context=known, require_starttls=True, **login))
        self.add("smtps", MailServer(self.ports["smtps"], ssl_context=known, auth_require_tls=False, **login))
        self.add("strange", MailServer(self.ports["strange"], tls_context=strange, require_starttls=True))
        self.add("plain", MailServer(self.ports["plain"]))
        self.add("silent", SilentMailServer(self.ports["silent"]))
        self.web = http.server.ThreadingHTTPServer(("127.0.0.1", self.ports["web"]), Web)
        self.web.daemon_threads = True
        # Vigie breaks off at its own deadline.
        self.web.handle_error = lambda *_: None
        self.web.lock, self.web.seen, self.web.over = threading.Lock(), collections.defaultdict(list), threading.Event()
        threading.Thread(target=self.web.serve_forever, daemon=True).start()
        self.stack.callback(self.web.shutdown)
        self.stack.callback(self.web.over.set)

    def add(self, name, server):
        if isinstance(server, Controller):
            server.start()
        self.stack.callback(server.stop)
        self.mail[name] = server

    def mails(self, name, incident):
        """What a server took about an incident."""
        return [one for one in self.mail[name].taken if incident in str(one["mail"]["subject"])]

    def posts(self, path, incident=None):
        with self.web.lock:
            return [one for one in self.web.seen[path] if incident is None or incident in one["body"]]


def certify(folder, authority, name):
    """An authority, and a certificate of it for 127.0.0.1."""
    def openssl(*words):
        subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    root = folder / f"{authority}.pem"
    openssl("req", "-x509", *key, "-keyout", folder / f"{authority}.key", "-out", root, "-days", "2", "-subj", f"/CN={authority}")
    openssl("req", *key, "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.csr", "-subj", "/CN=127.0.0.1")
    extensions = folder / f"{name}.ext"
    extensions.write_text("subjectAltName=IP:127.0.0.1\n")
    openssl("x509", "-req", "-in", folder / f"{name}.csr", "-CA", root, "-CAkey", folder / f"{authority}.key", "-CAcreateserial",
            "-days", "2", "-extfile", extensions, "-out", folder / f"{name}.pem")
    return root


def context(folder, name):
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(folder / f"{name}.pem", folder / f"{name}.key")
    return made


def write_policies(folder, shipped, ports, console):
    """The shipped policies, with ways out to the receivers: one person for each way."""
    shutil.copytree(shipped, folder)
    def secret(name, text):
        path = folder / name
        path.write_text(text)
        path.chmod(0o600)
        return str(path)
    password, web = secret("mail-password", MAIL_PASSWORD), f"http://127.0.0.1:{ports['web']}"
    mail = {name: {"kind": "smtp", "url": f"smtp://127.0.0.1:{ports[name]}", "from": "vigie@example.org"}
            for name in ("starttls", "strange", "plain", "silent")}
    mail["starttls"] |= {"user": "vigie", "password_file": password}
    mail["smtps"] = {"kind": "smtp", "url": f"smtps://127.0.0.1:{ports['smtps']}", "from": "vigie@example.org", "user": "vigie",
                     "password_file": password}
    hooks = {name: {"kind": "webhook", "url": f"{web}/{name}", "secret_file": secret("hook", WEBHOOK_SECRET)}
             for name in ("tired", "hangs", "gone", "good")}
    others = {"slack": {"kind": "slack", "url_file": secret("slack", f"{web}/slack")},
              "pagerduty": {"kind": "pagerduty", "url": f"{web}/pagerduty", "key_file": secret("pagerduty", PAGERDUTY_KEY)}}
    channels = mail | hooks | others
    (folder / "channels.yml").write_text(json.dumps({"console": console, "channels": channels, "digest_above": 5}))
    people = {name: {"contacts": [{"channel": name, **({"address": f"{name}@example.org"} if name in mail else {})}]}
              for name in channels}
    (folder / "oncall.yml").write_text(json.dumps({"people": people, "rotations": {}}))
    (folder / "escalation.yml").write_text(json.dumps({
        "routes": {"P0": "all", "P1": "quiet", "P2": "storm", "P3": "nobody"},
        "policies": {
            "all": [{"name": "L1", "page": [f"person:{name}" for name in channels], "answers_within": "2h"},
                    {"name": "L2", "page": ["person:good"], "answers_within": "2h"}],
            "quiet": [{"name": "L1", "page": ["person:slack", "person:pagerduty"], "answers_within": "60s"},
                      {"name": "L2", "page": ["person:good"], "answers_within": "2h"}],
            "storm": [{"name": "L1", "page": ["person:smtps"], "answers_within": "2h"}]}}))

