"""What the benches of marked copies have in common: documents and their ledgers, attacks, runs that are cut short and go on, tables.

A bench says how originals are made, what is done to them, and what its page tells of it. Every read is a line of the raw data.
"""

import argparse
import concurrent.futures
import hashlib
import json
import os
import pathlib
import random
import shutil
import statistics
import subprocess
import tempfile
import threading
import time
import uuid

from . import machine
from .figures import wilson

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
COPIES = 1000
LIMIT = 1e-9
TRACE_SECONDS = 600


def quiet(command, **options):
    return subprocess.run(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=300, check=True, **options)


# One document and its copies.

class Case:
    """One marked copy of many; who makes originals says how, and by which method they are marked."""

    method = None

    def __init__(self, program, producer, seed, folder):
        self.program, self.producer, self.seed, self.folder = program, producer, seed, folder
        work = folder / "work"
        work.mkdir(parents=True)
        self.original = folder / "original.pdf"
        self.make(work)
        shutil.rmtree(work)
        self.ledger = folder / "ledger"
        self.marked = self.embed("leaker")
        self.version = self.copies()[-1]["version"]
        # The other copies need not be made to be suspected.
        template = self.copies()[-1]
        with open(self.ledger / "copies.ndjson", "a") as file:
            source = random.Random(seed)
            for number in range(COPIES - 1):
                version = str(uuid.UUID(int=source.getrandbits(128), version=4))
                file.write(json.dumps({**template, "version": version, "recipient": f"innocent {number}"}) + "\n")

    def make(self, work):
        """Writes the original; `work` is gone afterwards."""
        raise NotImplementedError

    def embed(self, recipient):
        out = self.folder / f"{recipient}.pdf"
        quiet([str(self.program), "embed", str(self.original), str(out), "--ledger", str(self.ledger), "--recipient", recipient,
               "--method", self.method])
        return out

    def stranger(self):
        """A copy under another secret, which no ledger knows."""
        out = self.folder / "stranger.pdf"
        quiet([str(self.program), "embed", str(self.original), str(out), "--method", self.method, "--secret", "stranger", "--key",
               "another key"])
        return out

    def copies(self):
        return [json.loads(line) for line in (self.ledger / "copies.ndjson").read_text().splitlines()]

    def trace(self, leaks):
        start = time.perf_counter()
        try:
            run = subprocess.run([str(self.program), "trace", "--ledger", str(self.ledger), "--json", *map(str, leaks)],
                                 capture_output=True, timeout=TRACE_SECONDS)
        except subprocess.TimeoutExpired:
            # A leak that nobody is found for, not one that was never asked about.
            return {"failed": f"no answer in {TRACE_SECONDS} s", "seconds": time.perf_counter() - start, "accused": []}
        seconds = time.perf_counter() - start
        if run.returncode not in (0, 3):
            return {"failed": run.stderr.decode().strip()[:200], "seconds": seconds, "accused": []}
        answer = json.loads(run.stdout)
        answer["seconds"] = seconds
        return answer


# Attacks on files: (name, function(marked, folder) → file).

def to(command):
    """A command whose words may be {in} and {out}."""
    def attack(marked, folder):
        out = folder / "leak.pdf"
        quiet([word.format(**{"in": marked, "out": out, "folder": folder}) for word in command])
        return [out]
    return attack


def steps(*commands):
    def attack(marked, folder):
        for command in commands:
            quiet([word.format(**{"in": marked, "out": folder / "leak.pdf", "folder": folder}) for word in command])
        return [folder / "leak.pdf"]
    return attack


def untouched(marked, folder):
    return [marked]


# Attacks on a page: function(marked, folder, page) → file.

def render(marked, folder, page, dpi, tool="pdftoppm"):
    out = folder / "page.png"
    if tool == "pdftoppm":
        quiet(["pdftoppm", "-r", str(dpi), "-f", str(page), "-l", str(page), "-singlefile", "-png", str(marked), str(folder / "page")])
    elif tool == "gs":
        quiet(["gs", "-q", "-dBATCH", "-dNOPAUSE", "-sDEVICE=png16m", "-dTextAlphaBits=4", f"-r{dpi}", f"-dFirstPage={page}",
               f"-dLastPage={page}", "-o", str(out), str(marked)])
    else:
        quiet(["mutool", "draw", "-q", "-r", str(dpi), "-o", str(out), str(marked), str(page)])
    return out


def picture(dpi, *options, tool="pdftoppm", kind="jpg"):
    """Renders a page and changes the picture by ImageMagick's `convert`; W and H in options are its width and height."""
    def attack(marked, folder, page):
        source = render(marked, folder, page, dpi, tool)
        if not options:
            return [source]
        with open(source, "rb") as file:
            head = file.read(24)
        width, height = int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")
        words = []
        for option in options:
            for fraction in (0.005, 0.01, 0.015, 0.02, 0.03, 0.04, 0.95, 0.96, 0.97, 0.98, 0.985, 0.99, 0.995):
                option = option.replace(f"{{W*{fraction}}}", f"{width * fraction:.1f}")
                option = option.replace(f"{{H*{fraction}}}", f"{height * fraction:.1f}")
            words.append(option.replace("{W}", str(width)).replace("{H}", str(height)))
        leak = folder / f"leak.{kind}"
        quiet(["/usr/bin/convert", str(source), *words, str(leak)])
        return [leak]
    return attack


