"""Password guessing from one network namespace at an application with Guard behind a real nginx in another one, and Vigie's answer to it."""

import json
import os
import shutil
import time

from lib import waiting
from lib.lease_trial import ATTACKER, DEFENDER, OTHER, Trial, Trouble, run

# What an attacker gets from whom: nobody answers, or somebody says no.
REFUSED = {"nftables": "000", "nginx": "403", "guard": "403"}
# What the server can find out by itself: nginx counts nothing that it could be asked for.
PROOF = {"nftables": "observed", "nginx": "read_back", "guard": "observed"}


class AttackTrial(Trial):
    """One enforcer is asked first for blocks; what it cannot do goes to the others."""

    def __init__(self, vigie, application, root, enforcer):
        super().__init__(vigie, [], application.resolve())
        self.root, self.enforcer = root, enforcer

    def nginx(self):
        keys = {name: self.key(name) for name in ("notes", "notes-read")}
        environment = dict(os.environ, VIGIE_TOKEN=keys["notes"][0], READ_BACK_TOKEN=keys["notes-read"][0], PORT="8080",
                           ALICE_PASSWORD=os.urandom(16).hex())
        self.start("ip", "netns", "exec", self.defender, self.application, environment=environment)
        (self.folder / "deny.conf").write_text("")
        (self.folder / "nginx.conf").write_text(
            f"daemon off; pid {self.folder}/nginx.pid; error_log {self.folder}/error.log; worker_processes 1; events {{}}\n"
            f"http {{ access_log {self.folder}/access.log; server {{ listen 80; include {self.folder}/deny.conf;\n"
            f"location / {{ proxy_pass http://127.0.0.1:8080; proxy_set_header X-Forwarded-For $remote_addr; }} }} }}\n")
        self.inside("nginx", "-p", self.folder, "-e", f"{self.folder}/error.log", "-c", f"{self.folder}/nginx.conf")

    def serve(self):
        for name in ("rules", "policies", "playbooks"):
            shutil.copytree(self.root / name, self.folder / name)
        nginx = ["nginx", "-p", str(self.folder), "-e", f"{self.folder}/error.log", "-c", f"{self.folder}/nginx.conf"]
        known = {
            "nftables": "nftables", "guard": "guard",
            "nginx": {"kind": "nginx", "file": f"{self.folder}/deny.conf", "pid_file": f"{self.folder}/nginx.pid",
                      "check": [*nginx, "-t", "-q"], "reload": [*nginx, "-s", "reload"]}}
        order = sorted(known, key=lambda name: name != self.enforcer)
        configuration = {
            "listen": "127.0.0.1:8630", "data": str(self.folder / "data"), "rules": [str(self.folder / "rules")],
            "policies": str(self.folder / "policies"), "playbooks": [str(self.folder / "playbooks")],
            "evidence": {"system_logs": []},
            "sources": [{"path": str(self.folder / "logs/app.log"), "format": "json"},
                        {"path": str(self.folder / "access.log"), "format": "combined"}],
            "response": {
                "enforcers": [known[name] for name in order],
                "guard": [{"name": "notes", "key_file": f"{self.folder}/notes.key", "url": "http://127.0.0.1:8080",
                           "read_back_key_file": f"{self.folder}/notes-read.key"}]}}
        # JSON is YAML.
        (self.folder / "vigie.yml").write_text(json.dumps(configuration, indent=1))
        self.serve_again()
        # From the defender's own address: whoever asks too often is refused for a minute.
        self.until("the application is served", lambda: run(
            "ip", "netns", "exec", self.defender, "curl", "--silent", "--output", "/dev/null", "--write-out", "%{http_code}",
            f"http://{DEFENDER}/notes/1", check=False).stdout == "200")

    def attack(self, source=ATTACKER, target=DEFENDER):
        """One request for a note: its status, or 000 where nobody answers."""
        return self.request(source, "--output", "/dev/null", f"http://{target}/notes/1")

    def guess(self, source=ATTACKER):
        """One guess at a password."""
        return self.request(source, "--output", "/dev/null", "--header", "content-type: application/json", "--data",
                            '{"name": "alice", "password": "summer"}', f"http://{DEFENDER}/login")

    def request(self, source, *words):
        return run("ip", "netns", "exec", self.attacker, "curl", "--silent", "--max-time", "2", "--write-out", "%{http_code}",
                   "--interface", source, *words, check=False).stdout

    def vigie_lines(self, *words):
        """What the program prints, one JSON object a line."""
        said = run(self.vigie, *words, "--data", self.folder / "data", "--json", cwd=self.folder).stdout
        return [json.loads(line) for line in said.splitlines()]

    def leases(self):
        return json.loads(self.lease("list", "--all").stdout)["leases"]

    def block(self, incident):
        """The incident's block, once it stands still."""
        return next((one for one in self.leases() if one["incident"] == incident and one["verb"] == "block_address"
                     and one["phase"] in ("in_force", "not_in_force", "refused")), None)

    def real(self):
        """An attack, and what follows by policy alone."""
        seen = {"enforcer": self.enforcer, "before": self.attack(), "bystander_before": self.attack(OTHER)}
        began = time.monotonic()
        seen["guesses"] = [self.guess() for _ in range(6)]
        incident = waiting.eventually("an incident", 60, lambda: next(
            (one for one in self.vigie_lines("incidents", "list") if "brute_force" in one["categories"]), None))
        lease = waiting.eventually("the block stands", 60, lambda: self.block(incident["id"]))
        seen |= {"incident": incident["id"], "severity": incident["severity"], "seconds_to_block": round(time.monotonic() - began, 3),
                 "lease_phase": lease["phase"], "lease_enforcer": lease["enforcer"], "lease_target": lease["target"],
                 "ordered_by": lease["requested_by"], "proof_at_first": lease.get("proof")}
        seen["run"] = lease["requested_by"].removeprefix("run:")
        seen["in_force"] = [self.attack(), self.guess()]
        seen["bystander"] = self.attack(OTHER)
        seen["proof_after_the_attack"] = json.loads(self.lease("proof", lease["id"]).stdout).get("proof")
        # Nobody can try as the attacker of a real incident: the server takes nobody's word for it.
        seen["probe_of_a_real_incident"] = self.lease("probed", lease["id"], "refused", check=False).returncode
        seen["step_status"], seen["step"] = waiting.eventually("the playbook's step has ended", 60, lambda: next(
            ((step["status"], note) for step in self.vigie_lines("respond", "show", seen["run"]) if step["finished_at"]
             for note in step["notes"] if lease["id"] in note), None))
        run(self.vigie, "respond", "undo", seen["run"], "--data", self.folder / "data", cwd=self.folder)
        ended = waiting.eventually("the block is lifted", 60, lambda: next(
            (one for one in self.leases() if one["id"] == lease["id"] and one["phase"] == "lifted" and one.get("lift_proven")), None))
        seen |= {"undone": True, "lift_proven": ended["lift_proven"], "after": self.attack(), "undone_by": ended.get("undone_by")}
        return seen

    def drill(self):
        """The same playbook for a drill, where whoever plays the attacker says what came of trying."""
        incident = run(self.vigie, "incidents", "open", "guesses, in a drill", "--kind", "drill", "--severity", "P2", "--data",
                       self.folder / "data", "--policies", self.folder / "policies", cwd=self.folder).stdout.split()[0]
        run(self.vigie, "respond", "run", "brute-force-and-enumeration", "--incident", incident, "--set", f"__address__={ATTACKER}",
            "--data", self.folder / "data", "--playbooks", self.folder / "playbooks", "--policies", self.folder / "policies", cwd=self.folder)
        lease = waiting.eventually("the drill's block stands", 60, lambda: self.block(incident))
        seen = {"enforcer": self.enforcer, "incident": incident, "proof_at_first": lease.get("proof"), "probe": self.attack()}
        outcome = "refused" if seen["probe"] == REFUSED[self.enforcer] else "served"
        seen["proof_after_the_probe"] = json.loads(self.lease("probed", lease["id"], outcome).stdout).get("proof")
        self.lease("undo", lease["id"])
        waiting.eventually("the drill's block is lifted", 60, lambda: self.state(lease["id"]).get("lift_proven"))
        seen["after"] = self.attack()
        return seen


def faults(real, drill):
    """What is not as it has to be."""
    name = real["enforcer"]
    wanted = {
        "before": "200", "bystander_before": "200", "lease_phase": "in_force", "lease_enforcer": name, "lease_target": ATTACKER,
        "step_status": "done", "in_force": [REFUSED[name]] * 2, "bystander": "200", "proof_after_the_attack": PROOF[name], "lift_proven": True, "after": "200"}
    wrong = [f"{key} is {real[key]}, not {value}" for key, value in wanted.items() if real[key] != value]
    if real["probe_of_a_real_incident"] == 0:
        wrong.append("a probe was believed although the incident is real")
    wanted = {"probe": REFUSED[name], "proof_after_the_probe": "probed", "after": "200"}
    return wrong + [f"drill: {key} is {drill[key]}, not {value}" for key, value in wanted.items() if drill[key] != value]


def trial(vigie, application, root, enforcer):
    with AttackTrial(vigie, application, root, enforcer) as attack:
        real = attack.real()
        drill = attack.drill()
    wrong = faults(real, drill)
    return {"real": real, "drill": drill, "wrong": wrong}


__all__ = ["trial", "Trouble"]
