"""How well copies whose pictures are marked (image-spread) are traced after what people and programs do to them.

    script/bench watermark-images [--documents N] [--seed N] [--only ATTACK]… [--minutes N] [--name NAME] [--jobs N]

Makes scans and photographs, or what comes near to them, all of it generated: pages of text from the producers of `script/bench
watermark`, drawn at 150 to 300 dots per inch, on tinted paper with noise, laid askew, compressed by JPEG or Flate; and pictures of
fractal noise, gradients, shapes with edges and sensor noise. No camera and no scanner took part. Each becomes a PDF document, 1,000
copies of it are issued, one is marked, its decibels are measured, it is attacked with real programs, and tatou-wm is asked who leaked.
Writes docs/measurements/NAME.md and NAME.json, which has a line for every single read.

Every read is appended to .build/bench/NAME.ndjson; started again with the same options, a run that was cut short goes on. Documents of
another --seed than that of the recorded run are for tuning; those of the recorded run are not.
"""

import datetime
import random
import re
import shutil
import statistics
import subprocess
import tempfile
import time

from . import machine, marked_runs
from .bench_watermark import PRODUCERS
from .marked_runs import (
    COPIES, LIMIT, PHOTO, PRINT_SCAN, ROOT, Case, Log, attacked, averaged, picture, progress, quiet, render, share, steps, to, untouched)

CONVERT = "/usr/bin/convert"
# What a document takes, about, where two are worked on at a time: with all attacks, and with some.
SECONDS = {False: 80, True: 40}


def identify(path):
    found = subprocess.run(["/usr/bin/identify", "-format", "%w %h", str(path)], capture_output=True, check=True).stdout.decode()
    return tuple(int(word) for word in found.split()[:2])


# Originals

def scan(producer):
    """One page of text as a scanner of an office leaves it."""
    def make(folder, seed):
        source = random.Random(seed)
        PRODUCERS[producer][1](folder, seed)
        dpi = source.choice([150, 200, 300])
        page = source.randint(1, 8)
        quiet(["pdftoppm", "-r", str(dpi), "-f", str(page), "-l", str(page), "-singlefile", "-png", str(folder / "d.pdf"),
               str(folder / "page")])
        colour = source.random() < 0.4
        kind = source.choice(["jpg", "jpg", "jpg", "png"])
        paper = [source.randint(236, 252) for _ in range(3)]
        tint = "rgb(%d,%d,%d)" % tuple(paper if colour else paper[:1] * 3)
        quiet([CONVERT, str(folder / "page.png"), "-seed", str(seed), "-virtual-pixel", "white", "-background", "white",
               "-distort", "SRT", f"{source.uniform(-1.2, 1.2):.2f}", "-blur", f"0x{source.uniform(0.3, 0.8) * dpi / 200:.2f}",
               "+level", f"{source.randint(4, 14)}%,100%", "-fill", tint, "-colorize", "0", "(", "+clone", "-fill", tint,
               "-colorize", "100", ")", "-compose", "multiply", "-composite", "-attenuate", f"{source.uniform(0.08, 0.3):.2f}",
               "+noise", "Gaussian", *([] if colour else ["-colorspace", "Gray"]), "-depth", "8",
               "-quality", str(source.choice([60, 75, 85, 92])) if kind == "jpg" else "75", str(folder / f"scan.{kind}")])
        quiet(["img2pdf", "--imgsize", f"{dpi}dpix{dpi}dpi", "-o", str(folder / "d.pdf"), str(folder / f"scan.{kind}")])
        return f"{dpi} dpi, {'colour' if colour else 'grey'}, {kind}"
    return make


