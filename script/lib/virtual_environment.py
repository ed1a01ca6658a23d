"""Packages from PyPI for one script, in a virtual environment of its own under .build, made when it is first needed."""

import importlib
import os
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


def folder(name, *packages, options=()):
    """.build/NAME with these packages, `name==version` each. Made anew where another list, or half of one, was installed."""
    place = ROOT / ".build" / name
    wanted = "\n".join([*options, *packages])
    ready = place / "ready"
    if not ready.exists() or ready.read_text() != wanted:
        # The first one on PATH: Debian's own, which some scripts run under, may have no venv.
        subprocess.run([shutil.which("python3") or sys.executable, "-m", "venv", "--clear", str(place)], check=True)
        subprocess.run([str(place / "bin/python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *options, *packages],
                       check=True)
        ready.write_text(wanted)
    return place


def require(name, modules, *packages):
    """Goes on if the modules can be imported; otherwise the script begins again in an environment that has the packages."""
    try:
        for module in modules:
            importlib.import_module(module)
    except ImportError as problem:
        if pathlib.Path(sys.prefix) == ROOT / ".build" / name:
            sys.exit(f"{sys.argv[0]}: {sys.prefix} cannot be used ({problem}); remove the folder and start again")
        python = folder(name, *packages) / "bin/python"
        os.execv(python, [str(python), *sys.argv])
