"""nginx and sshd as sources in `script/receivers-check`: they write the lines, real clients make them do so, Vigie reads them with the rules it ships.

nginx writes each request to a file as combined, to another as JSON, and over syslog to two receivers, one of which knows the format; its errors
go to a file. sshd speaks to rsyslogd through /dev/log, as on any Debian, and rsyslogd writes auth.log. /dev is one of their own: the machine's
is left alone. While a visitor goes on asking, nginx's logs are renamed and made anew.
"""

import collections
import contextlib
import getpass
import http.client
import os
import pathlib
import re
import shutil
import socket
import subprocess
import threading
import time
from concurrent import futures

from .receivers_world import Console, stop
from .waiting import NotReady, eventually, free_port, wait_for_port

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Beside those that are shipped: each event of these kinds is one finding, so that one too few is seen, and one too many.
RULES = """
title: asked
id: 0a5f1b6e-2222-4a51-8e57-0f4b6b5b6e01
logsource: {category: webserver}
detection: {marked: {url.query|startswith: 'check='}, condition: marked}
level: low
vigie: {category: other}
---
title: unknown account
id: 0a5f1b6e-2222-4a51-8e57-0f4b6b5b6e02
logsource: {product: linux, service: sshd}
detection: {marked: {event.action: ssh_invalid_user}, condition: marked}
level: low
vigie: {category: other}
---
title: refused
id: 0a5f1b6e-2222-4a51-8e57-0f4b6b5b6e03
logsource: {product: linux, service: sshd}
detection: {marked: {event.action: ssh_login, event.outcome: failure}, condition: marked}
level: low
vigie: {category: other}
---
title: accepted
id: 0a5f1b6e-2222-4a51-8e57-0f4b6b5b6e04
logsource: {product: linux, service: sshd}
detection: {marked: {event.action: ssh_login, event.outcome: success}, condition: marked}
level: low
vigie: {category: other}
"""
VISITOR, ADMINISTRATOR = "127.10.1.1", "127.10.1.2"
CLIMBER, SCANNER, PROBER, ENUMERATOR, GUESSER = (f"127.66.1.{number}" for number in range(1, 6))
# What the shipped rules have to say about each of them, at least; about anybody else they may say nothing.
ATTACKS = {
    CLIMBER: {"Path traversal", "System file asked for by path"},
    SCANNER: {"Security scanner by its user agent"},
    PROBER: {"Probing for pages", "Probing for files in the error log"},
    ENUMERATOR: {"SSH account enumeration", "SSH brute force against accounts that do not exist"},
    GUESSER: {"SSH brute force from one address", "SSH connections that keep using up their attempts"},
}
ACCOUNTS = ["oracle", "postgres-admin", "git-deploy", "ftpuser", "minecraft"]
GUESSES = 9


