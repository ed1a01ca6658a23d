"""The parts of `script/soak sources`: logs that rotate under a fast writer, folders of many logs, a long steady stream.

What is compared: the lines that a running server has counted (its snapshot), and one finding for each marked line (its journal),
with what the writer wrote. Marked lines stand all over the log, so a lost or repeated chunk shows in both.
"""

import json
import os
import pathlib
import shutil
import sqlite3
import sys
import tempfile
import threading
import time

from . import generate, kill_storm as storm, machine, waiting
from .figures import processor_seconds

RULE = """\
title: Marked line
id: 4f0d6c0e-3d52-4f19-8a5e-0c6f5f7b3a11
logsource: {category: webserver}
detection: {selection: {url.query|contains: 'mark='}, condition: selection}
level: high
vigie: {category: exploit}
"""
MARK_EVERY = 500
# Seconds. A shorter stream has one probe a second, too few for a 99th percentile, and ends while memory still warms up.
SHORTEST_JUDGED = 120
ROOT = pathlib.Path(__file__).resolve().parents[2]


class Lines:
    """Access lines, numbered; one in MARK_EVERY is marked."""

    def __init__(self):
        self.count = 0
        self.marks = []
        self.second, self.stamp = None, ""

    def take(self, count):
        now = int(time.time())
        if now != self.second:
            self.second, self.stamp = now, time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(now))
        out = []
        for number in range(self.count, self.count + count):
            query, client = "", f"198.51.{number // 251 % 251}.{number % 251}"
            if number % MARK_EVERY == 0:
                self.marks.append(number)
                # One address: one incident.
                query, client = f"?mark={number}", "203.0.113.7"
            out.append(f'{client} - - [{self.stamp}] "GET /page/{number}{query} HTTP/1.1" 200 512 "-" "soak"\n')
        self.count += count
        return "".join(out).encode()


class Traffic:
    """Visitors and attackers of `generate`, over and over, each line with the time of its writing."""

    RECORDED = 500_000

    def __init__(self):
        self.count = 0
        # Each line as what stands before its time and what stands after it.
        self.recorded = [(line[:line.index("[") + 1], line[line.index("]"):]) for line in generate.combined(self.RECORDED, 1)]

    def take(self, count):
        stamp = time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime())
        start = self.count % self.RECORDED
        lines = self.recorded[start:start + count]
        self.count += len(lines)
        text = "".join(before + stamp + after for before, after in lines).encode()
        return text if len(lines) == count else text + self.take(count - len(lines))


class Pace:
    """So many lines a second, in steps of ten milliseconds; what cannot be kept up is made up for."""

    def __init__(self, rate):
        self.rate, self.start, self.given = rate, time.monotonic(), 0

    def due(self):
        time.sleep(0.01)
        due = int((time.monotonic() - self.start) * self.rate) - self.given
        self.given += due
        return due


def snapshot_lines(data):
    total = {}
    for state in storm.snapshot_states(data):
        for name, value in state["counters"].items():
            total[name] = total.get(name, 0) + (value or 0)
    return total


def wait_for_lines(server, data, count, patience):
    """Until the durable snapshot has counted as many lines, or stands still for so long."""
    waiting.until(
        lambda lines: (lines or 0) >= count, lambda: snapshot_lines(data).get("lines"), patience, server.check, pause=0.05)
    return snapshot_lines(data)


