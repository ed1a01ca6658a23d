"""What measurements are told by: percentiles, intervals, spreads, processor time; and where they are written down."""

import json
import math
import os
import pathlib
import statistics


def percentile(values, share):
    """Of n values in order that number n · share, rounded down, counted from 0; the last where there are no so many."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def wilson(part, whole, z=1.959964):
    """95 % Wilson score interval of part/whole; None where there is nothing to divide by."""
    if whole == 0:
        return None
    share = part / whole
    centre = share + z * z / (2 * whole)
    spread = z * math.sqrt(share * (1 - share) / whole + z * z / (4 * whole * whole))
    scale = 1 + z * z / whole
    return max(0.0, (centre - spread) / scale), min(1.0, (centre + spread) / scale)


def spread(values, digits):
    """The median, with least and most."""
    return f"{statistics.median(values):,.{digits}f} ({min(values):,.{digits}f}–{max(values):,.{digits}f})"


def processor_seconds(pid):
    """Of the process itself, and of what it started and waited for: user and system time so far."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    ticks = os.sysconf("SC_CLK_TCK")
    return (int(fields[11]) + int(fields[12])) / ticks, (int(fields[13]) + int(fields[14])) / ticks


def record(folder, name, text, raw):
    """Writes NAME.md and, beside it, the raw data that it was made of; prints the text."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.md").write_text(text)
    (folder / f"{name}.json").write_text(json.dumps(raw, indent=1) + "\n")
    print(text)
