"""kill -9 at random during escalations: none early, none lost, none after an acknowledgement, each under one key.

See script/soak escalations. A server with steps of a second pages a catcher that answers 204, 500 or nothing at all. Incidents are
opened and some of them acknowledged while the server is killed at random. What is checked afterwards is the journal, and what the
catcher was sent.
"""
import base64
import hashlib
import hmac
import http.server
import json
import pathlib
import random
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from datetime import datetime

from lib import machine, projections, waiting

ROOT = pathlib.Path(__file__).resolve().parents[2]
STEPS = [("L1", 0), ("L2", 1), ("L3", 3)]
ENDS = ("page.sent", "page.cancelled", "page.dead")


class Catcher(http.server.BaseHTTPRequestHandler):
    received = []
    chance = random.Random(7)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        kind = self.chance.random()
        if kind < 0.1:
            self.send_response(500)
            self.end_headers()
            return
        name, stamp = self.headers["webhook-id"], self.headers["webhook-timestamp"]
        code = hmac.new(b"storm-secret", f"{name}.{stamp}.".encode() + body, hashlib.sha256).digest()
        right = self.headers["webhook-signature"] == "v1," + base64.b64encode(code).decode()
        Catcher.received.append((time.time(), name, right))
        if kind < 0.15:
            # Taken, and the sender never hears of it.
            time.sleep(1)
            self.connection.close()
            return
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


def moment(text):
    return datetime.fromisoformat(text[:26].rstrip("Z") + "+00:00").timestamp()


def entries(folder):
    """Every entry of the journal: canonical JSON, found in the segments' bytes."""
    found = {}
    for path in sorted((folder / "journal").glob("*.log")):
        text = path.read_bytes().decode("utf-8", "replace")
        decoder, at = json.JSONDecoder(), text.find('{"actor":')
        while at >= 0:
            try:
                entry, end = decoder.raw_decode(text, at)
                found[entry["seq"]] = entry
                at = text.find('{"actor":', end)
            except ValueError:
                at = text.find('{"actor":', at + 1)
    return [found[seq] for seq in sorted(found)]


def write_policies(folder, port):
    folder.mkdir()
    secret = folder / "secret"
    secret.write_text("storm-secret")
    (folder / "channels.yml").write_text(
        f'channels: {{hook: {{kind: webhook, url: "http://127.0.0.1:{port}/", secret_file: "{secret}"}}}}\ndigest_above: 100000\n')
    steps = ", ".join(f'{{name: {name}, page: ["channel:hook"], answers_within: {wait}s}}'
                      for name, wait in (("L1", 1), ("L2", 2), ("L3", 1)))
    (folder / "escalation.yml").write_text(f"routes: {{P0: p, P1: p}}\npolicies: {{p: [{steps}]}}\n")
    (folder / "clocks.yml").write_text(
        'use: t\ntables: {t: {acknowledgement: {title: A, starts: opened, stops: acknowledged, within: 2s, tells: ["channel:hook"]}}}\n')


def states(found):
    """What became of each page, by key: its last entry. An attempt that fails after the page was cancelled changes nothing any more."""
    last = {}
    for entry in found:
        if entry["type"].startswith("page."):
            late = entry["type"] == "page.failed" and "retry_at" not in entry["data"]
            if not (late and last.get(entry["data"]["key"]) == "page.cancelled"):
                last[entry["data"]["key"]] = entry["type"]
    return last


def check(folder, started):
    problems, opened, acknowledged, intended = [], {}, {}, {}
    found = entries(folder)
    last = states(found)
    for entry in found:
        data, kind = entry["data"], entry["type"]
        name = data.get("incident")
        if kind == "incident.opened":
            opened[name] = moment(entry["recorded_at"])
        elif kind == "incident.acknowledged":
            acknowledged[name] = entry["seq"]
        elif kind == "page.intended":
            if data["key"] in intended:
                problems.append(f"{data['key']} is intended twice")
            intended[data["key"]] = entry
            wait = 2 if data["purpose"] == "clock" else dict(STEPS)[data["step"]]
            if moment(entry["recorded_at"]) < opened[name] + wait:
                problems.append(f"{data['key']} is early")
        elif kind.startswith("page."):
            page = intended.get(data["key"])
            if page is None:
                problems.append(f"{data['key']} has {kind} without an intent")
            elif kind == "page.attempted" and page["data"]["purpose"] == "page" and name in acknowledged:
                problems.append(f"{data['key']} is attempted after the acknowledgement")
    for name in opened:
        keys = [key for key in intended if key.startswith(name + "/")]
        if name not in acknowledged and len(keys) != len(STEPS) + 1:
            problems.append(f"{name} has {len(keys)} pages of {len(STEPS) + 1}")
        if len({key for key in keys if "/acknowledgement/" in key}) > 1:
            problems.append(f"{name} misses one clock several times")
    arrived = {name for _, name, _ in Catcher.received}
    for key, state in last.items():
        if state not in ("page.sent", "page.cancelled"):
            problems.append(f"{key} ends as {state}")
        if state == "page.sent" and key not in arrived:
            problems.append(f"{key} is called sent and never arrived")
    problems += [f"{name} has a wrong signature" for _, name, right in Catcher.received if not right]
    problems += [f"{name} arrived and is not in the journal" for name in arrived if name not in intended]
    sent = sum(1 for state in last.values() if state == "page.sent")
    print(f"{len(opened)} incidents, {len(acknowledged)} acknowledged, {len(intended)} pages intended, {sent} sent, "
          f"{len(Catcher.received)} received under {len(arrived)} keys, {time.time() - started:.0f} s")
    return {"incidents": len(opened), "acknowledged": len(acknowledged), "intended": len(intended), "sent": sent,
            "received": len(Catcher.received), "keys": len(arrived), "seconds": round(time.time() - started, 1), "problems": problems}


