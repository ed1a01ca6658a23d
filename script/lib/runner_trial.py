"""Commands of playbooks against real servers: sshd, an HTTP server that misbehaves, log files. Each case is a step of one run by the real program."""

import base64
import collections
import contextlib
import getpass
import http.server
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import threading
import time
import uuid

from lib import waiting
from lib.run_storm import EXTENSION, entries, execution_of

SECRET = "ambient-secret-of-this-trial"
RULE = """title: Sign-in refused
id: 0f0ad3b2-8f1e-4a0b-9d8a-1a3c5a5a7d11
logsource: {category: webserver}
detection: {selection: {http.response.status_code: 401}, condition: selection}
level: high
"""


class Misbehaving(http.server.BaseHTTPRequestHandler):
    """What each path does wrong."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers.get("content-length", 0)))
        key, seen = self.headers.get("idempotency-key", ""), self.server.seen
        with self.server.lock:
            seen[self.path].append({"key": key, "type": self.headers.get("content-type"), "user": self.headers.get("authorization")})
            count = len(seen[self.path])
        if self.path.startswith("/hangs"):
            self.server.over.wait(600)
            self.close_connection = True
        elif self.path.startswith("/breaks"):
            self.close_connection = True
        elif self.path == "/twice-500" and count < 3 or self.path.startswith("/500"):
            self.say(500, b"no")
        elif self.path == "/redirects":
            self.say(302, b"", location=f"http://127.0.0.1:{self.server.server_port}/elsewhere")
        elif self.path == "/large":
            self.say(200, b"x" * (3 << 20))
        elif self.path == "/openc2-refuses":
            self.say(200, b'{"status": 403, "status_text": "not allowed"}')
        else:
            self.say(200, b'{"status": 200, "__answer__": "from the server", "token": "Bearer abcdefghijklmnop"}')

    do_GET = do_POST

    def say(self, status, body, **headers):
        with contextlib.suppress(OSError):
            self.send_response(status)
            for name, value in {**headers, "content-length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, *_):
        pass


class Servers:
    """Real ones, each with its own files; gone at the end."""

    def __init__(self, folder):
        self.folder, self.stack = folder, contextlib.ExitStack()
        self.sshd = self.strange = self.web = None

    def __enter__(self):
        try:
            self.sshd, self.strange = self.secure_shell("sshd"), self.secure_shell("strange")
            # The second one's key is another than the one that is known.
            known = self.folder / "data/keys/ssh/known_hosts"
            own = (self.folder / "sshd/host.pub").read_text()
            known.write_text(f"[127.0.0.1]:{self.sshd} {own}[127.0.0.1]:{self.strange} {own}")
            self.web = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Misbehaving)
            self.web.daemon_threads = True
            # Whoever asks breaks off as well, at its deadline.
            self.web.handle_error = lambda *_: None
            self.web.lock, self.web.seen, self.web.over = threading.Lock(), collections.defaultdict(list), threading.Event()
            threading.Thread(target=self.web.serve_forever, daemon=True).start()
            self.stack.callback(self.web.shutdown)
            self.stack.callback(self.web.over.set)
            return self
        except BaseException:
            self.stack.close()
            raise

    def __exit__(self, *_):
        self.stack.close()

    def secure_shell(self, name):
        folder, keys = self.folder / name, self.folder / "data/keys/ssh"
        folder.mkdir()
        keys.mkdir(parents=True, exist_ok=True)
        for path in (folder / "host", keys / "trial"):
            if not path.exists():
                subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True)
        shutil.move(keys / "trial.pub", folder / "authorized") if (keys / "trial.pub").exists() else shutil.copy(
            self.folder / "sshd/authorized", folder / "authorized")
        port = waiting.free_port()
        (folder / "config").write_text(
            f"ListenAddress 127.0.0.1\nPort {port}\nHostKey {folder}/host\nPidFile {folder}/pid\nAuthorizedKeysFile {folder}/authorized\n"
            "StrictModes no\nUsePAM no\nPasswordAuthentication no\nPermitRootLogin yes\nPrintMotd no\nPrintLastLog no\n")
        # sshd wants to be called by its whole path, and a folder of its own where it runs as root.
        pathlib.Path("/run/sshd").mkdir(exist_ok=True)
        with open(folder / "log", "ab") as log:
            process = subprocess.Popen([shutil.which("sshd"), "-D", "-e", "-f", folder / "config"], stdout=log, stderr=log)
        self.stack.callback(process.wait)
        self.stack.callback(process.terminate)
        waiting.wait_for_port(port, process, "sshd")
        return port


def cases(servers, folder):
    """(name, step, what has to come of it). A step's end is `succeeded`, `failed`, `timed_out` or `unknown`."""
    here, ssh = folder / "effects", "ssh"
    lines = folder / "access.log"
    refused = '203.0.113.9 - - [02/Mar/2026:16:56:03 +0000] "POST /login HTTP/1.1" 401 12 "-" "-"\n'
    lines.write_text(refused * 3 + refused.replace(" 401 ", " 200 ") * 2)

    def shell(name, text, ends, says=None, seconds=60, agent=ssh, **more):
        return name, {"agent": agent, "type": "ssh", "command": text, "seconds": seconds, **more}, {"ends": ends, "says": says}

    def web(name, path, ends, says=None, seconds=60, honours=False, arrivals=1, kind="http-api", **more):
        return name, {"agent": "web", "type": kind, "command": f"POST {path} HTTP/1.1", "content": "{}", "seconds": seconds, "honours": honours, "path": path, **more}, {"ends": ends, "says": says, "arrivals": arrivals}

    return [
        shell("ssh: a command", "echo done-by-$(id -un)", "succeeded", f"done-by-{getpass.getuser()}"),
        shell("ssh: a command that fails", "echo before; exit 3", "failed", "exit code 3"),
        shell("ssh: nothing of the server's environment", "env; ls ~/.nothing 2>/dev/null; true", "succeeded"),
        shell("ssh: a value that would be a command", "echo -- __evil__:value", "succeeded", "$(touch"),
        shell("ssh: past its deadline", f"echo begun >> {here}/slow; sleep 5; echo over >> {here}/slow; sleep 60", "unknown", seconds=2),
        shell("ssh: past its deadline, honours the key", "sleep 60", "timed_out", seconds=2, honours=True),
        shell("ssh: more output than is kept", "head -c 300000 /dev/zero | tr '\\0' x", "succeeded"),
        shell("ssh: a flood", "yes", "unknown"),
        shell("ssh: the connection breaks", "echo begun; kill -9 $PPID; sleep 1", "unknown"),
        shell("ssh: another host key than the one known", f"touch {here}/strange", "failed", "Host key verification failed", agent="strange"),
        shell("ssh: nobody listens", f"touch {here}/nobody", "failed", "refused", agent="nobody"),
        shell("ssh: no key named", f"touch {here}/keyless", "failed", "Permission denied", agent="keyless"),
        web("http: an answer", "/fine", "succeeded", "200"),
        web("http: 500", "/500", "unknown"),
        web("http: 500 twice, honours the key", "/twice-500", "succeeded", honours=True, arrivals=3),
        web("http: 500 all the time, honours the key", "/500-honours", "failed", "500", seconds=3, honours=True, arrivals=None),
        web("http: hangs", "/hangs", "unknown", seconds=2),
        web("http: hangs, honours the key", "/hangs-honours", "timed_out", seconds=2, honours=True),
        web("http: breaks the connection", "/breaks", "unknown"),
        web("http: a redirect", "/redirects", "failed", "redirects are not followed"),
        web("http: an answer without end", "/large", "unknown"),
        web("http: nobody listens", "/nobody", "failed", "refuses", agent="closed", arrivals=0),
        web("openc2: an answer", "/openc2", "succeeded", "200", kind="openc2-http", agent="openc2"),
        web("openc2: an answer that says no", "/openc2-refuses", "failed", "403", kind="openc2-http", agent="openc2-refuses"),
        ("sigma: a file", {"agent": "files", "type": "sigma", "rule": RULE, "seconds": 120},
         {"ends": "succeeded", "says": "3 findings in 5 lines"}),
        ("sigma: a file that is not there", {"agent": "gone", "type": "sigma", "rule": RULE, "seconds": 120}, {"ends": "failed", "says": None}),
        ("sigma: no rule", {"agent": "files", "type": "sigma", "rule": "title: x\n", "seconds": 120}, {"ends": "failed", "says": "refused"}),
    ]


