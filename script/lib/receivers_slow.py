"""Slow senders in `script/receivers-check`: they hold all the connections that a receiver has, and a good sender comes.

What docs/receivers.md promises under *Limits*: one address has half of the connections at most, so nobody keeps others out alone; beyond the
limit a connection is refused at once and counted; and whoever trickles is ended in time, so that two addresses which hold everything between
them hold it for as long as the deadlines let them.
"""

import collections
import contextlib
import re
import socket
import ssl
import threading
import time
from concurrent import futures

from .receivers_wire import post_event
from .waiting import NotReady, eventually

SHARE = 12
# The world's receivers for these trials have so many.
CONNECTIONS = 2 * SHARE
EXCESS = 4
FIRST, SECOND = "127.66.2.1", "127.66.2.2"
# "At once", on a machine that does other things, too; and what a deadline may be late.
AT_ONCE, LATE = 10, 10


class Kind:
    """One way of being slow: what is sent at first, what is trickled, and how long it may go on."""

    def __init__(self, name, port, seconds, reason, opening=b"", trickle=b"", tls=None, syslog=False):
        self.name, self.port, self.seconds, self.reason = name, port, seconds, reason
        self.opening, self.trickle, self.tls, self.syslog = opening, trickle, tls, syslog


def kinds(world):
    context = ssl.create_default_context(cafile=world.folder / "ca.pem")
    with_certificate = ssl.create_default_context(cafile=world.folder / "ca.pem")
    with_certificate.load_cert_chain(world.folder / "client.pem", world.folder / "client.key")
    head = b"POST %s HTTP/1.1\r\nHost: x\r\n"
    return [
        Kind("silent", world.ports["slow-silent"], 15, "slow"),
        Kind("headers", world.ports["slow-headers"], 15, "slow", head % b"/api/v1/events" + b"X-Slow: ", b"a"),
        Kind("bodies", world.ports["slow-bodies"], 31, "slow", head % b"/api/v1/events" + b"Content-Length: 100000\r\n\r\n{", b" "),
        Kind("uploads", world.ports["slow-uploads"], 31, "slow",
             head % b"/upload" + b"Content-Type: application/vnd.fdo.journal\r\nTransfer-Encoding: chunked\r\n\r\n8\r\nMESSAGE=\r\n", b"1\r\na\r\n"),
        Kind("idle TLS", world.ports["slow-tls"], 15, "handshake", tls=context),
        Kind("idle TLS of syslog", world.ports["slow-syslog"], 15, "handshake", tls=with_certificate, syslog=True)]


class Holders:
    """Connections of one kind that trickle until the other side has had enough."""

    def __init__(self, kind):
        self.kind, self.open = kind, {}

    def add(self, address, count):
        for _ in range(count):
            one = socket.create_connection(("127.0.0.1", self.kind.port), timeout=AT_ONCE, source_address=(address, 0))
            self.open[one] = address
            one.setblocking(False)
            with contextlib.suppress(OSError):
                one.send(self.kind.opening)

    def look(self):
        """Lets go of those that the other side has answered or closed: whatever it says to a request that is not whole is a refusal."""
        for one in list(self.open):
            try:
                one.recv(4096)
            except BlockingIOError:
                continue
            except OSError:
                pass
            one.close()
            del self.open[one]

    def trickle(self):
        for one in list(self.open):
            with contextlib.suppress(OSError):
                one.send(self.kind.trickle)

    def held(self):
        self.look()
        return collections.Counter(self.open.values())

    def close(self):
        for one in self.open:
            one.close()
        self.open.clear()


def ask(world, kind, name):
    """Of a good sender: whether it was taken, or refused at once. Anything else takes too long, and is wrong."""
    began = time.monotonic()
    try:
        if kind.syslog:
            with socket.create_connection(("127.0.0.1", kind.port), timeout=AT_ONCE) as plain:
                with kind.tls.wrap_socket(plain, server_hostname="localhost") as stream:
                    stamp = time.strftime("%b %e %H:%M:%S")
                    stream.sendall(f"<38>{stamp} web sshd[7]: Invalid user check-{name} from 203.0.113.9 port 4\n".encode())
            return True
        status = post_event(world, name, port=kind.port, tls=kind.tls, timeout=AT_ONCE)
        assert status in (200, 503), f"{kind.name}: a good sender is answered with {status}"
        return status == 200
    except TimeoutError:
        raise AssertionError(
            f"{kind.name}: a good sender is neither taken nor refused within {time.monotonic() - began:.0f} s") from None
    except OSError:
        # Closed: TLS has no other way to refuse.
        return False


