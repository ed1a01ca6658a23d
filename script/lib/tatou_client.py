"""`tatou serve` on a folder of its own, and a client of its API."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import threading
import urllib.error
import urllib.request
import uuid

PATIENCE = 120


class Server:
    """`tatou serve` on a free port of 127.0.0.1."""

    def __init__(self, tatou, *options, folder=None, environment=None):
        self.folder = folder or pathlib.Path(tempfile.mkdtemp(prefix="tatou-trial-"))
        self.process = subprocess.Popen(
            [tatou, "serve", "--data", str(self.folder / "data"), "--listen", "127.0.0.1:0", *options],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=os.environ | (environment or {}))
        self.said, self.address = [], None
        for line in self.process.stdout:
            self.said.append(line)
            if found := re.search(r"serves on (http://\S+?),", line):
                self.address = found.group(1)
                break
        if not self.address:
            raise AssertionError("the server did not come up:\n" + "".join(self.said))
        # A pipe that nobody reads would stop it.
        threading.Thread(target=lambda: self.said.extend(self.process.stdout), daemon=True).start()

    @property
    def log_path(self):
        return self.folder / "data/logs/app.log"

    def log(self):
        return self.log_path.read_text() if self.log_path.exists() else ""

    def stop(self):
        self.process.terminate()
        status = self.process.wait(timeout=PATIENCE)
        shutil.rmtree(self.folder, ignore_errors=True)
        return status

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        status = self.stop()
        if status not in (0, -15) and failure == (None, None, None):
            raise AssertionError(f"tatou ended with status {status}")


class Client:
    """Asks as somebody, from an address that a proxy would report."""

    def __init__(self, address, source=None):
        self.address, self.token, self.source = address, None, source

    def ask(self, method, path, body=None, headers=None, token=True):
        """Status, headers and bytes of an answer."""
        headers = dict(headers or {})
        if token and self.token:
            headers.setdefault("Authorization", f"Bearer {self.token}")
        if self.source:
            headers["X-Forwarded-For"] = self.source
        request = urllib.request.Request(self.address + path, body, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read()

    def post(self, path, value, token=True):
        status, _, body = self.ask("POST", path, json.dumps(value).encode(), {"Content-Type": "application/json"}, token)
        return status, json.loads(body)

    def json(self, method, path):
        status, _, body = self.ask(method, path)
        assert status < 300, f"{method} {path} is answered {status}: {body[:300]}"
        return json.loads(body)

    def sign_up(self, name, password):
        status, answer = self.post("/api/create-user", {"login": name, "email": f"{name}@example.org", "password": password})
        assert status == 201, f"no account: {status} {answer}"
        self.sign_in(name, password)
        return answer["id"]

    def sign_in(self, name, password):
        status, answer = self.post("/api/login", {"email": f"{name}@example.org", "password": password}, token=False)
        assert status == 200, f"no sign-in: {status} {answer}"
        self.token = answer["token"]

    def send(self, path, name, content, media_type="application/pdf"):
        """Sends a form with a file; status and answer."""
        boundary = uuid.uuid4().hex
        form = (f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
                f"Content-Type: {media_type}\r\n\r\n").encode() + content + f"\r\n--{boundary}--\r\n".encode()
        status, _, body = self.ask("POST", path, form, {"Content-Type": f"multipart/form-data; boundary={boundary}"})
        return status, json.loads(body)

    def upload(self, name, content):
        status, answer = self.send("/api/upload-document", name, content)
        assert status == 201, f"not uploaded: {status} {answer}"
        return answer

    def mark(self, document, method, recipient, secret="for this recipient", key="the key"):
        status, answer = self.post(
            f"/api/create-watermark/{document}", {"method": method, "intended_for": recipient, "secret": secret, "key": key})
        assert status == 201, f"not marked: {status} {answer}"
        return answer


def scan(jpeg, width, height):
    """A page that is all picture: these bytes, in shades of grey."""
    content = b"q 300 0 0 420 10 10 cm /P Do Q"
    return file([b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
                 b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 320 440] /Contents 4 0 R /Resources << /XObject << /P 5 0 R >> >> >>",
                 b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
                 b"<< /Type /XObject /Subtype /Image /Width %d /Height %d /ColorSpace /DeviceGray /BitsPerComponent 8 /Filter /DCTDecode /Length %d >>\n"
                 b"stream\n%s\nendstream" % (width, height, len(jpeg), jpeg)])


def pdf(text, pages=1, words=0, padding=0, catalog=""):
    """A document of so many pages, with `words` words on each, `padding` random bytes in a stream that no page shows, and more in its catalog."""
    objects = [f"<< /Type /Catalog /Pages 2 0 R /Padding 4 0 R {catalog} >>".encode(),
               f"<< /Type /Pages /Kids [{' '.join(f'{5 + 2 * page} 0 R' for page in range(pages))}] /Count {pages} >>".encode(),
               b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"]
    noise = os.urandom(padding)
    objects.append(f"<< /Length {len(noise)} >>\nstream\n".encode() + noise + b"\nendstream")
    vocabulary = "minutes committee report figure spring department looked agreed every other after".split()
    for page in range(pages):
        lines = [" ".join(vocabulary[(page + row * 7 + column) % len(vocabulary)] for column in range(10)) for row in range(words // 10)]
        content = f"BT /F1 12 Tf 14 TL 60 780 Td ({text}, page {page + 1}) Tj T* " + " ".join(f"({line}) Tj T*" for line in lines) + " ET"
        objects.append(f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents {6 + 2 * page} 0 R "
                       "/Resources << /Font << /F1 3 0 R >> >> >>".encode())
        objects.append(f"<< /Length {len(content)} >>\nstream\n{content}\nendstream".encode())
    return file(objects)


def file(objects):
    """These objects, numbered from 1, the first of them the catalog, with their table."""
    written, places = b"%PDF-1.7\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(written))
        written += f"{number} 0 obj\n".encode() + body + b"\nendobj\n"
    table = len(written)
    written += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode() + b"".join(b"%010d 00000 n \n" % place for place in places)
    return written + f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{table}\n%%EOF\n".encode()