def playbook(servers, folder, wanted):
    """One step after the other, whatever comes of each."""
    agents, login = {}, f"user-auth--{uuid.uuid4()}"

    def agent(kind, name, **members):
        agents[name] = (f"{kind}--{uuid.uuid4()}", {"type": kind, "name": name, **members})

    local = {"ipv4": ["127.0.0.1"]}
    agent("ssh", "ssh", address=local, port=str(servers.sshd), authentication_info=login)
    agent("ssh", "strange", address=local, port=str(servers.strange), authentication_info=login)
    agent("ssh", "nobody", address=local, port=str(waiting.free_port()), authentication_info=login)
    agent("ssh", "keyless", address=local, port=str(servers.sshd))
    base = f"http://127.0.0.1:{servers.web.server_port}"
    agent("http-api", "web", address={"url": [f"{base}/"]})
    agent("http-api", "closed", address={"url": [f"http://127.0.0.1:{waiting.free_port()}/"]})
    agent("http-api", "openc2", address={"url": [f"{base}/openc2"]})
    agent("http-api", "openc2-refuses", address={"url": [f"{base}/openc2-refuses"]})
    agent("net-address", "files", address={"url": [f"file://{folder}/access.log"]})
    agent("net-address", "gone", address={"url": [f"file://{folder}/gone.log"]})
    start, end, identity = f"start--{uuid.uuid4()}", f"end--{uuid.uuid4()}", f"identity--{uuid.uuid4()}"
    ids = [f"action--{uuid.uuid4()}" for _ in wanted]
    workflow = {start: {"type": "start", "on_completion": ids[0]}, end: {"type": "end"}}
    for index, (name, what, _) in enumerate(wanted):
        after = ids[index + 1] if index + 1 < len(ids) else end
        command = {"type": what["type"], "playbook_activity": "restrict-access"}
        if "rule" in what:
            command["command_b64"] = base64.b64encode(what["rule"].encode()).decode()
        else:
            command["command"] = what["command"]
        if "content" in what:
            form = "content_b64" if what["type"] == "openc2-http" else "content"
            command[form] = base64.b64encode(what["content"].encode()).decode() if form == "content_b64" else what["content"]
        workflow[ids[index]] = {
            "type": "action", "name": name, "agent": agents[what["agent"]][0], "timeout": what["seconds"] * 1000, "commands": [command],
            "on_success": after, "on_failure": after,
            "step_extensions": {EXTENSION: {"effect": "observe", "honours_key": what.get("honours", False)}}}
    return dict(zip(ids, [name for name, _, _ in wanted])), {
        "type": "playbook", "spec_version": "cacao-2.0", "id": f"playbook--{uuid.uuid4()}", "name": "Commands",
        "playbook_types": ["mitigation"], "playbook_activities": ["restrict-access"], "created_by": identity,
        "created": "2026-11-21T00:00:00.000Z", "modified": "2026-11-21T00:00:00.000Z", "impact": 0,
        "playbook_variables": {"__incident__": {"type": "string", "external": True}, "__evil__": {"type": "string", "external": True}},
        "workflow_start": start, "workflow": workflow, "agent_definitions": dict(agents.values()),
        "authentication_info_definitions": {login: {
            "type": "user-auth", "name": "trial", "kms": True, "kms_key_identifier": "trial"}},
        "extension_definitions": {EXTENSION: {
            "type": "extension-definition", "name": "Vigie response", "created_by": identity, "schema": "docs/playbooks.md", "version": "1.0.0"}}}


