"""What goes wrong in `script/receivers-check`: bad input, floods, SIGKILL. Each check returns in words what became of it."""

import base64
import collections
import contextlib
import gzip
import http.client
import json
import os
import pathlib
import random
import re
import signal
import socket
import sqlite3
import ssl
import threading
import time

from . import projections
from .receivers_wire import PROTOBUF, access_line, field, post_event, push, varint
from .receivers_world import memory
from .waiting import NotReady, eventually


def bad_input(world):
    """Each is refused or bounded with a reason, and a good sender goes on."""
    said = []
    sent = 0

    def good():
        nonlocal sent
        assert post_event(world, f"good-{sent}") == 200, "a good sender was refused"
        sent += 1
        world.expected["app"] += 1

    def refused(name, wanted, *request, **options):
        status, text, headers = world.request(*request, **options)
        assert status == wanted, f"{name}: {status} {text!r}, not {wanted}"
        said.append(f"{name} {status}")
        good()

    bomb = gzip.compress(bytes(1 << 30), 9)
    refused("a gigabyte of zeros in gzip", 413, "POST", "/api/v1/events", bomb, {"Content-Encoding": "gzip"})
    refused("snappy that claims 3 GiB", 413, "POST", "/loki/api/v1/push", varint(3 << 30) + bytes(20), PROTOBUF)
    whole = push('{a="b"}', [access_line("never")])
    refused("half a snappy block", 400, "POST", "/loki/api/v1/push", whole[: len(whole) // 2], PROTOBUF)
    refused("half a protobuf", 400, "POST", "/v1/logs", field(1, field(2, b"\x12\x7f")), PROTOBUF)
    refused("an unknown type", 415, "POST", "/v1/logs", b"<xml/>", {"Content-Type": "text/xml"})
    refused("no JSON", 400, "POST", "/api/v1/events", b"hello\n")
    context = ssl.create_default_context(cafile=world.folder / "ca.pem")
    for token in (None, "Bearer wrong", "Basic " + base64.b64encode(b"a:wrong").decode()):
        connection = http.client.HTTPSConnection("127.0.0.1", world.ports["https"], context=context, timeout=30)
        connection.request("POST", "/api/v1/events", b"{}\n", {"Authorization": token} if token else {})
        status = connection.getresponse().status
        assert status == 401, f"{status} for the token {token}"
        connection.close()
    said.append("wrong tokens 401")
    # A line without end, over HTTP and over TCP.
    with socket.create_connection(("127.0.0.1", world.ports["http"]), timeout=60) as stream:
        stream.sendall(b"POST /api/v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: 1073741824\r\n\r\n")
        answer = stream.recv(4096)
        assert b" 413 " in answer.split(b"\r\n")[0] + b" ", answer[:200]
    said.append("a line of 1 GiB over HTTP 413")
    good()
    rss = memory(world.server.pid)
    with socket.create_connection(("127.0.0.1", world.ports["tcp"]), timeout=120) as stream:
        stream.sendall(b"<13>")
        block = b"a" * (1 << 20)
        for _ in range(1024):
            stream.sendall(block)
        stamp = time.strftime("%b %e %H:%M:%S")
        stream.sendall(f"\n<38>{stamp} web sshd[7]: Invalid user check-after from 203.0.113.9 port 4\n".encode())
    world.expect("sshd", 1)
    grown = memory(world.server.pid) - rss
    assert grown < 200, f"a line of 1 GiB over TCP took {grown} MiB"
    said.append(f"a line of 1 GiB over TCP: its beginning kept, {max(grown, 0)} MiB more")
    good()
    # A forged time, a year off in both directions.
    for year in (-1, 1):
        body = push('{a="b"}', [access_line(f"forged{year}", time.time() + year * 31_536_000)], time.time() + year * 31_536_000)
        assert world.request("POST", "/loki/api/v1/push", body, PROTOBUF)[0] == 204
    world.expect("web", 2)
    with contextlib.closing(sqlite3.connect(f"file:{world.folder}/data/projections.db?mode=ro", uri=True)) as database:
        newest, oldest = database.execute("SELECT max(last_seen), min(first_seen) FROM finding").fetchone()
    said.append(f"times a year off: findings between {oldest} and {newest}")
    world.expect("app", 0)
    return "; ".join(said)


def drops(world):
    """Datagrams that come faster than a stopped server reads: the kernel's count is Vigie's."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stream:
        stream.connect(("127.0.0.1", world.ports["udp"]))
        os.kill(world.server.pid, signal.SIGSTOP)
        try:
            for _ in range(40_000):
                stream.send(b"<13>" + b"x" * 1000)
        finally:
            os.kill(world.server.pid, signal.SIGCONT)
    port = f":{world.ports['udp']:04X} "

    def dropped():
        for line in pathlib.Path("/proc/net/udp").read_text().splitlines():
            if port in line:
                return int(line.split()[-1])
        return 0
    eventually("the kernel counts drops", 20, dropped)

    def counted():
        source = world.source(f"syslog-udp-127.0.0.1-{world.ports['udp']}")
        return source["counters"]["dropped"], source.get("problem") or ""
    try:
        eventually("Vigie's count is the kernel's", 20, lambda: counted()[0] == dropped())
    except NotReady:
        raise AssertionError(f"the kernel has dropped {dropped()} datagrams, Vigie says {counted()}") from None
    count, problem = counted()
    assert "dropped by the kernel" in problem, f"{count} datagrams are dropped, and the source says {problem!r}"
    return f"{count:,} of 40,000 datagrams to a stopped server dropped by the kernel, counted by Vigie as well, with the reason"


def nothing_twice(world):
    """The last look, once the server has ended in good order: of nothing that was sent there are more findings than events."""
    world.server.terminate()
    assert world.server.wait(60) == 0, f"the server ended with status {world.server.returncode}"
    world.no_more()
    alike = projections.assert_rebuilt_alike(world.vigie, world.folder / "data")
    return ", ".join(f"{count:,} of '{rule}'" for rule, count in world.expected.items()) + f"; {alike:,} rows made anew from the journal, the same"


def kills(world, rounds=10):
    """Senders post requests of several events and send each again, the same bytes, until it is acknowledged; the server is killed again and
    again meanwhile. Where the protocol lets one tell, each event is taken once; without, at least once."""
    acknowledged, attempts, stop, broken = collections.Counter(), collections.Counter(), threading.Event(), threading.Event()
    errors = []

    def loki(name):
        return "/loki/api/v1/push", push('{host="web1"}', [access_line(f"{name}-{line}") for line in range(20)]), PROTOBUF

    def otlp(name):
        nanoseconds = time.time_ns() | 1
        records = [{"timeUnixNano": str(nanoseconds), "body": {"stringValue": access_line(f"{name}-{line}")}} for line in range(20)]
        body = json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": records}]}]})
        return "/v1/logs", body, {"Content-Type": "application/json"}

    def event(name, headers):
        body = "".join(json.dumps({"event.action": f"check-{name}-{line}", "source.ip": "203.0.113.9"}) + "\n" for line in range(20))
        return "/api/v1/events", body, {"Content-Type": "application/x-ndjson"} | headers

    def keyed(name):
        return event(name, {"Idempotency-Key": name})

    def plain(name):
        return event(name, {})

    def send(make, kind, worker):
        number = 0
        while not stop.is_set():
            name = f"kill-{kind}-{worker}-{number}"
            path, body, headers = make(name)
            # A request that has begun is sent until there is an answer, also once the trial is over: nothing is left in between.
            while not broken.is_set():
                attempts[kind] += 1
                try:
                    status, text, _ = world.request("POST", path, body, headers)
                except (OSError, http.client.HTTPException):
                    time.sleep(0.02)
                    continue
                if status in (200, 204):
                    break
                if status not in (429, 503):
                    errors.append(f"{status} {text}")
                    return
                time.sleep(0.02)
            else:
                return
            acknowledged[kind] += 1
            number += 1
    kinds = {"loki": loki, "otlp": otlp, "keyed": keyed, "plain": plain}
    workers = [threading.Thread(target=send, args=(make, kind, worker)) for kind, make in kinds.items() for worker in range(2)]
    for worker in workers:
        worker.start()
    generator = random.Random(1)
    try:
        for _ in range(rounds):
            time.sleep(generator.uniform(0.2, 1.5))
            world.kill()
            world.start()
    except BaseException:
        # Nobody will answer any more.
        broken.set()
        raise
    finally:
        stop.set()
        for worker in workers:
            worker.join()
    assert not errors, errors[:3]
    spooled = collections.Counter()
    for spool in ("loki", "otlp", "events"):
        for path in (world.folder / "data/detection/receivers").glob(f"{spool}.jsonl*"):
            spooled.update(re.findall(r"check[-=](kill-\w+-\d+-\d+-\d+)", path.read_text(errors="replace")))
    said = []
    for kind in kinds:
        lines = {name: count for name, count in spooled.items() if name.startswith(f"kill-{kind}-")}
        assert len(lines) == 20 * acknowledged[kind], f"{kind}: {20 * acknowledged[kind]} events acknowledged, {len(lines)} in the spool"
        repeated = sum(lines.values()) - len(lines)
        assert kind == "plain" or repeated == 0, f"{kind}: {repeated} events taken twice"
        said.append(f"{kind} {len(lines):,} events in {attempts[kind]:,} requests, {repeated} twice")
    total = collections.Counter()
    for name, count in spooled.items():
        total["app" if name.split("-")[1] in ("keyed", "plain") else "web"] += count
    world.expect_all(total, seconds=120)
    return f"{rounds} times SIGKILL: none lost; " + "; ".join(said)
