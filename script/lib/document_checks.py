"""What documents and Package.swift say about the code and can be held against it: entry types, targets, constants of limits,
keys of the configuration.

Each check yields (path, line, complaint).
"""

import re

# An entry's type as docs/journal-format.md has it.
ENTRY_TYPE = r"[a-z][a-z0-9_]*\.[a-z0-9_.]*[a-z0-9_]"
# `type: "a.b"`, `static let doneType = "a.b"`, `draft("a.b"`; a key of JSON has its quotes before the colon and is none.
WRITTEN_TYPE = re.compile(rf'(?:\b\w*[tT]ype\s*(?::|==?)|\bdraft\()\s*"({ENTRY_TYPE})"')
# `vigie journal bench` writes these to a journal of its own, which nobody keeps.
UNKEPT = {"bench.entry"}
# Cases of an enum whose raw values are types, of a switch that gives one, and of one that reads them.
CASE = re.compile(r"^\s*case\b.*")
# `type: "lease." + kind`, where the kinds are what a switch of the same file gives.
COMPOSED = re.compile(r'\btype: "([a-z_]+)\." \+')
KIND = re.compile(r'^\s*case \.\w+(?:\([^"]*\))?: "([a-z_]+)"$')
LITERAL = re.compile(rf'"({ENTRY_TYPE})"')


def swift_sources(root):
    """(path, text) of every Swift source, by path."""
    return [(path, path.read_text(encoding="utf-8")) for path in sorted((root / "Sources").rglob("*.swift"))]


def entry_types(sources, prefixes=()):
    """Type → where it first stands. `prefixes` are those of types that are known: only they make a bare `case` a type."""
    known = set(prefixes)
    for _, text in sources:
        known |= {match.group(1).partition(".")[0] for match in WRITTEN_TYPE.finditer(text)}
    found = {}
    for path, text in sources:
        # A file that writes entries writes no other words of that form in its cases.
        writes_entries = "EntryDraft(" in text
        places = [(match.group(1), text.count("\n", 0, match.start()) + 1) for match in WRITTEN_TYPE.finditer(text)]
        composed = COMPOSED.findall(text)
        for number, line in enumerate(text.splitlines(), 1):
            if match := KIND.match(line):
                places += [(f"{prefix}.{match.group(1)}", number) for prefix in composed]
            if CASE.match(line):
                places += [(name, number) for name in LITERAL.findall(line)
                           if writes_entries or name.partition(".")[0] in known]
        for name, number in places:
            if name not in UNKEPT and not name.endswith((".yml", ".json", ".ndjson", ".mustache")):
                found.setdefault(name, (path, number))
    return found


def table_rows(text, header):
    """(line number, cells) of the rows of the table whose first line begins with the header."""
    lines = text.splitlines()
    start = next((number for number, line in enumerate(lines) if line.startswith(header)), None)
    if start is None:
        return
    for number in range(start + 2, len(lines)):
        if not lines[number].startswith("|"):
            return
        yield number + 1, [cell.strip() for cell in re.split(r"(?<!\\)\|", lines[number])[1:-1]]


def check_entry_types(root):
    """docs/journal-format.md names every type that the sources write or read, and no other."""
    path = root / "docs/journal-format.md"
    shown = {}
    for number, cells in table_rows(path.read_text(encoding="utf-8"), "| type | `data` |"):
        for name in re.findall(rf"`({ENTRY_TYPE})`", cells[0]):
            if name in shown:
                yield path, number, f"entry type {name} is there twice"
            shown[name] = number
    written = entry_types(swift_sources(root), {name.partition(".")[0] for name in shown})
    for name, (source, number) in sorted(written.items()):
        if name not in shown:
            yield source, number, f"entry type {name} is missing in docs/journal-format.md"
    for name, number in shown.items():
        if name not in written:
            yield path, number, f"no source writes or reads an entry of type {name}"


def targets(root):
    """(name, purpose, targets it may import, products and system libraries) of each Swift target, as in Package.swift."""
    text = (root / "Package.swift").read_text(encoding="utf-8").split("    targets: [\n", 1)[1].split("\n    ],\n", 1)[0]
    own = re.findall(r'\.(?:target|executableTarget|systemLibrary|testTarget)\(\s*name: "([\w-]+)"', text)
    comment, entry = [], []
    for line in text.splitlines():
        stripped = line.strip()
        if not entry and stripped.startswith("//"):
            comment.append(stripped.lstrip("/ "))
            continue
        if not stripped:
            comment = []
            continue
        entry.append(line)
        whole = "\n".join(entry)
        if whole.count("(") != whole.count(")"):
            continue
        kind, name = re.search(r'\.(\w+)\(\s*name: "([\w-]+)"', whole).groups()
        if kind in ("target", "executableTarget") and 'path: "Tests/' not in whole:
            products = re.findall(r'\.product\(name: "(\w+)"', whole)
            listed = re.search(r"dependencies: \[(.*?)\](?=,\s*\w+:|\)$)", re.sub(r"\.product\([^)]*\)", "", whole), re.DOTALL)
            names = re.findall(r'"(\w+)"', listed.group(1)) if listed else []
            libraries = [name for name in names if re.search(rf'\.systemLibrary\(\s*name: "{name}"', text)]
            yield name, " ".join(comment), [name for name in names if name in own and name not in libraries], libraries + products
        if kind != "systemLibrary":
            comment = []
        entry = []


