#!/usr/bin/env python3
"""How fast entries become durable, beside the disk's own fsync.

    python3 script/lib/bench_journal.py --vigie PATH [--folder DIR] [--runs 3] [--appends 20000] [--fsync-delay-ms 3] [--json FILE]

Each run appends to a fresh journal from many tasks at once, each of which waits for its own entry to be durable, while checkpoints are
signed beside it once a second. Before and after each run the same folder's disk is asked how long a write of 4 KiB with fsync takes.
Afterwards `vigie journal verify` has to find everything whole; its speed is printed as well.
"""

import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "script"))

from lib import machine  # noqa: E402
from lib.figures import percentile  # noqa: E402


def fsync_times(folder, count=200):
    """Milliseconds of appending 4 KiB and fsync."""
    path = folder / "fsync-probe"
    times = []
    with open(path, "wb", buffering=0) as file:
        for _ in range(count):
            start = time.perf_counter()
            file.write(b"x" * 4096)
            os.fsync(file.fileno())
            times.append((time.perf_counter() - start) * 1000)
    path.unlink()
    return times


def one_run(options, folder, callers):
    work = pathlib.Path(tempfile.mkdtemp(prefix="vigie-bench-", dir=folder))
    try:
        before = fsync_times(work)
        command = [options.vigie, "journal", "bench", "--directory", str(work / "data"), "--appends", str(options.appends),
                   "--callers", str(callers), "--size", str(options.size)]
        result = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        after = fsync_times(work)
        verified = json.loads(subprocess.run(
            [options.vigie, "journal", "verify", "--data", str(work / "data"), "--json"],
            check=True, capture_output=True, text=True).stdout)
        if verified["entries"] != options.appends or verified["tree"]["problems"]:
            raise SystemExit(f"the journal is not whole afterwards: {verified}")
        times = before + after
        result["fsync_ms"] = {"p50": percentile(times, 0.5), "p99": percentile(times, 0.99), "n": len(times)}
        result["verify_entries_per_second"] = verified["entries_per_second"]
        return result
    finally:
        shutil.rmtree(work, ignore_errors=True)


def slow_down(milliseconds):
    """Starts this once more, with a library in front of glibc's fsync: for the probe and for the program that is measured."""
    library = pathlib.Path(tempfile.mkdtemp(prefix="vigie-slow-")) / "slow_fsync.so"
    subprocess.run(["clang", "-O2", "-shared", "-fPIC", "-o", library, ROOT / "script/lib/slow_fsync.c"], check=True)
    os.execve(sys.executable, [sys.executable, *sys.argv],
              os.environ | {"LD_PRELOAD": str(library), "SLOW_FSYNC_US": str(round(milliseconds * 1000))})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vigie", required=True, help="the program, a release build")
    parser.add_argument("--folder", default=".", help="a folder on the disk to measure")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--appends", type=int, default=20000)
    parser.add_argument("--callers", type=int, nargs="+", default=[1, 64, 256])
    parser.add_argument("--size", type=int, default=300)
    parser.add_argument("--json", help="write the raw data there")
    parser.add_argument("--fsync-delay-ms", type=float, help="every fsync takes so much longer, as on a slower disk")
    options = parser.parse_args()
    if options.fsync_delay_ms and "SLOW_FSYNC_US" not in os.environ:
        slow_down(options.fsync_delay_ms)
    folder = pathlib.Path(options.folder).resolve()
    raw = {"machine": machine.describe(ROOT), "runs": []}
    print(machine.sentence(raw["machine"]), "\n")
    print("| callers | entries/s | entries per commit | append p50 ms | append p99 ms | fsync p50 ms | fsync p99 ms | verify entries/s |")
    print("|---|---|---|---|---|---|---|---|")
    for callers in options.callers:
        for _ in range(options.runs):
            # One caller waits for every fsync: fewer appends tell as much.
            appends = options.appends
            options.appends = appends if callers > 1 else min(appends, 2000)
            run = one_run(options, folder, callers)
            options.appends = appends
            raw["runs"].append(run)
            print(f"| {callers} | {run['entries_per_second']:,.0f} | {run['entries'] / max(1, run['commits']):.1f} "
                  f"| {run['append_ms']['p50']:.2f} | {run['append_ms']['p99']:.2f} | {run['fsync_ms']['p50']:.2f} "
                  f"| {run['fsync_ms']['p99']:.2f} | {run['verify_entries_per_second']:,} |", flush=True)
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(raw, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
