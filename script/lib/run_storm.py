"""kill -9 at every step boundary of playbooks, in the real program; see script/soak."""

import collections
import http.server
import json
import os
import pathlib
import secrets
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import uuid

from lib import machine, waiting

EXTENSION = "extension-definition--5c3fb0f1-6f4e-4a55-8a1e-6a1f6d0d5b90"
# What the playbooks order as leases: all of it goes to a target outside the process, which is asked over HTTP.
VERBS = [
    "block_address", "throttle_address", "revoke_token", "revoke_sessions", "revoke_everyone", "disable_account",
    "force_password_reset", "maintenance", "quarantine_object", "isolate_service", "stop_service", "rotate_key", "regenerate_canary"]
VALUES = {
    "__address__": "203.0.113.9", "__account__": "victim1", "__token__": "token-7", "__document__": "document/4",
    "__endpoint__": "/api/get-version", "__service__": "server", "__source__": "app.log"}


class Target(http.server.BaseHTTPRequestHandler):
    """Honours idempotency keys: acts once for each. Where a path says that it does not, it acts every time.

    At /leases it enforces leases, whose orders have ids that stay the same when they are repeated.
    """

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        answer = {}
        with self.server.lock:
            if self.path == "/leases":
                order = json.loads(body)
                lease = order["lease"]
                if order["type"] == "lease.read_back":
                    answer = {"in_force": lease["id"] in self.server.held}
                else:
                    self.server.orders[(order["type"], lease["verb"], lease["target"], self.headers["webhook-id"])] += 1
                    change = self.server.held.add if order["type"] == "lease.apply" else self.server.held.discard
                    change(lease["id"])
            else:
                self.server.arrivals[(self.path, self.headers.get("idempotency-key", ""))] += 1
        answer = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *arguments):
        pass


