"""How well marked copies are traced after what people and programs do to them.

    script/bench watermark [--documents N] [--pages-per-document N] [--seed N] [--only ATTACK]… [--minutes N] [--name NAME]
                           [--jobs N]

Makes documents with every producer that is installed (pdfLaTeX, LibreOffice, Chromium, Cairo, groff), issues 1,000 copies of each
and marks one, attacks it with real programs (qpdf, mutool, exiftool, Ghostscript, Poppler, ImageMagick), and asks tatou-wm who
leaked. Prints, scans and photos are simulated by ImageMagick: no printer and no camera took part. Writes
docs/measurements/NAME.md and NAME.json, which has a line for every single read.

Documents are worked on side by side (--jobs), and every read is appended to .build/bench/NAME.ndjson as soon as it is made: started
again with the same options, a run that was interrupted goes on after the last whole document. With another program, seed or choice
of pages it begins anew.

Documents of another --seed than that of the recorded run are for tuning; those of the recorded run are not.
"""

import argparse
import concurrent.futures
import datetime
import functools
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

WORDS = """the of and to in is that for it as was with be by on not he his but at are this have from or had an they which one
you were all her she there would their we him been has when who will no more if out so said what up its about than into them can
only other time new some could these two may first then do any like my now over such our man me even most made after also did
many off before must well back through years where much your way down should because long each just state people those too mr
little good world make very year still see own work men day get here old between both life being under three never know same
last another while us might great against go came right used take states himself few house use during without place around
however home small found thought went say part general high upon school every country water number course system question
program government development experience important information community technology understanding""".split()


def paragraph(source, count):
    out, sentence = [], 0
    for _ in range(count):
        word = source.choice(WORDS)
        if sentence == 0:
            word = word.capitalize()
        sentence += 1
        if sentence > 7 and source.random() < 0.15:
            word, sentence = word + ".", 0
        elif source.random() < 0.06:
            word += ","
        out.append(word)
    return " ".join(out)


def text(seed, words):
    source = random.Random(seed)
    paragraphs, count = [], 0
    while count < words:
        length = source.randint(50, 150)
        paragraphs.append(paragraph(source, length))
        count += length
    return source, paragraphs


def quiet(command, **options):
    return subprocess.run(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=300, check=True, **options)


# Producers: each makes one document of at least ten pages, cut to ten.

def latex(folder, seed):
    source, paragraphs = text(seed, 10000)
    size = source.choice(["10pt", "11pt", "12pt"])
    font = source.choice([r"\usepackage{lmodern}\usepackage[T1]{fontenc}", "", r"\usepackage{mathptmx}"])
    columns = source.choice(["", ",twocolumn"])
    body = "\n\n".join((r"\section{%s}" % paragraph(source, 4) if n % 5 == 0 else "") + "\n" + p
                       for n, p in enumerate(paragraphs))
    (folder / "d.tex").write_text(r"\documentclass[%s%s]{article}%s\begin{document}%s\end{document}" % (size, columns, font, body))
    quiet(["pdflatex", "-interaction=batchmode", "d.tex"], cwd=folder)


def page_html(seed):
    source, paragraphs = text(seed, 10000)
    family = source.choice(["serif", "sans-serif"])
    points = source.choice([10, 10.5, 11, 12])
    align = source.choice(["justify", "left"])
    return "<html><head><meta charset='utf-8'></head><body style='font-family:%s;font-size:%spt;text-align:%s'>%s</body></html>" % (
        family, points, align,
        "".join(("<h2>%s</h2>" % paragraph(source, 4) if n % 5 == 0 else "") + "<p>%s</p>" % p for n, p in enumerate(paragraphs)))


def chromium(folder, seed):
    (folder / "d.html").write_text(page_html(seed))
    quiet(["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer", f"--user-data-dir={folder}/profile",
           f"--print-to-pdf={folder}/d.pdf", f"{folder}/d.html"])


def libreoffice(folder, seed):
    (folder / "d.html").write_text(page_html(seed))
    quiet(["soffice", f"-env:UserInstallation=file://{folder}/profile", "--headless", "--writer", "--convert-to", "pdf", "--outdir",
           str(folder), str(folder / "d.html")])


