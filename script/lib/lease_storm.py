"""Very many leases at once: ordered through the API, killed, restarted, joined by one more, listed, and ended all at the same moment."""

import concurrent.futures
import contextlib
import ctypes
import http.client
import json
import os
import pathlib
import secrets
import shutil
import signal
import subprocess
import tempfile
import threading
import time

from lib import machine, waiting
from lib.figures import percentile, processor_seconds
from lib.shifted_clock import ShiftedClock

CALLERS, INCIDENTS, SINGLES, READS = 1000, 40, 20, 20
PORT, DECISIONS = 8630, 8632
LIBC, CLONE_NEWNET = ctypes.CDLL(None, use_errno=True), 0x40000000


def target(number):
    """Of addresses that are nobody's here: 10.0.0.0/8."""
    return f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"


class Namespace:
    """Sockets are made in it by a thread that has entered it: each thread has its own."""

    def __init__(self, name):
        self.name, self.local = name, threading.local()

    def enter(self):
        if not getattr(self.local, "entered", False):
            with open(f"/run/netns/{self.name}") as space:
                if LIBC.setns(space.fileno(), CLONE_NEWNET):
                    raise OSError(ctypes.get_errno(), "setns")
            self.local.entered = True


class World:
    def __init__(self, vigie, enforcer, data=None):
        self.vigie, self.enforcer = str(pathlib.Path(vigie).resolve()), enforcer
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="vigie-many-", dir=data))
        self.name = f"vigie-m-{secrets.token_hex(3)}"
        self.space, self.local, self.server = Namespace(self.name), threading.local(), None

    def __enter__(self):
        subprocess.run(["ip", "netns", "add", self.name], check=True)
        subprocess.run(["ip", "-n", self.name, "link", "set", "lo", "up"], check=True)
        (self.folder / "rules").mkdir()
        (self.folder / "access.log").touch()
        response = {"enforcers": [self.enforcer], "budget_per_hour": 1000}
        if self.enforcer == "bouncers":
            self.key = secrets.token_hex(32)
            key = self.folder / "edge.key"
            key.touch(0o600)
            key.write_text(self.key + "\n")
            response = {"bouncers": [{"name": "edge", "key_file": str(key)}], "budget_per_hour": 1000}
        (self.folder / "vigie.yml").write_text(json.dumps({
            "listen": f"127.0.0.1:{PORT}", "data": str(self.folder / "data"), "rules": [str(self.folder / "rules")],
            "sources": [{"path": str(self.folder / "access.log"), "format": "combined"}], "response": response}))
        return self

    def __exit__(self, *_):
        self.stop(signal.SIGKILL)
        subprocess.run(["ip", "netns", "delete", self.name], check=False)
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self, environment=None):
        """Seconds until it answers."""
        began = time.monotonic()
        output = open(self.folder / "output", "wb")
        with output:
            self.server = subprocess.Popen(
                ["ip", "netns", "exec", self.name, self.vigie, "serve", "--config", self.folder / "vigie.yml"], cwd=self.folder,
                stdout=output, stderr=output, stdin=subprocess.DEVNULL, env=environment)

        def ready():
            if self.server.poll() is not None:
                raise waiting.NotReady(f"the server ended: {(self.folder / 'output').read_text()[-600:]}")
            return "Console" in (self.folder / "output").read_text()
        waiting.eventually("the server answers", 600, ready, pause=0.05)
        return round(time.monotonic() - began, 2)

    def stop(self, how=signal.SIGTERM):
        if self.server and self.server.poll() is None:
            self.server.send_signal(how)
            self.server.wait(120)
        self.local = threading.local()

    def command(self, *words):
        done = subprocess.run([self.vigie, *words, "--data", self.folder / "data"], capture_output=True, text=True, cwd=self.folder)
        if done.returncode:
            raise waiting.NotReady(f"vigie {' '.join(map(str, words))}: {done.stderr.strip()[:400]}")
        return done.stdout.strip()

    def sign_in(self):
        self.command("user", "add", "storm", "--role", "admin")
        self.token = self.command("token", "create", "storm", "--account", "storm", "--scope", "read", "--scope", "respond")
        with concurrent.futures.ThreadPoolExecutor(8) as callers:
            self.incidents = list(callers.map(
                lambda number: self.command("incidents", "open", f"attackers {number}", "--severity", "P1").split()[0], range(INCIDENTS)))

    def ask(self, method, path, body=None, port=PORT, headers=None, patience=120):
        """Status and bytes of the answer; connections are kept, one for each thread."""
        self.space.enter()
        kept = self.local.__dict__
        if port not in kept:
            kept[port] = http.client.HTTPConnection("127.0.0.1", port, timeout=patience)
        headers = headers or {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        try:
            kept[port].request(method, path, json.dumps(body) if body is not None else None, headers)
            answer = kept[port].getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            kept.pop(port).close()
            raise

    def order(self, number):
        """Seconds until the answer, which comes once the lease stands still, or after three."""
        began = time.monotonic()
        status, body = self.ask("POST", "/api/v1/leases", {
            "verb": "block_address", "target": target(number), "incident": self.incidents[number % INCIDENTS], "duration": "1h", "reason": "storm"})
        if status != 201:
            raise waiting.NotReady(f"an order was answered with {status}: {body[:300]}")
        return time.monotonic() - began, json.loads(body)["phase"]

    def held(self):
        """How many the enforcer has, by its own word."""
        if self.enforcer == "nftables":
            done = subprocess.run(["ip", "netns", "exec", self.name, "nft", "list", "set", "inet", "vigie", "blocked4_32"],
                                  capture_output=True, text=True)
            return done.stdout.count(" expires ")
        _, body = self.ask("GET", "/v1/decisions/stream?startup=true", port=DECISIONS, headers={"X-Api-Key": self.key})
        return len(json.loads(body)["new"] or [])

    def memory(self):
        """MiB: now, and at most."""
        status = pathlib.Path(f"/proc/{self.server.pid}/status").read_text()
        read = lambda name: int(status.split(name + ":")[1].split()[0]) // 1024  # noqa: E731
        return {"resident_mib": read("VmRSS"), "most_mib": read("VmHWM")}

    def counts(self):
        """Leases by what the journal's newest entry about each says, and of all enforcers' orders how many were repeated."""
        newest = {}
        for path in sorted((self.folder / "data/journal").glob("*.log")):
            for piece in path.read_bytes().split(b'{"actor":')[1:]:
                kind = piece.split(b'"type":"', 1)[1].split(b'"', 1)[0]
                if kind.startswith(b"lease."):
                    newest[piece.split(b'"lease":"', 1)[1].split(b'"', 1)[0]] = kind.decode()
        found = {}
        for kind in newest.values():
            found[kind] = found.get(kind, 0) + 1
        return found

    @contextlib.contextmanager
    def spent(self, into):
        """Processor time of the server and of what it starts."""
        before = processor_seconds(self.server.pid)
        yield
        after = processor_seconds(self.server.pid)
        into["processor_seconds"] = round(after[0] - before[0], 2)
        into["nft_seconds"] = round(after[1] - before[1], 2)


def times(values):
    return {"p50": round(percentile(values, 0.5), 3), "p99": round(percentile(values, 0.99), 3), "most": round(max(values), 3)}


def reads(world, path):
    taken, size = [], 0
    for _ in range(READS):
        began = time.monotonic()
        status, body = world.ask("GET", path)
        if status != 200:
            raise waiting.NotReady(f"{path} is answered with {status}")
        taken.append(time.monotonic() - began)
        size = len(body)
    return {**times(taken), "bytes": size}


def trial(vigie, enforcer, count, folder, say):
    result = {"enforcer": enforcer, "count": count}
    standing = "lease.delivered" if enforcer == "bouncers" else "lease.proven"
    with World(vigie, enforcer, folder) as world:
        world.start()
        world.sign_in()
        result["empty"] = world.memory()
        stopped = threading.Event()

        def bouncer():
            """Asks once a second for what is new, as bouncers do."""
            while not stopped.wait(1):
                with contextlib.suppress(OSError, http.client.HTTPException):
                    world.ask("GET", "/v1/decisions/stream", port=DECISIONS, headers={"X-Api-Key": world.key})

        asking = threading.Thread(target=bouncer, daemon=True)
        if enforcer == "bouncers":
            asking.start()
        began, ordered = time.monotonic(), result.setdefault("order", {})
        with world.spent(ordered), concurrent.futures.ThreadPoolExecutor(CALLERS) as callers:
            done = list(callers.map(world.order, range(count)))
            waiting.eventually("the enforcer has all", 600, lambda: world.held() >= count, pause=1)
        ordered |= {"seconds": round(time.monotonic() - began, 1), "answers": times([one for one, _ in done])}
        say("order", ordered)
        waiting.eventually("all stand", 600, lambda: world.counts().get(standing, 0) >= count, pause=2)
        result["full"] = world.memory()
        # Within a round of reading everything back, too: more than a minute of them.
        idle = result.setdefault("idle_70_s", {})
        with world.spent(idle):
            stopped.wait(70)
        say("idle", idle)
        result["list_api"], result["list_page"] = reads(world, "/api/v1/leases"), None
        say("list", result["list_api"])
        more = result.setdefault("one_more", {})
        with world.spent(more):
            more["answers"] = times([world.order(count + number)[0] for number in range(SINGLES)])
        say("one more", more)
        total = count + SINGLES
        waiting.eventually("all stand", 600, lambda: world.counts().get(standing, 0) >= total, pause=2)

        world.stop(signal.SIGKILL)
        if enforcer == "nftables":
            subprocess.run(["ip", "netns", "exec", world.name, "nft", "flush", "ruleset"], check=True)
        began = time.monotonic()
        again = result.setdefault("killed", {"seconds_to_answer": world.start()})
        with world.spent(again):
            waiting.eventually("the enforcer has all again", 600, lambda: world.held() >= total, pause=0.5)
            again["seconds_to_all_in_force"] = round(time.monotonic() - began, 1)
            waiting.eventually("all stand again", 600, lambda: world.counts().get(standing, 0) >= total, pause=2)
        again |= world.memory()
        say("killed", again)

        world.stop()
        began = time.monotonic()
        clock = ShiftedClock(world.folder)
        clock.set(2 * 3600)
        ended = result.setdefault("ended", {"seconds_to_answer": world.start(clock.environment())})
        with world.spent(ended):
            waiting.eventually("the enforcer has none", 900, lambda: world.held() == 0, pause=0.5)
            ended["seconds_to_none"] = round(time.monotonic() - began, 1)
            waiting.eventually("all are lifted", 900, lambda: world.counts().get("lease.lifted", 0) >= total, pause=2)
        ended |= world.memory()
        ended["seconds_to_all_lifted"] = round(time.monotonic() - began, 1)
        say("ended", ended)
        stopped.set()
        result["journal"] = world.counts()
    return result


def table(result):
    rows = ["# Very many leases", "", f"`{result['command']}`", "", machine.sentence(result["machine"]), *([result["note"]] if result["note"] else []), "",
            "| | " + " | ".join(one["enforcer"] for one in result["trials"]) + " |", "|---|" + "---|" * len(result["trials"])]

    def row(name, value):
        rows.append(f"| {name} | " + " | ".join(value(one) for one in result["trials"]) + " |")

    def answers(one):
        return f"{one['p50']} / {one['p99']} / {one['most']} s"
    row("live blocks", lambda one: f"{one['count']:,}")
    row(f"ordered through the API by {CALLERS} callers, until the enforcer had all", lambda one: f"{one['order']['seconds']} s")
    row("an order's answer, p50 / p99 / most", lambda one: answers(one["order"]["answers"]))
    row("memory before, and with all", lambda one: f"{one['empty']['resident_mib']} → {one['full']['resident_mib']} MiB (at most {one['full']['most_mib']})")
    row("processor time in 70 s of nothing, a round of reading back included (server, nft)",
        lambda one: f"{one['idle_70_s']['processor_seconds']} s, {one['idle_70_s']['nft_seconds']} s")
    row("`GET /api/v1/leases` (the newest 500)", lambda one: answers(one["list_api"]))
    row(f"one more, {SINGLES} times, one after the other", lambda one: answers(one["one_more"]["answers"]))
    row("processor time of those (server, nft)", lambda one: f"{one['one_more']['processor_seconds']} s, {one['one_more']['nft_seconds']} s")
    row("after SIGKILL and, for nftables, `nft flush ruleset`: start to answering", lambda one: f"{one['killed']['seconds_to_answer']} s")
    row("… to all of them there again", lambda one: f"{one['killed']['seconds_to_all_in_force']} s")
    row("… memory at most", lambda one: f"{one['killed']['most_mib']} MiB")
    if all("ended" in one for one in result["trials"]):
        row("a start two hours later: start to answering", lambda one: f"{one['ended']['seconds_to_answer']} s")
        row("… to none left at the enforcer", lambda one: f"{one['ended']['seconds_to_none']} s")
        row("… to all shown to be lifted", lambda one: f"{one['ended']['seconds_to_all_lifted']} s")
        row("… memory at most", lambda one: f"{one['ended']['most_mib']} MiB")
    return "\n".join(rows + ["", "Raw data in the `.json` beside this. The callers, in Python, share the machine's cores.", ""])


def run(options, root):
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    if os.getuid() != 0 or not shutil.which("nft"):
        raise SystemExit("script/soak leases: needs root and nft, for network namespaces")
    result = {"command": f"script/soak leases --count {options.count}", "machine": machine.describe(root), "note": options.note, "trials": []}
    try:
        for enforcer in options.only or ["nftables", "bouncers"]:
            result["trials"].append(trial(options.vigie, enforcer, options.count, options.folder, lambda what, seen, name=enforcer: print(
                name, what, json.dumps(seen), flush=True)))
    except waiting.NotReady as trouble:
        raise SystemExit(f"script/soak leases: {trouble}") from None
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n")
        options.json.with_suffix(".md").write_text(table(result))
    return 0
