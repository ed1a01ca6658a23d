"""Runs `vigie detect` on the detection suites and counts as their README says under "How it is counted".

Counting (`judge_case`, `judge_lines`) is pure and tested in script/tests; running is apart from it.
"""

import concurrent.futures
import dataclasses
import json
import os
import pathlib
import subprocess
import tempfile

SUITES = ("crowdsec", "fail2ban", "crs", "scanners")

# One case may not hold up the others: the largest takes well below a second.
TIMEOUT = 120


@dataclasses.dataclass
class Verdict:
    """What became of one case. Pairs are (address, category); for fail2ban, entries are line numbers from 1."""

    suite: str
    case: str
    format: str
    family: str
    label: str
    paranoia: int | None = None
    found: list = dataclasses.field(default_factory=list)
    missed: list = dataclasses.field(default_factory=list)
    false_alarms: list = dataclasses.field(default_factory=list)
    other_kind: list = dataclasses.field(default_factory=list)
    unjudged: list = dataclasses.field(default_factory=list)
    without_address: list = dataclasses.field(default_factory=list)
    addresses_exact: int | None = None
    exit_status: int | None = None
    error: str | None = None

    @property
    def passed(self):
        return not self.missed and not self.false_alarms


def address_of(finding):
    """`source.ip` of a finding, nested or as a dotted key."""
    source = finding.get("source")
    if isinstance(source, dict) and source.get("ip"):
        return source["ip"]
    return finding.get("source.ip")


def blank(case):
    return Verdict(case["suite"], case["case"], case["format"], case.get("family", ""), case["label"], case.get("paranoia"))


def judge_case(case, findings):
    """Counts the set of (address, category) against what the case expects, accepts, forbids or leaves open."""
    verdict = blank(case)
    pairs = sorted({(address_of(finding), finding.get("category")) for finding in findings}, key=str)
    expect = case.get("expect") or []
    accept = {(entry["ip"], entry["category"]) for entry in case.get("accept") or []}
    forbid = {(entry["ip"], entry["category"]) for entry in case.get("forbid") or []}
    suspicious = set(case.get("suspicious_ips") or [])
    expected_addresses = {entry["ip"] for entry in expect}

    matched = set()
    for entry in expect:
        fitting = {(entry["ip"], category) for category in [entry["category"], *entry.get("or", [])]} & set(pairs)
        matched |= fitting
        (verdict.found if fitting else verdict.missed).append((entry["ip"], entry["category"]))

    for pair in pairs:
        address, category = pair
        if pair in matched:
            continue
        if address is None:
            # The suites judge addresses. Where nothing at all may be found, nothing is nothing.
            (verdict.false_alarms if case.get("forbid_all") else verdict.without_address).append(pair)
        elif pair in forbid or (address, "*") in forbid:
            verdict.false_alarms.append(pair)
        elif address in suspicious:
            verdict.unjudged.append(pair)
        elif case.get("forbid_all"):
            verdict.false_alarms.append(pair)
        elif pair in accept or (address, "*") in accept:
            continue
        elif address in expected_addresses:
            verdict.other_kind.append(pair)
        else:
            verdict.false_alarms.append(pair)
    return verdict


def judge_lines(case, findings):
    """fail2ban: line by line. A line that upstream matches must be reported, one that it does not must stay silent."""
    verdict = blank(case)
    verdict.addresses_exact = 0
    reported = {}
    for finding in findings:
        reported.setdefault(finding.get("line"), set()).add(address_of(finding))
    for entry in case["line_expect"]:
        number = entry["line_index"] + 1
        if entry.get("unjudged"):
            if number in reported:
                verdict.unjudged.append(number)
        elif entry["match"]:
            (verdict.found if number in reported else verdict.missed).append(number)
            verdict.addresses_exact += number in reported and reported[number] == {entry.get("host")}
        elif number in reported:
            verdict.false_alarms.append(number)
    return verdict


@dataclasses.dataclass
class Totals:
    cases: int = 0
    passed: int = 0
    found: int = 0
    missed: int = 0
    false_alarms: int = 0
    other_kind: int = 0
    unjudged: int = 0
    without_address: int = 0

    def add(self, verdict):
        self.cases += 1
        self.passed += verdict.passed
        for name in ("found", "missed", "false_alarms", "other_kind", "unjudged", "without_address"):
            setattr(self, name, getattr(self, name) + len(getattr(verdict, name)))

    @property
    def recall(self):
        return self.found, self.found + self.missed

    @property
    def precision(self):
        return self.found, self.found + self.false_alarms

    @property
    def strict_precision(self):
        return self.found, self.found + self.false_alarms + self.other_kind

    @property
    def share_passed(self):
        return self.passed, self.cases


