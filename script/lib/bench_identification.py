"""Which original a leak is of, where there are many that are nearly the same: how often it is named, and how often another one is.

    script/bench identification [--families N] [--strangers N] [--copies N] [--seed N] [--name NAME] [--program FILE] [--output DIR]

A family is four originals: a text; its draft, in which one word of each paragraph differs; its next version, with one paragraph of
its own; and another text on the same template (title, heads, table). Each gets one copy that leaks and so many that do not. Strangers are documents of
which there is no copy: half of them are further drafts of a family's text, half are on its template. Each leak comes as the copy itself rewritten by qpdf,
as a scan (150 dpi, JPEG 60), and as a photo of one page (cropped, turned by two degrees, JPEG 50). All of them are held against all originals by `tatou-wm
trace`. Chromium and a generator of plain PDF make them in turns. Writes docs/measurements/NAME.md and NAME.json.
"""

import argparse
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import time
import uuid

from . import machine
from .bench_watermark import WORDS, text
from .figures import record, wilson
from .marked_runs import quiet

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
KINDS = ("rewritten", "scan", "photo")
ROLES = ("text", "draft", "next version", "same template")


def template(seed):
    """What all members of a family share: title and heads."""
    source = random.Random(seed * 7919)
    return [" ".join(source.choice(WORDS) for _ in range(5)).capitalize() for _ in range(4)]


def member(seed, role, variant=0):
    """The paragraphs of a family's member; `variant` makes further ones of its kind."""
    words = 1500
    if role == "same template":
        return text(seed * 1000 + 500 + variant, words)[1]
    paragraphs = text(seed * 1000, words)[1]
    source = random.Random(f"{seed} {role} {variant}")
    if role == "draft":
        changed = []
        for paragraph in paragraphs:
            parts = paragraph.split(" ")
            parts[source.randrange(len(parts))] = source.choice(WORDS)
            changed.append(" ".join(parts))
        return changed
    if role == "next version":
        paragraphs = list(paragraphs)
        paragraphs[source.randrange(len(paragraphs))] = text(seed * 1000 + 900 + variant, 90)[1][0]
    return paragraphs


def printed(folder, seed, paragraphs):
    heads = template(seed)
    body = "".join(f"<h2>{heads[number // 4 % 4]}</h2>" * (number % 4 == 0) + f"<p>{one}</p>" for number, one in enumerate(paragraphs))
    (folder / "d.html").write_text(
        f"<html><body style='font: 11pt/1.45 serif'><h1>{heads[0]}</h1><table border=1 width=100%><tr><td>{heads[1]}<td>{heads[2]}</table>{body}</body></html>")
    quiet(["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer", f"--user-data-dir={folder}/profile",
           f"--print-to-pdf={folder}/d.pdf", f"{folder}/d.html"])


