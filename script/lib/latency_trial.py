"""From a log line's last byte to the block that it led to: in force in nftables, and read back, beside a steady stream of other lines."""

import datetime
import json
import pathlib
import secrets
import shutil
import subprocess
import tempfile
import threading
import time

from lib import waiting
from lib.escalation_storm import entries
from lib.figures import percentile, processor_seconds

RULE = """title: Canary asked for
id: 6a0c1f8e-93a4-4c38-8f52-5b1a7e3f0c11
logsource: {category: webserver}
detection: {selection: {url.path|startswith: /canary-of-the-bench}, condition: selection}
level: high
vigie: {category: brute_force}
"""
# A playbook of one step: what is measured is the way, not what else the shipped one does.
EXTENSION = "extension-definition--5c3fb0f1-6f4e-4a55-8a1e-6a1f6d0d5b90"


def playbook():
    start, step, undo, end, other, agent, identity = (f"{kind}--00000000-0000-4000-8000-{number:012}" for number, kind in enumerate(
        ["start", "action", "action", "end", "end", "http-api", "identity"], 1))
    lease = '{"verb": "block_address", "target": "__address__:value", "incident": "__incident__:value"'

    def action(name, path, content, after, **extension):
        return {"type": "action", "name": name, "agent": agent, "timeout": 60000, "on_success": after, "commands": [
            {"type": "http-api", "command": f"POST {path} HTTP/1.1", "content": content, "playbook_activity": "restrict-access"}],
            "step_extensions": {EXTENSION: {"honours_key": True, "impact": 0, **extension}}}

    return {
        "type": "playbook", "spec_version": "cacao-2.0", "id": "playbook--00000000-0000-4000-8000-000000000008", "name": "Block",
        "playbook_types": ["mitigation"], "playbook_activities": ["restrict-access"], "created_by": identity, "impact": 0,
        "created": "2026-11-21T00:00:00.000Z", "modified": "2026-11-21T00:00:00.000Z",
        "playbook_variables": {"__incident__": {"type": "string", "external": True}, "__address__": {"type": "string", "external": True}},
        "workflow_start": start, "workflow": {
            start: {"type": "start", "on_completion": step}, end: {"type": "end"}, other: {"type": "end"},
            step: action("Block", "/api/v1/leases", lease + ', "expiry_seconds": 3600, "reason": "bench"}', end, effect="contain",
                         expiry_seconds=3600, undo_step=undo),
            undo: action("Undo", "/api/v1/leases/undo", lease + "}", other, effect="undo")},
        "agent_definitions": {agent: {"type": "http-api", "name": "Vigie", "address": {"url": ["http://127.0.0.1/"]}}},
        "extension_definitions": {EXTENSION: {"type": "extension-definition", "name": "Vigie response", "created_by": identity,
                                              "schema": "docs/playbooks.md", "version": "1.0.0"}}}


# What the journal says about each attacker, in this order: the entry's type, and which of its times counts.
STAGES = [("found", "finding.recorded", "recorded_at"), ("run begun", "run.started", "occurred_at"),
          ("ordered", "lease.requested", "occurred_at"), ("applied", "lease.applied", "occurred_at"),
          ("read back", "lease.proven", "occurred_at")]


def stamp(text):
    """Seconds since 1970 of an RFC 3339 time, to the microsecond."""
    whole, _, fraction = text.rstrip("Z").partition(".")
    return datetime.datetime.fromisoformat(whole + "+00:00").timestamp() + float(f"0.{fraction or 0}")


class Stream(threading.Thread):
    """Lines of nobody's at a steady rate, a batch every hundredth of a second."""

    def __init__(self, file, lock, rate):
        super().__init__(daemon=True)
        self.file, self.lock, self.rate, self.stopped, self.written = file, lock, rate, threading.Event(), 0

    def run(self):
        begin = time.monotonic()
        while not self.stopped.wait(max(0, begin + (self.written / self.rate if self.rate else 1) - time.monotonic())):
            count = self.rate // 100
            now = time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime())
            text = "".join(f'192.0.2.{number % 200} - - [{now}] "GET /page/{self.written + number} HTTP/1.1" 200 512 "-" "bench"\n'
                           for number in range(count))
            with self.lock:
                self.file.write(text)
                self.file.flush()
            self.written += count