def targets_markdown(root):
    rows = ["| target | what | may import | of packages and the system |", "|---|---|---|---|"]
    rows += ["| " + " | ".join([f"`{name}`", purpose, ", ".join(imports), ", ".join(products)]) + " |"
             for name, purpose, imports, products in targets(root)]
    return "\n".join(rows)


def check_targets(root):
    """docs/architecture.md shows the targets of Package.swift."""
    path = root / "docs/architecture.md"
    wanted = targets_markdown(root).splitlines()
    lines = path.read_text(encoding="utf-8").splitlines()
    if wanted[0] not in lines:
        yield path, 1, "the table of targets is missing; `script/lint --targets` prints it"
        return
    first = lines.index(wanted[0])
    for number, row in enumerate(wanted, first):
        if number >= len(lines) or lines[number] != row:
            yield path, number + 1, "differs from Package.swift; `script/lint --targets` prints the table"
            return
    if lines[first + len(wanted)].startswith("|"):
        yield path, first + len(wanted) + 1, "Package.swift has no such target; `script/lint --targets` prints the table"


def check_dependencies_are_imported(root):
    """A target imports whatever Package.swift lets it import: what is not needed is not allowed."""
    path = root / "Package.swift"
    for name, _, imports, products in targets(root):
        folder = root / "Sources" / name
        if not folder.is_dir():
            continue
        text = "\n".join(file.read_text(encoding="utf-8") for file in folder.rglob("*.swift"))
        if not text:
            # C targets include headers of each other; their compiler finds none that is not allowed.
            continue
        for module in imports + products:
            if not re.search(rf"^\s*(?:@\w+\s+)*(?:\w+\s+)?import\s+(?:(?:struct|class|enum|protocol|func)\s+)?{module}\b", text, re.M):
                yield path, 1, f"{name} imports {module} nowhere: drop the dependency"


def check_limits(root):
    """Each constant in the table of limits in docs/architecture.md is declared in the type that it is said to belong to."""
    path = root / "docs/architecture.md"
    sources = swift_sources(root)
    for number, cells in table_rows(path.read_text(encoding="utf-8"), "| what | at most | where |"):
        owner = None
        for word in re.findall(r"`([\w.]+)`", cells[2]):
            *types, member = word.split(".")
            if not types and member[0].isupper():
                types, member = [member], None
            owner = types[-1] if types else owner
            declares = re.compile(rf"\b(?:struct|enum|class|actor|extension)\s+(?:\w+\.)*{owner}\b")
            homes = [text for _, text in sources if owner and declares.search(text)]
            if not homes:
                yield path, number, f"{word}: there is no type {owner}"
            elif member and not any(re.search(rf"\b(?:let|var|func|case)\s+{member}\b", text) for text in homes):
                yield path, number, f"{word}: no such member of {owner}"


def check_configuration(root):
    """README.md shows every key of the configuration, and the error that lists them."""
    source = root / "Sources/Server/Configuration/Configuration.swift"
    known = re.findall(r'"(\w+)"', re.search(r"let known = \[(.*?)\]", source.read_text(encoding="utf-8"), re.DOTALL).group(1))
    path = root / "README.md"
    text = path.read_text(encoding="utf-8")
    example = text.partition("## Configuration\n")[2].partition("\n## ")[0]
    for key in known:
        if not re.search(rf"^    {key}:", example, re.M):
            yield path, 1, f"the example of a configuration lacks the key {key}"
    if f"(known: {', '.join(known)})" not in text:
        yield path, 1, f"the example of a refused configuration is not what it says: (known: {', '.join(known)})"


def check_format_count(root):
    """README.md says how many formats are files."""
    path = root / "README.md"
    count = len(list((root / "rules/formats").glob("*.yml")))
    if f"{count} more as [YAML files]" not in path.read_text(encoding="utf-8"):
        yield path, 1, f"rules/formats holds {count} formats; README.md says another number"


def complaints(root):
    for check in (check_entry_types, check_targets, check_dependencies_are_imported, check_limits, check_configuration,
                  check_format_count):
        yield from check(root)