PRINT_SCAN = ["-colorspace", "Gray", "-blur", "0x0.9", "-background", "white", "-distort", "SRT", "1.004,0.997 0.6",
              "+level", "6%,96%", "-attenuate", "0.25", "+noise", "Gaussian"]
PHOTO = ["-colorspace", "Gray", "-background", "#606060", "-virtual-pixel", "background", "-distort", "Perspective",
         "0,0 {W*0.03},{H*0.02} {W},0 {W*0.98},{H*0.005} {W},{H} {W*0.995},{H*0.985} 0,{H} {W*0.01},{H*0.97}",
         "-distort", "Barrel", "0.0 0.004 -0.006", "-blur", "0x1.1", "-sparse-color", "", "-brightness-contrast", "-8x-12",
         "-attenuate", "0.3", "+noise", "Gaussian", "-resize", "2000x2000", "-quality", "80"]
PHOTO = [word for word in PHOTO if word not in ("-sparse-color", "")]


def averaged(copies):
    """The mean of the pictures of as many copies."""
    def attack(marked, folder, page):
        sources = []
        for number, copy in enumerate(copies):
            part = folder / str(number)
            part.mkdir()
            sources.append(str(render(copy, part, page, 150)))
        quiet(["/usr/bin/convert", *sources, "-evaluate-sequence", "mean", str(folder / "leak.png")])
        return [folder / "leak.png"]
    return attack


# Reads.

def row(case, attack, page, answer, guilty):
    accused = [item["recipient"] for item in answer["accused"]]
    return {
        "producer": case.producer, "seed": case.seed, "attack": attack, "page": page,
        "found": any(name in guilty for name in accused), "wrong": sum(1 for name in accused if name not in guilty),
        "accused": accused[:10],
        "score": max((item["score"] for item in answer["accused"] if item["recipient"] in guilty), default=None),
        "words": answer.get("words", 0), "highestDecoy": answer.get("highestDecoyScore"), "calibrated": answer.get("calibrated"),
        "seconds": round(answer["seconds"], 2), **({"failed": answer["failed"]} if "failed" in answer else {}),
    }


def attacked(case, name, attack, page, guilty=("leaker",), marked=None):
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        arguments = [marked or case.marked, folder] + ([page] if page else [])
        try:
            leaks = attack(*arguments)
        except (subprocess.SubprocessError, OSError) as error:
            return {"producer": case.producer, "seed": case.seed, "attack": name, "page": page, "attackFailed": str(error)[:200]}
        return row(case, name, page, case.trace(leaks), guilty)


def progress(rows):
    item = rows[-1]
    print(item["producer"], item["attack"], item["page"] or "", item.get("attackFailed") or
          f"{'found' if item['found'] else 'NOT FOUND'} {item['score'] or 0:.1f} {item['words']} words {item['seconds']} s",
          item.get("failed", ""), flush=True)


# Runs.

def arguments(argv, prog, doc, name, documents, of, seed, minutes, pages=None):
    """What a bench is told. Without `pages`, each document is one."""
    parser = argparse.ArgumentParser(prog=prog, description=doc.splitlines()[0])
    parser.add_argument("--documents", type=int, default=documents, help=of)
    if pages:
        parser.add_argument("--pages-per-document", type=int, default=pages, help="attacked as pictures")
    else:
        parser.set_defaults(pages_per_document=1)
    parser.add_argument("--seed", type=int, default=seed)
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--minutes", type=float, help=minutes)
    parser.add_argument("--name", default=name)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="documents that are worked on at a time")
    parser.add_argument("--program", type=pathlib.Path, default=ROOT / ".build/release/tatou-wm")
    return parser.parse_args(argv)


def begin(options):
    """Names the machine, and says when the run is over."""
    if not options.program.exists():
        raise SystemExit(f"{options.program} is missing. Build it: swift build -c release --product tatou-wm")
    end = time.time() + options.minutes * 60 if options.minutes else float("inf")
    options.machine = machine.describe(ROOT)
    return end


def missing(kinds):
    """Kinds of documents whose program is not installed."""
    return [name for name, (program, _) in kinds.items() if program and not shutil.which(program)]


def work_through(options, log, wanted, read, keep):
    """Works on the documents that the log does not have, side by side.

    `read(kind, seed, place)` has a place of its own and gives the document's rows, `None` where it has not begun; `keep(kind, seed, rows)`
    comes after it.
    """
    with tempfile.TemporaryDirectory() as folder:
        def work(item):
            kind, seed = item
            place = pathlib.Path(folder) / f"{kind.replace(' ', '-')}-{seed}"
            try:
                rows = read(kind, seed, place)
            except (subprocess.SubprocessError, OSError) as error:
                log.lose(kind, seed, error)
                return
            finally:
                shutil.rmtree(place, ignore_errors=True)
            if rows is not None:
                keep(kind, seed, rows)
        left = [item for item in wanted if f"{item[0]} {item[1]}" not in log.made]
        print(f"{len(wanted) - len(left)} of {len(wanted)} documents are done; {options.jobs} at a time", flush=True)
        with concurrent.futures.ThreadPoolExecutor(max_workers=max(1, options.jobs)) as pool:
            for result in concurrent.futures.as_completed([pool.submit(work, item) for item in left]):
                result.result()