def start_target():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Target)
    server.lock = threading.Lock()
    server.forget = lambda: (server.arrivals.clear(), server.orders.clear(), server.held.clear())
    server.arrivals, server.orders, server.held = collections.Counter(), collections.Counter(), set()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def trial_playbook(port, folder):
    """One with targets outside: three that honour the key, two that do not, and a command of this machine's shell."""
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
            "step_extensions": {EXTENSION: {"effect": "observe", "honours_key": honours}}}
    workflow[shell] = {
        "type": "action", "name": "shell", "agent": linux, "timeout": 60000,
        "commands": [{"type": "bash", "command": f"echo \"$VIGIE_KEY\" >> '{folder}/shell-effects'",
                      "playbook_activity": "restrict-access"}],
        "on_success": end, "step_extensions": {EXTENSION: {"effect": "observe"}}}
    return {
        "type": "playbook", "spec_version": "cacao-2.0", "id": f"playbook--{uuid.uuid4()}", "name": "Trial",
        "playbook_types": ["mitigation"], "playbook_activities": ["restrict-access"], "created_by": identity,
        "created": "2026-11-21T00:00:00.000Z", "modified": "2026-11-21T00:00:00.000Z", "impact": 0,
        "playbook_variables": {"__incident__": {"type": "string", "external": True}},
        "workflow_start": start, "workflow": workflow,
        "agent_definitions": {
            agent: {"type": "http-api", "name": "Target", "address": {"url": [f"http://127.0.0.1:{port}/"]}},
            linux: {"type": "linux", "name": "here", "address": {"ipv4": ["127.0.0.1"]}}},
        "extension_definitions": {EXTENSION: {
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


def patient(document):
    """As shipped, but for deadlines of machines: a process makes one entry, and a deadline that passes meanwhile is another trial."""
    for step in document["workflow"].values():
        if step["type"] == "action" and not any(command["type"] == "manual" for command in step["commands"]):
            step["timeout"] = 3_600_000
    return document


def steps(playbooks):
    """Of every step that carries something out, by its id: whether people do it, and whether its target honours the key."""
    found = {}
    for path in playbooks.glob("*.json"):
        for name, step in json.loads(path.read_text())["workflow"].items():
            if step["type"] == "action":
                found[name] = {
                    "manual": any(command["type"] == "manual" for command in step["commands"]),
                    "honours": step.get("step_extensions", {}).get(EXTENSION, {}).get("honours_key", False)}
    return found


class World:
    def __init__(self, vigie, shim, playbooks, folder, port):
        self.vigie, self.shim, self.playbooks, self.steps = vigie, shim, playbooks, steps(playbooks)
        self.folder = pathlib.Path(folder)
        for name in ("rules", "policies"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        (self.folder / "rules/none.yml").write_text(
            "title: None\nid: 0b9a3b4e-6a57-4b3e-9d46-0f3a5a4a5d10\nlogsource: {category: webserver}\n"
            "detection: {selection: {url.query|contains: 'never'}, condition: selection}\nlevel: high\n")
        (self.folder / "log").touch()
        self.data = self.folder / "data"
        (self.folder / "webhook.key").touch(0o600)
        (self.folder / "webhook.key").write_text(secrets.token_hex(32) + "\n")
        (self.folder / "vigie.yml").write_text(
            f"data: {self.data}\nlisten: 127.0.0.1:0\nrules: [{self.folder}/rules]\npolicies: {self.folder}/policies\n"
            f"playbooks: [{playbooks}]\nsources: [{{path: {self.folder}/log, format: combined}}]\n"
            "evidence: {system_logs: []}\n"
            f"response: {{enforcers: [{{kind: webhook, url: 'http://127.0.0.1:{port}/leases', secret_file: {self.folder}/webhook.key, "
            f"verbs: [{', '.join(VERBS)}]}}]}}\n")

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

    def answer(self, order, process):
        """What the server says to an order."""
        answer = order.with_suffix(".answer")

        def answered():
            if process.poll() is not None:
                raise waiting.NotReady(f"the server ended with status {process.returncode}")
            return answer.exists() and answer.read_text()

        return json.loads(waiting.eventually(f"an answer to {order.name}", 60, answered, pause=0.02))

    def run(self, playbook, variables, die_at, limit=900):
        """One run of one playbook, with people who do what they are asked. Returns its entries, and deaths by the entry after which."""
        begin = time.monotonic()
        deaths, asked = [], set()
        process = self.start()
        try:
            incident = self.answer(self.order("open", text=f"Trial of {playbook}", severity="P1", kind="test"), process)["incident"]
            process.kill()
            process.wait()
            for path in (self.data / "orders").iterdir():
                path.unlink()
            started = self.order("run.start", incident=incident, playbook=playbook, **variables).with_suffix(".answer")
            run = f"{incident}-R1"
            process = self.start(die_at)

            def ended():
                nonlocal process
                dead = process.poll() is not None
                # Asked first: what is answered then is in the entries that are read after.
                answered = started.exists()
                mine = [entry for entry in entries(self.data) if entry["data"].get("run") == run]
                if mine and mine[-1]["type"] == "run.finished":
                    return mine
                if not mine and answered:
                    raise waiting.NotReady(f"{playbook} did not start: {started.read_text()}")
                self.people(run, mine, asked)
                if dead:
                    if process.returncode != -9:
                        raise waiting.NotReady(f"the server ended with status {process.returncode}, not killed: {self.folder}/output")
                    last = mine[-1] if mine else None
                    deaths.append({"after": last["type"] if last else "nothing", "entries": len(mine),
                                   "execution": last and execution_of(last)})
                    # Orders given and not answered are carried out by the next process; those asked of a dead one are asked again.
                    asked.clear()
                    process = self.start(die_at)
                return None

            mine = waiting.eventually(f"the run of {playbook} ends; {self.folder} has all of it", limit, ended, pause=0.03)
            return incident, mine, deaths, time.monotonic() - begin
        finally:
            process.kill()
            process.wait()

    def people(self, run, mine, asked):
        """Two people who approve, and one who does what waits for a person."""
        waits, at = {}, {}
        for entry in mine:
            execution = execution_of(entry)
            if entry["type"] == "run.step_entered":
                at[execution] = entry["data"].get("step")
            if entry["type"] == "run.approval_requested":
                waits[execution] = "approval"
            elif entry["type"] in ("run.handed_over", "run.outcome_unknown") or (
                    entry["type"] == "run.command_started" and self.steps.get(at.get(execution), {}).get("manual")):
                waits[execution] = "done"
            elif entry["type"] in ("run.command_started", "run.command_finished"):
                waits.pop(execution, None)
        for execution, what in waits.items():
            if (execution, what) in asked:
                continue
            asked.add((execution, what))
            if what == "approval":
                for author in ("uid:1", "uid:2"):
                    self.order("run.approve", author=author, run=run, step=str(execution))
            else:
                self.order("run.done", run=run, step=str(execution), ending="succeeded", text="done by hand")


def execution_of(entry):
    """The number of the step's execution that an entry is about."""
    data = entry["data"]
    return data.get("execution", (data.get("command") or {}).get("execution"))


def left_open(mine, deaths, known):
    """Commands of machines that a death left without an end: (asked for again under their key, waited for a person, neither)."""
    at = {execution_of(e): e["data"].get("step") for e in mine if e["type"] == "run.step_entered"}
    again = waited = neither = 0
    for death in deaths:
        begun = {}
        for entry in mine[:death["entries"]]:
            if entry["type"] == "run.command_started":
                begun[execution_of(entry)] = known[at[execution_of(entry)]]
            elif entry["type"] in ("run.command_finished", "run.handed_over", "run.outcome_unknown"):
                begun.pop(execution_of(entry), None)
        for execution, step in begun.items():
            if step["manual"]:
                continue
            after = next((e["type"] for e in mine[death["entries"]:] if execution_of(e) == execution), "nothing")
            if after == "run.outcome_unknown" and not step["honours"]:
                waited += 1
            elif after in ("run.command_finished", "run.handed_over") and step["honours"]:
                again += 1
            else:
                neither += 1
    return again, waited, neither


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
        "leases_ordered_twice": sum(
            count - 1 for count in collections.Counter(e["data"]["lease"] for e in everything if e["type"] == "lease.requested").values()),
        "unknown_outcomes": sum(e["type"] == "run.outcome_unknown" for e in mine),
        "handed_over": sum(e["type"] == "run.handed_over" for e in mine),
        "outcome": mine[-1]["data"]["outcome"]}


def trial(vigie, shim, root, folder, only=None, seconds=3600, say=print):
    folder = pathlib.Path(folder)
    playbooks = folder / "playbooks"
    playbooks.mkdir(parents=True, exist_ok=True)
    for path in sorted((root / "playbooks").glob("*.json")):
        (playbooks / path.name).write_text(json.dumps(patient(json.loads(path.read_text()))))
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
        runs, outside = {}, {}
        for mode, die_at in (("reference", None), ("killed", 2)):
            world = World(vigie, shim, playbooks, folder / f"{path.stem}-{mode}", target.server_port)
            target.forget()
            (folder / "shell-effects").unlink(missing_ok=True)
            runs[mode] = world.run(path.stem, variables, die_at)
            outside[mode] = dict(target.orders), set(target.held)
        incident, mine, deaths, took = runs["killed"]
        result = verdict(path.stem, incident, mine, runs["reference"][1], entries(folder / f"{path.stem}-killed/data"))
        again, waited, neither = left_open(mine, deaths, world.steps)
        (expected, held), (orders, holds) = outside["reference"], outside["killed"]
        result |= {
            "kills": len(deaths), "kill_boundaries": len({death["entries"] for death in deaths}), "seconds": round(took, 1),
            "asked_again_under_the_key": again, "waited_for_a_person": waited, "guessed": neither,
            # The enforcer outside: what it was told, by the id that stays the same when an order is repeated.
            "lease_orders": len(orders), "lease_orders_lost": len(expected.keys() - orders.keys()),
            "lease_orders_added": len(orders.keys() - expected.keys()), "lease_orders_repeated_under_their_id": sum(orders.values()) - len(orders),
            "leases_held": len(holds), "leases_held_differ": len(held ^ holds)}
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
            "lost", "added", "commands_begun_twice", "evidence_asked_twice", "notices_twice", "leases_ordered_twice", "guessed",
            "lease_orders_lost", "lease_orders_added", "leases_held_differ", "repeats_at_others", "shell_repeats")
    ) and result["outcome"] == "succeeded" and result["kill_boundaries"] == result["entries"] - 1


def main(options, root):
    folder = options.folder or pathlib.Path(tempfile.mkdtemp(prefix="vigie-runs-"))
    folder.mkdir(parents=True, exist_ok=True)
    shim = folder / "die_at_entry.so"
    subprocess.run(["clang", "-shared", "-fPIC", "-O1", "-o", shim, root / "script/lib/die_at_entry.c", "-ldl"], check=True)
    raw = {"machine": machine.describe(root), "playbooks": [],
           "command": " ".join(["script/soak runs", *(f"--only {name}" for name in options.only or [])])}

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
        "| playbook | entries | kills | lost | added | begun twice | asked again under the key | unknown, waited for a person | guessed | "
        "lease orders lost, added | repeated under their id | handed over | evidence | notices | outcome |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|"]
    for one in raw["playbooks"]:
        lines.append(
            f"| {one['playbook']} | {one['entries']} | {one['kills']} | {one['lost']} | {one['added']} | {one['commands_begun_twice']} | "
            f"{one['asked_again_under_the_key']} | {one['waited_for_a_person']} | {one['guessed']} | "
            f"{one['lease_orders_lost']}, {one['lease_orders_added']} of {one['lease_orders']} | "
            f"{one['lease_orders_repeated_under_their_id']} | {one['handed_over']} | {one['evidence']} | {one['notices']} | {one['outcome']} |")
    lines += [
        "", f"**{'Passed' if raw['passed'] else 'FAILED'}**: {raw['kills']} kills in {len(raw['playbooks'])} playbooks.", "",
        "A process is killed right before each entry about the run but the first; `lost` and `added` are steps against the same run "
        "undisturbed. *Asked again*: a death left the command without an end, and the next process asked under the same key. *Guessed*: it "
        "left one without an end at a target that does not honour the key, and nobody was asked: there must be none. Leases are ordered of "
        "an enforcer outside, over HTTP; what is repeated under an order's id acts once there. What was handed over could be done by "
        "nothing in this trial and waited for a person. Playbooks are as shipped, but for the deadlines of machines, which are an hour here: a "
        "process makes one entry and dies.", ""]
    return "\n".join(lines)
