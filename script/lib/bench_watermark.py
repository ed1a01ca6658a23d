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

import datetime
import functools
import json
import random
import shutil
import subprocess
import time

from . import machine, marked_runs
from .marked_runs import (
    COPIES, LIMIT, PHOTO, PRINT_SCAN, ROOT, Case, Log, attacked, averaged, picture, progress, quiet, steps, to, untouched)

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


class TextCase(Case):
    method = "word-shift"

    def make(self, work):
        PRODUCERS[self.producer][1](work, self.seed)
        quiet(["qpdf", str(work / "d.pdf"), "--pages", ".", "1-10", "--", str(self.original)])


# Attacks.

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
        stranger = case.stranger()
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
    made = log.made
    marked_runs.write_raw(options, rows, log)
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
    read = marked_runs.carried_out(rows)
    for name in dict.fromkeys(item["attack"] for item in rows):
        chosen = [item for item in read if item["attack"] == name]
        if chosen:
            traced = ["nobody to trace", ""] if marked_runs.is_innocent(name) else marked_runs.share(chosen)
            lines.append(f"| {' | '.join([name, str(len(chosen)), *traced, *marked_runs.columns(chosen)])} |")
    lines += ["", f"{sum(item['wrong'] for item in read)} wrong accusations in {len(read)} reads. Scores are those of the leaker where accused.",
              *marked_runs.remarks(rows, log)]
    (ROOT / f"docs/measurements/{options.name}.md").write_text("\n".join(lines) + "\n")


def main(argv):
    options = marked_runs.arguments(
        argv, "script/bench watermark", __doc__, "watermark-robustness", documents=8, of="of each producer", pages=10, seed=20_000,
        minutes="stop asking after so long, and write what there is")
    end = marked_runs.begin(options)
    missing = marked_runs.missing(PRODUCERS)
    # Producer by producer in turn, so that a run that is cut short has seen them all.
    wanted = [(producer, options.seed + number) for number in range(options.documents) for producer in PRODUCERS
              if producer not in missing]
    log = Log(options)

    def read(producer, seed, place):
        if time.time() > end:
            return None
        rows = []
        run_case(TextCase(options.program, producer, seed, place), options, rows, end)
        return rows

    def keep(producer, seed, rows):
        # A document that the clock cut short is begun again.
        if time.time() < end or not options.minutes:
            log.add(producer, seed, rows)
            with log.lock:
                write(options, log.rows, log, missing, False)
        else:
            log.part(rows)
    marked_runs.work_through(options, log, wanted, read, keep)
    write(options, log.rows + log.parts, log, missing, time.time() > end)
    return 1 if log.lost else 0
