"""Measures what correlations cost: time per counted event and memory per live group, from 1,000 groups to 1,000,000.

`measure(run, vigie, folder, core, rounds)` drives `vigie detect` over generated JSON lines with a folder of one rule and one
correlation of it. Beside each run stands one of the same lines with a rule that none of them matches: the difference is
what matching, counting and keeping cost. `run` is that of `script/bench`: wall and CPU seconds, peak memory and status of a command.
"""

import pathlib
import random
import statistics

RULES = """title: Failure
id: 00000000-0000-4000-8000-000000000001
name: failure
logsource: {{category: application}}
detection: {{s: {{event.action: {action}}}, condition: s}}
---
title: Trial
id: 00000000-0000-4000-8000-000000000002
correlation: {{type: {type}, rules: [failure], group-by: [source.ip], timespan: 1h, condition: {condition}}}
"""
# Thresholds that no group reaches: what is measured is counting, not reporting.
EVENT_COUNT = ("event_count", "{gte: 90000}")
VALUE_COUNT = ("value_count", "{field: user.name, gte: 90000}")
GROUPS = (1_000, 10_000, 100_000, 1_000_000)
LIMIT_MIB = 244


def write_lines(path, events, groups, values, seed=1):
    """Every group once, then groups at random; a thousand events a second, so that all are in the window."""
    draw = random.Random(seed)
    with open(path, "w") as file:
        for number in range(events):
            group = number if number < groups else draw.randrange(groups)
            address = f"10.{group >> 16 & 255}.{group >> 8 & 255}.{group & 255}"
            file.write(f'{{"@timestamp":{1_800_000_000 + number / 1000:.3f},"event.action":"fail",'
                       f'"source.ip":"{address}","user.name":"user{draw.randrange(values)}"}}\n')


def one(run, vigie, folder, core, rounds, kind, events, groups, values):
    lines = pathlib.Path(folder) / "correlations.jsonl"
    write_lines(lines, events, groups, values)
    results = {}
    for name, action in (("counted", "fail"), ("idle", "never")):
        rules = pathlib.Path(folder) / f"rules-{name}"
        rules.mkdir(exist_ok=True)
        (rules / "trial.yml").write_text(RULES.format(type=kind[0], condition=kind[1], action=action))
        results[name] = []
    # In turns, so that both see the same machine.
    for _ in range(rounds):
        for name, runs in results.items():
            output = pathlib.Path(folder) / "correlations.out"
            done = run([vigie, "detect", "--format", "json", "--rules", str(pathlib.Path(folder) / f"rules-{name}"), str(lines)],
                       core, output)
            if done["status"] != 0 or output.stat().st_size > 0:
                raise RuntimeError(f"vigie detect failed or found something: status {done['status']}")
            runs.append(done)
    lines.unlink()
    cpu = {name: statistics.median(run["cpu"] for run in runs) for name, runs in results.items()}
    peak = {name: max(run["peak_kib"] for run in runs) for name, runs in results.items()}
    own = max(cpu["counted"] - cpu["idle"], 1e-9)
    return {"type": kind[0], "events": events, "groups": groups, "values": values,
            "lines_per_second": round(events / cpu["counted"]), "nanoseconds_per_event": round(own / events * 1e9),
            "counted_per_second": round(events / own), "memory_mib": round((peak["counted"] - peak["idle"]) / 1024, 1),
            "peak_mib": round(peak["counted"] / 1024, 1), "runs": results}


def measure(run, vigie, folder, core, rounds=3):
    """The curve of event_count over groups, and value_count with 1,800 values in the window of each of 100 groups."""
    curve = [one(run, vigie, folder, core, rounds, EVENT_COUNT, max(groups, 1_000_000), groups, 100) for groups in GROUPS]
    distinct = one(run, vigie, folder, core, rounds, VALUE_COUNT, 1_000_000, 100, 1_800)
    return {"event_count": curve, "value_count": distinct, "within_limit": curve[-1]["memory_mib"] <= LIMIT_MIB}


def table(results):
    """Markdown rows."""
    rows = ["| type | live groups | own time per event | events/s of the correlation alone | lines/s in all | memory of the state |",
            "|---|---:|---:|---:|---:|---:|"]
    for result in [*results["event_count"], results["value_count"]]:
        values = f", {result['values']:,} values each" if result["type"] == "value_count" else ""
        rows.append(f"| {result['type']}{values} | {result['groups']:,} | {result['nanoseconds_per_event']} ns "
                    f"| {result['counted_per_second']:,} | {result['lines_per_second']:,} | {result['memory_mib']} MiB |")
    return "\n".join(rows)
