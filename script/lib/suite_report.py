"""Markdown of the detection suites' verdicts."""

from . import suite_incidents
from .detection_suites import total
from .figures import wilson


def share(part_and_whole):
    """`93.1 % (89.0-95.8, n 145)`; a dash where nothing was to be counted."""
    part, whole = part_and_whole
    interval = wilson(part, whole)
    if interval is None:
        return "–"
    low, high = interval
    return f"{100 * part / whole:.1f} % ({100 * low:.1f}–{100 * high:.1f}, n {whole})"


def table(header, rows):
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines)


COLUMNS = ["", "cases passed", "recall", "precision", "strict precision", "found", "missed", "false alarms", "other kind",
           "unjudged"]


def row(name, verdicts):
    sums = total(verdicts)
    return [name, f"{sums.passed} of {sums.cases}: {share(sums.share_passed)}", share(sums.recall), share(sums.precision),
            share(sums.strict_precision), sums.found, sums.missed, sums.false_alarms, sums.other_kind, sums.unjudged]


def groups(verdicts, key):
    found = {}
    for verdict in verdicts:
        found.setdefault(key(verdict), []).append(verdict)
    return sorted(found.items(), key=lambda item: str(item[0]))


def by_category(verdicts):
    """Recall for each expected category: precision has no category, an alarm belongs to no expectation."""
    counts = {}
    for verdict in verdicts:
        for name in ("found", "missed"):
            for _, category in getattr(verdict, name):
                counts.setdefault(category, {"found": 0, "missed": 0})[name] += 1
    return [[category, share((count["found"], count["found"] + count["missed"])), count["found"], count["missed"]]
            for category, count in sorted(counts.items())]


def crs_rows(verdicts, key):
    rows = []
    for name, some in groups(verdicts, key):
        attacks = [verdict for verdict in some if verdict.label == "attack"]
        benign = [verdict for verdict in some if verdict.label == "benign"]
        alarmed = sum(not verdict.passed for verdict in benign)
        rows.append([name, share(total(attacks).recall), share((alarmed, len(benign))), share(total(some).precision)])
    return rows


def crs_section(verdicts):
    first = [verdict for verdict in verdicts if verdict.paranoia == 1]
    header = ["", "recall", "benign lines with an alarm", "precision"]
    return [
        "Level 1 is the headline: what the rule set's users run by default.\n",
        table(header, crs_rows(first, lambda _: "**level 1**") + crs_rows(verdicts, lambda _: "all levels")),
        "\nBy paranoia level:\n",
        table(header, crs_rows(verdicts, lambda verdict: verdict.paranoia)),
        "\nBy family, level 1:\n",
        table(header, crs_rows(first, lambda verdict: verdict.family)),
        "\nBy family, all levels:\n",
        table(header, crs_rows(verdicts, lambda verdict: verdict.family)),
    ]


def fail2ban_section(verdicts):
    sums = total(verdicts)
    exact = sum(verdict.addresses_exact or 0 for verdict in verdicts)
    return [
        "Counted are lines.\n",
        table(["", "filters passed", "recall", "precision", "missed", "false alarms", "addresses exact"],
              [["all", f"{sums.passed} of {sums.cases}", share(sums.recall), share(sums.precision), sums.missed,
                sums.false_alarms, share((exact, sums.found))]]),
    ]


def incidents_headline(name, results):
    sums = suite_incidents.total(results)
    failed = f"; {sums.not_counted} of {sums.cases} cases not counted" if sums.not_counted else ""
    return (f"{name}, incidents: one each for {sums.one_each} of {sums.attackers} attackers, {share(sums.share_one_each)}: "
            f"{sums.none} have none, {sums.several} several, {sums.shared} one with another attacker; of {sums.incidents} incidents "
            f"{sums.unjudged} are about unjudged addresses, {sums.nobody} about none, {sums.benign} name a benign one{failed}")