def resident_kib(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    return 0


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def shift(log, keep=200):
    """access.log.1 becomes access.log.2, and so on."""
    for number in range(keep, 0, -1):
        old = log.with_name(f"{log.name}.{number}")
        if old.exists():
            old.rename(log.with_name(f"{log.name}.{number + 1}"))


def rotation(options, work, way):
    """A writer at a steady rate, rotated again and again; what the server read against what was written."""
    folder = work / way
    folder.mkdir()
    log, data = folder / "access.log", folder / "data"
    log.touch()
    server = storm.Server(options.vigie, work / "rules", data, log)
    lines, gap = Lines(), []
    try:
        handle = open(log, "ab", buffering=0)
        # A cut that comes before the server looks for the first time is none that it could notice.
        handle.write(lines.take(10))
        wait_for_lines(server, data, lines.count, 60)
        pace = Pace(options.rate)
        for number in range(options.rotations):
            end = time.monotonic() + options.seconds / options.rotations
            while time.monotonic() < end:
                handle.write(lines.take(pace.due()))
            if way == "rename":
                shift(log)
                log.rename(log.with_name("access.log.1"))
                # As a server writes on until it is told to open its log anew.
                handle.write(lines.take(pace.due()))
                new = open(log, "ab", buffering=0)
                handle.write(lines.take(pace.due()))
                handle.close()
                handle = new
            else:
                shift(log)
                shutil.copyfile(log, log.with_name("access.log.1"))
                first = lines.count
                handle.write(lines.take(pace.due()))
                gap.append((first, lines.count))
                os.ftruncate(handle.fileno(), 0)
        handle.write(lines.take(1000))
        handle.close()
        in_gaps = sum(end - first for first, end in gap)
        # Of the lines between copy and cut the server has read those that it saw in time: how many, nobody else knows.
        wait_for_lines(server, data, lines.count, 15)
        peak = resident_kib(server.process.pid)
        server.stop()
        # Once all is read and written down: what was read twice would be more than there is.
        counters = snapshot_lines(data)
    finally:
        server.abandon()
    wall = time.monotonic() - pace.start
    found = storm.journalled_findings(options.vigie, data)
    return {
        "way": way, "rotations": options.rotations, "written": lines.count, "in_gaps": in_gaps, "read": counters.get("lines", 0),
        "seconds": round(wall, 1), "rate": round(lines.count / wall), "marks": len(lines.marks),
        "marks_in_gaps": sum(any(first <= mark < end for first, end in gap) for mark in lines.marks),
        "counted_rotations": counters.get("rotations", 0), "truncations": counters.get("truncations", 0),
        "gaps": counters.get("gaps", 0), "partial": counters.get("partial", 0), "rss_kib": peak,
        "findings": sum(found.values()), "repeated": sum(count > 1 for count in found.values()),
    }


def judge_rotation(one):
    """Why a rotation trial failed, or nothing."""
    least = one["written"] - one["in_gaps"]
    if not least <= one["read"] <= one["written"]:
        yield f"{one['way']}: {one['read']} lines read, {least} to {one['written']} written"
    if not one["marks"] - one["marks_in_gaps"] <= one["findings"] <= one["marks"]:
        yield f"{one['way']}: {one['findings']} findings for {one['marks']} marked lines"
    if one["repeated"]:
        yield f"{one['way']}: {one['repeated']} findings more than once"
    if one["way"] == "copytruncate" and one["truncations"] < one["rotations"]:
        yield f"copytruncate: {one['truncations']} of {one['rotations']} cuts noticed"


def many_files(options, work):
    """A folder with very many logs: all are read, few are open, and what is written to some is found."""
    folder = work / "files"
    logs, data = folder / "logs", folder / "data"
    logs.mkdir(parents=True)
    lines = Lines()
    for number in range(options.files):
        (logs / f"{number:06}.log").write_bytes(lines.take(2))
    server = storm.Server(options.vigie, work / "rules", data, f"{logs}/*.log")
    start = time.monotonic()
    try:
        wait_for_lines(server, data, lines.count, 120)
        first = time.monotonic() - start
        open_files, rss = descriptors(server.process.pid), resident_kib(server.process.pid)
        written = time.monotonic()
        for number in range(0, options.files, max(1, options.files // 1000)):
            with open(logs / f"{number:06}.log", "ab") as handle:
                handle.write(lines.take(1))
        counters = wait_for_lines(server, data, lines.count, 60)
        found = time.monotonic() - written
        busy_descriptors = descriptors(server.process.pid)
        idle, _ = processor_seconds(server.process.pid)
        time.sleep(5)
        idle = (processor_seconds(server.process.pid)[0] - idle) / 5
        server.stop()
    finally:
        server.abandon()
    return {
        "files": options.files, "written": lines.count, "read": counters.get("lines", 0), "first_seconds": round(first, 1),
        "appended_seconds": round(found, 1), "descriptors": max(open_files, busy_descriptors), "rss_kib": rss,
        "idle_cores": round(idle, 2),
    }


def judge_files(one):
    if one["read"] != one["written"]:
        yield f"files: {one['read']} of {one['written']} lines read"
    if one["descriptors"] > 200:
        yield f"files: {one['descriptors']} descriptors open"


def sustained(options, work):
    """A steady stream before all rules; memory is sampled, and once a second a new attacker's line is timed until its incident is in
    the tables."""
    folder = work / "sustained"
    folder.mkdir()
    log, data = folder / "access.log", folder / "data"
    log.touch()
    rules = folder / "rules"
    shutil.copytree(ROOT / "rules", rules)
    (rules / "marked.yml").write_text(RULE)
    server = storm.Server(options.vigie, rules, data, log)
    lines, latencies, samples = Traffic(), [], []
    stop = threading.Event()

    def probe():
        """In a thread of its own: each line is appended by itself, so it never tears one of the writer's."""
        number = 0
        with open(log, "ab", buffering=0) as handle:
            while not stop.wait(1):
                number += 1
                address = f"203.0.{number // 250}.{number % 250 + 1}"
                stamp = time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime())
                handle.write(f'{address} - - [{stamp}] "GET /?mark=probe{number} HTTP/1.1" 200 5 "-" "soak"\n'.encode())
                began = time.monotonic()
                latencies.append(visible(data, address, began, options.patience))

    try:
        handle = open(log, "ab", buffering=0)
        handle.write(lines.take(10))
        wait_for_lines(server, data, lines.count, 60)
        thread = threading.Thread(target=probe, daemon=True)
        thread.start()
        pace, began = Pace(options.rate), time.monotonic()
        next_sample = 0
        while (elapsed := time.monotonic() - began) < options.sustain:
            handle.write(lines.take(pace.due()))
            if elapsed >= next_sample:
                samples.append({"second": round(elapsed, 1), "rss_kib": resident_kib(server.process.pid),
                                "read": snapshot_lines(data).get("lines", 0), "written": lines.count})
                next_sample += max(1, options.sustain / 120)
        stop.set()
        thread.join(options.patience + 5)
        handle.close()
        counters = wait_for_lines(server, data, lines.count + len(latencies), 30)
        seconds = time.monotonic() - began
        used, _ = processor_seconds(server.process.pid)
        with sqlite3.connect(f"file:{data}/projections.db?mode=ro", uri=True) as tables:
            findings, incidents = (tables.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ("finding", "incident"))
        server.stop()
    finally:
        stop.set()
        server.abandon()
    ordered = sorted(latencies)
    half = samples[len(samples) // 2:]
    return {
        "seconds": options.sustain, "written": lines.count + len(latencies), "read": counters.get("lines", 0),
        "findings": findings, "incidents": incidents, "rate": round(lines.count / options.sustain),
        "until_read": round(seconds - options.sustain, 1), "cores": round(used / seconds, 3), "samples": samples,
        "rss_middle_kib": half[0]["rss_kib"], "rss_end_kib": half[-1]["rss_kib"],
        "latencies": [round(one, 4) for one in latencies],
        "p50": round(ordered[len(ordered) // 2], 3) if ordered else None,
        "p99": round(ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))], 3) if ordered else None,
    }


def visible(data, address, began, patience):
    """Seconds until the tables that the console reads hold an incident of the address."""
    while time.monotonic() - began < patience:
        try:
            with sqlite3.connect(f"file:{data}/projections.db?mode=ro", uri=True, timeout=1) as tables:
                if tables.execute("SELECT 1 FROM incident_entity WHERE value = ?", (address,)).fetchone():
                    return time.monotonic() - began
        except sqlite3.Error:
            pass
        time.sleep(0.005)
    return patience


def judge_sustained(one):
    if one["read"] != one["written"]:
        yield f"sustained: {one['read']} of {one['written']} lines read"
    # By what was asked for, not by the probes: a server that is late has few of them.
    if one["seconds"] < SHORTEST_JUDGED:
        return
    if one["rss_end_kib"] > one["rss_middle_kib"] * 1.1 + 4096:
        yield f"sustained: memory grew from {one['rss_middle_kib']} to {one['rss_end_kib']} KiB in the second half"
    if one["p99"] is None or one["p99"] >= 1:
        yield f"sustained: p99 from the byte to the incident is {one['p99']} s"


def markdown(options, raw):
    out = ["# Sources under load", "", machine.sentence(raw["machine"]), "", f"`{raw['command']}`.", ""]
    if raw["rotations"]:
        out += [f"One rule, which every {MARK_EVERY}th line matches.", "", "| rotation | times | lines written | a second | between copy and cut | read | "
                "findings of marked lines | repeated | cuts noticed | gaps |", "|---|---|---|---|---|---|---|---|---|---|"]
        for one in raw["rotations"]:
            out.append(f"| {one['way']} | {one['rotations']} | {one['written']:,} | {one['rate']:,} | {one['in_gaps']:,} | "
                       f"{one['read']:,} | {one['findings']:,} of {one['marks']:,} | {one['repeated']} | {one['truncations']} | "
                       f"{one['gaps']} |")
    if one := raw.get("files"):
        out += ["", f"One rule; {one['files']:,} files in a folder: all {one['read']:,} of {one['written']:,} lines read, the first two of each "
                f"in {one['first_seconds']} s, lines appended to 1,000 of them in {one['appended_seconds']} s; "
                f"{one['descriptors']} descriptors, {one['rss_kib'] / 1024:.0f} MiB, {one['idle_cores']} cores while nothing is "
                "written."]
    if one := raw.get("sustained"):
        out += ["", f"{one['rate']:,} lines a second for {one['seconds']:.0f} s before the whole pack, as `generate.py` makes them, attackers "
                f"among them: {one['read']:,} of {one['written']:,} read, {one['findings']:,} findings in {one['incidents']:,} incidents; memory "
                f"{one['rss_middle_kib'] / 1024:.0f} MiB at half time and {one['rss_end_kib'] / 1024:.0f} MiB at the end; "
                f"{one['cores']} cores; from the written byte of a line that matches, one each second, to the incident in the tables p50 "
                f"{one['p50']} s, p99 {one['p99']} s ({len(one['latencies'])} probes)."]
    verdict = "**Passed**" if not raw["failures"] else "**FAILED**: " + "; ".join(raw["failures"])
    return "\n".join([*out, "", verdict, ""])


def run(options):
    work = pathlib.Path(tempfile.mkdtemp(prefix="vigie-sources-", dir=options.folder))
    (work / "rules").mkdir()
    (work / "rules/marked.yml").write_text(RULE)
    command = "script/soak sources " + " ".join(sys.argv[2:])
    raw = {"machine": machine.describe(ROOT), "command": command.strip(), "rotations": []}
    failures = []
    wanted = options.only or ["rename", "copytruncate", "files", "sustained"]
    try:
        for way in ("rename", "copytruncate"):
            if way in wanted:
                raw["rotations"].append(one := rotation(options, work, way))
                failures += judge_rotation(one)
        if "files" in wanted:
            raw["files"] = many_files(options, work)
            failures += judge_files(raw["files"])
        if "sustained" in wanted:
            raw["sustained"] = sustained(options, work)
            failures += judge_sustained(raw["sustained"])
    except storm.SoakError as error:
        failures.append(str(error))
    raw["failures"] = failures
    text = markdown(options, raw)
    print(text)
    if options.json:
        options.json.write_text(json.dumps(raw, indent=1) + "\n")
        options.json.with_suffix(".md").write_text(text)
    shutil.rmtree(work, ignore_errors=True)
    return 1 if failures else 0