def reasons(world):
    """Everything that was refused, by reason, of all receivers."""
    counted = collections.Counter()
    for source in world.console.ask("/api/v1/sources")["sources"]:
        for text in re.findall(r"\d+ refused \(([^)]*)\)", source.get("problem") or ""):
            counted.update({reason: int(count) for reason, count in re.findall(r"(\w+) (\d+)", text)})
    return counted


def one_kind(world, kind, said):
    """Returns how many connections were refused; each that was held has to be ended in time."""
    holders, over, refused = Holders(kind), threading.Event(), 0
    lock = threading.Lock()

    def trickle():
        while not over.wait(1):
            with lock:
                holders.trickle()

    def held():
        with lock:
            return holders.held()
    trickling = threading.Thread(target=trickle, daemon=True)
    try:
        with lock:
            holders.add(FIRST, SHARE + EXCESS)
        trickling.start()
        try:
            eventually(f"{kind.name}: one address has {SHARE} connections", AT_ONCE, lambda: held()[FIRST] <= SHARE)
        except NotReady as error:
            raise AssertionError(f"{error}; it has {held()[FIRST]}") from None
        assert held()[FIRST] == SHARE, f"{kind.name}: one address has {held()[FIRST]} connections, not {SHARE}"
        refused += EXCESS
        assert ask(world, kind, f"beside-{kind.name}"), f"{kind.name}: one address keeps a good sender out"
        steady = 0

        def is_full():
            # The good sender's connection may still be ending: who is refused for it comes again.
            nonlocal steady
            missing = SHARE - held()[SECOND]
            steady = 0 if missing else steady + 1
            with lock:
                holders.add(SECOND, missing)
            return steady == 3
        eventually(f"{kind.name}: a second address has the rest", AT_ONCE, is_full)
        full, tries = time.monotonic(), 0
        while not ask(world, kind, f"after-{kind.name}-{tries}"):
            tries += 1
            assert time.monotonic() - full < kind.seconds + LATE, (
                f"{kind.name}: a good sender is kept out for more than {kind.seconds} s; {dict(held())} are held")
            over.wait(0.25)
        refused += tries
        waited = time.monotonic() - full
        assert tries, f"{kind.name}: {CONNECTIONS} connections are held, and one more is taken"
        try:
            eventually(f"{kind.name}: every slow sender is ended", kind.seconds + LATE, lambda: not held())
        except NotReady as error:
            raise AssertionError(f"{error}; {dict(held())} are held") from None
    finally:
        over.set()
        if trickling.is_alive():
            trickling.join()
        holders.close()
    said.append(f"{kind.name} {waited:.0f} s")
    return refused


def slow_senders(world):
    """All kinds at the same time, each on a receiver of its own."""
    every, said = kinds(world), []
    before = reasons(world)
    with futures.ThreadPoolExecutor(len(every)) as pool:
        running = {kind.name: pool.submit(one_kind, world, kind, said) for kind in every}
        wrong, refused = [], 0
        for name, one in running.items():
            try:
                refused += one.result()
            except (AssertionError, OSError) as error:
                wrong.append(f"{error}" if name in f"{error}" else f"{name}: {error!r}")
    assert not wrong, "; ".join(wrong)
    wanted = collections.Counter({"connections": refused})
    for kind in every:
        wanted[kind.reason] += CONNECTIONS
    try:
        eventually("each of them is counted with its reason", 20, lambda: not wanted - (reasons(world) - before))
    except NotReady:
        raise AssertionError(f"at least {dict(wanted)} were refused or ended, counted are {dict(reasons(world) - before)}") from None
    counted = reasons(world) - before
    taken = collections.Counter()
    for kind in every:
        taken["sshd" if kind.syslog else "app"] += 2
    world.expect_all(taken)
    return (f"{CONNECTIONS} connections held: a good sender is answered beside one slow address, and after two in {', '.join(sorted(said))}; "
            + ", ".join(f"{reason} {count}" for reason, count in sorted(counted.items())) + " counted")
