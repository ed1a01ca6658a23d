#!/usr/bin/env python3
"""Grouping held against labelled campaigns: what CampaignTests print, with the machine and the commit.

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


def rows(text):
    """One for each scenario, by name: tests end in any order."""
    found = [match.groupdict() for line in text.splitlines() if (match := LINE.search(line))]
    numbers = [{name: value if name == "scenario" or value is None else float(value) if "." in value else int(value)
                for name, value in row.items()} for row in found]
    return sorted(numbers, key=lambda row: row["scenario"])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--package", default=str(ROOT), help="a package with the target IncidentsTests; default: the repository")
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args()
    about = machine.describe(ROOT)
    result = subprocess.run(["swift", "test", "--package-path", options.package, "--filter", "CampaignTests"],
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    found = rows(result.stdout)
    if result.returncode != 0 or not found:
        sys.exit(f"{result.stdout[-4000:]}\ngrouping: the tests ended with status {result.returncode}, {len(found)} scenarios were told")
    for row in found:
        print(f"precision {row['precision']:.3f}  recall {row['recall']:.3f}  with links "
              f"{row['linked_precision']:.3f} {row['linked_recall']:.3f}  {row['incidents']} incidents of "
              f"{row['campaigns']} campaigns  {row['scenario']}")
    if options.json:
        options.json.write_text(json.dumps({"machine": about, "scenarios": found}, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
