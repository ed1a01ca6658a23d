"""Leases against what really enforces them: one network namespace attacks another, in which `vigie serve` contains the attacker."""

import base64
import contextlib
import datetime
import hashlib
import hmac
import http.server
import json
import os
import pathlib
import secrets
import shutil
import subprocess
import sys
import tempfile
import time

if __name__ == "__main__":
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from lib import systemd_trial, waiting
from lib.shifted_clock import ShiftedClock

DEFENDER, ATTACKER, OTHER = "192.0.2.1", "192.0.2.9", "192.0.2.10"
DEFENDER6, ATTACKER6 = "2001:db8:0:1::1", "2001:db8:0:2::9"


class Trouble(Exception):
    pass


def run(*words, check=True, **options):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, **options)
    if check and done.returncode != 0:
        raise Trouble(f"{' '.join(str(w) for w in words)} ended with {done.returncode}: {(done.stderr.strip() or done.stdout.strip())[:500]}")
    return done


class Webhook(http.server.BaseHTTPRequestHandler):
    """Somebody else's enforcer: checks the signature, remembers what is in force, and says so when asked."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        text = f"{self.headers['webhook-id']}.{self.headers['webhook-timestamp']}.".encode() + body
        made = "v1," + base64.b64encode(hmac.new(self.server.secret, text, hashlib.sha256).digest()).decode()
        if not hmac.compare_digest(made, self.headers["webhook-signature"]):
            return self.answer(401, {})
        order = json.loads(body)
        lease = order["lease"]["id"]
        if order["type"] == "lease.apply":
            self.server.held.add(lease)
        elif order["type"] == "lease.lift":
            self.server.held.discard(lease)
        self.answer(200, {"in_force": lease in self.server.held})

    def answer(self, status, body):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


# What a life of a verb is ordered with besides its target, and what its probes say before, in force and after. A revocation of what is
# issued before a moment to come meets every token of the sample, which makes one for each request.
WITH = {
    "throttle_address": ["requests=3", "seconds=3600"], "revoke_sessions": ["before=2100-01-01T00:00:00Z"],
    "revoke_everyone": ["before=2100-01-01T00:00:00Z"], "maintenance": ["retry_after=120"]}
GUARDED = {
    "block_address": ("200", "403"), "throttle_address": ("200 200 200 200 200", "200 200 200 429 429"), "revoke_token": ("200", "401"),
    "revoke_sessions": ("200", "401"), "revoke_everyone": ("200", "401"), "disable_account": ("200", "403"), "maintenance": ("200", "503"),
    "quarantine_object": ("200", "404"), "force_password_reset": ("200", "403")}


class Trial:
    """Both namespaces, nginx, the bouncer, and a server; everything is gone at the end."""

    def __init__(self, vigie, parts, application=None):
        self.vigie, self.parts, self.application = pathlib.Path(vigie).resolve(), parts, application
        self.stack = contextlib.ExitStack()
        tag = secrets.token_hex(3)
        self.defender, self.attacker = f"vigie-d-{tag}", f"vigie-a-{tag}"
        self.tag = tag
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="vigie-leases-"))
        self.stack.callback(shutil.rmtree, self.folder, ignore_errors=True)
        self.incident = None

    def __enter__(self):
        try:
            self.namespaces()
            self.nginx()
            if "caddy" in self.parts:
                self.caddy()
            if "guard" in self.parts:
                self.guarded()
            if "docker" in self.parts:
                self.containers()
            if "systemd" in self.parts:
                self.systemctl = self.stack.enter_context(systemd_trial.booted(self.defender, self.tag))
            self.serve()
            if "bouncers" in self.parts:
                self.bouncer()
            return self
        except BaseException:
            self.stack.close()
            raise

    def __exit__(self, *_):
        self.stack.close()

    def namespaces(self):
        for name in (self.defender, self.attacker):
            run("ip", "netns", "add", name)
            self.stack.callback(run, "ip", "netns", "delete", name, check=False)
        wire = [f"vd{self.tag}", f"va{self.tag}"]
        run("ip", "link", "add", wire[0], "netns", self.defender, "type", "veth", "peer", "name", wire[1], "netns", self.attacker)
        for name, device, addresses in (
            (self.defender, wire[0], [f"{DEFENDER}/24", f"{DEFENDER6}/48"]),
            (self.attacker, wire[1], [f"{ATTACKER}/24", f"{OTHER}/24", f"{ATTACKER6}/48"]),
        ):
            for address in addresses:
                run("ip", "-n", name, "address", "add", address, "dev", device, *(["nodad"] if ":" in address else []))
            run("ip", "-n", name, "link", "set", device, "up")
            run("ip", "-n", name, "link", "set", "lo", "up")

    def inside(self, *words):
        """Starts a program in the defender's namespace, beside the server."""
        return self.start(*words, before=["ip", "netns", "exec", self.defender])

    def start(self, *words, before=(), environment=None):
        """Starts a program, which is ended at the end."""
        log = open(self.folder / f"{pathlib.Path(str(words[0])).name}.log", "ab")
        process = subprocess.Popen(
            [*before, *[str(word) for word in words]], stdout=log, stderr=log, stdin=subprocess.DEVNULL,
            cwd=self.folder, env=environment)

        def end():
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            log.close()

        self.stack.callback(end)
        return process

    def nginx(self):
        (self.folder / "deny.conf").write_text("")
        (self.folder / "page").write_text("fine")
        (self.folder / "nginx.conf").write_text(
            f"daemon off; pid {self.folder}/nginx.pid; error_log {self.folder}/error.log; worker_processes 1; events {{}}\n"
            f"http {{ access_log {self.folder}/access.log; server {{ listen 80; listen [::]:80; include {self.folder}/deny.conf;\n"
            f"location / {{ root {self.folder}; }} }}\n"
            "server { listen 82; location / { proxy_pass http://127.0.0.1:8080; proxy_set_header X-Forwarded-For $remote_addr; } } }\n")
        self.folder.chmod(0o755)
        self.web = self.inside("nginx", "-p", self.folder, "-e", f"{self.folder}/error.log", "-c", f"{self.folder}/nginx.conf")
        self.until("nginx answers", lambda: self.attack() == "200")

    def caddy(self):
        """At port 81, with a path that `handle` serves: by Caddy's own order it would be asked before what the file blocks."""
        # Caddy imports no file without a token or a comment in it.
        (self.folder / "deny.caddy").write_text("# empty\n")
        (self.folder / "Caddyfile").write_text(
            f"{{\n\torder abort first\n\tadmin 127.0.0.1:2019\n\tstorage file_system {self.folder}/caddy\n}}\n"
            f":81 {{\n\timport {self.folder}/deny.caddy\n\thandle /page {{\n\t\trespond \"fine\"\n\t}}\n}}\n")
        self.inside("caddy", "run", "--config", self.folder / "Caddyfile", "--adapter", "caddyfile")
        self.until("caddy answers", lambda: self.attack(target=f"{DEFENDER}:81") == "200")

    def guarded(self):
        """The sample application, which nginx stands before at port 82."""
        self.keys = {name: self.key(name)[0] for name in ("notes", "notes-read")}
        self.password = secrets.token_hex(16)
        self.start("ip", "netns", "exec", self.defender, self.application, environment=dict(
            os.environ, VIGIE_TOKEN=self.keys["notes"], READ_BACK_TOKEN=self.keys["notes-read"], PORT="8080",
            ALICE_PASSWORD=self.password))

    def key(self, name):
        text, path = secrets.token_hex(32), self.folder / f"{name}.key"
        path.touch(0o600)
        path.write_text(text + "\n")
        return text, path

    def serve(self):
        for name in ("rules", "policies"):
            (self.folder / name).mkdir()
        command = ["nginx", "-p", str(self.folder), "-e", f"{self.folder}/error.log", "-c", f"{self.folder}/nginx.conf"]
        response = {"budget_per_hour": 100000, "enforcers": [
            {"kind": "nftables"},
            {"kind": "nginx", "file": f"{self.folder}/deny.conf", "pid_file": f"{self.folder}/nginx.pid",
             "check": [*command, "-t", "-q"], "reload": [*command, "-s", "reload"]},
        ]}
        if "bouncers" in self.parts:
            self.bouncer_key, path = self.key("edge")
            response["bouncers"] = [{"name": "edge", "key_file": str(path), "nft_sets": ["ip crowdsec crowdsec-blacklists"]}]
        if "webhook" in self.parts:
            _, path = self.key("webhook")
            self.inside(sys.executable, __file__, path)
            response["enforcers"].append({"kind": "webhook", "url": "http://127.0.0.1:9999/", "secret_file": str(path),
                                          "verbs": ["rotate_key", "regenerate_canary", "force_password_reset"]})
        if "caddy" in self.parts:
            caddyfile = ["--config", f"{self.folder}/Caddyfile", "--adapter", "caddyfile"]
            response["enforcers"].append({"kind": "caddy", "file": f"{self.folder}/deny.caddy", "check": ["caddy", "validate", *caddyfile],
                                          "reload": ["caddy", "reload", *caddyfile]})
        if "guard" in self.parts:
            response["guard"] = [{"name": "notes", "key_file": f"{self.folder}/notes.key", "url": "http://127.0.0.1:8080",
                                  "read_back_key_file": f"{self.folder}/notes-read.key"}]
        if "docker" in self.parts:
            response["enforcers"].append({"kind": "docker", "containers": ["notes"], "socket": f"{self.folder}/docker.sock"})
        if "systemd" in self.parts:
            response["enforcers"].append({"kind": "systemd", "units": [systemd_trial.UNIT], "command": self.systemctl})
        configuration = {"listen": "127.0.0.1:8630", "data": str(self.folder / "data"), "rules": [str(self.folder / "rules")],
                         "policies": str(self.folder / "policies"),
                         "sources": [{"path": str(self.folder / "access.log"), "format": "combined"}], "response": response}
        # JSON is YAML.
        (self.folder / "vigie.yml").write_text(json.dumps(configuration, indent=1))
        self.serve_again()
        opened = run(self.vigie, "incidents", "open", "an attack of this trial", "--data", self.folder / "data", "--severity", "P1",
                     cwd=self.folder)
        self.incident = opened.stdout.split()[0]

    def containers(self):
        """podman speaks the Docker API; a container that sleeps is what is stopped and frozen."""
        (self.folder / "rootfs/bin").mkdir(parents=True)
        shutil.copy(shutil.which("busybox"), self.folder / "rootfs/bin/sleep")
        self.engine = ["podman", "--root", self.folder / "store", "--runroot", self.folder / "run", "--storage-driver", "vfs",
                       "--cgroup-manager", "cgroupfs", "--runtime", shutil.which("runc")]
        self.stack.callback(run, *self.engine, "rm", "--force", "--time", "0", "notes", check=False)
        run(*self.engine, "run", "--detach", "--network", "none", "--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024",
            "--name", "notes", "--rootfs", self.folder / "rootfs", "/bin/sleep", "100000")
        # Not inside: `ip netns exec` hides the control groups that runc needs.
        self.start(*self.engine, "system", "service", "--time", "0", f"unix://{self.folder}/docker.sock")
        self.until("the engine answers", lambda: (self.folder / "docker.sock").exists())

    def container(self):
        """What the engine's own command says of the container."""
        return run(*self.engine, "inspect", "--format", "{{.State.Status}}", "notes").stdout.strip()

    def serve_again(self, environment=None):
        self.server = self.start(self.vigie, "serve", "--config", self.folder / "vigie.yml", environment=environment,
                                 before=["ip", "netns", "exec", self.defender])
        self.until("the server keeps leases", lambda: self.lease("list", check=False).returncode == 0, 180)

    def crash(self):
        """The server is killed, and ends of leases and the loss of blocks happen while it is away."""
        short = self.order(OTHER, "nginx", "1m")
        long = self.order(ATTACKER, "nftables", "10m")
        self.until("both are in force", lambda: all(self.state(one)["phase"] == "in_force" for one in (short, long)), 60)
        both = [self.attack(), self.attack(OTHER)]
        end = datetime.datetime.fromisoformat(self.state(short)["expires_at"][:26].rstrip("Z") + "+00:00")
        # The child of `ip netns exec`, which became it.
        self.server.kill()
        self.server.wait()
        away = [self.attack(), self.attack(OTHER)]
        run("ip", "netns", "exec", self.defender, "nft", "flush", "ruleset")
        lost = self.attack()
        waiting.eventually("the first one's time is over", 70, lambda: datetime.datetime.now(datetime.timezone.utc) > end)
        kept = self.attack(OTHER)
        began = time.monotonic()
        self.serve_again()
        self.until("the block is put back", lambda: self.attack() == "000", 60)
        back = round(time.monotonic() - began, 3)
        self.until("what ran out is lifted", lambda: self.attack(OTHER) == "200", 60)
        lifted = round(time.monotonic() - began, 3)
        self.until("both are shown as they are", lambda: self.state(short).get("lift_proven")
                   and self.state(long)["phase"] == "in_force", 60)
        self.end(long)
        if (both, away, lost, kept) != (["000", "403"], ["000", "403"], "200", "403"):
            raise Trouble(f"crash: in force {both}, without a server {away}, flushed {lost}, over and nobody to lift it {kept}")
        return {"in_force": both, "server_killed": away, "ruleset_flushed": lost, "over_without_server": kept,
                "seconds_from_start_to_put_back": back, "seconds_from_start_to_lifted": lifted, "after": self.attack()}

    def order(self, target, enforcer, duration="1h"):
        return json.loads(self.lease("apply", "block_address", target, "--for", duration, "--incident", self.incident, "--reason", "this trial",
                                     "--enforcer", enforcer, check=False).stdout)["id"]

    def end(self, lease):
        self.lease("undo", lease)
        self.until("it is lifted", lambda: self.state(lease).get("lift_proven"), 60)

    def outage(self):
        """nginx is away when a block is ordered, and comes back."""
        self.web.terminate()
        self.web.wait()
        lease = self.order(ATTACKER, "nginx")
        self.until("the block is shown as not in force", lambda: self.state(lease)["phase"] == "not_in_force", 60)
        said = self.state(lease)["problem"]
        self.web = self.inside("nginx", "-p", self.folder, "-e", f"{self.folder}/error.log", "-c", f"{self.folder}/nginx.conf")
        self.until("the block is in force", lambda: self.state(lease)["phase"] == "in_force", 120)
        seen = {"shown_while_away": "not_in_force", "problem": said.replace(str(self.folder), "…"), "back": self.attack(),
                "bystander": self.attack(OTHER)}
        self.end(lease)
        seen["after"] = self.attack()
        if (seen["back"], seen["bystander"], seen["after"]) != ("403", "200", "200"):
            raise Trouble(f"outage: {seen}")
        return seen

    def clock(self):
        """The server's clock is set on by two hours, and back by three, while a block of an hour is in force."""
        clock = ShiftedClock(self.folder)
        self.server.terminate()
        self.server.wait()
        self.serve_again(clock.environment())
        first = self.order(ATTACKER, "nftables")
        seen = {"in_force": self.attack()}
        clock.set(2 * 3600)
        self.until("its time is over", lambda: self.state(first).get("lift_proven"), 60)
        seen["set_on"] = self.attack()
        second = self.order(ATTACKER, "nftables")
        clock.set(-3600)
        third = self.order(OTHER, "nftables")
        self.until("one ordered after it is in force", lambda: self.state(third)["phase"] == "in_force", 60)
        seen["set_back"] = [self.state(second)["phase"], self.attack(), self.attack(OTHER)]
        self.end(second)
        self.end(third)
        seen["after"] = [self.attack(), self.attack(OTHER)]
        if seen != {"in_force": "000", "set_on": "200", "set_back": ["in_force", "000", "000"], "after": ["200", "200"]}:
            raise Trouble(f"clock: {seen}")
        return seen

    def bouncer(self):
        (self.folder / "bouncer.yaml").write_text(json.dumps({
            "mode": "nftables", "pid_dir": str(self.folder), "update_frequency": "1s", "daemonize": False, "log_mode": "stdout",
            "log_level": "info", "api_url": "http://127.0.0.1:8632/", "api_key": self.bouncer_key, "disable_ipv6": True,
            "deny_action": "DROP", "deny_log": False, "supported_decisions_types": ["ban"],
            "blacklists_ipv4": "crowdsec-blacklists", "blacklists_ipv6": "crowdsec6-blacklists",
            "nftables": {"ipv4": {"enabled": True, "set-only": False, "table": "crowdsec", "chain": "crowdsec-chain"},
                         "ipv6": {"enabled": False}},
            "prometheus": {"enabled": False}}))
        self.inside("crowdsec-firewall-bouncer", "-c", self.folder / "bouncer.yaml")
        self.until("the bouncer has made its set", lambda: run(
            "ip", "netns", "exec", self.defender, "nft", "list", "set", "ip", "crowdsec", "crowdsec-blacklists",
            check=False).returncode == 0)

    # What is done and seen

    def lease(self, verb, *words, check=True):
        return run(self.vigie, "lease", verb, *words, "--data", self.folder / "data", "--json", check=check, cwd=self.folder)

    def attack(self, source=ATTACKER, target=None, path="page", *words):
        """One request from an address of the attacker's: its status, or 000 where nobody answers."""
        target = target or (f"[{DEFENDER6}]" if ":" in source else DEFENDER)
        return run("ip", "netns", "exec", self.attacker, "curl", "--silent", "--globoff", "--output", "/dev/null", "--max-time", "3",
                   "--write-out", "%{http_code}", "--interface", source, *words, f"http://{target}/{path}", check=False).stdout

    def until(self, what, is_so, seconds=30):
        try:
            return waiting.eventually(what, seconds, is_so, pause=0.02)
        except waiting.NotReady as trouble:
            logs = "".join(f"\n--- {log.name}\n{log.read_text(errors='replace')[-1500:]}" for log in self.folder.glob("*.log"))
            raise Trouble(f"{trouble}{logs}") from None

    def state(self, lease):
        leases = json.loads(self.lease("list", "--all").stdout)["leases"]
        return next(one for one in leases if one["id"] == lease)

    def life(self, verb, enforcer, target, source=None, bystander=OTHER):
        """A lease from order to proven end. Probes are requests from the very address; `None` where there is nothing to try."""
        result = {"verb": verb, "enforcer": enforcer, "target": target}
        probe = self.probe(verb, enforcer, source)
        result["before"] = probe()
        began = time.monotonic()
        lease = json.loads(self.lease(
            "apply", verb, target, "--for", "10m", "--incident", self.incident, "--reason", "this trial", "--enforcer", enforcer,
            *(word for text in WITH.get(verb, []) for word in ("--with", text)), check=False).stdout)
        result["applied"] = lease["phase"] not in ("refused", "requested")
        self.until(f"{verb} by {enforcer} is in force", lambda: self.state(lease["id"])["phase"] == "in_force", 40)
        result["seconds_to_proof"] = round(time.monotonic() - began, 3)
        result["refused"] = probe()
        if source:
            result["bystander"] = self.probe(verb, enforcer, bystander)() if bystander else None
        result["proof"] = json.loads(self.lease("proof", lease["id"]).stdout).get("proof")
        began = time.monotonic()
        self.lease("undo", lease["id"], "--reason", "the trial is over")
        self.until(f"{verb} by {enforcer} is lifted", lambda: self.state(lease["id"]).get("lift_proven"), 40)
        result["seconds_to_lift"] = round(time.monotonic() - began, 3)
        result["undone"] = True
        result["after"] = probe()
        self.check(result, source)
        return result

    def probe(self, verb, enforcer, source):
        """What is tried, from that address, before, in force and after."""
        if enforcer == "docker":
            return self.container
        if source is None:
            return lambda: None
        if enforcer == "guard" and verb == "force_password_reset":
            return lambda: self.attack(source, f"{DEFENDER}:82", "login", "--header", "content-type: application/json", "--data",
                                       json.dumps({"name": "alice", "password": self.password}))
        target, path = {
            "caddy": (f"{DEFENDER}:81", "page"), "guard": (f"{DEFENDER}:82", "notes/1"),
            "systemd": (f"{DEFENDER}:{systemd_trial.PORT}", "page")}.get(enforcer, (None, "page"))
        if verb == "throttle_address":
            return lambda: " ".join(self.attack(source, target, path) for _ in range(5))
        return lambda: self.attack(source, target, path)

    def honest(self, network, source):
        """Debian's bouncer 0.0.25 blocks the first address of a network only: the server must not call that in force."""
        lease = json.loads(self.lease(
            "apply", "block_address", network, "--for", "10m", "--incident", self.incident, "--reason", "this trial", "--enforcer",
            "bouncers", check=False).stdout)
        self.until("the server has made up its mind", lambda: self.state(lease["id"])["phase"] in ("in_force", "not_in_force"), 60)
        phase, status = self.state(lease["id"])["phase"], self.attack(source)
        if (phase == "in_force") != (status == "000"):
            raise Trouble(f"{network} is shown as {phase}, and the attacker gets {status}")
        self.lease("undo", lease["id"])
        return f"shown as {phase.replace('_', ' ')}, and the attacker gets {status}"

    @staticmethod
    def check(result, source):
        wrong = []
        if source:
            served, refused = "200", "403" if result["enforcer"] == "nginx" else "000"
            if result["verb"] == "throttle_address":
                served, refused = "200 200 200 200 200", "200 200 200 000 000"
            if result["enforcer"] == "guard":
                served, refused = GUARDED[result["verb"]]
            for name, wanted in (("before", served), ("refused", refused), ("after", served), ("bystander", served)):
                if result[name] not in (wanted, None):
                    wrong.append(f"{name} is {result[name]}, not {wanted}")
        if result["enforcer"] == "docker":
            held = "paused" if result["verb"] == "isolate_service" else "exited"
            if (states := (result["before"], result["refused"], result["after"])) != ("running", held, "running"):
                wrong.append(f"the container was {', '.join(states)}")
        if result["proof"] not in ("read_back", "observed"):
            wrong.append(f"proof is {result['proof']}")
        if wrong:
            raise Trouble(f"{result['verb']} by {result['enforcer']}: {'; '.join(wrong)}")


def missing(parts):
    """Programs that a part of the trial needs and that are not there."""
    programs = ["ip", "nft", "nginx", "curl"] + ["crowdsec-firewall-bouncer"] if "bouncers" in parts else []
    programs += ["caddy"] if "caddy" in parts else []
    programs += ["podman", "runc", "busybox"] if "docker" in parts else []
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    return [program for program in programs if not shutil.which(program, path=path)]


if __name__ == "__main__":
    # Somebody else's enforcer, beside the server: `lease_trial.py FILE_WITH_THE_SECRET`.
    listening = http.server.ThreadingHTTPServer(("127.0.0.1", 9999), Webhook)
    listening.secret, listening.held = pathlib.Path(sys.argv[1]).read_text().strip().encode(), set()
    listening.serve_forever()
