"""Names the machine that a measurement was made on."""

import datetime
import os
import pathlib
import platform
import subprocess


def output(*command, cwd=None):
    try:
        return subprocess.run(command, capture_output=True, text=True, cwd=cwd, timeout=60).stdout.strip()
    except OSError:
        return ""


def field(path, name):
    for line in pathlib.Path(path).read_text().splitlines():
        if line.startswith(name):
            return line.partition(":")[2].strip()
    return "unknown"


def describe(root):
    system = dict(line.split("=", 1) for line in pathlib.Path("/etc/os-release").read_text().splitlines() if "=" in line)
    swift = output("swift", "--version").splitlines()
    return {
        "cpu": field("/proc/cpuinfo", "model name"),
        "cores": os.cpu_count(),
        "memory_mib": int(field("/proc/meminfo", "MemTotal").split()[0]) // 1024,
        "kernel": platform.release(),
        "system": system.get("PRETTY_NAME", "").strip('"'),
        "swift": swift[0] if swift else "unknown",
        "commit": output("git", "rev-parse", "--short=12", "HEAD", cwd=root) or "none",
        "modified": bool(output("git", "status", "--porcelain", cwd=root)),
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "load_before": round(os.getloadavg()[0], 2),
    }


def sentence(facts):
    changed = " with local changes" if facts["modified"] else ""
    return (f"{facts['cpu']}, {facts['cores']} cores, {facts['memory_mib']} MiB, {facts['system']}, Linux {facts['kernel']}, "
            f"{facts['swift']}; commit {facts['commit']}{changed}; {facts['date']}; load before the run {facts['load_before']}.")
