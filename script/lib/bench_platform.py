"""What Tatou takes from end to end, by real HTTP clients against a release build.

    script/bench platform [--rounds N] [--versions N] [--readers N] [--part PART]… [--name NAME] [--programs DIR] [--output DIR]

Parts: `copy` marks 10 pages by `POST /api/create-watermark`, and by a key that somebody typed; `large` uploads and marks a document of 50 MB (74 pages
with a picture each, which no method marks) and reads the peak memory of every process that took part; `scans` the same with pages that are JPEG
pictures, each of which is marked; `trace` makes so many versions of 10 pages, renders some as
pictures (pdftoppm at 150 dpi, JPEG at quality 70, one PDF of them) and asks whose they are; `downloads` lets so many clients fetch one copy of 5 MB at the same moment,
while its document is deleted, and so many fetch copies of their own. A run with --part puts its parts into what the files hold of others.

Each client is a process or a thread of Python with a connection of its own, on the same machine and cores as the server: the times are those that clients saw.
Writes docs/measurements/NAME.md and NAME.json.
"""

import argparse
import concurrent.futures
import hashlib
import http.client
import json
import os
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

from . import machine
from .bench_worker import document
from .figures import percentile, record, spread
from .tatou_client import Client, Server

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
GOALS = {"copy": 0.150, "large": 1.0, "memory": 250, "trace": 10.0}
MIB = 1 << 20


def large(pages=74, picture=700_000):
    """Pages of text with a picture each, which nothing compresses; about 50 MB."""
    noise = random.Random(50)
    source, objects = document(pages, seed=2), {}
    # The text's own objects, taken over; each page gets a picture behind its words.
    body = source[source.index(b"1 0 obj"):source.index(b"xref\n")]
    for part in body.split(b"endobj\n")[:-1]:
        number, rest = part.split(b" 0 obj\n", 1)
        objects[int(number)] = rest.rstrip(b"\n")
    for page in range(pages):
        number, image = 10 + 2 * page, 1000 + page
        objects[number] = objects[number].replace(b"/Resources << ", b"/Resources << /XObject << /P %d 0 R >> " % image)
        text = objects[number + 1].split(b"stream\n", 1)[1].rsplit(b"\nendstream", 1)[0]
        content = b"q 595 0 0 842 0 0 cm /P Do Q\n" + text
        objects[number + 1] = b"<< /Length %d >>\nstream\n" % len(content) + content + b"\nendstream"
        side = int((picture / 3) ** 0.5)
        pixels = noise.randbytes(3 * side * side)
        objects[image] = (b"<< /Type /XObject /Subtype /Image /Width %d /Height %d /ColorSpace /DeviceRGB /BitsPerComponent 8 /Length %d >>\nstream\n"
                          % (side, side, len(pixels)) + pixels + b"\nendstream")
    file, places = bytearray(b"%PDF-1.7\n"), {}
    for number, content in objects.items():
        places[number] = len(file)
        file += b"%d 0 obj\n" % number + content + b"\nendobj\n"
    start = len(file)
    file += b"xref\n0 1\n0000000000 65535 f \n" + b"".join(b"%d 1\n%010d 00000 n \n" % place for place in places.items())
    file += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (max(objects) + 1, start)
    return bytes(file)


class Watch:
    """Peak memory of the server and of everything that it starts, in MiB, looked at every two milliseconds."""

    def __init__(self, server):
        self.root, self.peaks, self.stopping = server.process.pid, {}, threading.Event()
        self.thread = threading.Thread(target=self.look)

    def look(self):
        while not self.stopping.wait(0.002):
            self.see()

    def see(self):
        try:
            children = pathlib.Path(f"/proc/{self.root}/task")
            numbers = [self.root] + [int(number) for task in children.iterdir() for number in (task / "children").read_text().split()]
        except OSError:
            return
        for number in numbers:
            try:
                status = pathlib.Path(f"/proc/{number}/status").read_text()
                name = status.split("\n", 1)[0].split("\t")[1]
                peak = int(status.split("VmHWM:")[1].split()[0]) / 1024
            except (OSError, IndexError):
                continue
            self.peaks[name] = max(self.peaks.get(name, 0), peak)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *failure):
        self.stopping.set()
        self.thread.join()
        self.see()
        assert "tatou" in self.peaks, "the server's memory was never seen"


