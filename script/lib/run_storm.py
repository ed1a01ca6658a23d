"""kill -9 at every step boundary of playbooks, in the real program; see script/soak."""

import collections
import http.server
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import uuid

from lib import machine

VALUES = {
    "__address__": "203.0.113.9", "__account__": "victim1", "__token__": "token-7", "__document__": "document/4",
    "__endpoint__": "/api/get-version", "__service__": "server", "__source__": "app.log"}


class Target(http.server.BaseHTTPRequestHandler):
    """Honours idempotency keys: acts once for each. Where a path says that it does not, it acts every time."""

    def do_POST(self):
        self.rfile.read(int(self.headers.get("content-length", 0)))
        key = self.headers.get("idempotency-key", "")
        with self.server.lock:
            self.server.arrivals[(self.path, key)] += 1
        self.send_response(200)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *arguments):
        pass


def start_target():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Target)
    server.lock = threading.Lock()
    server.arrivals = collections.Counter()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def trial_playbook(port, folder):
    """One with targets outside: three that honour the key, two that do not, and a command of this machine's shell."""
    extension = "extension-definition--5c3fb0f1-6f4e-4a55-8a1e-6a1f6d0d5b90"
    names = [("honours-1", True), ("honours-2", True), ("does-not-1", False), ("honours-3", True), ("does-not-2", False)]
    ids = [f"action--{uuid.uuid4()}" for _ in names]
    shell, end, start, agent = (f"{kind}--{uuid.uuid4()}" for kind in ("action", "end", "start", "http-api"))
    linux, identity = f"linux--{uuid.uuid4()}", f"identity--{uuid.uuid4()}"
    workflow = {start: {"type": "start", "on_completion": ids[0]}, end: {"type": "end"}}
    for index, (name, honours) in enumerate(names):
        workflow[ids[index]] = {
            "type": "action", "name": name, "agent": agent, "timeout": 60000,
            "commands": [{"type": "http-api", "command": f"POST /{name} HTTP/1.1", "content": "{}",
                          "playbook_activity": "restrict-access"}],
            "on_success": ids[index + 1] if index + 1 < len(ids) else shell,
            "step_extensions": {extension: {"effect": "observe", "honours_key": honours}}}
    workflow[shell] = {
        "type": "action", "name": "shell", "agent": linux, "timeout": 60000,
        "commands": [{"type": "bash", "command": f"echo \"$VIGIE_KEY\" >> '{folder}/shell-effects'",
                      "playbook_activity": "restrict-access"}],
        "on_success": end, "step_extensions": {extension: {"effect": "observe"}}}
    return {
        "type": "playbook", "spec_version": "cacao-2.0", "id": f"playbook--{uuid.uuid4()}", "name": "Trial",
        "playbook_types": ["mitigation"], "playbook_activities": ["restrict-access"], "created_by": identity,
        "created": "2026-11-21T00:00:00.000Z", "modified": "2026-11-21T00:00:00.000Z", "impact": 0,
        "playbook_variables": {"__incident__": {"type": "string", "external": True}},
        "workflow_start": start, "workflow": workflow,
        "agent_definitions": {
            agent: {"type": "http-api", "name": "Target", "address": {"url": [f"http://127.0.0.1:{port}/"]}},
            linux: {"type": "linux", "name": "here", "address": {"ipv4": ["127.0.0.1"]}}},
        "extension_definitions": {extension: {
            "type": "extension-definition", "name": "Vigie response", "created_by": identity, "schema": "docs/playbooks.md",
            "version": "1.0.0"}}}


def entries(data):
    """What the journal holds: each frame has its entry as JSON."""
    found = []
    decoder = json.JSONDecoder()
    for path in sorted(pathlib.Path(data, "journal").glob("*.log")):
        text = path.read_bytes().decode("latin-1")
        place = 0
        while (place := text.find('{"actor":', place)) >= 0:
            try:
                entry, place = decoder.raw_decode(text, place)
            except ValueError:
                break
            found.append(entry)
    return found


