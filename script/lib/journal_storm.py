"""script/soak journal and evidence: kill -9 during commits, faults put into a finished journal, clock steps, a large file as evidence."""

import hashlib
import json
import os
import pathlib
import random
import shutil
import signal
import struct
import subprocess
import tempfile
import time

from lib import evidence_trial, machine
from lib.shifted_clock import ShiftedClock

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def ask(vigie, *arguments, check=True, environment=None):
    done = subprocess.run([str(vigie), *map(str, arguments)], capture_output=True, text=True, env=environment)
    if check and done.returncode != 0:
        raise AssertionError(f"vigie {' '.join(map(str, arguments))}: {done.returncode}: {done.stderr}{done.stdout}")
    return done


def program(vigie):
    """Which program was tried: its version and the SHA-256 of the file."""
    with open(vigie, "rb") as file:
        return {"version": ask(vigie, "--version").stdout.strip(), "sha256": hashlib.file_digest(file, "sha256").hexdigest()}


def verdict(vigie, data, *more):
    """None where all is well, else what the verifier says."""
    done = ask(vigie, "journal", "verify", "--data", data, *more, check=False)
    return None if done.returncode == 0 else done.stdout + done.stderr


def receipts(path):
    raw = path.read_bytes()
    whole = raw[:len(raw) // 8 * 8]
    return [one[0] for one in struct.iter_unpack(">Q", whole)]


def kills(options, work, rng):
    """Killed at random moments while entries are appended and checkpoints signed as fast as they can be."""
    lost = unverified = entries = verified = 0
    for number in range(options.kills):
        # A fresh folder now and then: what is read after each kill stays short.
        if number % 20 == 0:
            data, receipt = work / f"killed-{number}", work / f"receipt-{number}"
            shutil.rmtree(work / f"killed-{number - 20}", ignore_errors=True)
            entries += verified
        writer = subprocess.Popen(
            [str(options.vigie), "journal", "bench", "--directory", str(data), "--appends", "0", "--callers", "16", "--interval", "0",
             "--receipt", str(receipt)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        before = receipt.stat().st_size if receipt.exists() else 0
        deadline = time.monotonic() + 60
        while (receipt.stat().st_size if receipt.exists() else 0) == before:
            if writer.poll() is not None or time.monotonic() > deadline:
                writer.kill()
                raise AssertionError(f"kill {number}: the writer wrote nothing: {writer.communicate()[1]}")
            time.sleep(0.005)
        time.sleep(rng.uniform(0, 0.25))
        writer.send_signal(signal.SIGKILL)
        writer.communicate()
        done = ask(options.vigie, "journal", "verify", "--data", data, "--json", check=False)
        if done.returncode != 0:
            unverified += 1
            print(f"kill {number}: {done.stdout}{done.stderr}")
        verified = json.loads(done.stdout)["entries"] if done.stdout else 0
        if receipts(receipt) and max(receipts(receipt)) >= verified:
            lost += 1
            print(f"kill {number}: entry {max(receipts(receipt))} was acknowledged, {verified} entries are there")
    entries += verified
    print(f"kill -9 during commits: {options.kills} kills, {lost} with acknowledged entries lost, {unverified} that do not verify; "
          f"{entries} entries in all")
    return {"kills": options.kills, "lost": lost, "unverified": unverified, "entries": entries}


def faults(options, work, rng):
    """Every kind of change to the files of a finished journal, many places of each kind; each has to be found, with its file."""
    data = work / "faulty"
    ask(options.vigie, "journal", "bench", "--directory", data, "--appends", 700, "--callers", 4, "--interval", 20)
    newest = work / "witness-copy"
    shutil.copy(data / "journal" / "tlog" / "checkpoint", newest)
    assert verdict(options.vigie, data) is None
    table = []

    def trial(kind, file, bytes_, *more, names=True):
        whole = file.read_bytes() if file.exists() else None
        if bytes_ is None:
            file.unlink()
        else:
            file.write_bytes(bytes_)
        said = verdict(options.vigie, data, *more)
        if whole is None:
            file.unlink()
        else:
            file.write_bytes(whole)
        found = said is not None
        table.append((kind, found, found and (not names or str(file.relative_to(data)) in said)))
        if not table[-1][2]:
            print(f"NOT NAMED: {kind} {file}: {said}")

    journal = data / "journal"
    size = json.loads(ask(options.vigie, "journal", "verify", "--data", data, "--json").stdout)["entries"]
    current = [journal / "00000000000000000000.log", journal / "tlog" / "checkpoint", journal / "acknowledged", journal / "tlog" / "published",
               journal / "tlog/tile/0/000", journal / "tlog/tile/0/001", journal / f"tlog/tile/0/002.p/{size - 512}",
               journal / "tlog/tile/1/000.p/2", journal / "tlog/tile/entries/000", journal / f"tlog/tile/entries/002.p/{size - 512}"]
    for file in current:
        whole = file.read_bytes()
        for change in ("flip", "delete", "insert"):
            for _ in range(options.places):
                at = rng.randrange(len(whole))
                if change == "flip":
                    new = whole[:at] + bytes([whole[at] ^ (1 << rng.randrange(8))]) + whole[at + 1:]
                elif change == "delete":
                    new = whole[:at] + whole[at + 1:]
                else:
                    new = whole[:at] + bytes([rng.randrange(1, 256)]) + whole[at:]
                trial(f"one byte: {change}", file, new)
        if file.name not in ("acknowledged", "published"):
            trial("file removed", file, None, names="00000000000000000000" not in file.name)
    a, b = journal / "tlog/tile/0/000", journal / "tlog/tile/0/001"
    trial("tile swapped", a, b.read_bytes())
    trial("foreign file", journal / "tlog/tile/0/x", b"1")
    # Frames deleted, doubled, reordered: each frame is one append of one entry.
    segment = current[0]
    whole = segment.read_bytes()
    frames, at = [], 0
    while at < len(whole):
        length = 56 + struct.unpack(">I", whole[at + 16:at + 20])[0]
        frames.append(whole[at:at + length])
        at += length
    for _ in range(options.places):
        number = rng.randrange(1, len(frames) - 1)
        trial("entry deleted", segment, b"".join(frames[:number] + frames[number + 1:]))
        trial("entry doubled", segment, b"".join(frames[:number] + [frames[number]] + frames[number:]))
        trial("entries reordered", segment, b"".join(frames[:number - 1] + [frames[number], frames[number - 1]] + frames[number + 1:]))
    # The newest checkpoint put back to an older one, of the log's own making: it is signed, and true, and too old.
    older = work / "older"
    shutil.copytree(data, older)
    ask(options.vigie, "journal", "bench", "--directory", older, "--appends", 50, "--callers", 1)
    rolled = older / "journal" / "tlog" / "checkpoint"
    rolled.write_bytes(newest.read_bytes())
    said = verdict(options.vigie, older)
    table.append(("checkpoint rolled back", said is not None, said is not None and "checkpoint" in said))
    # An older state of the whole folder, and another history under the same key.
    for kind, count in (("whole folder rolled back", 300), ("forked tree, same key", 700)):
        other = work / kind.split()[0]
        shutil.copytree(data / "keys", other / "keys")
        ask(options.vigie, "journal", "bench", "--directory", other, "--appends", count, "--callers", 1)
        said = verdict(options.vigie, other, "--against", newest)
        table.append((kind, said is not None, said is not None and str(newest) in said))
    kinds = sorted({kind for kind, _, _ in table})
    print("| fault | put in | found | named |\n|---|---|---|---|")
    for kind in kinds:
        rows = [row for row in table if row[0] == kind]
        print(f"| {kind} | {len(rows)} | {sum(row[1] for row in rows)} | {sum(row[2] for row in rows)} |")
    print(f"| all | {len(table)} | {sum(row[1] for row in table)} | {sum(row[2] for row in table)} |")
    by_kind = {kind: [[row[0] == kind for row in table].count(True), sum(row[1] for row in table if row[0] == kind),
                      sum(row[2] for row in table if row[0] == kind)] for kind in kinds}
    return {"faults": len(table), "found": sum(row[1] for row in table), "named": sum(row[2] for row in table), "by_kind": by_kind}


def clock_steps(options, work):
    """The clock of each run is another one's; order and hashes do not depend on it."""
    data, clock, day = work / "clock", ShiftedClock(work), 86_400
    steps = {"+0": 0, "+400d": 400 * day, "-400d": -400 * day, "+1h": 3600, "-20y": -20 * 365 * day, "+20y": 20 * 365 * day, "-1s": -1}
    for seconds in steps.values():
        clock.set(seconds)
        done = subprocess.run([str(options.vigie), "journal", "bench", "--directory", str(data), "--appends", "50", "--callers", "4"],
                              capture_output=True, text=True, env=clock.environment())
        assert done.returncode == 0, done.stderr
    assert verdict(options.vigie, data) is None, verdict(options.vigie, data)
    print(f"clock steps: {len(steps)} runs at {', '.join(steps)}; the journal verifies")
    return {"clock_steps": len(steps)}


def large_evidence(options, work):
    """A sparse file as evidence: the peak memory of 10 GB beside that of 10 MB."""
    data = work / "large"
    ask(options.vigie, "journal", "bench", "--directory", data, "--appends", 1, "--callers", 1)
    peaks = {}
    for name, size in (("10 MB", 10_000_000), (f"{options.large} GB", options.large * 1_000_000_000)):
        path = work / "sparse"
        with open(path, "wb") as file:
            file.truncate(size)
        started = time.monotonic()
        process = subprocess.Popen([str(options.vigie), "evidence", "add", str(path), "--incident", "SEC-2026-0001", "--data", str(data)],
                                   stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        assert status == 0, status
        peaks[name] = usage.ru_maxrss
        print(f"evidence of {name}: {usage.ru_maxrss / 1024:.0f} MiB at most, {time.monotonic() - started:.0f} s")
        path.unlink()
        shutil.rmtree(data / "evidence" / "blobs", ignore_errors=True)
    small, large = peaks.values()
    assert large < small * 1.5 + 16 * 1024, peaks
    return {"peak_kib": peaks}


def run(options):
    work = pathlib.Path(tempfile.mkdtemp(prefix="vigie-journal-", dir=options.folder))
    rng = random.Random(options.seed)
    result = {"machine": machine.describe(ROOT), "seed": options.seed, "program": program(options.vigie)}
    try:
        result |= faults(options, work, rng)
        result |= clock_steps(options, work)
        result |= kills(options, work, rng)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n")
    passed = not result["lost"] and not result["unverified"] and result["faults"] == result["found"] == result["named"]
    print("passed" if passed else "FAILED")
    return 0 if passed else 1


def run_evidence(options):
    work = pathlib.Path(tempfile.mkdtemp(prefix="vigie-evidence-", dir=options.folder))
    try:
        rows = evidence_trial.run(options, work)
        peaks = large_evidence(options, work) if options.large else {}
    finally:
        shutil.rmtree(work, ignore_errors=True)
    if options.json:
        facts = {"machine": machine.describe(ROOT), "program": program(options.vigie), "trials": rows} | peaks
        options.json.write_text(json.dumps(facts, indent=1) + "\n")
    passed = all(row["holds"] for row in rows)
    print("passed" if passed else "FAILED")
    return 0 if passed else 1