def timed(work):
    begin = time.perf_counter()
    result = work()
    return time.perf_counter() - begin, result


def order(client, number, recipient, method="word-shift"):
    return client.mark(number, method, recipient, secret=f"for {recipient}", key="a key that was typed")


def copy(server, client, options):
    number = client.upload("ten.pdf", document(10))["id"]
    order(client, number, "warm-up")
    rounds = []
    for round in range(options.rounds):
        # Spares that wait have time to start, as between two people's orders.
        time.sleep(0.3)
        keyed, _ = timed(lambda: order(client, number, f"keyed {round}"))
        time.sleep(0.3)
        traced, made = timed(lambda: order(client, number, f"traced {round}", method="visible-stamp"))
        fetched, (status, _, content) = timed(lambda: client.ask("GET", f"/api/get-version/{made['link']}"))
        assert status == 200 and len(content) == made["size"], f"a copy is answered {status}"
        rounds.append({"keyed": keyed, "traced": traced, "fetch": fetched})
    return {"pages": 10, "rounds": rounds}


def marked(server, client, options, pdf, pages, method="word-shift"):
    rounds = []
    for round in range(max(3, options.rounds // 3)):
        with Watch(server) as watch:
            upload, made = timed(lambda: client.upload("large.pdf", pdf))
            marked, version = timed(lambda: order(client, made["id"], f"large {round}", method))
            fetched, (status, _, content) = timed(lambda: client.ask("GET", f"/api/get-version/{version['link']}"))
        assert status == 200 and len(content) == version["size"], f"the large copy is answered {status}"
        assert "tatou-worker" in watch.peaks, "the worker's memory was never seen"
        rounds.append({"upload": upload, "mark": marked, "fetch": fetched, "memory_mib": watch.peaks})
        client.ask("DELETE", f"/api/delete-document/{made['id']}")
    return {"bytes": len(pdf), "pages": pages, "rounds": rounds}


def large_part(server, client, options):
    return marked(server, client, options, large(), 74)


def scans(server, client, options, pages=40):
    with tempfile.TemporaryDirectory(prefix="scans-bench-") as folder:
        pdf = raster(pathlib.Path(folder), document(pages, seed=4), quality=92, dpi=300)
    return marked(server, client, options, pdf, pages, "image-spread")


def raster(folder, pdf, quality=70, dpi=150):
    """The pages as JPEG pictures in one PDF, as a scanner's software makes it."""
    (folder / "leak.pdf").write_bytes(pdf)
    for old in folder.glob("page-*.jpg"):
        old.unlink()
    subprocess.run(["pdftoppm", "-r", str(dpi), "-jpeg", "-jpegopt", f"quality={quality}", "leak.pdf", "page"], cwd=folder, check=True)
    objects, kids, number = {1: b"<< /Type /Catalog /Pages 2 0 R >>"}, [], 3
    for path in sorted(folder.glob("page-*.jpg")):
        data = path.read_bytes()
        width, height = size(data)
        points = width * 72 / dpi, height * 72 / dpi
        content = b"q %.2f 0 0 %.2f 0 0 cm /P Do Q" % points
        objects[number] = (b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %.2f %.2f] /Contents %d 0 R /Resources << /XObject << /P %d 0 R >> >> >>"
                           % (*points, number + 1, number + 2))
        objects[number + 1] = b"<< /Length %d >>\nstream\n" % len(content) + content + b"\nendstream"
        objects[number + 2] = (b"<< /Type /XObject /Subtype /Image /Width %d /Height %d /ColorSpace /DeviceRGB /BitsPerComponent 8 /Filter /DCTDecode "
                               b"/Length %d >>\nstream\n" % (width, height, len(data)) + data + b"\nendstream")
        kids.append(number)
        number += 3
    objects[2] = b"<< /Type /Pages /Kids [%s] /Count %d >>" % (b" ".join(b"%d 0 R" % kid for kid in kids), len(kids))
    file, places = bytearray(b"%PDF-1.5\n"), {}
    for number, body in sorted(objects.items()):
        places[number] = len(file)
        file += b"%d 0 obj\n" % number + body + b"\nendobj\n"
    start = len(file)
    file += b"xref\n0 %d\n0000000000 65535 f \n" % (max(objects) + 1) + b"".join(b"%010d 00000 n \n" % places[number] for number in sorted(places))
    return bytes(file + b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (max(objects) + 1, start))


def size(jpeg):
    """Width and height, of the frame's header (ITU-T T.81 B.2.2)."""
    place = 2
    while True:
        marker, length = jpeg[place + 1], int.from_bytes(jpeg[place + 2:place + 4], "big")
        if 0xC0 <= marker <= 0xC3:
            return int.from_bytes(jpeg[place + 7:place + 9], "big"), int.from_bytes(jpeg[place + 5:place + 7], "big")
        place += 2 + length


def trace(server, client, options):
    number = client.upload("ten.pdf", document(10, seed=3))["id"]

    def make(version):
        # By the platform's own marks: no key is typed, nobody waits for one.
        return order(client, number, f"recipient {version}", method="visible-stamp" if version % 2 else "word-shift")
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        seconds, versions = timed(lambda: list(pool.map(make, range(options.versions))))
    rounds = []
    with tempfile.TemporaryDirectory(prefix="trace-bench-") as folder:
        for round in range(max(3, options.rounds // 3)):
            chosen = versions[random.Random(round).randrange(0, options.versions, 2)]
            leak = raster(pathlib.Path(folder), client.ask("GET", f"/api/get-version/{chosen['link']}")[2])
            with Watch(server) as watch:
                took, (status, answer) = timed(lambda: client.send("/api/trace-leak", "leak.pdf", leak))
            assert status == 200, f"a trace is answered {status}: {answer}"
            accused = [one["version"] for one in answer["accused"]]
            rounds.append({"seconds": took, "bytes": len(leak), "pages_that_spoke": len(answer["pages"]), "right": accused == [chosen["id"]],
                           "wrong": len(set(accused) - {chosen["id"]}), "memory_mib": watch.peaks})
    client.ask("DELETE", f"/api/delete-document/{number}")
    return {"versions": options.versions, "making": seconds, "rounds": rounds}


def fetch(address, path, barrier, begun, until=None):
    """One client: connected before the start is given, and says when its answer has begun; reads on only when `until` has come. Status, seconds,
    digest and length."""
    place = urllib.parse.urlsplit(address)
    connection = http.client.HTTPConnection(place.hostname, place.port, timeout=120)
    connection.connect()
    barrier.wait()
    begin = time.perf_counter()
    connection.request("GET", path)
    answer = connection.getresponse()
    begun.release()
    digest, length = hashlib.sha256(), 0
    while piece := answer.read(MIB):
        digest.update(piece)
        length += len(piece)
        if until:
            assert until.wait(60), "what was waited for did not come"
    connection.close()
    ended = time.perf_counter()
    return {"status": answer.status, "seconds": ended - begin, "ended": ended, "bytes": length, "sha256": digest.hexdigest(),
            "announced": int(answer.headers["Content-Length"])}


def together(server, paths, meanwhile=None, until=None):
    """All at once; a tenth of them read on only when `until` has come."""
    barrier, begun = threading.Barrier(len(paths) + (1 if meanwhile else 0)), threading.Semaphore(0)
    with Watch(server) as watch, concurrent.futures.ThreadPoolExecutor(len(paths)) as pool:
        jobs = [pool.submit(fetch, server.address, path, barrier, begun, until if number % 10 == 0 else None)
                for number, path in enumerate(paths)]
        begin = time.perf_counter()
        if meanwhile:
            barrier.wait()
            meanwhile(begun)
        answers = [job.result() for job in jobs]
    return {"clients": len(paths), "wall": time.perf_counter() - begin, "memory_mib": watch.peaks, "answers": answers}


def downloads(server, client, options):
    pdf = large(pages=8, picture=650_000)
    number = client.upload("five.pdf", pdf)["id"]
    versions = [order(client, number, f"reader {reader}", method="visible-stamp") for reader in range(min(options.readers, 20))]
    results = {"bytes": versions[0]["size"]}
    results["one copy"] = together(server, [f"/api/get-version/{versions[0]['link']}"] * options.readers)
    results["copies of their own"] = together(
        server, [f"/api/get-version/{versions[reader % len(versions)]['link']}" for reader in range(options.readers)])

    def delete(begun):
        # When a tenth have begun, and none need have ended; who comes later is told that there is none.
        for _ in range(options.readers // 10):
            assert begun.acquire(timeout=60), "too few answers have begun"
        assert client.ask("DELETE", f"/api/delete-document/{number}")[0] == 200, "the document is not deleted"
        deleted.append(time.perf_counter())
        done.set()
    deleted, done = [], threading.Event()
    results["deleted meanwhile"] = together(server, [f"/api/get-version/{versions[0]['link']}"] * options.readers, delete, done)
    late = sum(answer["ended"] > deleted[0] for answer in results["deleted meanwhile"]["answers"] if answer["status"] == 200)
    assert late, "every download had ended before the deletion was answered: it was not deleted meanwhile"
    results["deleted meanwhile"]["ended_after_the_deletion"] = late
    assert client.ask("GET", f"/api/get-version/{versions[0]['link']}")[0] == 404, "a copy of a deleted document is still there"
    for name, result in results.items():
        if name == "bytes":
            continue
        whole = [answer for answer in result["answers"] if answer["status"] == 200]
        assert all(answer["bytes"] == answer["announced"] for answer in result["answers"]), f"{name}: an answer was cut short"
        expected = {"one copy": 1, "deleted meanwhile": 1}.get(name, len(versions))
        assert len({answer["sha256"] for answer in whole}) in (expected, 0), f"{name}: copies differ"
        if name == "deleted meanwhile":
            assert len(whole) >= options.readers // 10, "none of those that had begun arrived whole"
        else:
            assert len(whole) == options.readers, f"{name}: {options.readers - len(whole)} of {options.readers} were refused"
        times = sorted(answer["seconds"] for answer in whole)
        result |= {"whole": len(whole), "seconds": times, "statuses": sorted({answer["status"] for answer in result["answers"]})}
        del result["answers"]
    return results


PARTS = {"copy": copy, "large": large_part, "scans": scans, "trace": trace, "downloads": downloads}


def cell(values, unit="ms"):
    return spread([value * 1000 for value in values], 0) if unit == "ms" else spread(values, 2)


def verdict(value, goal):
    return "met" if value < goal else "**missed**"


def markdown(options, parts):
    results = {name: part["result"] for name, part in parts.items()}
    sentences = {name: machine.sentence(part["machine"]) for name, part in parts.items()}
    alike = len({sentence.split("; commit")[0] for sentence in sentences.values()}) == 1
    lines = [f"# {options.name}", "", *(["; ".join(f"{name}: {sentence}" for name, sentence in sentences.items())] if not alike else [
        next(iter(sentences.values())).split("; commit")[0] + ". " + " ".join(
            f"{name}: commit{sentence.split('; commit')[1]}" for name, sentence in sentences.items())]), "",
             f"`script/bench platform --rounds {options.rounds} --versions {options.versions} --readers {options.readers}`: a release build of `tatou serve`, asked over HTTP by clients on the "
             "same machine. Medians, with least and most.", "", "| what | n | measured | goal | |", "|---|---:|---|---|---|"]
    if part := results.get("copy"):
        rounds = part["rounds"]
        for name, key in (("10 pages, `word-shift` with a typed key: order to answer, ms", "keyed"), ("10 pages, `visible-stamp`: order to answer, ms", "traced")):
            values = [row[key] for row in rounds]
            lines.append(f"| {name} | {len(values)} | {cell(values)} | 150 | {verdict(statistics.median(values), GOALS['copy'])} |")
    for key, words in (("large", "text and pictures that nothing compresses, `word-shift`"), ("scans", "scans, each page a JPEG that is marked, `image-spread`")):
        if not (part := results.get(key)):
            continue
        rounds = part["rounds"]
        values = [row["mark"] for row in rounds]
        lines.append(f"| {part['bytes'] / 1e6:.1f} MB, {part['pages']} pages, {words}: a marked copy, s | {len(values)} | {cell(values, 's')} | 1 | {verdict(statistics.median(values), GOALS['large'])} |")
        lines.append(f"| the same: its upload, s | {len(values)} | {cell([row['upload'] for row in rounds], 's')} | | |")
        for name, words in (("tatou-worker", "peak memory of a worker"), ("tatou", "peak memory of the server")):
            peaks = [row["memory_mib"][name] for row in rounds]
            lines.append(f"| the same: {words}, MiB | {len(peaks)} | {max(peaks):,.0f} | 250 MB | {verdict(max(peaks) * MIB / 1e6, GOALS['memory'])} |")
    if part := results.get("trace"):
        rounds = part["rounds"]
        values = [row["seconds"] for row in rounds]
        right = sum(row["right"] for row in rounds)
        wrong = sum(row["wrong"] for row in rounds)
        lines.append(f"| 10 pages as pictures against {part['versions']:,} versions: upload to verdict, s | {len(values)} | {cell(values, 's')} | 10 | {verdict(max(values), GOALS['trace'])} |")
        lines.append(f"| the same: right version named alone, others accused | {len(values)} | {right} of {len(values)}, {wrong} | | |")
        lines.append(f"| making the {part['versions']:,} versions, two at a time, s | 1 | {part['making']:,.0f} | | |")
    if part := results.get("downloads"):
        for name in ("one copy", "copies of their own", "deleted meanwhile"):
            row = part[name]
            values = row["seconds"]
            if not values:
                continue
            p99 = percentile(values, 0.99)
            note = (f"; statuses {', '.join(map(str, row['statuses']))}; {row['ended_after_the_deletion']} ended after the deletion was answered"
                    if name == "deleted meanwhile" else "")
            lines.append(f"| {row['clients']} downloads at once of {part['bytes'] / 1e6:.1f} MB, {name}: all of them, s | {row['whole']} whole | {row['wall']:.2f}; each {statistics.median(values):.2f}, "
                         f"p99 {p99:.2f}{note} | none cut short | met |")
            lines.append(f"| the same: peak memory of the server, MiB | | {row['memory_mib']['tatou']:,.0f} | | |")
    return "\n".join([*lines, "", f"Raw data: [{options.name}.json]({options.name}.json).", ""])


def main(arguments):
    parser = argparse.ArgumentParser(prog="script/bench platform", description="Measures Tatou from end to end.")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--versions", type=int, default=1000)
    parser.add_argument("--readers", type=int, default=200)
    parser.add_argument("--part", action="append", choices=PARTS, help="all of them unless named")
    parser.add_argument("--name", default="tatou-platform")
    parser.add_argument("--programs", type=pathlib.Path, default=ROOT / ".build/release")
    parser.add_argument("--output", type=pathlib.Path, default=ROOT / "docs/measurements")
    options = parser.parse_args(arguments)
    if not all(os.access(options.programs / name, os.X_OK) for name in ("tatou", "tatou-worker")):
        sys.exit(f"script/bench platform: no tatou and tatou-worker in {options.programs}; build them with swift build -c release --product …")
    raw = options.output / f"{options.name}.json"
    parts = json.loads(raw.read_text()).get("parts", {}) if options.part and raw.exists() else {}
    for part in options.part or PARTS:
        # A server of its own for each: what one part leaves behind is not the next one's.
        with Server(str(options.programs / "tatou"), "--unlimited", "--document-megabytes", "60") as server:
            client = Client(server.address)
            client.sign_up("bench", "a password for the bench")
            facts = machine.describe(ROOT)
            parts[part] = {"machine": facts, "result": PARTS[part](server, client, options)}
    parts = {name: parts[name] for name in PARTS if name in parts}
    text = markdown(options, parts)
    record(options.output, options.name, text, {"parts": parts})
    return 0
