"""The parts of `script/soak kill`: a server that can be killed, its durable position, and what it journalled."""

import collections
import json
import os
import pathlib
import signal
import subprocess

from . import generate, waiting


class SoakError(Exception):
    """The run cannot go on; the text says why."""


def snapshot_states(data):
    """What the snapshot says of each source; the engine's own state follows after the first line."""
    try:
        return json.loads((data / "detection/snapshot.json").read_bytes().split(b"\n", 1)[0])["states"]
    except (FileNotFoundError, ValueError):
        return []


def durable_position(data, log):
    for source in (position for state in snapshot_states(data) for position in state["positions"]):
        if os.path.realpath(source["path"]) == os.path.realpath(log):
            return source["offset"]
    return None


def read_position(pid, log):
    """How far the process has read the log, from the kernel; None if it does not read through a file offset."""
    best = None
    try:
        for descriptor in pathlib.Path(f"/proc/{pid}/fd").iterdir():
            if os.path.realpath(descriptor) == os.path.realpath(log):
                text = pathlib.Path(f"/proc/{pid}/fdinfo/{descriptor.name}").read_text()
                best = max(best or 0, int(text.split("pos:")[1].split()[0]))
    except OSError:
        return None
    return best or None


class Server:
    """One `vigie serve` on a data folder; its output goes to a file, so that a failure can be read."""

    def __init__(self, vigie, rules, data, log):
        port = waiting.free_port()
        self.log, self.data = log, data
        self.output = data.parent / f"{data.name}.out"
        command = [str(vigie), "serve", "--data", str(data), "--rules", str(rules), "--listen", f"127.0.0.1:{port}", str(log)]
        with open(self.output, "ab") as file:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=file, stderr=file)

    def check(self):
        if self.process.poll() is not None:
            tail = self.output.read_text(errors="replace")[-2000:]
            raise SoakError(f"vigie serve ended by itself with status {self.process.returncode}\n{tail}")

    def wait_for(self, offset, patience):
        """Polls until the durable position reaches `offset`; returns it. Gives up after `patience` seconds of standstill."""
        position, is_there = waiting.until(
            lambda position: position is not None and position >= offset, lambda: durable_position(self.data, self.log),
            patience, self.check, pause=0.002)
        if not is_there:
            raise SoakError(f"the durable position stands at {position} for {patience:.0f} s, waited for {offset}")
        return position

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        status = self.process.wait()
        if status != -signal.SIGKILL:
            raise SoakError(f"vigie serve had ended with status {status} before the kill")

    def stop(self):
        self.check()
        self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise SoakError("vigie serve did not stop within 60 s of SIGTERM") from None
        if status not in (0, -signal.SIGTERM):
            tail = self.output.read_text(errors="replace")[-2000:]
            raise SoakError(f"vigie serve ended with status {status} on SIGTERM\n{tail}")

    def abandon(self):
        """After an error: leaves no process behind."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def ask(vigie, *arguments):
    result = subprocess.run([str(vigie), *arguments], capture_output=True, text=True, timeout=600)
    if result.returncode != 0:
        raise SoakError(f"vigie {' '.join(arguments)} ended with status {result.returncode}\n{result.stderr[-2000:]}")
    return result.stdout


def journalled_findings(vigie, data):
    """How often each finding id stands in the journal."""
    counts = collections.Counter()
    for line in ask(vigie, "journal", "read", "--json", "--data", str(data)).splitlines():
        entry = json.loads(line)
        if entry["type"] == "finding.recorded":
            counts[entry["data"]["id"]] += 1
    return counts


def incident_count(vigie, data):
    """A list is a JSON array, an object with one array in it, or one object per line."""
    text = ask(vigie, "incidents", "list", "--json", "--data", str(data)).strip()
    try:
        value = json.loads(text)
    except ValueError:
        return len(text.splitlines())
    if isinstance(value, dict):
        arrays = [inner for inner in value.values() if isinstance(inner, list)]
        return len(arrays[0]) if len(arrays) == 1 else 1
    return len(value)


def compare(reference, got):
    """Differences of two tables of id → count: lost, extra, and ids that stand there more than once."""
    return {
        "lost": sorted(set(reference) - set(got)),
        "extra": sorted(set(got) - set(reference)),
        "repeated": sorted(name for name, count in got.items() if count > 1),
    }


def steady_neighbours(log, offset, seconds=60):
    """Requests of the attackers that are always active within `seconds` of event time before and after `offset`.

    Both being above zero for an attacker means that its correlation windows are open across the offset.
    """
    lines = seconds * generate.LINES_PER_SECOND
    # No generated line is longer than 400 bytes.
    reach = lines * 400
    with open(log, "rb") as file:
        file.seek(max(0, offset - reach))
        before = file.read(min(offset, reach)).decode().splitlines()[-lines:]
        file.seek(offset)
        after = file.read(reach).decode().splitlines()[:lines]
    counts = {}
    for address in generate.STEADY_ADDRESSES:
        counts[address] = [sum(line.startswith(address) for line in side) for side in (before, after)]
    return counts