class Trial:
    def __init__(self, vigie, folder):
        self.vigie, self.folder, self.data = str(vigie), folder, folder / "data"
        for name in ("rules", "policies", "playbooks", "effects", "home/.ssh"):
            (folder / name).mkdir(parents=True)
        (folder / "log").touch()
        # What a program that reads its user's files would do: none of it may happen.
        (folder / "home/.ssh/config").write_text(f"Host *\n  ProxyCommand touch {folder}/effects/ssh-config\n")
        (folder / "home/.curlrc").write_text(f"dump-header = {folder}/effects/curlrc\nuser = somebody:{SECRET}\n")
        (folder / "home/.netrc").write_text(f"machine 127.0.0.1 login somebody password {SECRET}\n")
        (folder / "vigie.yml").write_text(
            f"data: {self.data}\nlisten: 127.0.0.1:0\nrules: [{folder}/rules]\npolicies: {folder}/policies\n"
            f"playbooks: [{folder}/playbooks]\nsources: [{{path: {folder}/log, format: combined}}]\nevidence: {{system_logs: []}}\n")

    def say(self, *words):
        done = subprocess.run([self.vigie, *map(str, words), "--data", str(self.data)], capture_output=True, text=True, cwd=self.folder)
        if done.returncode:
            raise waiting.NotReady(f"vigie {words[0]} {words[1]} ended with {done.returncode}: {done.stderr.strip()[-400:]}")
        return done.stdout

    def run(self, names, document, limit=300):
        (self.folder / "playbooks/commands.json").write_text(json.dumps(document))
        environment = dict(os.environ, HOME=str(self.folder / "home"), VIGIE_TRIAL=SECRET, AWS_SECRET_ACCESS_KEY=SECRET,
                           http_proxy="http://127.0.0.1:1", SSH_AUTH_SOCK=str(self.folder / "agent"))
        with open(self.folder / "output", "ab") as output:
            server = subprocess.Popen([self.vigie, "serve", "--config", self.folder / "vigie.yml"], env=environment, stdout=output,
                                      stderr=output, stdin=subprocess.DEVNULL)
        try:
            def alive():
                if server.poll() is not None:
                    raise waiting.NotReady(f"the server ended with status {server.returncode}: {(self.folder / 'output').read_text()[-400:]}")
            waiting.eventually("the server works", 120, lambda: alive() or "Console" in (self.folder / "output").read_text())
            incident = self.say("incidents", "open", "commands", "--kind", "test", "--policies", self.folder / "policies").split()[0]
            evil = f"$(touch {self.folder}/effects/evil) '; touch {self.folder}/effects/evil; '"
            self.say("respond", "run", "commands", "--incident", incident, "--set", f"__evil__={evil}", "--playbooks",
                     self.folder / "playbooks", "--policies", self.folder / "policies")
            run, asked = f"{incident}-R1", set()

            def over():
                alive()
                mine = [entry for entry in entries(self.data) if entry["data"].get("run") == run]
                for entry in mine:
                    execution = execution_of(entry)
                    if entry["type"] in ("run.outcome_unknown", "run.handed_over") and execution not in asked:
                        asked.add(execution)
                        self.say("respond", "done", run, execution, "--note", "looked at by hand")
                return mine if mine and mine[-1]["type"] == "run.finished" else None

            mine = waiting.eventually(f"the run ends; {self.folder} has all of it", limit, over, pause=0.2)
            shown = [json.loads(line) for line in self.say("respond", "show", run, "--json").splitlines()]
            return mine, {names[one["step"]]: one for one in shown if one["step"] in names}
        finally:
            server.terminate()
            try:
                server.wait(20)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def ends(mine, names):
    """How each step's command ended by itself, before anybody was asked."""
    at = {execution_of(e): names.get(e["data"].get("step")) for e in mine if e["type"] == "run.step_entered"}
    found = {}
    for entry in mine:
        name = at.get(execution_of(entry))
        if name and name not in found and entry["type"] in ("run.command_finished", "run.outcome_unknown", "run.handed_over"):
            found[name] = entry["data"].get("ending") or entry["type"].removeprefix("run.outcome_").removeprefix("run.")
    return found


