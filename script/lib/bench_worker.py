"""What a marked copy costs in tatou-worker, beside what qpdf takes to rewrite the same file.

    script/bench worker [--rounds N] [--pages N]… [--name NAME] [--worker PROGRAM] [--output DIR]

Speaks the worker's own protocol: a socket, JSON behind its length, documents as descriptors. Each round takes, one after the other, for
every document: qpdf; a worker that is started for the job (cold); one that waits for it, as spares do (warm); and one that only says its
methods, whose CPU time is what starting costs. `traced` moves words under the platform's secret; `keyed` does so and seals a text under a
key that somebody typed, which is made slow to guess on purpose (PBKDF2, 600,000 rounds). Writes docs/measurements/NAME.md and NAME.json.
"""

import argparse
import json
import os
import pathlib
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import time

from . import machine
from .figures import record, spread

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
LIMITS = {"cpuSeconds": 10, "memory": 512 << 20, "seconds": 30, "inputBytes": 64 << 20, "outputBytes": 128 << 20}
ENVIRONMENT = {"MALLOC_ARENA_MAX": "1", "SWIFT_BACKTRACE": "enable=no", "TZ": "UTC0", "LC_ALL": "C.UTF-8"}
TRACING = {"version": "6c1d3f0e-bench", "markingSecret": list(range(32))}
WORDS = "the worker reads a page of words and moves each of them by a hundredth of its size for the copy that is traced".split()
GOAL_WORKER, GOAL_WHOLE = 20, 150


def document(pages, seed=1):
    """Running text, 40 lines of 11 words on each page, as a plain PDF."""
    source = random.Random(seed)
    kids = " ".join(f"{10 + 2 * page} 0 R" for page in range(pages))
    objects = {1: "<< /Type /Catalog /Pages 2 0 R >>", 2: f"<< /Type /Pages /Kids [{kids}] /Count {pages} >>",
               3: "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"}
    for page in range(pages):
        lines = "".join(f"({' '.join(source.choice(WORDS) for _ in range(11))}) Tj T*\n" for _ in range(40))
        content = f"BT /F1 11 Tf 15 TL 60 780 Td\n{lines}ET\n"
        number = 10 + 2 * page
        objects[number] = (f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents {number + 1} 0 R "
                           "/Resources << /Font << /F1 3 0 R >> >> >>")
        objects[number + 1] = f"<< /Length {len(content)} >>\nstream\n{content}\nendstream"
    text, offsets = "%PDF-1.7\n", {}
    for number, body in objects.items():
        offsets[number] = len(text)
        text += f"{number} 0 obj\n{body}\nendobj\n"
    start = len(text)
    text += "xref\n0 1\n0000000000 65535 f \n" + "".join(f"{n} 1\n{o:010} 00000 n \n" for n, o in offsets.items())
    return (text + f"trailer\n<< /Size {max(objects) + 1} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n").encode()


class Worker:
    def __init__(self, program):
        self.socket, theirs = socket.socketpair()
        self.process = subprocess.Popen([program], stdin=theirs, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=ENVIRONMENT)
        theirs.close()

    def ask(self, job, sizes=(), descriptors=()):
        body = json.dumps({"job": job, "limits": LIMITS, "sizes": list(sizes)}).encode()
        socket.send_fds(self.socket, [len(body).to_bytes(4, "big") + body], list(descriptors))
        length = int.from_bytes(self.take(4), "big")
        answer = json.loads(self.take(length))
        if "failed" in answer:
            sys.exit(f"script/bench worker: the worker refused: {answer['failed']}")
        return answer

    def take(self, count):
        data = b""
        while len(data) < count:
            some = self.socket.recv(count - len(data))
            if not some:
                sys.exit(f"script/bench worker: the worker ended without an answer, status {self.process.wait()}")
            data += some
        return data

    def end(self):
        """CPU milliseconds of the whole process."""
        _, status, usage = os.wait4(self.process.pid, 0)
        self.process.returncode = os.waitstatus_to_exitcode(status)
        self.socket.close()
        return 1000 * (usage.ru_utime + usage.ru_stime)


def mark(kind):
    method = "visible-stamp" if kind == "traced" else "word-shift"
    return {"embed": {"_0": {"method": method, "secret": "for somebody", "key": "a key that was typed", "tracing": TRACING}}}