def plain(folder, seed, paragraphs):
    """Lines of Helvetica by hand: 12 words each, 45 on a page."""
    heads, lines = template(seed), []
    for number, one in enumerate(paragraphs):
        if number % 4 == 0:
            lines += ["", heads[number // 4 % 4].upper(), ""]
        parts = one.split(" ")
        lines += [" ".join(parts[place:place + 12]) for place in range(0, len(parts), 12)] + [""]
    pages = [lines[place:place + 45] for place in range(0, len(lines), 45)]
    objects = {1: "<< /Type /Catalog /Pages 2 0 R >>", 3: "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
               2: f"<< /Type /Pages /Kids [{' '.join(f'{10 + 2 * page} 0 R' for page in range(len(pages)))}] /Count {len(pages)} >>"}
    for page, rows in enumerate(pages):
        content = f"BT /F1 10 Tf 15 TL 60 790 Td ({heads[0]}) Tj T* " + " ".join(f"({row}) Tj T*" for row in rows) + " ET"
        objects[10 + 2 * page] = (f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents {11 + 2 * page} 0 R "
                                  "/Resources << /Font << /F1 3 0 R >> >> >>")
        objects[11 + 2 * page] = f"<< /Length {len(content)} >>\nstream\n{content}\nendstream"
    file, places = "%PDF-1.7\n", {}
    for number, body in objects.items():
        places[number] = len(file)
        file += f"{number} 0 obj\n{body}\nendobj\n"
    table = "".join(f"{number} 1\n{place:010} 00000 n \n" for number, place in places.items())
    (folder / "d.pdf").write_text(
        f"{file}xref\n0 1\n0000000000 65535 f \n{table}trailer\n<< /Size {max(objects) + 1} /Root 1 0 R >>\nstartxref\n{len(file)}\n%%EOF\n")


def made(folder, seed, role, variant=0):
    folder.mkdir()
    (plain if seed % 2 else printed)(folder, seed, member(seed, role, variant))
    return folder / "d.pdf"


def leaks(pdf, folder, source):
    """The three forms of a leak, by their kind."""
    quiet(["qpdf", "--object-streams=generate", "--recompress-flate", str(pdf), str(folder / "rewritten.pdf")])
    quiet(["pdftoppm", "-r", "150", "-jpeg", "-jpegopt", "quality=60", str(pdf), str(folder / "scan")])
    pages = sorted(folder.glob("scan-*.jpg"))
    photo = folder / "photo.jpg"
    quiet(["pdftoppm", "-r", "170", "-png", "-f", "1", "-l", "1", str(pdf), str(folder / "page")])
    page = next(folder.glob("page-*.png"))
    quiet(["convert", str(page), "-gravity", "center", "-crop", "88%x80%+0+0", "+repage", "-background", "white", "-rotate", str(source.choice([-2, 2])),
           "-quality", "50", str(photo)])
    return {"rewritten": [folder / "rewritten.pdf"], "scan": pages, "photo": [photo]}


def trace(program, ledger, files):
    begin = time.perf_counter()
    run = subprocess.run([str(program), "trace", "--ledger", str(ledger), "--json", *map(str, files)], capture_output=True, timeout=600)
    answer = json.loads(run.stdout) if run.returncode in (0, 3) else {"failed": run.stderr.decode()[:300], "document": None, "accused": []}
    return answer | {"seconds": round(time.perf_counter() - begin, 2)}


def measure(options, folder):
    ledger, source, rows, owned = folder / "ledger", random.Random(options.seed), [], []
    known = set()

    def copies():
        return [json.loads(line) for line in (ledger / "copies.ndjson").read_text().splitlines()]

    for family in range(options.families):
        for role in ROLES:
            place = folder / f"{family} {role}"
            original = made(place, options.seed + family, role)
            copy = place / "copy.pdf"
            quiet([str(options.program), "embed", str(original), str(copy), "--ledger", str(ledger), "--recipient", f"{family} {role}"])
            note = copies()[-1]
            assert note["document"] not in known, f"two originals are the same document: {family} {role}"
            known.add(note["document"])
            # Copies that do not leak need not be made to be suspected.
            with open(ledger / "copies.ndjson", "a") as file:
                for number in range(options.copies - 1):
                    version = str(uuid.UUID(int=source.getrandbits(128), version=4))
                    file.write(json.dumps({**note, "version": version, "recipient": f"{family} {role}, innocent {number}"}) + "\n")
            owned.append((family, role, note["document"], copy))
    strangers = [(number, options.seed + number % options.families, ("draft", "same template")[number % 2]) for number in range(options.strangers)]
    for family, role, document, copy in owned:
        place = folder / f"leak {family} {role}"
        place.mkdir()
        for kind, files in leaks(copy, place, source).items():
            answer = trace(options.program, ledger, files)
            rows.append({"leak of": role, "kind": kind, "named": answer["document"], "right": answer["document"] == document,
                         "accused": [one["recipient"] for one in answer["accused"]], "guilty": f"{family} {role}", "seconds": answer["seconds"],
                         **({"failed": answer["failed"]} if "failed" in answer else {})})
        print(f"{family} {role}: {[row['right'] for row in rows[-3:]]} {[row['seconds'] for row in rows[-3:]]}", flush=True)
    for number, seed, role in strangers:
        place = folder / f"stranger {number}"
        pdf = made(place, seed, role, variant=number + 1)
        for kind, files in leaks(pdf, place, source).items():
            answer = trace(options.program, ledger, files)
            rows.append({"leak of": f"stranger, {role}", "kind": kind, "named": answer["document"], "right": False, "guilty": None,
                         "accused": [one["recipient"] for one in answer["accused"]], "seconds": answer["seconds"],
                         **({"failed": answer["failed"]} if "failed" in answer else {})})
        print(f"stranger {number}: {[row['named'] is not None for row in rows[-3:]]} accused {[len(row['accused']) for row in rows[-3:]]}", flush=True)
    return {"originals": len(owned), "copies": options.copies, "rows": rows}


def share(found, count):
    low, high = wilson(found, count, z=1.96) or (0.0, 1.0)
    return f"{found} of {count} ({low:.2f}–{high:.2f})"


def markdown(options, facts, results):
    rows = results["rows"]
    lines = [f"# {options.name}", "", machine.sentence(facts), "",
             f"`script/bench identification --families {options.families} --strangers {options.strangers} --copies {options.copies} --seed {options.seed}`: {results['originals']} originals in families of four "
             f"that are nearly the same, {options.copies} copies of each; every leak held against all of them. Counts, with 95 % intervals (Wilson).", "",
             "*Named* is the original that `trace` says the leak is of; *accused* a copy that it names. Recall is of all leaks of copies; precision of all that were named "
             "or accused, leaks of strangers included, which are of none of them.", "",
             "| leak | recall of the original | recall of the copy | precision of the original, where a copy is accused | precision of the copy | seconds, median |", "|---|---|---|---|---|---:|"]
    for kind in (*KINDS, None):
        some = [row for row in rows if kind in (None, row["kind"])]
        ours = [row for row in some if row["guilty"]]
        accused = [row for row in some if row["accused"]]
        right = [row for row in accused if row["accused"] == [row["guilty"]]]
        times = sorted(row["seconds"] for row in some)
        lines.append(f"| {kind or 'all'} | {share(sum(row['right'] for row in ours), len(ours))} | {share(len([row for row in ours if row['accused'] == [row['guilty']]]), len(ours))} | "
                     f"{share(sum(row['right'] for row in accused), len(accused))} | {share(len(right), len(accused))} | {times[len(times) // 2]:.1f} |")
    lines += ["", "| leak of | leaks | its original named | another named | none named | its copy accused | another accused |", "|---|---:|---:|---:|---:|---:|---:|"]
    for role in dict.fromkeys(row["leak of"] for row in rows):
        some = [row for row in rows if row["leak of"] == role]
        lines.append(f"| {role} | {len(some)} | {sum(row['right'] for row in some)} | {sum(row['named'] is not None and not row['right'] for row in some)} | "
                     f"{sum(row['named'] is None for row in some)} | {sum(row['accused'] == [row['guilty']] for row in some)} | "
                     f"{sum(bool(set(row['accused']) - {row['guilty']}) for row in some)} |")
    named = [row for row in rows if row["named"] is not None]
    lines += ["", f"Where nobody is accused, a name says which original is most alike, and not that the leak is of it: of all that were named, {share(sum(row['right'] for row in named), len(named))} "
              "were right, the others strangers."]
    failed = [row for row in rows if "failed" in row]
    return "\n".join([*lines, "", f"{len(failed)} traces failed." if failed else "No trace failed.", "", f"Raw data: [{options.name}.json]({options.name}.json).", ""])


def main(arguments):
    parser = argparse.ArgumentParser(prog="script/bench identification", description="Measures how leaks find their originals.")
    parser.add_argument("--families", type=int, default=8)
    parser.add_argument("--strangers", type=int, default=16)
    parser.add_argument("--copies", type=int, default=100)
    parser.add_argument("--seed", type=int, default=7000)
    parser.add_argument("--name", default="tatou-identification")
    parser.add_argument("--program", type=pathlib.Path, default=ROOT / ".build/release/tatou-wm")
    parser.add_argument("--output", type=pathlib.Path, default=ROOT / "docs/measurements")
    options = parser.parse_args(arguments)
    if not os.access(options.program, os.X_OK):
        sys.exit(f"script/bench identification: no program at {options.program}; build it with swift build -c release --product tatou-wm")
    facts = machine.describe(ROOT)
    with tempfile.TemporaryDirectory(prefix="identification-") as folder:
        results = measure(options, pathlib.Path(folder))
    text = markdown(options, facts, results)
    record(options.output, options.name, text, {"machine": facts, "results": results})
    return 0