CAIRO = """
import cairo, json, sys
paragraphs, family, points = json.load(sys.stdin)
surface = cairo.PDFSurface(sys.argv[1], 595, 842)
context = cairo.Context(surface)
context.select_font_face(family)
context.set_font_size(points)
y = 70
def line(text):
    global y
    context.move_to(62, y)
    context.show_text(text)
    y += points * 1.35
    if y > 775:
        context.show_page()
        y = 70
for paragraph in paragraphs:
    current = ""
    for word in paragraph.split():
        if current and context.text_extents(current + " " + word).x_advance > 470:
            line(current)
            current = word
        else:
            current = (current + " " + word).strip()
    line(current)
    y += points * 0.6
surface.finish()
"""


def cairo(folder, seed):
    source, paragraphs = text(seed, 10000)
    job = json.dumps([paragraphs, source.choice(["DejaVu Serif", "DejaVu Sans", "Liberation Serif"]), source.choice([9.5, 10, 11])])
    quiet(["/usr/bin/python3", "-c", CAIRO, str(folder / "d.pdf")], input=job.encode())


def groff(folder, seed):
    source, paragraphs = text(seed, 10000)
    size = source.choice([10, 11, 12])
    body = f".nr PS {size}\n.nr VS {size + 2}\n" + "".join(".PP\n%s\n" % p for p in paragraphs)
    (folder / "d.ms").write_text(body)
    with open(folder / "d.pdf", "wb") as out:
        subprocess.run(["groff", "-ms", "-Tpdf", str(folder / "d.ms")], stdout=out, stderr=subprocess.DEVNULL, timeout=120, check=True)


PRODUCERS = {
    "pdfLaTeX": ("pdflatex", latex), "LibreOffice": ("soffice", libreoffice), "Chromium": ("chromium", chromium),
    "Cairo": (None, cairo), "groff": ("groff", groff),
}


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


def exiftool(marked, folder):
    shutil.copy(marked, folder / "leak.pdf")
    quiet(["exiftool", "-q", "-overwrite_original", "-all=", str(folder / "leak.pdf")])
    return [folder / "leak.pdf"]


def exiftool_qpdf(marked, folder):
    (leak,) = exiftool(marked, folder)
    quiet(["qpdf", str(leak), str(folder / "leak2.pdf")])
    return [folder / "leak2.pdf"]


STRUCTURAL = {
    "none": untouched,
    "qpdf": to(["qpdf", "--object-streams=generate", "--coalesce-contents", "{in}", "{out}"]),
    "mutool clean -ggggz": to(["mutool", "clean", "-ggggz", "{in}", "{out}"]),
    "exiftool -all=": exiftool,
    "exiftool, qpdf": exiftool_qpdf,
    "qpdf --empty --pages": to(["qpdf", "--empty", "--pages", "{in}", "1-z", "--", "{out}"]),
    "page 2 (qpdf)": to(["qpdf", "{in}", "--pages", ".", "2", "--", "{out}"]),
    "page 2 (mutool merge)": to(["mutool", "merge", "-o", "{out}", "{in}", "2"]),
    "gs pdfwrite": to(["gs", "-q", "-dBATCH", "-dNOPAUSE", "-sDEVICE=pdfwrite", "-o", "{out}", "{in}"]),
    "pdftocairo -pdf": to(["pdftocairo", "-pdf", "{in}", "{out}"]),
    "pdftops, ps2pdf": steps(["pdftops", "{in}", "{folder}/leak.ps"], ["ps2pdf", "{folder}/leak.ps", "{out}"]),
    "150 dpi in a new PDF": steps(
        ["pdftoppm", "-r", "150", "-f", "2", "-l", "3", "-jpeg", "{in}", "{folder}/leak"],
        ["sh", "-c", "img2pdf -o '{out}' '{folder}'/leak-*.jpg"]),
}


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

