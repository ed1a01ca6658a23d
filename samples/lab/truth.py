"""What is true about the logs: who attacked, who did not, and where each address shows. Read from the logs themselves."""

import datetime
import json
import re

FORMATS = {"nginx-access.log": "combined", "sshd.log": "sshd", "app.jsonl": "json"}
ADDRESS = re.compile(r"\b127\.\d+\.\d+\.\d+\b")


def is_start_check(name, line):
    """sshd notes the connection by which the lab saw that it listens; it comes from 127.0.0.1 itself."""
    return name == "sshd.log" and (b"Server listening" in line or re.search(rb" 127\.0\.0\.1 port \d+", line) is not None)


def parse(name, line, year):
    """Address and time of a line, either may be None: many sshd lines name no address."""
    if name == "nginx-access.log":
        stamp = re.search(r"\[([^\]]+)\]", line)
        time = datetime.datetime.strptime(stamp.group(1), "%d/%b/%Y:%H:%M:%S %z")
        return line.split(" ", 1)[0], time
    if name == "app.jsonl":
        entry = json.loads(line)
        return entry["source.ip"], datetime.datetime.fromisoformat(entry["@timestamp"].replace("Z", "+00:00"))
    time = datetime.datetime.strptime(f"{year} {line[:15]}", "%Y %b %d %H:%M:%S").replace(tzinfo=datetime.timezone.utc)
    found = ADDRESS.search(line)
    return (found.group(0) if found else None), time


def stamp(time):
    return time.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def describe(folder, attackers, unjudged, benign, names):
    now = datetime.datetime.now(datetime.timezone.utc)
    seen, files = {}, {}
    for name in names:
        lines = (folder / name).read_text(encoding="utf-8").splitlines()
        last = None
        for line in lines:
            address, time = parse(name, line, now.year)
            last = time if last is None else max(last, time)
            if address is not None:
                place = seen.setdefault(address, {}).setdefault(name, [0, time, time])
                place[0], place[1], place[2] = place[0] + 1, min(place[1], time), max(place[2], time)
        files[name] = {
            "format": FORMATS[name],
            "lines": len(lines),
            "bytes": (folder / name).stat().st_size,
            # Dates of syslog lines carry no year: what is needed to read them.
            "reference_time": stamp(last + datetime.timedelta(seconds=1)),
        }

    def facts(address):
        places = seen[address]
        return {
            "files": {name: count for name, (count, _, _) in places.items()},
            "first": stamp(min(first for _, first, _ in places.values())),
            "last": stamp(max(last for _, _, last in places.values())),
        }

    known = {row[0] for table in (attackers, unjudged, benign) for row in table}
    if strangers := set(seen) - known:
        raise SystemExit(f"samples/make: addresses in the logs that nobody declared: {sorted(strangers)}")
    return {
        "about": "Who did what in these logs. `expect`: for each log, at least one of the categories must be found for "
                 "the address. Nothing may be found on a benign address. Unjudged addresses count neither way.",
        "made": stamp(now),
        "files": files,
        "attackers": [
            {
                "address": address,
                "kind": kind,
                "categories": sorted({category for some in expect.values() for category in some}),
                "expect": expect,
                **facts(address),
            }
            for address, kind, _, expect in attackers
        ],
        "benign": [{"address": address, "kind": kind, **facts(address)} for address, kind, _ in benign],
        "unjudged": [{"address": address, "kind": kind, **facts(address)} for address, kind, _ in unjudged],
    }