def embed(program, kind, path, folder, warm):
    """Milliseconds from before the start (cold) or from the hand-over (warm) to the answer, and CPU milliseconds in all."""
    size = os.path.getsize(path)
    begin = time.perf_counter()
    worker = Worker(program)
    if warm:
        # It waits for its job when it sleeps.
        while open(f"/proc/{worker.process.pid}/stat").read().rsplit(")", 1)[1].split()[0] != "S":
            time.sleep(0.005)
        begin = time.perf_counter()
    source = os.open(path, os.O_RDONLY)
    copy = os.open(folder, os.O_TMPFILE | os.O_RDWR, 0o600)
    answer = worker.ask(mark(kind), [size], [source, copy])["copy"]["_0"]
    wall = 1000 * (time.perf_counter() - begin)
    if answer["size"] != os.fstat(copy).st_size or not answer["isTraceable"]:
        sys.exit("script/bench worker: the copy is not what the worker says")
    os.close(source)
    os.close(copy)
    return wall, worker.end()


def start(program):
    begin = time.perf_counter()
    worker = Worker(program)
    worker.ask({"methods": {}})
    wall = 1000 * (time.perf_counter() - begin)
    return wall, worker.end()


def rewrite(path, folder):
    begin = time.perf_counter()
    subprocess.run(["qpdf", path, f"{folder}/rewritten.pdf"], check=True)
    return 1000 * (time.perf_counter() - begin)


def measure(options, folder):
    results = []
    for pages in options.pages or [10, 100]:
        path = f"{folder}/{pages}.pdf"
        pathlib.Path(path).write_bytes(document(pages))
        rounds = []
        for _ in range(options.rounds):
            wall, cpu = start(str(options.worker))
            row = {"qpdf": rewrite(path, folder), "start": wall, "start_cpu": cpu}
            for kind in ("traced", "keyed"):
                for warm in (False, True):
                    wall, used = embed(str(options.worker), kind, path, folder, warm)
                    name = f"{kind}_{'warm' if warm else 'cold'}"
                    row |= {name: wall, f"{name}_cpu": used - cpu}
            rounds.append(row)
        results.append({"pages": pages, "bytes": os.path.getsize(path), "rounds": rounds})
    return results


def cell(rounds, key):
    return spread([row[key] for row in rounds], 1)


def markdown(options, facts, results):
    lines = [f"# {options.name}", "", machine.sentence(facts), "",
             f"`script/bench worker --rounds {options.rounds}`: milliseconds, median of the rounds, with least and most. `in the worker` is CPU time "
             "beyond that of a worker that only starts; `cold` counts its start, `warm` is one that waits, as `DocumentWorker` keeps two.", "",
             "| pages | qpdf | start | traced: in the worker | cold | warm | warm to qpdf | keyed: in the worker | cold | warm |",
             "|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|"]
    for result in results:
        rounds = result["rounds"]
        ratio = statistics.median(row["traced_warm"] / row["qpdf"] for row in rounds)
        lines.append(
            f"| {result['pages']} | {cell(rounds, 'qpdf')} | {cell(rounds, 'start')} | {cell(rounds, 'traced_warm_cpu')} | "
            f"{cell(rounds, 'traced_cold')} | {cell(rounds, 'traced_warm')} | {ratio:.2f} | {cell(rounds, 'keyed_warm_cpu')} | "
            f"{cell(rounds, 'keyed_cold')} | {cell(rounds, 'keyed_warm')} |")
    ten = next((result["rounds"] for result in results if result["pages"] == 10), None)
    if ten:
        inside = statistics.median(row["traced_warm_cpu"] for row in ten)
        whole = statistics.median(row["keyed_cold"] for row in ten)
        lines += ["", f"10 pages in the worker: {inside:.1f} ms, goal {GOAL_WORKER} ms: {'met' if inside < GOAL_WORKER else 'MISSED'}. "
                  f"From start to answer with a typed key: {whole:.1f} ms, goal {GOAL_WHOLE} ms: {'met' if whole < GOAL_WHOLE else 'MISSED'}."]
    return "\n".join([*lines, "", f"Raw data: [{options.name}.json]({options.name}.json).", ""])


def main(arguments):
    parser = argparse.ArgumentParser(prog="script/bench worker", description="Measures marked copies in tatou-worker.")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--pages", type=int, action="append", help="pages of the document; 10 and 100 unless told")
    parser.add_argument("--name", default="tatou-worker")
    parser.add_argument("--worker", type=pathlib.Path, default=ROOT / ".build/release/tatou-worker")
    parser.add_argument("--output", type=pathlib.Path, default=ROOT / "docs/measurements")
    options = parser.parse_args(arguments)
    if not os.access(options.worker, os.X_OK):
        sys.exit(f"script/bench worker: no program at {options.worker}; "
                 "build it with swift build -c release --product tatou-worker, or name it with --worker")
    facts = machine.describe(ROOT)
    with tempfile.TemporaryDirectory(prefix="worker-bench-") as folder:
        results = measure(options, folder)
    text = markdown(options, facts, results)
    record(options.output, options.name, text, {"machine": facts, "results": results})
    return 0
