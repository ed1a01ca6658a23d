"""Measures `vigie detect` on the lanes of lib/lanes.py: events per second on one core, hits and matches, growth with rules."""

import json
import pathlib
import statistics
import subprocess
import sys
import tarfile

from .figures import spread

#: What the rules and the events of a lane have in common, from a run of its own: --statistics is slow.
COUNTS = ("necessary_literal_hits", "values", "remembered", "literals", "regexes", "candidates", "matches")


def rule_files(path, folder):
    """Every rule file below a folder or in a .tar.gz archive of one, in the order of their names."""
    if path.is_file():
        target = folder / "rules"
        if not target.exists():
            with tarfile.open(path) as archive:
                archive.extractall(target, filter="data")
        path = target
    return sorted(file for file in path.rglob("*.yml") if not file.name.endswith(".samples.yml"))


def subset(files, count, folder):
    """A folder with `count` of the files, spread evenly over all of them, so that no kind of rule is left out."""
    target = folder / f"rules-{count}"
    target.mkdir(exist_ok=True)
    for number in range(min(count, len(files))):
        file = files[number * len(files) // min(count, len(files))]
        link = target / f"{number:05d}-{file.name}"
        if not link.exists():
            link.symlink_to(file.resolve())
    return target


def input_file(lane, events, seed, folder, here):
    path = folder / f"{lane}-{events}"
    if not path.exists():
        # In a process of its own: the one that measures has to stay small.
        code = "import sys; sys.path.insert(0, sys.argv[1]); from lib import lanes; " \
               "lanes.write(sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5]))"
        subprocess.run([sys.executable, "-B", "-c", code, str(here), str(path), lane, str(events), str(seed)], check=True)
    return path


def counts(command):
    """The object that --statistics prints as the last line of standard error."""
    done = subprocess.run([*command, "--statistics"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
    lines = [line for line in done.stderr.splitlines() if "necessary_literal_hits" in line]
    if not lines:
        sys.exit(f"script/bench: {' '.join(command)} --statistics printed no statistics:\n{done.stderr[-500:]}")
    return json.loads(lines[-1][lines[-1].index("{"):])


def measure(options, lane, rules, folder, core, run, here, format):
    """Rounds of: wc, vigie on nothing (start and loading of the rules), vigie on the lane, each on the same core."""
    path = input_file(lane, options.events, options.seed, folder, here)
    empty = folder / "empty"
    empty.touch()
    command = [str(options.vigie), "detect", "--rules", str(rules), "--format", format]
    # What the fields of other taxonomies are called here.
    mappings = here.parent / "rules/pipelines"
    if mappings.is_dir():
        command += ["--rules", str(mappings)]
    rounds = []
    for number in range(options.rounds):
        one = {}
        for name, line in (("wc", ["wc", "-l", str(path)]), ("load", [*command, str(empty)]), ("vigie", [*command, str(path)])):
            one[name] = run(line, core, folder / "output")
            if one[name]["status"] not in (0, 1):
                sys.exit(f"script/bench: {' '.join(line)} ended with status {one[name]['status']}")
        rounds.append(one)
        print(f"{lane} {number + 1} of {options.rounds}: {rate(options.events, one):,.0f} events per CPU second", file=sys.stderr)
    return {"lane": lane, "rules": len(list(pathlib.Path(rules).rglob("*.yml"))), "bytes": path.stat().st_size,
            "counts": counts([*command, str(path)]), "rounds": rounds}


def rate(events, one):
    """Events per CPU second, net of what the same program takes for no events at all."""
    return events / max(one["vigie"]["cpu"] - one["load"]["cpu"], 1e-6)


def table(options, results):
    lines = ["| lane | rules | bytes per event | events per CPU s, net of loading | loading, CPU s | peak memory, MiB | times `wc -l` | "
             "necessary literals per event | of them found by the engine | values seen before | candidates per event | matches per event |",
             "|" + "---|" * 12]
    for result in results:
        rounds, seen = result["rounds"], result["counts"]
        per = {name: seen[name] / max(seen["events"], 1) for name in COUNTS}
        lines.append("| " + " | ".join([
            result["lane"], f"{result['rules']:,}", f"{result['bytes'] / options.events:.0f}",
            spread([rate(options.events, one) for one in rounds], 0), spread([one["load"]["cpu"] for one in rounds], 2),
            spread([one["vigie"]["peak_kib"] / 1024 for one in rounds], 1),
            f"{statistics.median([one['vigie']['wall'] / one['wc']['wall'] for one in rounds]):,.0f}",
            f"{per['necessary_literal_hits']:.1f}", f"{per['literals']:.1f}",
            f"{100 * seen['remembered'] / max(seen['values'], 1):.0f} %", f"{per['candidates']:.2f}", f"{per['matches']:.3f}"]) + " |")
    return lines
