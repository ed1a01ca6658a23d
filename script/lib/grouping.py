#!/usr/bin/env python3
"""Grouping held against labelled campaigns and against days of noise: what CampaignTests and BackgroundTests print, with machine and commit.

    python3 script/lib/grouping.py [--package DIR] [--json FILE]

The tests say themselves what is too little; this writes down how much it was.
"""

import argparse
import json
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "script"))

from lib import machine  # noqa: E402

LINE = re.compile(
    r"precision (?P<precision>[\d.]+)  recall (?P<recall>[\d.]+)  "
    r"with links (?P<linked_precision>[\d.]+) (?P<linked_recall>[\d.]+)  (?P<incidents>\d+) incidents of (?P<campaigns>\d+) campaigns"
    r"(?:, (?P<findings>\d+) findings \((?P<mixed>\d+) about several\))?  (?P<scenario>.+)")
SEVERITY = re.compile(r"severity  (?P<rules>P\d) by rules  (?P<risk>P\d) with risk  (?P<scenario>.+)")
NOISE = re.compile(
    r"noise  seed (?P<seed>\d+)  lines (?P<lines>\d+)  days (?P<days>\d+)  findings (?P<findings>\d+)  incidents (?P<incidents>\d+)  "
    r"P0 (?P<P0>\d+)  P1 (?P<P1>\d+)  P2 (?P<P2>\d+)  P3 (?P<P3>\d+)  paging (?P<paging>\d+)  (?P<how>.+)")


def rows(text):
    """One for each scenario, by name: tests end in any order."""
    found = [match.groupdict() for line in text.splitlines() if (match := LINE.search(line))]
    numbers = [{name: value if name == "scenario" or value is None else float(value) if "." in value else int(value)
                for name, value in row.items()} for row in found]
    severities = {match["scenario"]: match for line in text.splitlines() if (match := SEVERITY.search(line))}
    for row in numbers:
        if match := severities.get(row["scenario"]):
            row["worst_severity"] = {"by_rules": match["rules"], "with_risk": match["risk"]}
    return sorted(numbers, key=lambda row: row["scenario"])


def noise(text):
    """One for each seed and way."""
    found = [{name: value if name == "how" else int(value) for name, value in match.groupdict().items()}
             for line in text.splitlines() if (match := NOISE.search(line))]
    for row in found:
        row["incidents_a_day"] = round(row["incidents"] / row["days"], 1)
        row["paging_a_day"] = round(row["paging"] / row["days"], 2)
        row["findings_per_incident"] = round(row["findings"] / row["incidents"], 1) if row["incidents"] else None
    return sorted(found, key=lambda row: (row["seed"], row["how"]))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--package", default=str(ROOT), help="a package with the target IncidentsTests; default: the repository")
    parser.add_argument("--skip-build", action="store_true", help="the tests are built")
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args()
    about = machine.describe(ROOT)
    result = subprocess.run(["swift", "test", "--package-path", options.package, "--filter", "CampaignTests|BackgroundTests",
                             *(["--skip-build", "--ignore-lock"] if options.skip_build else [])],
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    found, days = rows(result.stdout), noise(result.stdout)
    if result.returncode != 0 or not found or not days:
        sys.exit(f"{result.stdout[-4000:]}\ngrouping: the tests ended with status {result.returncode}, {len(found)} scenarios and "
                 f"{len(days)} rows of noise were told")
    for row in found:
        print(f"precision {row['precision']:.3f}  recall {row['recall']:.3f}  with links "
              f"{row['linked_precision']:.3f} {row['linked_recall']:.3f}  {row['incidents']} incidents of "
              f"{row['campaigns']} campaigns  {row['scenario']}")
    for row in days:
        each = "no findings" if row["findings_per_incident"] is None else f"{row['findings_per_incident']} findings each"
        print(f"noise, seed {row['seed']}: {row['incidents_a_day']} incidents a day, {row['paging_a_day']} that page, {each}  {row['how']}")
    if options.json:
        options.json.write_text(json.dumps({"machine": about, "build": "debug", "scenarios": found, "noise": days}, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