def storm(options, place, serve, folder):
    """Opens, acknowledges, kills; returns how often it killed, and how often a start was refused, once every page has come to an end."""
    chance = random.Random(options.seed)
    log = (place / "stderr").open("ab")

    def watch():
        """Starts it again where a start was refused, as a service manager does: a child that was just being made when the server
        was killed may hold its lock for a moment longer."""
        nonlocal process, refused
        if process.poll() is not None:
            refused += 1
            time.sleep(0.5)
            process = start()

    def order(verb, incident, arguments, text):
        """Leaves an order as commands beside a server do. One that a server died over is carried out by the next, once."""
        path = folder / "orders" / str(uuid.UUID(int=chance.getrandbits(128)))
        path.with_suffix(".new").write_text(json.dumps(
            {"verb": verb, "incident": incident, "arguments": arguments, "author": "uid:0", "name": "storm", "text": text}))
        path.with_suffix(".new").rename(path.with_suffix(".order"))
        def read():
            watch()
            return path.with_suffix(".answer").exists() and json.loads(path.with_suffix(".answer").read_text())
        answer = waiting.eventually(f"{verb} is answered", 120, read, pause=0.01)
        path.with_suffix(".answer").unlink()
        return answer

    def start():
        return subprocess.Popen(serve, stdout=log, stderr=log)

    process, kills, refused, names = start(), 0, 0, []
    try:
        waiting.eventually("the tables are there", 300, (folder / "projections.db").exists)
        (folder / "orders").mkdir(mode=0o700, exist_ok=True)
        for number in range(options.count):
            # Opened already where a server died before it could answer; the check finds it in the journal.
            if name := order("open", "", {"severity": "P0"}, f"storm {number}").get("incident"):
                names.append(name)
            if names and chance.random() < 0.4:
                # Mostly one whose steps are being taken.
                order("ack", chance.choice(names[-20:]), {}, None)
            if kills < options.kills and chance.random() < 2 * options.kills / options.count:
                time.sleep(chance.random())
                process.kill()
                process.wait()
                kills += 1
                if chance.random() < 0.5:
                    time.sleep(chance.random() * 2)
                process = start()
        # The last one's steps need three seconds, and attempts that failed some more.
        soonest, latest = time.time() + 15, time.time() + options.patience
        while time.time() < latest:
            watch()
            time.sleep(2)
            if time.time() > soonest and all(state in ENDS for state in states(entries(folder)).values()):
                break
    finally:
        process.terminate()
        process.wait()
    return kills, refused


def markdown(raw):
    result = raw["result"]
    names = [("incidents", "incidents opened"), ("acknowledged", "of them acknowledged"), ("intended", "pages intended"),
             ("sent", "pages sent"), ("received", "requests received"), ("keys", "different keys received"),
             ("rows_rebuilt_alike", "rows of the tables, made anew from the journal, the same")]
    verdict = "FAILED" if result["problems"] else "Passed"
    return "\n".join([
        "# kill -9 during escalations", "", machine.sentence(raw["machine"]), "",
        f"`{raw['command']}`. The receiver answers one request in ten with 500, and breaks one connection in twenty after it took the "
        "page. Requests beyond the number of keys are repeats, each under the key of its page.", "",
        "| what | count |", "|---|---|", f"| kill -9 | {raw['kills']} |",
        f"| starts refused because a child of the killed server held the lock a moment longer | {raw['refused_starts']} |",
        *(f"| {text} | {result[name]} |" for name, text in names),
        "", f"**{verdict}**: {len(result['problems'])} pages or clocks early, lost, twice intended, or after an acknowledgement; "
        f"{result['seconds']:.0f} s.", ""])


def run(options):
    about, started = machine.describe(ROOT), time.time()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Catcher)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory(prefix="vigie-storm-") as place:
        place = pathlib.Path(place)
        folder, policies, rules = place / "data", place / "policies", place / "rules"
        write_policies(policies, server.server_port)
        rules.mkdir()
        (place / "log").write_text("")
        serve = [options.vigie, "serve", "--data", folder, "--rules", rules, "--policies", policies, "--listen", "127.0.0.1:0",
                 place / "log"]
        try:
            kills, refused = storm(options, place, serve, folder)
            result = check(folder, started)
            result["rows_rebuilt_alike"] = projections.assert_rebuilt_alike(options.vigie, folder)
        except waiting.NotReady as error:
            print(f"script/soak: {error}\n{(place / 'stderr').read_text(errors='replace')[-4000:]}", file=sys.stderr)
            return 1
        if result["problems"]:
            print((place / "stderr").read_text(errors="replace")[-2000:], file=sys.stderr)
    server.shutdown()
    raw = {"machine": about, "command": "script/soak escalations " + " ".join(sys.argv[2:]), "seed": options.seed, "kills": kills,
           "refused_starts": refused,
           "result": result}
    print(text := markdown(raw))
    if options.json:
        options.json.write_text(json.dumps(raw, indent=1) + "\n")
        options.json.with_suffix(".md").write_text(text)
    for problem in result["problems"]:
        print("  " + problem)
    return 1 if result["problems"] else 0