def total(verdicts):
    totals = Totals()
    for verdict in verdicts:
        # A disputed line is an attack in one upstream test and harmless in another: it counts nowhere.
        if verdict.label != "disputed":
            totals.add(verdict)
    return totals


def load(folder, suite):
    with open(pathlib.Path(folder) / f"{suite}.ndjson", encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]


def format_argument(name):
    if name.startswith("other:"):
        return "auto"
    return {"sshd_syslog": "sshd"}.get(name, name)


class Runner:
    """Runs the program, one process per case, as many at a time as there are cores."""

    def __init__(self, vigie, rules=(), jobs=None):
        self.vigie, self.rules = str(vigie), [str(folder) for folder in rules]
        self.jobs = jobs or os.cpu_count() or 1

    def detect(self, lines, format, reference_time, by_line):
        """Findings, exit status, error text. Statuses other than 0 and 1 count as nothing found."""
        command = [self.vigie, "detect", "--format", format_argument(format)]
        if by_line:
            command.append("--lines")
        if reference_time:
            command += ["--reference-time", reference_time]
        for folder in self.rules:
            command += ["--rules", folder]
        with tempfile.TemporaryDirectory(prefix="vigie-suites-") as folder:
            path = pathlib.Path(folder) / "case.log"
            # Surrogates keep bytes that are no UTF-8 as they were.
            path.write_text("".join(line + "\n" for line in lines), encoding="utf-8", errors="surrogateescape")
            try:
                result = subprocess.run(command + [str(path)], capture_output=True, timeout=TIMEOUT)
            except subprocess.TimeoutExpired:
                return [], None, f"not finished after {TIMEOUT} s"
            # Without the temporary folder's name, results of two runs can be compared.
            error = result.stderr.decode("utf-8", "replace").replace(f"{folder}/", "").strip() or None
        if result.returncode not in (0, 1):
            return [], result.returncode, error or "no message"
        findings = []
        for line in result.stdout.splitlines():
            if line.strip():
                try:
                    findings.append(json.loads(line))
                except ValueError:
                    return [], result.returncode, f"standard output is not NDJSON: {line[:200]!r}"
        return findings, result.returncode, error

    def one(self, case):
        by_line = case["suite"] == "fail2ban"
        findings, status, error = self.detect(case["lines"], case["format"], case["reference_time"], by_line)
        verdict = (judge_lines if by_line else judge_case)(case, findings)
        verdict.exit_status, verdict.error = status, error
        return verdict

    def batch(self, cases):
        """Cases marked `batch` share one run: each is a single line with an address and a time of its own."""
        findings, status, error = self.detect([case["lines"][0] for case in cases], cases[0]["format"], None, False)
        # An address of a case is its line's first word; nothing else in the run has it.
        by_address = {}
        for finding in findings:
            by_address.setdefault(address_of(finding), []).append(finding)
        verdicts = []
        for case in cases:
            verdict = judge_case(case, by_address.pop(case["lines"][0].split(" ", 1)[0], []))
            verdict.exit_status, verdict.error = status, None
            verdicts.append(verdict)
        verdicts[0].error = error
        # Findings on addresses that no line has: a wrong address is a false alarm of the run's first case.
        for address, strays in by_address.items():
            pairs = sorted({(address, finding.get("category")) for finding in strays}, key=str)
            (verdicts[0].without_address if address is None else verdicts[0].false_alarms).extend(pairs)
        return verdicts

    def run(self, cases):
        batches = {}
        alone = []
        for case in cases:
            if case.get("batch"):
                batches.setdefault((case["suite"], case["format"]), []).append(case)
            else:
                alone.append(case)
        # Long cases first, so that the last core does not start one alone at the end.
        alone.sort(key=lambda case: -len(case["lines"]))
        with concurrent.futures.ThreadPoolExecutor(self.jobs) as pool:
            together = [pool.submit(self.batch, some) for some in batches.values()]
            verdicts = list(pool.map(self.one, alone))
            for future in together:
                verdicts += future.result()
        order = {(case["suite"], case["case"]): index for index, case in enumerate(cases)}
        return sorted(verdicts, key=lambda verdict: order[verdict.suite, verdict.case])
