"""A client of RMAP that speaks through GnuPG, and the keys that it and a server need."""

import base64
import json
import os
import secrets
import subprocess
import urllib.error
import urllib.request


class Keys:
    """A server's key and one identity's, in a key ring of their own; the folder is what `tatou serve --rmap-keys` reads."""

    def __init__(self, place, identity, passphrase=""):
        """`passphrase` locks the server's key."""
        self.home, self.folder, self.identity = place / "gnupg", place / "rmap", identity
        self.home.mkdir(mode=0o700)
        (self.folder / "clients").mkdir(parents=True)
        for name in ("server", identity):
            word = passphrase if name == "server" else ""
            self.gpg("--pinentry-mode", "loopback", "--passphrase", word, "--quick-generate-key", name, "future-default", "default", "never")
        private = self.folder / "server.asc"
        private.write_bytes(self.gpg("--armor", "--pinentry-mode", "loopback", "--passphrase", passphrase, "--export-secret-keys", "server"))
        private.chmod(0o600)
        (self.folder / f"clients/{identity}.asc").write_bytes(self.gpg("--armor", "--export", identity))

    def gpg(self, *arguments, data=b""):
        command = ["/usr/bin/gpg", "--batch", "--quiet", "--yes", "--trust-model", "always", *arguments]
        done = subprocess.run(command, input=data, capture_output=True, env=os.environ | {"GNUPGHOME": str(self.home), "LC_ALL": "C"})
        assert done.returncode == 0, f"gpg: {done.stderr.decode()}"
        return done.stdout

    def sealed(self, message):
        armoured = self.gpg("--armor", "--recipient", "server", "--encrypt", data=json.dumps(message).encode())
        return {"payload": base64.b64encode(armoured).decode()}

    def opened(self, answer):
        return json.loads(self.gpg("--decrypt", data=base64.b64decode(answer["payload"])))

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        self.close()

    def close(self):
        """gpg leaves an agent behind."""
        subprocess.run(["gpgconf", "--kill", "gpg-agent"], env=os.environ | {"GNUPGHOME": str(self.home)}, check=False)


def post(address, path, body):
    """Status and what the answer says."""
    request = urllib.request.Request(address + path, json.dumps(body).encode(), {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def fetch_link(address, keys):
    """The whole exchange, and what must not work beside it; returns the link that the identity gets."""
    nonce = secrets.randbits(64)
    first = keys.sealed({"nonceClient": nonce, "identity": keys.identity})
    status, answer = post(address, "/api/rmap-initiate", first)
    assert status == 200, f"the first message is answered {status}: {answer}"
    reply = keys.opened(answer)
    assert reply["nonceClient"] == nonce, "the first answer names another nonce"
    refusals = [post(address, "/api/rmap-initiate", keys.sealed({"nonceClient": nonce, "identity": "Stranger"})),
                post(address, "/api/rmap-initiate", {"payload": "no message"}),
                post(address, "/api/rmap-get-link", keys.sealed({"nonceServer": reply["nonceServer"] ^ 1}))]
    second = keys.sealed({"nonceServer": reply["nonceServer"]})
    status, answer = post(address, "/api/rmap-get-link", second)
    assert status == 200, f"the second message is answered {status}: {answer}"
    link = keys.opened(answer)["result"]
    assert link == f"{nonce << 64 | reply['nonceServer']:032x}", "the link is not made of both nonces"
    refusals.append(post(address, "/api/rmap-get-link", second))
    # One answer for a stranger, a wrong number, a replay and nonsense.
    texts = {(status, answer.get("error")) for status, answer in refusals}
    assert len(texts) == 1 and {status for status, _ in texts} == {400}, f"refusals tell reasons: {texts}"
    return f"{address}/api/get-version/{link}"