def incidents_section(results):
    """One row for all cases, and one for each that has attackers or incidents."""
    header = ["", "attackers with one incident each", "none", "several", "one with another attacker", "incidents", "about unjudged addresses",
              "about none", "naming a benign address", "findings in them"]

    def cells(name, some, one_each):
        sums = suite_incidents.total(some)
        return [name, one_each(sums), sums.none, sums.several, sums.shared, sums.incidents, sums.unjudged, sums.nobody, sums.benign,
                sums.findings]
    rows = [cells("**all**", results, lambda sums: f"{sums.one_each} of {sums.attackers}: {share(sums.share_one_each)}")]
    shown = [result for result in results if result.of or result.opened or result.error]
    for result in shown:
        rows.append(cells(result.case, [result], lambda sums: f"{sums.one_each} of {sums.attackers}" if sums.attackers else "–"))
    parts = [
        "\nIncidents that a server opens from each case's log. An attacker is an address that must be found. It has one incident where one "
        "names it, and that one no other attacker.\n",
        table(header, rows)]
    if silent := len(results) - len(shown):
        parts.append(f"\n{silent} further cases have no attacker, and no incident.")
    parts += [f"\nNot counted: {result.case}: {result.error}" for result in results if result.error]
    return parts


def markdown(results, not_run, incidents=None):
    """`results`: suite name → verdicts; `incidents`: suite name → what became of its cases, for those where they are counted."""
    parts = ["Shares with their 95 % Wilson interval and n. Strict precision counts a second category on an expected address "
             "as a false alarm, too.\n"]
    overall = [row(name, verdicts) for name, verdicts in results.items()]
    if overall:
        parts.append(table(["suite", *COLUMNS[1:]], overall))
    for name, verdicts in results.items():
        parts.append(f"\n## {name}\n")
        if name == "fail2ban":
            parts += fail2ban_section(verdicts)
        elif name == "crs":
            parts += crs_section(verdicts)
        else:
            parts.append(table(["by family", *COLUMNS[1:]], [row(*group) for group in groups(verdicts, lambda v: v.family)]))
            parts.append("\n" + table(["by category", "recall", "found", "missed"], by_category(verdicts)))
        if name in (incidents or {}):
            parts += incidents_section(incidents[name])
        if stray := sum(len(verdict.without_address) for verdict in verdicts):
            parts.append(f"\n{stray} findings named no address; the suite judges addresses only.")
    # A message on standard error is not a failure of the case; a status that counts as nothing found is.
    broken = [verdict for verdicts in results.values() for verdict in verdicts if verdict.exit_status not in (0, 1)]
    if broken:
        parts.append("\n## Counted as nothing found\n")
        parts.append(table(["case", "exit status", "message"],
                           [[f"{v.suite}/{v.case}", v.exit_status, (v.error or "").replace("\n", " ")[:200]] for v in broken]))
    for name in not_run:
        parts.append(f"\nNot run: {name} (no such suite here).")
    return "\n".join(parts)


def failures(results, cases):
    """Every case that did not pass, with its first lines: what to look at next."""
    parts = []
    for verdicts in results.values():
        for verdict in verdicts:
            if verdict.passed:
                continue
            parts.append(f"\n{verdict.suite}/{verdict.case} ({verdict.format}, {verdict.family})")
            if verdict.exit_status not in (0, 1):
                parts.append(f"  exit status {verdict.exit_status}: {verdict.error}")
            for name, title in (("missed", "missed"), ("false_alarms", "false alarm"), ("other_kind", "other kind")):
                for entry in getattr(verdict, name):
                    text = f"line {entry}" if isinstance(entry, int) else f"{entry[0]} {entry[1]}"
                    parts.append(f"  {title}: {text}")
            lines = cases[verdict.suite, verdict.case]["lines"]
            shown = [lines[number - 1] for number in verdict.missed + verdict.false_alarms if isinstance(number, int)] or lines
            parts += [f"    {line[:240]}" for line in shown[:3]]
    return "\n".join(parts)


def incident_failures(incidents):
    """Every attacker without one incident of its own, and every incident that names an address taken to be benign."""
    parts = []
    for results in incidents.values():
        for result in results:
            wrong = {address: count for address, count in result.of.items() if address not in result.one_each}
            false = [incident for incident in result.opened if incident["benign"]]
            if not wrong and not false and not result.error:
                continue
            parts.append(f"\n{result.suite}/{result.case}, incidents")
            if result.error:
                parts.append(f"  not counted: {result.error}")
            parts += [f"  {address}: {count} incidents" + (", one with another attacker" if address in result.shared else "")
                      for address, count in wrong.items()]
            parts += [f"  {incident['id']} {incident['severity']} {incident['title']}: {', '.join(incident['addresses'])}"
                      for incident in result.opened if incident in false or set(incident["addresses"]) & set(wrong)]
    return "\n".join(parts)