PICTURES = {
    "150 dpi": picture(150),
    "100 dpi": picture(100),
    "72 dpi": picture(72),
    "gs 150 dpi": picture(150, tool="gs"),
    "mutool 150 dpi": picture(150, tool="mutool"),
    "150 dpi, JPEG 30": picture(150, "-quality", "30"),
    "100 dpi, JPEG 50": picture(100, "-quality", "50"),
    "150 dpi, 1 bit": picture(150, "-colorspace", "Gray", "-threshold", "60%", kind="png"),
    "turned 0.7°, 97 %": picture(150, "-background", "white", "-rotate", "0.7", "-resize", "97%", "-quality", "70"),
    "resized to half": picture(150, "-resize", "50%", "-quality", "70"),
    "print-scan 200 dpi (simulated)": picture(300, *PRINT_SCAN, "-resize", "66.67%", "-quality", "75"),
    "print-scan 100 dpi (simulated)": picture(300, *PRINT_SCAN, "-resize", "33.33%", "-quality", "75"),
    "photo (simulated)": picture(250, *PHOTO),
    "upper quarter, 150 dpi": picture(150, "-crop", "100%x25%+0+0", "+repage", "-quality", "70"),
    "middle eighth, 150 dpi": picture(150, "-gravity", "center", "-crop", "100%x12.5%+0+0", "+repage", "-quality", "70"),
}


# One document and its copies.

class Case:
    method = "word-shift"

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
        """Writes the original."""
        PRODUCERS[self.producer][1](work, self.seed)
        quiet(["qpdf", str(work / "d.pdf"), "--pages", ".", "1-10", "--", str(self.original)])

    def embed(self, recipient):
        out = self.folder / f"{recipient}.pdf"
        quiet([str(self.program), "embed", str(self.original), str(out), "--ledger", str(self.ledger), "--recipient", recipient,
               "--method", self.method])
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


# Colluders who know how the mark works: they compare their copies word by word and decide for each where it is to stand. What they
# write is a PDF of words at places, made from what `pdftotext -bbox` says of their copies; the original's looks are kept by
# rendering their own copy and pasting each word's picture where the vote puts it.

VOTE = """
import sys
from PIL import Image, ImageChops
import re, subprocess, json
kind, dpi, page, out, *copies = sys.argv[1:]
scale = int(dpi) / 72
def words(copy):
    text = subprocess.run(["pdftotext", "-bbox", "-f", page, "-l", page, copy, "-"], capture_output=True, check=True).stdout.decode()
    return [(float(a), float(b), float(c), float(d), t) for a, b, c, d, t in re.findall(
        r'<word xMin="([-0-9.]+)" yMin="([-0-9.]+)" xMax="([-0-9.]+)" yMax="([-0-9.]+)">(.*?)</word>', text)]
def picture(copy):
    data = subprocess.run(["pdftoppm", "-gray", "-r", dpi, "-f", page, "-l", page, copy], capture_output=True, check=True).stdout
    head = re.match(rb"P5\\s+(\\d+)\\s+(\\d+)\\s+255\\s", data)
    return Image.frombytes("L", (int(head[1]), int(head[2])), data[head.end():])
lists = [words(copy) for copy in copies]
if len({len(one) for one in lists}) != 1:
    sys.exit("the copies do not have the same words")
pictures = [picture(copy) for copy in copies]
result = Image.new("L", pictures[0].size, 255)
for places in zip(*lists):
    order = sorted(range(len(places)), key=lambda index: places[index][0])
    lefts = [places[index][0] for index in order]
    middle = (lefts[0] + lefts[-1]) / 2
    left = [index for index in order if places[index][0] <= middle]
    right = [index for index in order if places[index][0] > middle] or left
    more, fewer = (left, right) if len(left) >= len(right) else (right, left)
    chosen = (more if kind == "majority" else fewer)[0]
    x0, y0, x1, y1, _ = places[chosen]
    box = (int((x0 - 1) * scale), int((y0 - 1) * scale), int((x1 + 1) * scale) + 1, int((y1 + 1) * scale) + 1)
    part = pictures[chosen].crop(box)
    # What is darker stays: boxes of neighbours overlap.
    result.paste(ImageChops.darker(part, result.crop(box)), box[:2])
result.save(out)
"""


def voted(copies, kind):
    """Every word as most of the copies have it, or as fewest do: by pictures of 300 dpi, leaked at 150."""
    def attack(marked, folder, page):
        quiet(["/usr/bin/python3", "-c", VOTE, kind, "300", str(page), str(folder / "vote.png"), *map(str, copies)])
        quiet(["/usr/bin/convert", str(folder / "vote.png"), "-resize", "50%", str(folder / "leak.png")])
        return [folder / "leak.png"]
    return attack


