"""Ports for programs that are started, and waiting for what they do. Time only bounds the waiting; nothing is taken for done because time passed."""

import itertools
import pathlib
import random
import socket
import time


def _ports():
    """Below what the kernel gives to connections and to those who leave the choice to it: nobody takes such a port between choosing and
    binding. Where it gives away nearly all there are, any."""
    given = int(pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    low, high = (10_240, given) if given > 20_480 else (10_240, 65_536)
    start = random.randrange(low, high)
    return itertools.chain(range(start, high), range(low, start))


_unused = _ports()


class NotReady(Exception):
    """What was waited for did not come; the text says what."""


def free_port(kind=socket.SOCK_STREAM):
    """A port that nobody has at the moment, and that this process has given to nobody before."""
    for port in _unused:
        with socket.socket(socket.AF_INET, kind) as found:
            try:
                found.bind(("0.0.0.0", port))
            except OSError:
                continue
        return port
    raise NotReady("no port is left that this process has not given to somebody")


def eventually(what, seconds, check, pause=0.1):
    """What `check` returns once it is true."""
    end = time.monotonic() + seconds
    while True:
        if result := check():
            return result
        if time.monotonic() > end:
            raise NotReady(f"not so after {seconds} s: {what}")
        time.sleep(pause)


def wait_for_port(port, process, name, seconds=60):
    """Until something listens on the port. The process must not end meanwhile."""
    def listens():
        if process.poll() is not None:
            raise NotReady(f"{name} ended with status {process.returncode} while starting")
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0
    eventually(f"{name} listens on 127.0.0.1:{port}", seconds, listens, pause=0.05)


def until(reached, read, patience, check, pause):
    """Reads until `reached` holds of what was read, or it has stood still for `patience` seconds: (what was read last, whether it holds).

    `check` is asked at every look; it raises where waiting is in vain.
    """
    last, deadline = None, time.monotonic() + patience
    while True:
        value = read()
        if reached(value):
            return value, True
        check()
        if value != last:
            last, deadline = value, time.monotonic() + patience
        elif time.monotonic() > deadline:
            return value, False
        time.sleep(pause)