def photograph(folder, seed):
    """Clouds of fractal noise under gradients, shapes with soft and hard edges before them, blur and noise of a sensor."""
    source = random.Random(seed)
    width, height = source.choice([(1600, 1200), (1200, 1600), (2000, 1333), (2400, 1600), (3000, 2000)])
    colour = lambda: "rgb(%d,%d,%d)" % tuple(source.randint(0, 255) for _ in range(3))  # noqa: E731
    shapes = []
    for _ in range(source.randint(15, 60)):
        x, y, size = source.randint(0, width), source.randint(0, height), source.randint(20, width // 4)
        fill = "fill " + colour()
        shapes.append(source.choice([
            f"{fill} circle {x},{y} {x + size // 2},{y}", f"{fill} rectangle {x},{y} {x + size},{y + source.randint(8, size)}",
            f"{fill} polygon {x},{y} {x + size},{y + size // 3} {x + size // 4},{y + size}",
            f"stroke {colour()} stroke-width {source.randint(1, 9)} line {x},{y} {x + size},{y + source.randint(-size, size)}"]))
    quiet([CONVERT, "-seed", str(seed), "-size", f"{width}x{height}", f"plasma:{colour()}-{colour()}",
           "(", "-size", f"{width}x{height}", "xc:none", "-draw", " ".join(shapes), "-blur", f"0x{source.uniform(0, 3):.1f}",
           "-channel", "A", "-evaluate", "multiply", f"{source.uniform(0.4, 0.95):.2f}", "+channel", ")", "-composite",
           "(", "-size", f"{width}x{height}", f"gradient:{colour()}-{colour()}", ")", "-define", "compose:args=70,30", "-compose", "blend",
           "-composite", "-blur", f"0x{source.uniform(0.4, 1.1):.2f}", "-attenuate", f"{source.uniform(0.05, 0.3):.2f}", "+noise",
           "Gaussian", "-depth", "8", "-quality", str(source.choice([75, 85, 92, 96])), str(folder / "photo.jpg")])
    quiet(["img2pdf", "--imgsize", "200dpix200dpi", "-o", str(folder / "d.pdf"), str(folder / "photo.jpg")])
    return f"{width} x {height}, jpg"


KINDS = {f"scan of {name}": (program, scan(name)) for name, (program, _) in PRODUCERS.items()}
# As many photographs as scans.
PHOTOGRAPHS = {f"photograph {number}": (None, photograph) for number in range(1, len(PRODUCERS) + 1)}


class PictureCase(Case):
    method = "image-spread"

    def make(self, work):
        # Not the same picture five times.
        offset = list(KINDS | PHOTOGRAPHS).index(self.producer) * 10_000_000
        self.looks = (KINDS | PHOTOGRAPHS)[self.producer][1](work, self.seed + offset)
        shutil.copy(work / "d.pdf", self.original)

    def decibels(self):
        """Of the marked picture to the original's, decoded by poppler and compared by ImageMagick."""
        with tempfile.TemporaryDirectory() as folder:
            for name, path in (("a", self.original), ("b", self.marked)):
                quiet(["pdfimages", "-png", str(path), f"{folder}/{name}"])
            run = subprocess.run(["/usr/bin/compare", "-metric", "PSNR", f"{folder}/a-000.png", f"{folder}/b-000.png", "null:"],
                                 capture_output=True)
            found = re.match(rb"[0-9.]+|inf", run.stderr)
            return float(found[0]) if found else None


# Attacks

def cropped(share, dpi, *options):
    """A part of the page of this share of its area, somewhere within its inner nine tenths."""
    def attack(marked, folder, page):
        source = random.Random(f"{marked.parent.name} {share}")
        path = render(marked, folder, page, dpi)
        width, height = identify(path)
        part = share ** 0.5
        x, y = (int(side * (0.05 + source.random() * (0.9 - part))) if part < 0.9 else 0 for side in (width, height))
        out = folder / "leak.jpg"
        quiet([CONVERT, str(path), "-crop", f"{int(width * part)}x{int(height * part)}+{x}+{y}", "+repage", *options, str(out)])
        return [out]
    return attack


def screenshot(marked, folder, page):
    """A viewer's window at 96 dots per inch: the upper two thirds of the page, in a frame with other things in it."""
    path = render(marked, folder, page, 96)
    width, height = identify(path)
    out = folder / "leak.png"
    quiet([CONVERT, "-size", f"{width + 260}x{height * 2 // 3 + 90}", "xc:#3a3f44", "-fill", "#d8d8d8", "-draw",
           f"rectangle 0,0 {width + 260},60", "-fill", "black", "-pointsize", "20", "-draw", "text 20,40 'File   Edit   View   Help'",
           "(", str(path), "-crop", f"{width}x{height * 2 // 3}+0+0", "+repage", ")", "-geometry", "+130+75", "-composite", str(out)])
    return [out]


def taken_out(marked, folder):
    """The picture itself, as it stands in the file."""
    quiet(["pdfimages", "-all", str(marked), str(folder / "leak")])
    return sorted(folder.glob("leak-000.*"))


STRUCTURAL = {
    "none": untouched,
    "qpdf": to(["qpdf", "--object-streams=generate", "{in}", "{out}"]),
    "mutool clean -ggggz": to(["mutool", "clean", "-ggggz", "{in}", "{out}"]),
    "gs pdfwrite": to(["gs", "-q", "-dBATCH", "-dNOPAUSE", "-sDEVICE=pdfwrite", "-o", "{out}", "{in}"]),
    "gs pdfwrite /ebook (150 dpi)": to(
        ["gs", "-q", "-dBATCH", "-dNOPAUSE", "-sDEVICE=pdfwrite", "-dPDFSETTINGS=/ebook", "-o", "{out}", "{in}"]),
    "pdftocairo -pdf": to(["pdftocairo", "-pdf", "{in}", "{out}"]),
    "pdftops, ps2pdf": steps(["pdftops", "{in}", "{folder}/leak.ps"], ["ps2pdf", "{folder}/leak.ps", "{out}"]),
    "picture taken out (pdfimages)": taken_out,
}

PICTURES = {
    "150 dpi": picture(150),
    "100 dpi": picture(100),
    "gs 100 dpi": picture(100, tool="gs"),
    "mutool 150 dpi": picture(150, tool="mutool"),
    "150 dpi, JPEG 70": picture(150, "-quality", "70"),
    "150 dpi, JPEG 50": picture(150, "-quality", "50"),
    "150 dpi, JPEG 30": picture(150, "-quality", "30"),
    "resized to 75 %": picture(150, "-resize", "75%", "-quality", "85"),
    "resized to 50 %": picture(150, "-resize", "50%", "-quality", "85"),
    "cut out: 50 %": cropped(0.5, 150, "-quality", "85"),
    "cut out: 25 %": cropped(0.25, 150, "-quality", "85"),
    "cut out: 10 %": cropped(0.1, 150, "-quality", "85"),
    "cut out: 10 %, JPEG 50": cropped(0.1, 150, "-quality", "50"),
    "cut out: 10 %, 100 dpi": cropped(0.1, 100, "-quality", "85"),
    "turned 0.7°, 97 %": picture(150, "-background", "white", "-rotate", "0.7", "-resize", "97%", "-quality", "85"),
    "turned 3°": picture(150, "-background", "black", "-rotate", "3", "-quality", "85"),
    "gamma 0.7": picture(150, "-gamma", "0.7", "-quality", "85"),
    "brighter, more contrast": picture(150, "-brightness-contrast", "8x15", "-quality", "85"),
    "screenshot, 96 dpi": screenshot,
    "print-scan 100 dpi (simulated)": picture(200, *PRINT_SCAN, "-resize", "50%", "-quality", "75"),
    "photo (simulated)": picture(200, *PHOTO),
}


def run_case(case, options, rows):
    wanted = lambda name: not options.only or name in options.only  # noqa: E731

    def read(name, attack, page, **others):
        if wanted(name):
            rows.append(attacked(case, name, attack, page, **others))
            rows[-1] |= {"looks": case.looks, "decibels": case.psnr}
            progress(rows)

    for name, attack in STRUCTURAL.items():
        read(name, attack, None)
    for name, attack in PICTURES.items():
        read(name, attack, 1)
    if wanted("mean of copies") or not options.only:
        names = [f"colluder {number}" for number in range(4)]
        copies = [case.marked] + [case.embed(recipient) for recipient in names]
        for count in (2, 3, 5):
            read(f"mean of {count} copies, 150 dpi", averaged(copies[:count]), 1, guilty=("leaker", *names[:count - 1]))
    # Leaks that no issued copy had part in.
    for what, path in (("unmarked original", case.original), ("copy of another ledger", case.stranger())):
        for name, attack, page in (("", untouched, None), (", 100 dpi", picture(100), 1), (", a tenth of it", cropped(0.1, 150), 1)):
            read(what + name, attack, page, guilty=(), marked=path)


def write(options, rows, log, missing, cut):
    made = log.made
    marked_runs.write_raw(options, rows, log)
    read = marked_runs.carried_out(rows)
    psnr = {(item["producer"], item["seed"]): item["decibels"] for item in read if item.get("decibels")}
    scans = sum(name.startswith("scan") for name in made)
    lines = [
        "# How well marked pictures are traced", "",
        f"Recorded {datetime.date.today().isoformat()} by `script/bench watermark-images --documents {options.documents} --seed "
        f"{options.seed}" + "".join(f" --only '{name}'" for name in options.only) + f"`; every read is a line of [{options.name}.json]({options.name}.json). " + machine.sentence(options.machine), "",
        f"{scans} scans and {len(made) - scans} photographs, **all of them generated**: pages of text drawn at 150 to 300 dots per inch, on "
        "tinted paper with noise, askew, compressed by JPEG or Flate; and fractal noise with gradients, shapes, blur and noise. No scanner, "
        f"printer or camera took part. {COPIES:,} issued copies of each, one of them leaked. A copy is accused when the bound on the "
        f"probability that any of the {COPIES:,} is accused although innocent is at most {LIMIT:g}."
        + (f" Not installed here: {', '.join(missing)}." if missing else "") + (" The run was ended by its time limit." if cut else ""), "",
    ]
    if psnr:
        values = sorted(psnr.values())
        lines += [f"Marked copies differ from their originals by {values[0]:.2f} dB at worst, {statistics.median(values):.2f} in the median "
                  f"(peak signal to noise of the decoded pictures, as ImageMagick computes it over all colours; n = {len(values)}).", ""]
    lines += ["| what was done to the copy | reads | traced | 95 % interval | of scans | of photographs | wrong accusations | score: median | "
              "least | seconds: median |", "|---|---|---|---|---|---|---|---|---|---|"]
    for name in dict.fromkeys(item["attack"] for item in read):
        chosen = [item for item in read if item["attack"] == name]
        parts = [[item for item in chosen if item["producer"].startswith(kind)] for kind in ("scan", "photograph")]
        traced = (["nobody to trace", "", "", ""] if marked_runs.is_innocent(name)
                  else [*share(chosen), *(share(part)[0] if part else "" for part in parts)])
        lines.append(f"| {' | '.join([name, str(len(chosen)), *traced, *marked_runs.columns(chosen)])} |")
    guilty = [item for item in read if not marked_runs.is_innocent(item["attack"])]
    if guilty:
        lines += ["", f"All leaks together: {share(guilty)[0]} of {len(guilty)} traced ({share(guilty)[1]})."]
    lines += ["", f"{sum(item['wrong'] for item in read)} wrong accusations in {len(read)} reads, {len(read) - len(guilty)} of them of leaks "
              "that no issued copy had part in. Scores are those of the leaker where accused.", *marked_runs.remarks(rows, log)]
    (ROOT / f"docs/measurements/{options.name}.md").write_text("\n".join(lines) + "\n")


def main(argv):
    options = marked_runs.arguments(
        argv, "script/bench watermark-images", __doc__, "watermark-images", documents=4, of="of each kind", seed=40_000,
        minutes="begin nothing that takes longer than this, and write what there is")
    end = marked_runs.begin(options)
    missing = marked_runs.missing(KINDS)
    kinds = [name for pair in zip(KINDS, PHOTOGRAPHS) for name in pair]
    wanted = [(kind, options.seed + number) for number in range(options.documents) for kind in kinds if kind not in missing]
    log = Log(options)

    def read(kind, seed, place):
        # None is begun that could not be ended in time.
        if time.time() > end - SECONDS[bool(options.only)]:
            return None
        rows = []
        case = PictureCase(options.program, kind, seed, place)
        case.psnr = case.decibels()
        run_case(case, options, rows)
        return rows
    marked_runs.work_through(options, log, wanted, read, log.add)
    write(options, log.rows, log, missing, len(log.made) + len(log.lost) < len(wanted))
    return 1 if log.lost else 0