class World:
    def __init__(self, vigie, shim, playbooks, folder):
        self.vigie, self.shim, self.playbooks = vigie, shim, playbooks
        self.folder = pathlib.Path(folder)
        for name in ("rules", "policies"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        (self.folder / "rules/none.yml").write_text(
            "title: None\nid: 0b9a3b4e-6a57-4b3e-9d46-0f3a5a4a5d10\nlogsource: {category: webserver}\n"
            "detection: {selection: {url.query|contains: 'never'}, condition: selection}\nlevel: high\n")
        (self.folder / "log").touch()
        self.data = self.folder / "data"
        (self.folder / "vigie.yml").write_text(
            f"data: {self.data}\nlisten: 127.0.0.1:0\nrules: [{self.folder}/rules]\npolicies: {self.folder}/policies\n"
            f"playbooks: [{playbooks}]\nsources: [{{path: {self.folder}/log, format: combined}}]\n"
            "evidence: {system_logs: []}\n")

    def start(self, die_at=None):
        environment = dict(os.environ)
        if die_at:
            environment |= {"LD_PRELOAD": str(self.shim), "DIE_AT_ENTRY": str(die_at)}
        return subprocess.Popen(
            [self.vigie, "serve", "--config", str(self.folder / "vigie.yml")], env=environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=open(self.folder / "output", "a"))

    def order(self, verb, author="uid:1", incident="", text=None, **arguments):
        folder = self.data / "orders"
        folder.mkdir(parents=True, exist_ok=True)
        document = {"verb": verb, "incident": incident, "arguments": arguments, "author": author}
        if text:
            document["text"] = text
        path = folder / str(uuid.uuid4())
        path.with_suffix(".new").write_text(json.dumps(document))
        path.with_suffix(".new").rename(path.with_suffix(".order"))
        return path

    def run(self, playbook, variables, die_at, limit=600):
        """One run of one playbook, with people who do what they are asked. Returns its entries, and deaths by the entry after which."""
        begin = time.monotonic()
        deaths = []
        asked = set()
        process = self.start()
        opened = self.order("open", text=f"Trial of {playbook}", severity="P1", kind="test")
        answer = opened.with_suffix(".answer")
        while not answer.exists():
            time.sleep(0.02)
        incident = json.loads(answer.read_text())["incident"]
        process.kill()
        process.wait()
        for path in (self.data / "orders").iterdir():
            path.unlink()
        started = self.order("run.start", incident=incident, playbook=playbook, **variables).with_suffix(".answer")
        run = f"{incident}-R1"
        process = self.start(die_at)
        while True:
            if time.monotonic() - begin > limit:
                process.kill()
                process.wait()
                raise SystemExit(f"{playbook} did not end within {limit} s: {self.folder}")
            dead = process.poll() is not None
            mine = [entry for entry in entries(self.data) if entry["data"].get("run") == run]
            if mine and mine[-1]["type"] == "run.finished":
                process.kill()
                process.wait()
                return incident, mine, deaths, time.monotonic() - begin
            if not mine and started.exists():
                process.kill()
                process.wait()
                raise SystemExit(f"{playbook} did not start: {started.read_text()}")
            self.people(run, mine, asked)
            if dead:
                deaths.append({"after": mine[-1]["type"] if mine else "nothing", "entries": len(mine)})
                # Orders given and not answered are carried out by the next process; those asked of a dead one are asked again.
                asked.clear()
                process = self.start(die_at)
            time.sleep(0.03)

    def people(self, run, mine, asked):
        """Two people who approve, and one who does what waits for a person."""
        waiting = {}
        for entry in mine:
            data = entry["data"]
            execution = data.get("execution", (data.get("command") or {}).get("execution"))
            if entry["type"] == "run.approval_requested":
                waiting[execution] = "approval"
            elif entry["type"] in ("run.handed_over", "run.outcome_unknown"):
                waiting[execution] = "done"
            elif entry["type"] == "run.command_started":
                waiting[execution] = "perhaps"
            elif entry["type"] == "run.command_finished":
                waiting.pop(execution, None)
        for execution, what in waiting.items():
            if (execution, what) in asked:
                continue
            asked.add((execution, what))
            if what == "approval":
                for author in ("uid:1", "uid:2"):
                    self.order("run.approve", author=author, run=run, step=str(execution))
            else:
                # Refused where a machine is at work.
                self.order("run.done", run=run, step=str(execution), ending="succeeded", text="done by hand")
                if what == "perhaps":
                    asked.discard((execution, what))
                    time.sleep(0.05)


def shape(mine):
    """What a run did, apart from times and of who was asked: every step and how it ended."""
    return collections.Counter(
        (entry["type"], entry["data"].get("step") or entry["data"].get("outcome") or "")
        for entry in mine if entry["type"] in ("run.started", "run.step_entered", "run.finished", "run.step_finished"))


def verdict(name, incident, mine, reference, everything):
    """What was lost, done twice, or left to a person."""
    starts = collections.Counter(json.dumps(e["data"]["command"], sort_keys=True) for e in mine if e["type"] == "run.command_started")
    keys = collections.Counter(
        e["data"]["key"] for e in everything
        if e["type"] == "evidence.requested" and e["data"].get("incident") == incident and "key" in e["data"])
    notes = collections.Counter(
        e["data"]["request"] for e in everything
        if e["type"].startswith("incident.") and e["data"].get("incident") == incident and str(e["data"].get("request", "")).startswith(incident))
    return {
        "playbook": name, "entries": len(mine),
        "lost": sum((shape(reference) - shape(mine)).values()), "added": sum((shape(mine) - shape(reference)).values()),
        "commands_begun_twice": sum(count - 1 for count in starts.values()),
        "evidence_asked_twice": sum(count - 1 for count in keys.values()), "evidence": len(keys),
        "notices_twice": sum(count - 1 for count in notes.values()), "notices": len(notes),
        "unknown_outcomes": sum(e["type"] == "run.outcome_unknown" for e in mine),
        "handed_over": sum(e["type"] == "run.handed_over" for e in mine),
        "outcome": mine[-1]["data"]["outcome"]}


def trial(vigie, shim, root, folder, only=None, seconds=3600, say=print):
    folder = pathlib.Path(folder)
    playbooks = folder / "playbooks"
    playbooks.mkdir(parents=True, exist_ok=True)
    for path in sorted((root / "playbooks").glob("*.json")):
        (playbooks / path.name).write_bytes(path.read_bytes())
    target = start_target()
    (playbooks / "trial.json").write_text(json.dumps(trial_playbook(target.server_port, folder)))
    results = []
    begin = time.monotonic()
    # The one with targets first: it is where a repeat would be seen outside.
    for path in sorted(playbooks.glob("*.json"), key=lambda path: (path.stem != "trial", path.stem)):
        if only and path.stem not in only:
            continue
        if time.monotonic() - begin > seconds:
            say(f"{path.stem} was not begun: the time is over")
            continue
        document = json.loads(path.read_text())
        variables = {name: VALUES[name] for name in document["playbook_variables"] if name in VALUES}
        runs = {}
        for mode, die_at in (("reference", None), ("killed", 2)):
            world = World(vigie, shim, playbooks, folder / f"{path.stem}-{mode}")
            target.arrivals.clear()
            (folder / "shell-effects").unlink(missing_ok=True)
            runs[mode] = world.run(path.stem, variables, die_at)
        incident, mine, deaths, seconds = runs["killed"]
        result = verdict(path.stem, incident, mine, runs["reference"][1], entries(folder / f"{path.stem}-killed/data"))
        result |= {"kills": len(deaths), "kill_boundaries": len({death["entries"] for death in deaths}), "seconds": round(seconds, 1)}
        if path.stem == "trial":
            arrivals = {f"{where} {key}": count for (where, key), count in sorted(target.arrivals.items())}
            shell = (folder / "shell-effects").read_text().split() if (folder / "shell-effects").exists() else []
            result |= {
                "arrivals": arrivals,
                # A target that honours the key acts once for each key, however often it is asked.
                "effects_at_honouring": len({key for where, key in target.arrivals if where.startswith("/honours")}),
                "repeats_at_others": sum(c - 1 for (where, _), c in target.arrivals.items() if where.startswith("/does-not")),
                "shell_repeats": len(shell) - len(set(shell))}
        results.append(result)
        say(json.dumps(result))
    return results


def is_clean(result):
    return not any(
        result.get(name) for name in (
            "lost", "added", "commands_begun_twice", "evidence_asked_twice", "notices_twice", "repeats_at_others", "shell_repeats")
    ) and result["outcome"] == "succeeded"


def main(options, root):
    folder = options.folder or pathlib.Path(tempfile.mkdtemp(prefix="vigie-runs-"))
    folder.mkdir(parents=True, exist_ok=True)
    shim = folder / "die_at_entry.so"
    subprocess.run(["clang", "-shared", "-fPIC", "-O1", "-o", shim, root / "script/lib/die_at_entry.c", "-ldl"], check=True)
    raw = {"machine": machine.describe(root), "command": " ".join(["script/soak", *sys.argv[1:]]), "playbooks": []}

    def say(line):
        print(line, file=sys.stderr)

    raw["playbooks"] = trial(str(options.vigie), shim, root, folder / "work", only=options.only, seconds=options.seconds, say=say)
    raw["passed"] = bool(raw["playbooks"]) and all(map(is_clean, raw["playbooks"]))
    raw["kills"] = sum(result["kills"] for result in raw["playbooks"])
    if options.json:
        options.json.write_text(json.dumps(raw, indent=1) + "\n")
    if not options.folder:
        shutil.rmtree(folder)
    print(markdown(raw), end="")
    return 0 if raw["passed"] else 1


def markdown(raw):
    lines = [
        "# kill -9 while playbooks run", "", machine.sentence(raw["machine"]), "", f"`{raw['command']}`", "",
        "| playbook | entries | kills | lost | added | begun twice | unknown, waited for a person | handed over | evidence | notices | outcome |",
        "|---|---|---|---|---|---|---|---|---|---|---|"]
    for one in raw["playbooks"]:
        lines.append(
            f"| {one['playbook']} | {one['entries']} | {one['kills']} | {one['lost']} | {one['added']} | {one['commands_begun_twice']} | "
            f"{one['unknown_outcomes']} | {one['handed_over']} | {one['evidence']} | {one['notices']} | {one['outcome']} |")
    lines += ["", f"**{'Passed' if raw['passed'] else 'FAILED'}**: {raw['kills']} kills in {len(raw['playbooks'])} playbooks.", ""]
    return "\n".join(lines)
