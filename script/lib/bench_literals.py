"""Measures the engine's literal index against Hyperscan: the same literals over the same field values.

    script/bench literals --rules DIR|ARCHIVE [--events N] [--rounds N] [--seed N] [--core N] [--output DIR]

The literals are those of the rules for process creation on Windows, field by field, each with where it may stand; the values
are those of the lane `sysmon` of lib/lanes.py. Three sets: all literals; those that may stand anywhere, which Hyperscan takes
as literals rather than expressions; and for each selection the longest of them, as an engine would look for. Builds
Benchmarks/LiteralMatchers, which needs libhyperscan-dev (or PKG_CONFIG_PATH and LD_LIBRARY_PATH to where it was unpacked) and
PyYAML. Writes docs/measurements/literal-matchers.md and .json.
"""

import argparse
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile

import yaml

from . import lane_bench, lanes, machine
from .figures import record, spread

ROOT = pathlib.Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "Benchmarks/LiteralMatchers"
ANCHORS = {"contains", "startswith", "endswith"}
#: Modifiers that say more than where a text stands; their values are left out.
OTHER = {"re", "cidr", "base64", "base64offset", "exists", "fieldref", "expand", "windash", "cased", "gt", "gte", "lt", "lte", "neq"}


def literals_of(item):
    """The field, and one list of (anchor, bytes) whose literals are alternatives, for each part that has to hold."""
    name, value = item
    field, *modifiers = name.split("|")
    if not field or OTHER & set(modifiers) or value is None:
        return field, []
    anchor = next((modifier for modifier in modifiers if modifier in ANCHORS), "equals")
    found = []
    for text in value if isinstance(value, list) else [value]:
        literal = one_literal(str(text), anchor)
        if literal is None:
            return field, []
        found.append(literal)
    return field, [[literal] for literal in found] if "all" in modifiers else [found]


def one_literal(text, anchor):
    """A text without wildcards but at its ends, in lower case; `None` for others."""
    before, after = anchor in ("contains", "endswith"), anchor in ("contains", "startswith")
    if text.startswith("*"):
        text, before = text[1:], True
    if text.endswith("*") and not text.endswith("\\*"):
        text, after = text[:-1], True
    if re.search(r"(?<!\\)[*?]", text) or not text:
        return None
    text = re.sub(r"\\([*?\\])", r"\1", text).lower()
    place = "contains" if before and after else "startswith" if after else "endswith" if before else "equals"
    return place, text.encode()


def selections(files):
    """The maps of every rule for process creation that say what it looks for, not what it leaves out."""
    for file in files:
        try:
            documents = list(yaml.safe_load_all(file.read_text()))
        except yaml.YAMLError:
            continue
        for rule in documents:
            if not isinstance(rule, dict) or (rule.get("logsource") or {}).get("category") != "process_creation" \
                    or (rule.get("logsource") or {}).get("product") != "windows":
                continue
            for name, body in rule.get("detection", {}).items():
                if name == "condition" or name.startswith("filter"):
                    continue
                yield from (part for part in (body if isinstance(body, list) else [body]) if isinstance(part, dict))


def sets(files):
    everything, longest = {}, {}
    for selection in selections(files):
        alternatives = []
        for item in selection.items():
            field, parts = literals_of(item)
            for part in parts:
                everything.setdefault(field, set()).update(part)
                alternatives.append((min(len(text) for _, text in part), field, part))
        if alternatives:
            _, field, part = max(alternatives, key=lambda one: one[0])
            longest.setdefault(field, set()).update(part)
    anywhere = {field: {one for one in found if one[0] == "contains"} for field, found in everything.items()}
    return {"all literals": everything, "those that stand anywhere": {field: found for field, found in anywhere.items() if found},
            "the longest of each selection": longest}


def write(path, fields, events):
    with open(path, "w") as file:
        numbers = {field: number for number, field in enumerate(sorted(fields))}
        for field, number in numbers.items():
            for anchor, text in sorted(fields[field]):
                file.write(f"L {number} {anchor} {text.hex()}\n")
        for event in events:
            for field, number in numbers.items():
                if event.get(field):
                    file.write(f"V {number} {str(event[field]).encode().hex()}\n")


def table(results, events):
    lines = ["| literals | number | values per event | bytes per event | pairs found per event | our index, ns per event | MB/s | "
             "Hyperscan, ns per event | MB/s | its databases, KiB | ours takes of its time |", "|" + "---|" * 11]
    for name, result in results.items():
        ours, theirs = (statistics.median(result[key]) for key in ("nanoseconds", "nanoseconds_hyperscan"))
        shares = [one / other for one, other in zip(result["nanoseconds"], result["nanoseconds_hyperscan"])]
        lines.append("| " + " | ".join([
            name, f"{result['literals']:,}", f"{result['values'] / events:.1f}", f"{result['bytes'] / events:.0f}",
            f"{result['pairs'] / events:.1f}", f"{ours / events:.0f}", f"{result['bytes'] * 1e3 / ours:,.0f}", f"{theirs / events:.0f}",
            f"{result['bytes'] * 1e3 / theirs:,.0f}", f"{result['database_bytes'] / 1024:,.0f}",
            spread(shares, 2)]) + " |")
    return lines


def main(arguments):
    parser = argparse.ArgumentParser(description="Measures the literal index against Hyperscan.")
    parser.add_argument("--rules", type=pathlib.Path, required=True)
    parser.add_argument("--events", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--core", type=int, default=min(os.sched_getaffinity(0)))
    parser.add_argument("--output", type=pathlib.Path, default=ROOT / "docs/measurements")
    options = parser.parse_args(arguments)
    facts = machine.describe(ROOT)
    subprocess.run(["swift", "build", "-c", "release", "--package-path", str(PACKAGE)], check=True)
    program = PACKAGE / ".build/release/LiteralMatchers"
    results = {}
    with tempfile.TemporaryDirectory(prefix="vigie-bench-") as folder:
        folder = pathlib.Path(folder)
        draw = lanes.Draw(f"{options.seed}/sysmon")
        events = [lanes.process(draw, number) for number in range(options.events)]
        for number, (name, fields) in enumerate(sets(lane_bench.rule_files(options.rules, folder)).items()):
            path = folder / f"set-{number}"
            write(path, fields, events)
            done = subprocess.run(["taskset", "-c", str(options.core), str(program), str(path), str(options.rounds)],
                                  stdout=subprocess.PIPE, text=True, check=True)
            results[name] = json.loads(done.stdout)
            if results[name]["pairs"] != results[name]["pairs_hyperscan"]:
                sys.exit(f"script/bench literals: {name}: {results[name]['pairs']} pairs, Hyperscan {results[name]['pairs_hyperscan']}")
    version = results["all literals"]["library"]
    text = "\n".join([
        "# literal-matchers", "", machine.sentence(facts), "",
        f"`script/bench literals --rules {options.rules.name} --events {options.events} --rounds {options.rounds} --seed {options.seed}`: "
        "the literals of the rules for process creation on Windows, over the values of generated process creations, field by field, on "
        f"core {options.core}. Hyperscan {version}, block mode, one database a field, each literal reported once for a value. "
        f"Processor time, medians of {options.rounds} rounds in turns. Both found the same number of pairs of value and literal, or the "
        "run would have ended. No value is remembered here, as the engine does.", "",
        *table(results, options.events), "", "Raw data: [literal-matchers.json](literal-matchers.json).", ""])
    raw = {"machine": facts, "events": options.events, "seed": options.seed, "core": options.core, "results": results}
    record(options.output, "literal-matchers", text, raw)
    return 0
