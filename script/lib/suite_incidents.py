"""The incidents that `vigie serve` opens from a detection suite's logs: whether each attacker has one, and one only.

The same cases as for findings, each by itself on a server and a data folder of its own. Counting (`judge`) is pure and tested in
script/tests; running is apart from it.
"""

import concurrent.futures
import dataclasses
import datetime
import ipaddress
import json
import os
import pathlib
import subprocess
import tempfile
import time

from . import kill_storm, waiting
from .detection_suites import format_argument
from .shifted_clock import ShiftedClock

# Whose sessions one incident each is promised for. The cases of other suites are mostly single lines, which no incident needs.
SUITES = ("scanners",)

# A server that reads no further for as long is not going to: the largest case takes well below a second.
PATIENCE = 120

# The most that `vigie incidents list` prints.
MOST = 500


@dataclasses.dataclass
class Incidents:
    """What became of one case. `of` says how many incidents name an attacker, which is an address that the case expects."""

    suite: str
    case: str
    label: str
    of: dict = dataclasses.field(default_factory=dict)
    # Attackers whose incident names another attacker, too.
    shared: list = dataclasses.field(default_factory=list)
    # Each with what it is about (attacker, unjudged, benign, nobody), and the benign addresses that it names, beside others or alone.
    opened: list = dataclasses.field(default_factory=list)
    error: str | None = None

    @property
    def one_each(self):
        """Attackers with an incident of their own, and no second one."""
        return sorted(address for address, count in self.of.items() if count == 1 and address not in self.shared)

    def about(self, kind):
        return [incident for incident in self.opened if incident["about"] == kind]


def is_of(address, entity):
    """Whether an incident's entity is this address, or the network that it lies in: an IPv6 /64 is one site."""
    if address == entity:
        return True
    try:
        return ipaddress.ip_address(address) in ipaddress.ip_network(entity, strict=False)
    except ValueError:
        return False


def judge(case, incidents):
    """Counts a list of incidents, as `vigie incidents list --json` has them, against the case's attackers."""
    result = Incidents(case["suite"], case["case"], case["label"])
    attackers = sorted({entry["ip"] for entry in case.get("expect") or []})
    open_question = {*(case.get("suspicious_ips") or []), *(entry["ip"] for entry in case.get("accept") or [])}
    result.of = dict.fromkeys(attackers, 0)
    shared = set()
    for incident in incidents:
        addresses = [entity["value"] for entity in incident["entities"] if entity["type"] == "ip" and entity["value"]]
        named = [attacker for attacker in attackers if any(is_of(attacker, address) for address in addresses)]
        for attacker in named:
            result.of[attacker] += 1
        if len(named) > 1:
            shared |= set(named)
        if named:
            about = "attacker"
        elif any(is_of(one, address) for one in open_question for address in addresses):
            about = "unjudged"
        else:
            about = "benign" if addresses else "nobody"
        benign = [address for address in addresses if not any(is_of(one, address) for one in [*named, *open_question])]
        result.opened.append({
            "id": incident["id"], "about": about, "addresses": addresses, "benign": benign, "title": incident["title"], "severity": incident["severity"],
            "categories": incident["categories"], "findings": incident["findings"], "events": incident["events"]})
    result.opened.sort(key=lambda incident: incident["id"])
    result.shared = sorted(shared)
    return result


@dataclasses.dataclass
class Totals:
    cases: int = 0
    not_counted: int = 0
    attackers: int = 0
    one_each: int = 0
    none: int = 0
    several: int = 0
    shared: int = 0
    incidents: int = 0
    unjudged: int = 0
    benign: int = 0
    nobody: int = 0
    findings: int = 0

    @property
    def share_one_each(self):
        return self.one_each, self.attackers