def arguments(argv):
    parser = argparse.ArgumentParser(prog="script/bench watermark", description=__doc__.splitlines()[0])
    parser.add_argument("--documents", type=int, default=8, help="of each producer")
    parser.add_argument("--pages-per-document", type=int, default=10, help="attacked as pictures")
    parser.add_argument("--seed", type=int, default=20_000)
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--minutes", type=float, help="stop asking after so long, and write what there is")
    parser.add_argument("--name", default="watermark-robustness")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="documents that are worked on at a time")
    parser.add_argument("--program", type=pathlib.Path, default=ROOT / ".build/release/tatou-wm")
    return parser.parse_args(argv)


def main(argv):
    options = arguments(argv)
    if not options.program.exists():
        raise SystemExit(f"{options.program} is missing. Build it: swift build -c release --product tatou-wm")
    end = time.time() + options.minutes * 60 if options.minutes else float("inf")
    missing = [name for name, (program, _) in PRODUCERS.items() if program and not shutil.which(program)]
    options.machine = machine.describe(ROOT)
    # Producer by producer in turn, so that a run that is cut short has seen them all.
    wanted = [(producer, options.seed + number) for number in range(options.documents) for producer in PRODUCERS
              if producer not in missing]
    log = Log(options)
    with tempfile.TemporaryDirectory() as folder:
        def work(item):
            producer, seed = item
            if time.time() > end:
                return
            rows = []
            place = pathlib.Path(folder) / f"{producer}-{seed}"
            try:
                case = Case(options.program, producer, seed, place)
                run_case(case, options, rows, end)
            except (subprocess.SubprocessError, OSError) as error:
                log.lose(producer, seed, error)
                return
            finally:
                shutil.rmtree(place, ignore_errors=True)
            # A document that the clock cut short is begun again.
            if time.time() < end or not options.minutes:
                log.add(producer, seed, rows)
                with log.lock:
                    write(options, log.rows, log, missing, False)
            else:
                log.part(rows)
        left = [item for item in wanted if f"{item[0]} {item[1]}" not in log.made]
        print(f"{len(wanted) - len(left)} of {len(wanted)} documents are done; {options.jobs} at a time", flush=True)
        with concurrent.futures.ThreadPoolExecutor(max_workers=max(1, options.jobs)) as pool:
            for result in concurrent.futures.as_completed([pool.submit(work, item) for item in left]):
                result.result()
    write(options, log.rows + log.parts, log, missing, time.time() > end)
    return 1 if log.lost else 0


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


def progress(rows):
    item = rows[-1]
    print(item["producer"], item["attack"], item["page"] or "", item.get("attackFailed") or
          f"{'found' if item['found'] else 'NOT FOUND'} {item['score'] or 0:.1f} {item['words']} words {item['seconds']} s",
          item.get("failed", ""), flush=True)


def run_case(case, options, rows, end):
    wanted = lambda name: not options.only or name in options.only  # noqa: E731
    for name, attack in STRUCTURAL.items():
        if wanted(name) and time.time() < end:
            rows.append(attacked(case, name, attack, None))
            progress(rows)
    source = random.Random(case.seed)
    pages = sorted(source.sample(range(1, 11), min(10, options.pages_per_document)))
    for page in pages:
        for name, attack in PICTURES.items():
            if wanted(name) and time.time() < end:
                rows.append(attacked(case, name, attack, page))
                progress(rows)
    if time.time() >= end:
        return
    # Leaks that no issued copy had part in: the original, and a copy under another secret.
    if wanted("unmarked original"):
        rows.append(attacked(case, "unmarked original", untouched, None, guilty=(), marked=case.original))
        rows.append(attacked(case, "unmarked original, 100 dpi", picture(100), pages[0], guilty=(), marked=case.original))
        stranger = case.folder / "stranger.pdf"
        quiet([str(case.program), "embed", str(case.original), str(stranger), "--secret", "stranger", "--key", "another key"])
        rows.append(attacked(case, "copy of another ledger", untouched, None, guilty=(), marked=stranger))
        rows.append(attacked(case, "copy of another ledger, 100 dpi", picture(100), pages[0], guilty=(), marked=stranger))
    for count in (2, 3, 5):
        attacks = {f"mean of {count} copies, 150 dpi": averaged}
        if count > 2:
            attacks |= {f"{kind} of {count} copies, 150 dpi": functools.partial(voted, kind=kind) for kind in ("majority", "minority")}
        attacks = {name: attack for name, attack in attacks.items() if wanted(name) and time.time() < end}
        if not attacks:
            continue
        names = [f"colluder {number}" for number in range(count - 1)]
        copies = [case.marked] + [case.embed(recipient) for recipient in names]
        for name, attack in attacks.items():
            rows.append(attacked(case, name, attack(copies), pages[0], guilty=("leaker", *names)))
            progress(rows)


