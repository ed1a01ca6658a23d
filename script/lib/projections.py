"""The tables that people read, against the same tables made anew from the journal."""

import contextlib
import shutil
import sqlite3
import subprocess
import tempfile
import pathlib


def rows(data):
    """Every row of every table of a data folder whose server has stopped, in one order."""
    with contextlib.closing(sqlite3.connect(f"file:{data}/projections.db?mode=ro", uri=True)) as database:
        names = [name for name, in database.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name <> 'grdb_migrations' ORDER BY name")]
        return {name: sorted(map(repr, database.execute(f'SELECT * FROM "{name}"'))) for name in names}


def assert_rebuilt_alike(vigie, data):
    """`vigie journal rebuild` on a copy of the folder makes the same rows; returns how many."""
    live = rows(data)
    with tempfile.TemporaryDirectory(prefix="vigie-rebuilt-") as place:
        copy = pathlib.Path(place) / "data"
        # Sockets and locks of programs are not part of it.
        shutil.copytree(data, copy, ignore=lambda folder, names: [name for name in names if (pathlib.Path(folder) / name).is_socket()])
        done = subprocess.run([str(vigie), "journal", "rebuild", "--data", str(copy)], capture_output=True, text=True)
        assert done.returncode == 0, f"vigie journal rebuild: {done.stdout}{done.stderr}"
        rebuilt = rows(copy)
    different = [name for name in live.keys() | rebuilt.keys() if live.get(name) != rebuilt.get(name)]
    assert not different, f"made anew from the journal, these tables are not as they were: {', '.join(sorted(different))}"
    return sum(map(len, live.values()))