class Nginx:
    def __init__(self, folder, syslog):
        self.folder, self.port = folder, free_port()
        (folder / "htdocs").mkdir()
        for name in ("index.html", "picture.png"):
            (folder / "htdocs" / name).write_text("a page\n")
        self.logs = {"combined": folder / "access.log", "json": folder / "access.json"}
        self.errors = folder / "error.log"
        temporary = "\n".join(f"    {kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        over_syslog = "\n".join(f"    access_log syslog:server=127.0.0.1:{port},facility=local7,tag=nginx combined;" for port in syslog)
        self.configuration = folder / "nginx.conf"
        self.configuration.write_text(f"""
{"user root;" if os.geteuid() == 0 else ""}
worker_processes 1;
daemon off;
pid {folder}/nginx.pid;
error_log {self.errors};
events {{ worker_connections 128; }}
http {{
{temporary}
    log_format as_json escape=json '{{"time":"$time_iso8601","remote_addr":"$remote_addr","remote_user":"$remote_user",'
        '"request_method":"$request_method","request_uri":"$request_uri","server_protocol":"$server_protocol","status":$status,'
        '"body_bytes_sent":$body_bytes_sent,"request_time":$request_time,"http_referer":"$http_referer",'
        '"http_user_agent":"$http_user_agent","host":"$host"}}';
    access_log {self.logs["combined"]} combined;
    access_log {self.logs["json"]} as_json;
{over_syslog}
    server {{
        listen 127.0.0.1:{self.port};
        root {folder}/htdocs;
    }}
}}
""")
        self.command = ["/usr/sbin/nginx", "-p", str(folder), "-c", str(self.configuration), "-e", str(self.errors)]
        # Its own process group: it ends its workers itself.
        self.process = subprocess.Popen(self.command, env={**os.environ, "TZ": "UTC"}, start_new_session=True)

    def ready(self):
        wait_for_port(self.port, self.process, "nginx")

    def rotate(self, between):
        """As logrotate does it: renamed, and nginx writes on into the renamed ones until it is told."""
        for path in self.logs.values():
            path.rename(f"{path}.1")
        between()
        subprocess.run([*self.command, "-s", "reopen"], check=True, capture_output=True)
        eventually("nginx writes new logs", 20, lambda: all(path.exists() and path.stat().st_size for path in self.logs.values()), pause=0.02)


# A /dev with a log of its own, which ends with the last process in it.
OWN_DEV = """
set -eu
mkdir "$0"
mount -t tmpfs -o mode=755 tmpfs "$0"
for name in null zero full random urandom tty; do touch "$0/$name"; mount --bind "/dev/$name" "$0/$name"; done
mkdir "$0/pts" "$0/shm"
mount --rbind /dev/pts "$0/pts"
ln -s pts/ptmx "$0/ptmx"; ln -s /proc/self/fd "$0/fd"
mount --move "$0" /dev
exec "$@"
"""


class SecureShell:
    """sshd as Debian sets it up, and the rsyslogd that writes what it says."""

    def __init__(self, folder, stack):
        self.folder, self.port, self.log = folder, free_port(), folder / "auth.log"
        for name in ("host", "key"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
        # Debian's way of writing it, without what is the machine's: no privileges are dropped, no other facilities.
        (folder / "rsyslog.conf").write_text(
            f'global(workDirectory="{folder}")\nmodule(load="imuxsock")\nauth,authpriv.* {self.log}\n')
        rsyslogd = subprocess.Popen(
            ["unshare", "--mount", "--propagation", "private", "bash", "-c", OWN_DEV, folder / "dev", "/usr/sbin/rsyslogd", "-n", "-i",
             folder / "rsyslog.pid", "-f", folder / "rsyslog.conf"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        stack.callback(stop, rsyslogd)
        inside = pathlib.Path(f"/proc/{rsyslogd.pid}/root/dev/log")

        def listens():
            if rsyslogd.poll() is not None:
                raise NotReady(f"rsyslogd ended with status {rsyslogd.returncode}")
            return inside.is_socket()
        eventually("rsyslogd listens at its own /dev/log", 20, listens, pause=0.02)
        pathlib.Path("/run/sshd").mkdir(exist_ok=True)
        (folder / "sshd_config").write_text(
            f"ListenAddress 127.0.0.1\nPort {self.port}\nHostKey {folder}/host\nPidFile {folder}/sshd.pid\nAuthorizedKeysFile {folder}/key.pub\n"
            "StrictModes no\nUsePAM yes\nPasswordAuthentication yes\nKbdInteractiveAuthentication no\nPermitRootLogin yes\nMaxAuthTries 3\n"
            "LogLevel VERBOSE\nMaxStartups 60\nForceCommand /bin/true\nPrintMotd no\n")
        (folder / "answer").write_text("#!/bin/sh\necho wrong-$$\n")
        (folder / "answer").chmod(0o755)
        self.process = subprocess.Popen(
            ["nsenter", f"--mount=/proc/{rsyslogd.pid}/ns/mnt", "/usr/sbin/sshd", "-D", "-f", folder / "sshd_config"], stdin=subprocess.DEVNULL)
        stack.callback(stop, self.process)

    def ready(self):
        wait_for_port(self.port, self.process, "sshd")

    def connect(self, address, account, method="publickey", prompts=3, key=None):
        """One connection of the ordinary client; its answer to each question is a wrong password."""
        options = {"StrictHostKeyChecking": "no", "UserKnownHostsFile": "/dev/null", "GlobalKnownHostsFile": "/dev/null", "LogLevel": "ERROR",
                   "PreferredAuthentications": method, "NumberOfPasswordPrompts": prompts, "IdentitiesOnly": "yes", "IdentityAgent": "none",
                   "IdentityFile": key or "none", "ConnectTimeout": 20}
        command = ["ssh", "-F", "none", "-T", "-p", str(self.port), "-b", address, "-l", account]
        for name, value in options.items():
            command += ["-o", f"{name}={value}"]
        environment = {"PATH": os.environ["PATH"], "SSH_ASKPASS": str(self.folder / "answer"), "SSH_ASKPASS_REQUIRE": "force"}
        return subprocess.run([*command, "127.0.0.1"], env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=60).returncode


class Visitor(threading.Thread):
    """Asks for a picture again and again, under a new name each time, over connections as they come: as often as wanted, then slowly.

    A picture, as a gallery loads them: each request is in four logs, and 500 for pages within ten seconds would be a flood, by one machine
    and not by another. Slowly, for one incident shows a thousand findings: what nginx takes to open its logs is bounded by 20 s.
    """

    def __init__(self, port):
        super().__init__(daemon=True)
        self.port, self.over, self.asked, self.wanted, self.error = port, threading.Event(), 0, 0, None

    def run(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30, source_address=(VISITOR, 0))
        try:
            while not self.over.wait(0.01 if self.asked < self.wanted else 0.2):
                connection.request("GET", f"/picture.png?check=visit-{self.asked}", headers={"User-Agent": "Mozilla/5.0 (X11; Linux x86_64)"})
                answer = connection.getresponse()
                answer.read()
                assert answer.status == 200, f"nginx answered {answer.status}"
                self.asked += 1
        except Exception as error:  # told by whoever waits for it
            self.error = error
        finally:
            connection.close()

    def more(self, count=40):
        """Until it has asked that often again."""
        self.wanted = self.asked + count

        def enough():
            assert self.error is None, f"the visitor was not answered: {self.error}"
            return self.asked >= self.wanted
        eventually(f"{count} more requests", 60, enough, pause=0.02)


def curl(nginx, address, *paths, agent="Mozilla/5.0 (X11; Linux x86_64)"):
    urls = [f"http://127.0.0.1:{nginx.port}{path}" for path in paths]
    subprocess.run(["curl", "--silent", "--output", "/dev/null", "--path-as-is", "--globoff", "--interface", address, "--user-agent", agent,
                    *(part for url in urls for part in (url, "--output", "/dev/null"))][:-2], check=True, timeout=60)
    return [path.partition("check=")[2].partition("&")[0] for path in paths]


def attack(nginx, shell):
    """Everything at once; returns the names of the requests that were made."""
    with futures.ThreadPoolExecutor(16) as pool:
        web = [
            pool.submit(curl, nginx, CLIMBER, "/download?check=climb-0&file=../../../../etc/passwd", "/download?check=climb-1&file=../../../etc/shadow"),
            pool.submit(curl, nginx, SCANNER, *(f"/?check=scan-{number}&id=1" for number in range(3)), agent="sqlmap/1.7.2#stable (https://sqlmap.org)"),
            pool.submit(curl, nginx, PROBER, *(f"/old/page-{number}?check=probe-{number}" for number in range(15)))]
        ssh = []
        if shell:
            ssh += [pool.submit(shell.connect, ENUMERATOR, account) for account in ACCOUNTS]
            ssh += [pool.submit(shell.connect, GUESSER, "root", "password") for _ in range(GUESSES // 3)]
            ssh += [pool.submit(shell.connect, ADMINISTRATOR, getpass.getuser(), key=shell.folder / "key")]
        names = [name for one in web for name in one.result()]
        ended = [one.result() for one in ssh]
    assert not shell or ended[-1] == 0 and all(ended[:-1]), f"ssh ended with {ended}: all but the last had to be refused"
    return names


def servers(world):
    """nginx and sshd, attacked and visited while nginx's logs rotate: what each log, the findings and the incidents say of it."""
    folder = world.folder / "servers"
    folder.mkdir()
    # Accounts' keys are read as the account.
    folder.chmod(0o755)
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        return trial(world.vigie, folder, stack)


def trial(vigie, folder, stack):
    began = time.monotonic()
    (folder / "rules").mkdir()
    (folder / "rules/check.yml").write_text(RULES)
    port, data = free_port(), folder / "data"
    named, unnamed = (free_port(socket.SOCK_DGRAM) for _ in range(2))
    (folder / "vigie.yml").write_text(f"""
listen: 127.0.0.1:{port}
data: {data}
rules: [{ROOT}/rules, {folder}/rules]
policies: {ROOT}/policies
evidence: {{system_logs: []}}
sources:
  - {{path: {folder}/access.log, format: combined}}
  - {folder}/access.json
  - {{path: {folder}/error.log, format: nginx_error}}
  - {folder}/auth.log
receivers:
  syslog:
    - {{listen: 127.0.0.1:{named}, transport: udp, format: combined}}
    - {{listen: 127.0.0.1:{unnamed}, transport: udp}}
""")
    with open(folder / "vigie.log", "ab") as log:
        server = subprocess.Popen([vigie, "serve", "--config", folder / "vigie.yml"], stdout=log, stderr=log, cwd=folder)
    stack.callback(stop, server)
    shell = SecureShell(folder, stack) if os.geteuid() == 0 else None
    assert shell or os.environ.get("CI") != "true", "sshd behind rsyslogd needs root"
    try:
        wait_for_port(port, server, "vigie serve", 120)
    except NotReady as error:
        raise AssertionError(f"{error}: {(folder / 'vigie.log').read_text()[-1000:]}") from None
    console = Console(vigie, data, port)
    nginx = Nginx(folder, [named, unnamed])
    stack.callback(stop, nginx.process)
    nginx.ready()
    if shell:
        shell.ready()
    visitor = Visitor(nginx.port)
    visitor.start()
    stack.callback(visitor.over.set)
    with futures.ThreadPoolExecutor(1) as pool:
        attacks = pool.submit(attack, nginx, shell)
        visitor.more()
        nginx.rotate(between=visitor.more)
        visitor.more()
        visitor.over.set()
        visitor.join(30)
        names = attacks.result()
    assert visitor.error is None, f"the visitor was not answered: {visitor.error}"
    names += [f"visit-{number}" for number in range(visitor.asked)]
    spools = data / "detection/receivers"
    sources = {"combined": nginx.logs["combined"], "json": nginx.logs["json"], "syslog, format named": spools / f"syslog-udp-127.0.0.1-{named}.jsonl",
               "syslog, format recognised": spools / f"syslog-udp-127.0.0.1-{unnamed}.jsonl"}
    counted(console, nginx, shell, sources, len(names))
    expected = collections.Counter((log, name) for log in sources for name in names)
    # What was not there is in the error log, too.
    expected.update(("errors", name) for name in names if name.startswith(("climb", "probe")))
    sources["errors"] = nginx.errors
    lines = {name: len(pathlib.Path(path).read_text().splitlines()) for name, path in (("error", nginx.errors), *([("auth", shell.log)] if shell else []))}
    found = findings(console, sources, expected, shell)
    incidents(found, shell)
    without = "" if shell else "; sshd LEFT OUT: it needs root"
    return (f"{len(names)} requests in four logs of nginx, {lines['error']} errors, {lines.get('auth', 0)} lines of sshd and PAM, all parsed, through a rotation; "
            f"each found once in each log; {len(ATTACKS) if shell else 3} attackers with their addresses, nobody else{without}; "
            f"{time.monotonic() - began:.0f} s")


def counted(console, nginx, shell, sources, requests):
    """Every line of every log is counted as parsed."""
    def wanted():
        count = {str(path): requests for path in sources.values()}
        count[str(nginx.errors)] = len(nginx.errors.read_text().splitlines())
        if shell:
            count[str(shell.log)] = len(shell.log.read_text().splitlines())
        return count

    def seen():
        return {source["name"]: source for source in console.ask("/api/v1/sources")["sources"]}

    for name in ("combined", "json"):
        path = sources[name]
        written = sum(len(pathlib.Path(f"{path}{ending}").read_text().splitlines()) for ending in ("", ".1"))
        assert written == requests, f"nginx wrote {written} lines for {requests} requests"

    wrong = []

    def all_read():
        now = seen()
        wrong.clear()
        for name, count in wanted().items():
            source, counters = now[name], now[name]["counters"]
            # A spool has blank lines of its own.
            read = counters["lines"] - counters["blank"], counters["parsed"]
            if read != (count, count) or any(counters[what] for what in ("unparsed", "gaps", "damaged", "dropped", "overlong")):
                samples = [f"{line!r}: {why}" for line, why in zip(source["unparsed_samples"], source["unparsed_reasons"])]
                wrong.append(f"{count} lines of {name} are counted as {counters}; {samples[:3]}")
            if source.get("problem") or source["warnings"]:
                wrong.append(f"{name}: {source.get('problem')} {source['warnings']}")
        return not wrong
    # A renamed log is read until it has been silent for 10 s, then the new one.
    try:
        eventually("every line is counted as parsed", 40, all_read)
    except NotReady:
        raise AssertionError("; ".join(wrong)) from None


def findings(console, sources, expected, shell):
    """Every finding with its incident, once the last that has to come is there. Of each request one in each log, of each sign-in one."""
    logs = {str(path): name for name, path in sources.items()}

    def all_of_them():
        return [(incident["id"], finding) for incident in console.ask("/api/v1/incidents?limit=500")["incidents"]
                for finding in console.ask(f"/api/v1/incidents/{incident['id']}")["findings"]]

    def address(finding):
        return {entity["value"] for entity in finding["entities"] if entity["type"] == "ip"}

    senders = {"visit": VISITOR, "climb": CLIMBER, "scan": SCANNER, "probe": PROBER}
    signed = collections.Counter()
    if shell:
        signed = collections.Counter({("unknown account", ENUMERATOR, account): 1 for account in ACCOUNTS})
        signed["refused", GUESSER, "root"] = GUESSES
        signed["accepted", ADMINISTRATOR, getpass.getuser()] = 1
    attackers = {rule for address, rules in ATTACKS.items() for rule in rules if shell or address in (CLIMBER, SCANNER, PROBER)}

    def look():
        everything = all_of_them()
        titles = {finding["rule"]["title"] for _, finding in everything}
        enough = sum(finding["rule"]["title"] == "asked" for _, finding in everything) >= len(expected)
        return everything if enough and attackers <= titles else None
    try:
        everything = eventually("all findings", 30, look, pause=0.5)
    except NotReady:
        # What is missing is told below.
        everything = all_of_them()
    asked, wrong, logins, strange = collections.Counter(), [], collections.Counter(), collections.Counter()
    for _, finding in everything:
        title, line = finding["rule"]["title"], finding["evidence"][0]
        if title == "asked":
            log = logs.get(re.sub(r"\.1$", "", line["file"]), line["file"])
            name = re.search(r"check=([\w-]+)", line["text"]).group(1)
            asked[log, name] += 1
            if address(finding) != {senders[name.partition("-")[0]]}:
                strange[log, " ".join(sorted(address(finding)))] += 1
        elif title in ("unknown account", "refused", "accepted"):
            users = [entity["value"] for entity in finding["entities"] if entity["type"] in ("user", "account")]
            logins[title, *sorted(address(finding)), *users] += finding["count"]
    for what, wanted, got in (("requests", expected, asked), ("sign-ins", signed, logins)):
        if missing := wanted - got:
            wrong.append(f"{sum(missing.values())} of {sum(wanted.values())} {what} are not found, such as {next(iter(missing))}")
        if surplus := got - wanted:
            wrong.append(f"{sum(surplus.values())} {what} too many are found, such as {next(iter(surplus))}")
    wrong += [f"{count} requests in the log '{log}' are said to come from '{said}'" for (log, said), count in strange.items()]
    assert not wrong, "; ".join(wrong)
    own = {"asked", "unknown account", "refused", "accepted"}
    return [(incident, finding["rule"]["title"], address(finding)) for incident, finding in everything if finding["rule"]["title"] not in own]


def incidents(found, shell):
    """What the shipped rules say of whom."""
    said, where = collections.defaultdict(set), collections.defaultdict(set)
    for incident, title, addresses in found:
        for address in addresses:
            said[address].add(title)
            where[address].add(incident)
    attackers = {address: rules for address, rules in ATTACKS.items() if shell or address not in (ENUMERATOR, GUESSER)}
    assert set(said) == set(attackers), f"findings on {dict(said)}"
    missing = {address: rules - said[address] for address, rules in attackers.items() if rules - said[address]}
    assert not missing, f"not found: {missing}"
    split = {address: ids for address, ids in where.items() if len(ids) > 1}
    assert not split, f"one attacker in several incidents: {split}"