def write(options, rows, log, missing, cut):
    folder, made = ROOT / "docs/measurements", log.made
    with open(folder / f"{options.name}.json", "w") as file:
        facts = {"machine": options.machine, "made": made, "lost": log.lost}
        file.write(json.dumps(facts)[:-1] + ', "rows": [\n')
        file.write(",\n".join(json.dumps(item, ensure_ascii=False) for item in rows) + "\n]}\n")
    lines = [
        "# How well marked copies are traced", "",
        f"Recorded {datetime.date.today().isoformat()} by `script/bench watermark --documents {options.documents} "
        f"--pages-per-document {options.pages_per_document} --seed {options.seed}"
        + (f" --minutes {options.minutes:g}" if options.minutes else "") + "`; every read is a line of "
        f"[{options.name}.json]({options.name}.json). " + machine.sentence(options.machine), "",
        f"{len(made)} documents of ten pages, made by {', '.join(sorted({item.split()[0] for item in made}))}"
        + (f" (not installed here: {', '.join(missing)})" if missing else "")
        + f"; {COPIES:,} issued copies of each, one of them leaked. A copy is accused when the bound on the probability that any of the "
        f"{COPIES:,} is accused although innocent is at most {LIMIT:g}. Prints, scans and photos are simulated."
        + (" The run was ended by its time limit." if cut else ""), "",
        "| what was done to the copy | reads | traced | 95 % interval | wrong accusations | score: median | least | seconds: median |",
        "|---|---|---|---|---|---|---|---|",
    ]
    wrong_total, reads_total = 0, 0
    names = list(dict.fromkeys(item["attack"] for item in rows))
    for name in names:
        chosen = [item for item in rows if item["attack"] == name and "attackFailed" not in item]
        if not chosen:
            continue
        found = sum(item["found"] for item in chosen)
        wrong = sum(item["wrong"] for item in chosen)
        wrong_total, reads_total = wrong_total + wrong, reads_total + len(chosen)
        least, most = wilson(found, len(chosen), z=1.96)
        scores = [item["score"] for item in chosen if item["score"] is not None]
        innocent = name.startswith(("unmarked", "copy of another"))
        lines.append(
            f"| {name} | {len(chosen)} | " + ("nobody to trace | " if innocent else f"{found / len(chosen):.3f} | ")
            + (" | " if innocent else f"{least:.3f}–{most:.3f} | ") + f"{wrong} | "
            + (f"{statistics.median(scores):.1f} | {min(scores):.1f} | " if scores else " |  | ")
            + f"{statistics.median(item['seconds'] for item in chosen):.1f} |")
    decoys = [item["highestDecoy"] for item in rows if item.get("highestDecoy")]
    failed = sum(1 for item in rows if "attackFailed" in item)
    lines += ["", f"{wrong_total} wrong accusations in {reads_total} reads. Scores are those of the leaker where accused."]
    if decoys:
        lines += ["", f"Calibration: in every read, 400 copies that were never issued were scored, too. The highest of 400 normal scores "
                  f"is about 3.0 in the median; here the median is {statistics.median(decoys):.2f}, the highest of all "
                  f"{len(decoys)} reads {max(decoys):.2f}; {sum(1 for item in rows if item.get('calibrated') is False)} reads were "
                  "thrown away because a decoy fitted."]
    if failed:
        lines += ["", f"{failed} attacks could not be carried out by their programs and are not counted; they are in the raw data."]
    lines += log.lines()
    (folder / f"{options.name}.md").write_text("\n".join(lines) + "\n")
