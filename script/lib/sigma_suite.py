"""SigmaHQ's rules and regression tests through the program: which rules load, and whether the tests' events match.

Data: `sigma` in the suites' folder, see its README. The archives are unpacked to a temporary folder and never kept.
`count_refusals` and `judge` are pure and tested in script/tests; running is apart from them.
"""

import collections
import concurrent.futures
import dataclasses
import json
import os
import pathlib
import re
import subprocess
import tarfile
import tempfile
import time

RULE_FOLDERS = ("rules", "rules-emerging-threats", "rules-threat-hunting", "rules-placeholder", "rules-compliance")
# A test is one rule and one event or a few; loading everything is a matter of seconds.
TIMEOUT = 120


@dataclasses.dataclass
class Test:
    """One regression test: `matches` events matched where at least `expected` should."""

    rule: str
    rule_id: str
    expected: int
    matches: int = 0
    events: int = 0
    error: str | None = None

    @property
    def passed(self):
        return self.error is None and self.matches >= self.expected


def count_refusals(output):
    """`rules lint`'s lines as {reason: [file]}, with what is quoted left out of the reason."""
    refused = collections.defaultdict(list)
    for line in output.splitlines():
        if found := re.match(r"(.+?\.ya?ml)(?::\d+)?: (.+)$", line):
            refused[re.sub(r"'[^']*'", "'…'", found[2])].append(found[1])
    return dict(refused)


def judge(case, lines):
    """Counts the reported events of a test: every one once, whatever else is printed."""
    found = {entry["line"] for entry in map(json.loads, lines) if entry["rule"]["id"] == case["rule_id"]}
    return Test(case["rule"], case["rule_id"], case["at_least"], len(found), case["events"])


class Runner:
    def __init__(self, vigie, pipelines, jobs=None):
        self.vigie, self.pipelines, self.jobs = str(vigie), str(pipelines), jobs or os.cpu_count() or 1

    def run(self, suite):
        """The result as plain data: what `--json` writes."""
        with tempfile.TemporaryDirectory(prefix="vigie-sigma-") as name:
            folder = pathlib.Path(name)
            for archive in sorted(suite.glob("*.tar.gz")):
                with tarfile.open(archive) as files:
                    files.extractall(folder, filter="data")
            cases = json.loads((suite / "expected.json").read_text())["cases"]
            rules = [str(folder / part) for part in RULE_FOLDERS]
            files = sum(1 for part in rules for _ in pathlib.Path(part).rglob("*.yml"))
            loading = self.load(rules)
            first = folder / cases[0]["events_file"]
            start = self.measure([self.vigie, "detect", *self.options(rules), "--format", "windows", "--lines", str(first)])
            with concurrent.futures.ThreadPoolExecutor(self.jobs) as pool:
                tests = list(pool.map(lambda case: self.test(folder, case), cases))
        refused = {reason: sorted(os.path.relpath(file, name) for file in where) for reason, where in loading.items()}
        return {
            "rule_files": files, "refused": refused, "start_seconds": round(start[0], 3), "peak_kib": start[1],
            "tests": [{**dataclasses.asdict(test), "passed": test.passed} for test in tests],
        }

    def options(self, rules):
        return [part for rule in [*rules, self.pipelines] for part in ("--rules", rule)]

    def load(self, rules):
        done = subprocess.run([self.vigie, "rules", "lint", *rules, self.pipelines], capture_output=True, text=True,
                              timeout=TIMEOUT)
        if done.returncode not in (0, 1):
            raise RuntimeError(f"rules lint ended with {done.returncode}: {done.stderr.strip()}")
        return count_refusals(done.stdout)

    def test(self, folder, case):
        command = [self.vigie, "detect", *self.options([str(folder / case["rule"])]), "--format", "windows", "--lines",
                   str(folder / case["events_file"])]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT)
        except subprocess.TimeoutExpired:
            return Test(case["rule"], case["rule_id"], case["at_least"], events=case["events"], error="timed out")
        test = judge(case, done.stdout.splitlines())
        if done.returncode != 0:
            test.error = done.stderr.strip()[-300:]
        return test

    @staticmethod
    def measure(command):
        """Seconds from start to end, and the most memory held (KiB), of one process."""
        begin = time.monotonic()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, _, usage = os.wait4(process.pid, 0)
        process.returncode = 0
        return time.monotonic() - begin, usage.ru_maxrss


def totals(result):
    tests = result["tests"]
    return {
        "tests": len(tests), "passed": sum(test["passed"] for test in tests),
        "expected": sum(test["expected"] for test in tests),
        "hits": sum(min(test["matches"], test["expected"]) for test in tests),
        "loaded": result["rule_files"] - sum(map(len, result["refused"].values())),
    }


def headline(result):
    sums = totals(result)
    return (f"sigma: {sums['loaded']} of {result['rule_files']} rule files load, {sums['passed']} of {sums['tests']} regression "
            f"tests, {sums['hits']} of {sums['expected']} hits")


def markdown(result):
    sums = totals(result)
    rows = ["| SigmaHQ | |", "|---|---|", f"| rule files | {result['rule_files']} |", f"| loaded | {sums['loaded']} |"]
    rows += [f"| refused: {reason} | {len(files)} |" for reason, files in sorted(result["refused"].items())]
    rows += [
        f"| regression tests passed | {sums['passed']} of {sums['tests']} |",
        f"| expected hits found | {sums['hits']} of {sums['expected']} |",
        f"| start with all rules and one event | {result['start_seconds']:.2f} s |",
        f"| most memory held meanwhile | {result['peak_kib'] / 1024:.0f} MiB |",
    ]
    return "\n".join(rows)


def failures(result):
    return "\n".join(
        f"FAILED  {test['rule']}: {test['matches']} of {test['expected']}" + (f" ({test['error']})" if test["error"] else "")
        for test in result["tests"] if not test["passed"])