class Bench:
    def __init__(self, vigie, rate):
        self.vigie, self.rate = str(pathlib.Path(vigie).resolve()), rate
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="vigie-latency-"))
        self.space, self.data = f"vigie-b-{secrets.token_hex(3)}", self.folder / "data"
        self.server, self.journal = None, {}

    def __enter__(self):
        try:
            subprocess.run(["ip", "netns", "add", self.space], check=True)
            subprocess.run(["ip", "-n", self.space, "link", "set", "lo", "up"], check=True)
            for name in ("rules", "policies", "playbooks"):
                (self.folder / name).mkdir()
            (self.folder / "rules/canary.yml").write_text(RULE)
            (self.folder / "policies/response.yml").write_text(
                "starts:\n  - {playbook: block, categories: [brute_force], severities: [P0, P1, P2, P3]}\n")
            (self.folder / "playbooks/block.json").write_text(json.dumps(playbook()))
            (self.folder / "access.log").touch()
            (self.folder / "vigie.yml").write_text(json.dumps({
                "listen": "127.0.0.1:8630", "data": str(self.data), "rules": [str(self.folder / "rules")],
                "policies": str(self.folder / "policies"), "playbooks": [str(self.folder / "playbooks")], "evidence": {"system_logs": []},
                "sources": [{"path": str(self.folder / "access.log"), "format": "combined"}],
                "response": {"enforcers": ["nftables"], "budget_per_hour": 100000}}))
            with open(self.folder / "output", "wb") as output:
                self.server = subprocess.Popen(
                    ["ip", "netns", "exec", self.space, self.vigie, "serve", "--config", self.folder / "vigie.yml"], cwd=self.folder,
                    stdout=output, stderr=output, stdin=subprocess.DEVNULL)

            def ready():
                if self.server.poll() is not None:
                    raise waiting.NotReady(f"the server ended: {(self.folder / 'output').read_text()[-600:]}")
                return "Console" in (self.folder / "output").read_text()
            waiting.eventually("the server works", 180, ready)
            return self
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *_):
        if self.server:
            self.server.terminate()
            try:
                self.server.wait(20)
            except subprocess.TimeoutExpired:
                self.server.kill()
                self.server.wait()
        subprocess.run(["ip", "netns", "delete", self.space], check=False)
        shutil.rmtree(self.folder, ignore_errors=True)

    def leases(self):
        done = subprocess.run([self.vigie, "lease", "list", "--all", "--data", str(self.data), "--json"], capture_output=True, text=True)
        return json.loads(done.stdout)["leases"] if done.returncode == 0 else []

    def measure(self, count, pause, patience):
        """Attackers one after the other: when each one's line was written, and when the journal says that its block was read back."""
        written, lock = {}, threading.Lock()
        with open(self.folder / "access.log", "a") as file:
            stream = Stream(file, lock, self.rate)
            stream.start()
            # Reading has to keep up before anything is measured.
            stream.stopped.wait(3)
            for number in range(count):
                address = f"198.51.{100 + number // 250}.{1 + number % 250}"
                now = time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime())
                with lock:
                    file.write(f'{address} - - [{now}] "GET /canary-of-the-bench HTTP/1.1" 404 0 "-" "bench"\n')
                    file.flush()
                    written[address] = time.time()
                stream.stopped.wait(pause)

            def standing():
                found = {one["target"]: one for one in self.leases() if one["phase"] == "in_force"}
                return found if all(address in found for address in written) else None
            try:
                found = waiting.eventually("all blocks are in force", patience, standing, pause=1)
            except waiting.NotReady:
                found = {one["target"]: one for one in self.leases() if one["phase"] == "in_force"}
            stream.stopped.set()
            stream.join()
        return stream.written, [self.block(address, at, found.get(address)) for address, at in written.items()]

    def block(self, address, at, lease):
        """Seconds from the line to each stage, the first entry of each kind."""
        if not lease:
            return {"address": address, "written": at}
        if not self.journal:
            for entry in entries(self.data):
                self.journal.setdefault((entry["data"].get("incident"), entry["type"]), entry)
        stages = {name: stamp(self.journal[lease["incident"], kind][moment]) - at for name, kind, moment in STAGES}
        return {"address": address, "written": at, **{name: round(seconds, 6) for name, seconds in stages.items()}}


def trial(vigie, rate, count, pause, patience):
    with Bench(vigie, rate) as bench:
        began, before = time.monotonic(), processor_seconds(bench.server.pid)
        lines, blocks = bench.measure(count, pause, patience)
        seconds, after = time.monotonic() - began, processor_seconds(bench.server.pid)
    done = [one for one in blocks if "read back" in one]
    return {
        "rate_wanted": rate, "lines": lines, "seconds": round(seconds, 1), "lines_per_second": round(lines / seconds), "attackers": count,
        "blocked": len(done), "missed": count - len(done),
        "processor_seconds": {"server": round(after[0] - before[0], 2), "nft": round(after[1] - before[1], 2)},
        "stages": {name: {"p50": round(percentile([one[name] for one in done], 0.5), 3),
                          "p99": round(percentile([one[name] for one in done], 0.99), 3),
                          "most": round(max(one[name] for one in done), 3)} for name, _, _ in STAGES} if done else {},
        "blocks": blocks}