def judge(wanted, mine, names, shown, servers, folder):
    results, ended = [], ends(mine, names)
    for name, what, expected in wanted:
        notes = " ".join(shown[name]["notes"]) if name in shown else ""
        wrong = []
        if ended.get(name) != expected["ends"]:
            wrong.append(f"ended as {ended.get(name)}")
        if expected["says"] and expected["says"] not in notes:
            wrong.append(f"says: {notes[:200]}")
        arrived = servers.web.seen.get(what.get("path"), [])
        if expected.get("arrivals") is not None and len(arrived) != expected["arrivals"]:
            wrong.append(f"arrived {len(arrived)} times")
        if len({one["key"] for one in arrived}) > 1:
            wrong.append("under more than one key")
        if any(one["user"] for one in arrived):
            wrong.append("with somebody's password")
        if SECRET in notes or "abcdefghijklmnop" in notes:
            wrong.append("a secret is shown")
        results.append({"case": name, "ended": ended.get(name), "arrivals": len(arrived) if "path" in what else None,
                        "said": notes.replace(str(folder), "…")[:160], "wrong": wrong})
    journal = b"".join(path.read_bytes() for path in (folder / "data/journal").glob("*.log"))
    effects = sorted(path.name for path in (folder / "effects").iterdir())
    general = {
        "effects_that_may_not_be": [name for name in effects if name != "slow"],
        "redirect_followed": len(servers.web.seen.get("/elsewhere", [])),
        "secret_in_journal": SECRET.encode() in journal, "longest_entry": max(map(len, journal.split(b"\n")), default=0),
        "openc2_type": servers.web.seen["/openc2"][0]["type"] if servers.web.seen.get("/openc2") else None}
    wrong = [text for text in (
        general["effects_that_may_not_be"] and f"done although it may not be: {general['effects_that_may_not_be']}",
        general["redirect_followed"] and "a redirect was followed", general["secret_in_journal"] and "a secret is in the journal",
        general["openc2_type"] != "application/openc2+json;version=1.0" and f"OpenC2 was sent as {general['openc2_type']}") if text]
    return results, general, wrong


def trial(vigie, folder=None):
    with contextlib.ExitStack() as stack:
        if folder is None:
            folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="vigie-runners-")))
        began = time.monotonic()
        trial = Trial(vigie, folder)
        with Servers(folder) as servers:
            wanted = cases(servers, folder)
            names, document = playbook(servers, folder, wanted)
            mine, shown = trial.run(names, document)
            results, general, wrong = judge(wanted, mine, names, shown, servers, folder)
    return {"cases": results, "general": general, "wrong": wrong, "seconds": round(time.monotonic() - began, 1)}