def total(results):
    """An attacker that shares its incident with another counts as shared, whatever else; no attacker counts twice."""
    sums = Totals()
    for result in results:
        sums.cases += 1
        sums.not_counted += result.error is not None
        sums.attackers += len(result.of)
        sums.one_each += len(result.one_each)
        sums.shared += len(result.shared)
        sums.none += sum(count == 0 for count in result.of.values())
        sums.several += sum(count > 1 and address not in result.shared for address, count in result.of.items())
        sums.incidents += len(result.opened)
        sums.findings += sum(incident["findings"] for incident in result.opened)
        sums.unjudged += len(result.about("unjudged"))
        sums.nobody += len(result.about("nobody"))
        sums.benign += sum(bool(incident["benign"]) for incident in result.opened)
    return sums


class Runner:
    """A server for each case, as many at a time as there are cores; policies and playbooks are those that are shipped."""

    def __init__(self, vigie, root, rules, jobs=None):
        self.vigie, self.root = os.path.abspath(vigie), pathlib.Path(root)
        self.rules = [str(pathlib.Path(folder).resolve()) for folder in rules]
        self.jobs = jobs or os.cpu_count() or 1

    def read(self, case, folder):
        """Has a server read the case's log, and returns the incidents that it leaves behind."""
        log, data, output = folder / "case.log", folder / "data", folder / "output"
        log.write_text("".join(line + "\n" for line in case["lines"]), encoding="utf-8", errors="surrogateescape")
        # Nothing of this machine is collected as evidence, and nobody reads the archive.
        (folder / "vigie.yml").write_text(json.dumps({
            "listen": "127.0.0.1:0", "data": str(data), "rules": self.rules, "policies": str(self.root / "policies"),
            "playbooks": [str(self.root / "playbooks")], "evidence": {"system_logs": []}, "archive": {"enabled": False},
            "sources": [{"path": str(log), "format": format_argument(case["format"])}]}))
        environment = dict(os.environ)
        if case["reference_time"]:
            # Dates without a year are resolved by the clock: it stands where the log ends, as it did for whoever wrote the log.
            clock = ShiftedClock(folder)
            clock.set(round(datetime.datetime.fromisoformat(case["reference_time"].replace("Z", "+00:00")).timestamp() - time.time()))
            environment = clock.environment()
        with open(output, "wb") as file:
            server = subprocess.Popen([self.vigie, "serve", "--config", str(folder / "vigie.yml")], cwd=folder, env=environment,
                                      stdin=subprocess.DEVNULL, stdout=file, stderr=file)

        def check():
            if server.poll() is not None:
                raise kill_storm.SoakError(f"vigie serve ended by itself with status {server.returncode}: {tail(output)}")
        try:
            size = log.stat().st_size
            position, is_read = waiting.until(
                lambda position: position == size, lambda: kill_storm.durable_position(data, log), PATIENCE, check, pause=0.02)
            if not is_read:
                raise kill_storm.SoakError(f"vigie serve stands at {position} of {size} bytes for {PATIENCE} s")
            server.terminate()
            if (status := server.wait(PATIENCE)) != 0:
                raise kill_storm.SoakError(f"vigie serve ended with status {status} on SIGTERM: {tail(output)}")
        finally:
            if server.poll() is None:
                server.kill()
                server.wait()
        text = kill_storm.ask(self.vigie, "incidents", "list", "--json", "--limit", str(MOST), "--data", str(data))
        incidents = [json.loads(line) for line in text.splitlines() if line.strip()]
        if len(incidents) >= MOST:
            raise kill_storm.SoakError(f"{MOST} incidents or more: not all of them are listed")
        return incidents

    def one(self, case):
        try:
            with tempfile.TemporaryDirectory(prefix="vigie-suites-") as folder:
                return judge(case, self.read(case, pathlib.Path(folder)))
        except (kill_storm.SoakError, OSError, ValueError, subprocess.SubprocessError) as error:
            # As for findings: what does not run has found nothing, and says so.
            result = judge(case, [])
            result.error = f"{error}".strip() or type(error).__name__
            return result

    def run(self, cases):
        with concurrent.futures.ThreadPoolExecutor(self.jobs) as pool:
            return list(pool.map(self.one, cases))


def tail(output):
    return output.read_text(errors="replace").strip()[-600:].replace("\n", " ")
