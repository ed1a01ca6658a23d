"""A small shop application, run as a process of its own behind nginx.

It does what the samples need of a real application: sign-in with a session cookie, a JSON API, a WebDAV-like tree, a
search. Each handled request of interest becomes one JSON line with ECS field names. Started as
`python3 app.py PORT LOGFILE ACCOUNTS.json`; it writes nothing else and listens on loopback only.
"""

import base64
import hmac
import json
import secrets
import sys
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Shop:
    """State shared by the request threads; `lock` guards the log and both tables."""

    def __init__(self, log_path, accounts):
        self.accounts = accounts
        self.sessions = {}
        self.files = {}
        self.lock = threading.Lock()
        # Line buffering: a line is in the file as soon as its request is answered, as in a real service.
        self.log_file = open(log_path, "a", buffering=1, encoding="utf-8")

    def log(self, entry):
        now = time.time()
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + f".{int(now % 1 * 1000):03d}Z"
        with self.lock:
            self.log_file.write(json.dumps({"@timestamp": stamp, **entry}, ensure_ascii=False) + "\n")

    def password_fits(self, user, password):
        known = self.accounts.get(user)
        # Compared in constant time and also for unknown users: the lab should not teach bad habits.
        fits = hmac.compare_digest((known or secrets.token_hex(8)).encode(), password.encode())
        return known is not None and fits


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "shop"
    sys_version = ""
    shop: Shop

    # nginx is the only client; it says who the visitor is.
    def visitor(self):
        return self.headers.get("X-Real-IP", self.client_address[0])

    def log_message(self, format, *args):
        pass

    def body(self):
        length = min(int(self.headers.get("Content-Length") or 0), 1 << 20)
        return self.rfile.read(length)

    def answer(self, status, content=b"", kind="application/json", headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def record(self, level, message, category, action, outcome, status, user=None, reason=None):
        entry = {
            "log.level": level,
            "message": message,
            "service.name": "shop",
            "event.category": category,
            "event.action": action,
            "event.outcome": outcome,
        }
        if reason:
            entry["event.reason"] = reason
        entry["source.ip"] = self.visitor()
        if user is not None:
            entry["user.name"] = user
        entry["http.request.method"] = self.command
        entry["url.original"] = self.path
        entry["http.response.status_code"] = status
        entry["user_agent.original"] = self.headers.get("User-Agent", "")
        self.shop.log(entry)

    def session_user(self):
        cookie = self.headers.get("Cookie", "")
        return self.shop.sessions.get(cookie.partition("session=")[2].partition(";")[0])

    def do_GET(self):
        path = urllib.parse.urlsplit(self.path).path
        if path == "/login":
            self.answer(200, b"<form method=post><input name=user><input name=password type=password></form>", "text/html")
        elif path == "/search":
            self.record("info", "search", "web", "search", "success", 200, self.session_user())
            self.answer(200, b'{"results":[]}')
        elif path == "/api/health":
            self.answer(200, b'{"ok":true}')
        elif path.startswith("/api/"):
            user = self.session_user()
            if user is None:
                self.answer(401, b'{"error":"sign in first"}')
            else:
                self.record("info", "api call", "web", "api_read", "success", 200, user)
                self.answer(200, b'{"items":[1,2,3]}')
        elif path.startswith("/dav/"):
            self.dav()
        else:
            self.answer(404, b'{"error":"not found"}')

    do_HEAD = do_GET

    def do_POST(self):
        content = self.body()
        if urllib.parse.urlsplit(self.path).path != "/login":
            self.do_GET()
            return
        form = urllib.parse.parse_qs(content.decode("utf-8", "replace"), keep_blank_values=True)
        user, password = form.get("user", [""])[0], form.get("password", [""])[0]
        if self.shop.password_fits(user, password):
            session = secrets.token_urlsafe(18)
            with self.shop.lock:
                self.shop.sessions[session] = user
            self.record("info", "signed in", "authentication", "login", "success", 303, user)
            self.answer(303, headers=[("Location", "/account"), ("Set-Cookie", f"session={session}; HttpOnly")])
            return
        # The page says the same for both; only the log knows why.
        reason = "bad_credentials" if user in self.shop.accounts else "invalid_user"
        self.record("warning", "sign-in failed", "authentication", "login", "failure", 401, user, reason)
        self.answer(401, b"Wrong user or password.", "text/plain")

    def dav(self):
        kind, _, encoded = self.headers.get("Authorization", "").partition(" ")
        user, _, password = "", "", ""
        if kind == "Basic":
            user, _, password = base64.b64decode(encoded).decode().partition(":")
        if not self.shop.password_fits(user, password):
            # Sync clients send their first request without credentials and wait for this challenge: no failed login.
            self.answer(401, headers=[("WWW-Authenticate", 'Basic realm="files"')])
            return
        content = self.body()
        if self.command == "PROPFIND":
            self.answer(207, b'<?xml version="1.0"?><multistatus xmlns="DAV:"/>', "application/xml")
        elif self.command == "PUT":
            with self.shop.lock:
                self.shop.files[self.path] = content
            self.record("info", "file stored", "file", "dav_put", "success", 201, user)
            self.answer(201)
        elif self.command == "MKCOL":
            self.answer(201)
        elif self.path in self.shop.files:
            self.answer(200, self.shop.files[self.path], "application/octet-stream")
        else:
            self.answer(404)

    do_PROPFIND = do_PUT = do_MKCOL = dav


class Server(ThreadingHTTPServer):
    daemon_threads = True
    # nginx opens a connection for each request; the default backlog of five drops some of a burst.
    request_queue_size = 128


def main():
    port, log_path, accounts_path = sys.argv[1:4]
    with open(accounts_path, encoding="utf-8") as file:
        Handler.shop = Shop(log_path, json.load(file))
    Server(("127.0.0.1", int(port)), Handler).serve_forever()


if __name__ == "__main__":
    main()
