"""An RFC 3161 authority for trials: `openssl ts -reply` behind HTTP on this machine, with a certificate of its own."""

import http.server
import pathlib
import subprocess
import threading

CONFIGURATION = """
[req]
distinguished_name = name
prompt = no
[name]
CN = Authority of a trial
[ca]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign
[tsa]
basicConstraints = CA:false
extendedKeyUsage = critical, timeStamping
keyUsage = critical, digitalSignature
[one]
serial = serial
signer_cert = tsa.pem
signer_key = tsa.key
default_policy = 1.2.3.4.1
digests = sha256, sha384, sha512
signer_digest = sha256
ess_cert_id_alg = sha256
accuracy = secs:1
"""


class Authority:
    """Answers until the block is left; `ca` is the certificate that its answers are verified with."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.ca = self.folder / "ca.pem"
        self.asked = 0

    def openssl(self, *arguments, data=None):
        return subprocess.run(["openssl", *map(str, arguments)], cwd=self.folder, input=data, check=True, capture_output=True).stdout

    def __enter__(self):
        self.folder.mkdir(parents=True)
        (self.folder / "tsa.cnf").write_text(CONFIGURATION)
        (self.folder / "serial").write_text("01\n")
        self.openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-config", "tsa.cnf", "-extensions", "ca", "-days", 30,
                     "-keyout", "ca.key", "-out", "ca.pem")
        self.openssl("req", "-newkey", "rsa:2048", "-nodes", "-config", "tsa.cnf", "-keyout", "tsa.key", "-out", "tsa.csr")
        self.openssl("x509", "-req", "-in", "tsa.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", 30,
                     "-extfile", "tsa.cnf", "-extensions", "tsa", "-out", "tsa.pem")
        authority = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                query = self.rfile.read(min(int(self.headers.get("content-length", 0)), 1 << 16))
                if self.headers.get("content-type") != "application/timestamp-query" or self.path != "/tsa":
                    self.send_error(415)
                    return
                (authority.folder / "query").write_bytes(query)
                answer = authority.openssl("ts", "-reply", "-config", "tsa.cnf", "-section", "one", "-queryfile", "query")
                authority.asked += 1
                self.send_response(200)
                self.send_header("Content-Type", "application/timestamp-reply")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        self.server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()