class Log:
    """What was read, on disk line by line: a line of a document that is done names it, its reads stand before."""

    def __init__(self, options):
        self.lock = threading.Lock()
        self.rows, self.made, self.parts, self.lost = [], [], [], []
        program = hashlib.sha256(options.program.read_bytes()).hexdigest()
        head = {"program": program, "seed": options.seed, "pages": options.pages_per_document, "only": options.only, "copies": COPIES}
        folder = ROOT / ".build/bench"
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / f"{options.name}.ndjson"
        waiting = {}
        lines = self.path.read_text().splitlines() if self.path.exists() else []
        if lines and json.loads(lines[0]) == head:
            for line in lines[1:]:
                try:
                    item = json.loads(line)
                except ValueError:
                    break  # cut off in the middle
                if "done" in item:
                    self.made.append(item["done"])
                    self.rows += waiting.pop(item["done"], [])
                else:
                    waiting.setdefault(f"{item['producer']} {item['seed']}", []).append(item)
            # Half a line must not run into the next.
            self.path.write_text("".join(json.dumps(item) + "\n" for item in [head]) + "".join(
                json.dumps(row) + "\n" for row in self.rows) + "".join(json.dumps({"done": name}) + "\n" for name in self.made))
        else:
            self.path.write_text(json.dumps(head) + "\n")

    def add(self, producer, seed, rows):
        with self.lock, open(self.path, "a") as file:
            file.write("".join(json.dumps(row) + "\n" for row in rows) + json.dumps({"done": f"{producer} {seed}"}) + "\n")
            file.flush()
            os.fsync(file.fileno())
            self.rows += rows
            self.made.append(f"{producer} {seed}")

    def part(self, rows):
        with self.lock:
            self.parts += rows

    def lose(self, producer, seed, error):
        """A document that could not be made, marked or read: it counts as lost, not as never wanted."""
        said = (getattr(error, "stderr", None) or b"").decode(errors="replace").strip()
        with self.lock:
            self.lost.append(f"{producer} {seed}: {error} {said}"[:300])
        print(f"lost: {self.lost[-1]}", flush=True)

    def lines(self):
        if not self.lost:
            return []
        return ["", f"**{len(self.lost)} documents were lost**: they could not be made or marked, and no read of theirs is counted; the raw data says why."]


# What pages tell.

def write_raw(options, rows, log):
    with open(ROOT / "docs/measurements" / f"{options.name}.json", "w") as file:
        file.write(json.dumps({"machine": options.machine, "made": log.made, "lost": log.lost})[:-1] + ', "rows": [\n')
        file.write(",\n".join(json.dumps(item, ensure_ascii=False) for item in rows) + "\n]}\n")


def carried_out(rows):
    """Those whose attack its programs could carry out: the others are counted nowhere."""
    return [item for item in rows if "attackFailed" not in item]


def is_innocent(name):
    """Whether no issued copy had part in leaks of this name."""
    return name.startswith(("unmarked", "copy of another"))


def share(rows):
    """Of these how many were traced, and the 95 % interval of that."""
    found = sum(item["found"] for item in rows)
    least, most = wilson(found, len(rows), z=1.96)
    return f"{found / len(rows):.3f}", f"{least:.3f}–{most:.3f}"


def columns(rows):
    """Wrong accusations; the leaker's score, median and least; seconds."""
    scores = [item["score"] for item in rows if item["score"] is not None]
    return [f"{sum(item['wrong'] for item in rows)}", *([f"{statistics.median(scores):.1f}", f"{min(scores):.1f}"] if scores else ["", ""]),
            f"{statistics.median(item['seconds'] for item in rows):.1f}"]


def remarks(rows, log):
    """What is said below the table: of decoys, of attacks that could not be carried out, of documents that were lost."""
    lines = []
    decoys = [item["highestDecoy"] for item in rows if item.get("highestDecoy")]
    if decoys:
        lines += ["", "Calibration: in every read, 400 copies that were never issued were scored, too. The highest of 400 normal scores is "
                  f"about 3.0 in the median; here the median is {statistics.median(decoys):.2f}, the highest of all {len(decoys)} reads "
                  f"{max(decoys):.2f}; {sum(1 for item in rows if item.get('calibrated') is False)} reads were thrown away because a decoy "
                  "fitted."]
    failed = len(rows) - len(carried_out(rows))
    if failed:
        lines += ["", f"{failed} attacks could not be carried out by their programs and are not counted; they are in the raw data."]
    return lines + log.lines()
