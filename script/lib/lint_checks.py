"""The checks of script/lint that no formatter does. Each yields (path, line, complaint); warnings are not failures.

Files are those that git tracks, and those that it would: new files are checked before their first commit.
"""

import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from lib import document_checks  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent

# A dependency has one importer, or a short list of them. Module → (what it is for, targets under Sources that may import it).
# docs/dependencies.md shows this table; `script/lint --dependencies` prints it.
IMPORTERS = {
    "ArgumentParser": ("the command lines", ["CommandLine", "TatouCommands", "WatermarkCommands"]),
    "CArgon2": ("password hashing", ["Identity"]),
    "Crypto": (
        "hashes, seals, signatures of webhooks, rule and finding ids",
        ["Detection", "Evidence", "Guard", "Identity", "Journal", "Notify", "Response", "Server", "Tatou", "Watermark"]),
    "CryptoExtras": (
        "RSA, which playbooks and ID tokens are signed with; AES in counter mode and GCM-SIV, and PBKDF2, for marks in documents",
        ["Identity", "Response", "Watermark"]),
    "CMalloc": ("how a server asks the system for memory", ["CommandLine"]),
    "CPNG": ("pictures of leaked pages", ["Watermark"]),
    "CQPDF": ("reading and writing PDF documents", ["Watermark"]),
    "CRNP": ("OpenPGP messages of RMAP", ["OpenPGPWorkerProcess"]),
    "CTurboJPEG": ("pictures of leaked pages, and marking pictures", ["Watermark"]),
    "CZlib": ("compressed logs, gzip of what is received, and pictures in PDF documents", ["Ingest", "Watermark"]),
    "CZstd": ("compression of the archive", ["Archive"]),
    "GRDB": ("SQLite", ["Storage", "Tatou"]),
    "Hummingbird": ("HTTP server", ["Console", "Guard", "Server", "Tatou", "TatouCommands"]),
    "Logging": ("the process's own log", ["CommandLine", "Console", "Guard", "Server", "Tatou", "TatouCommands"]),
    "Mustache": ("page templates", ["Console"]),
    "NIOCore": ("byte buffers, live updates", ["Console", "EmbeddedFiles", "Guard", "Server", "Tatou"]),
    "NIOHTTP1": ("asking Vigie for decisions; deadlines of requests to receivers", ["Guard", "Server"]),
    "NIOPosix": ("sockets of the syslog receivers, of Guard towards Vigie, and its log's thread", ["Guard", "Server", "Tatou"]),
    "NIOSSL": ("TLS of the receivers", ["Server"]),
    "NIOTLS": ("TLS of the receivers", ["Server"]),
    "ServiceLifecycle": ("ordered start and stop, signals", ["Console", "Guard", "Server", "Tatou"]),
    "UnixSignals": ("SIGHUP", ["Server"]),
    "Yams": (
        "YAML of rules, formats, policies, playbooks and configuration",
        ["Detection", "Incidents", "Ingest", "Response", "Server"]),
}
# A module counts as the table's entry that its name begins with: HummingbirdTLS is Hummingbird.
PREFIXES = ("Hummingbird",)

# Targets that must stay portable and small: prefixes of modules they may not import.
FORBIDDEN = {"Events": ("Foundation", "NIO")}

WARN_LINES, MOST_LINES = 450, 900

IMPORT = re.compile(
    r"^\s*(?:@\w+(?:\([^)]*\))?\s+)*(?:(?:public|package|internal|fileprivate|private)\s+)?import\s+"
    r"(?:(?:struct|class|enum|protocol|func|var|let|typealias)\s+)?(\w+)"
)


class Failure(str):
    pass


class Warning_(str):
    pass


def tracked(root):
    output = subprocess.run(
        ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        check=True, capture_output=True,
    ).stdout.decode()
    return [path for name in sorted(set(output.split("\0"))) if name and (path := root / name).is_file()]


def read(path):
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return None


def swift_without_comments(text):
    """Comments, also nested ones, become blanks, so that line numbers stay; string literals are left as they are."""
    out, index, depth = [], 0, 0
    string = None
    while index < len(text):
        two = text[index:index + 2]
        if depth:
            if two == "/*":
                depth, step = depth + 1, 2
            elif two == "*/":
                depth, step = depth - 1, 2
            else:
                step = 1
            out.append("".join("\n" if letter == "\n" else " " for letter in text[index:index + step]))
            index += step
        elif string:
            if text.startswith(string, index):
                out.append(string)
                index += len(string)
                string = None
            elif text[index] == "\\" and "#" not in string:
                out.append(text[index:index + 2])
                index += 2
            else:
                # A plain literal ends with its line; this keeps an unexpected quote from hiding the rest of the file.
                if text[index] == "\n" and '"""' not in string:
                    string = None
                out.append(text[index])
                index += 1
        elif two == "//":
            end = text.find("\n", index)
            end = len(text) if end < 0 else end
            out.append(" " * (end - index))
            index = end
        elif two == "/*":
            depth = 1
            out.append("  ")
            index += 2
        elif match := re.compile(r'(#*)("""|")').match(text, index):
            string = match.group(2) + match.group(1)
            out.append(match.group(0))
            index = match.end()
        else:
            out.append(text[index])
            index += 1
    return "".join(out)


def target_of(path, root):
    """The target that a source file belongs to; executables are named by their folder."""
    parts = path.relative_to(root).parts
    return parts[1] if len(parts) > 2 and parts[0] == "Sources" else None


def entry_of(module):
    for prefix in PREFIXES:
        if module.startswith(prefix):
            return prefix
    return module if module in IMPORTERS else None


def check_imports(path, text, root):
    target = target_of(path, root)
    if target is None:
        return
    for number, line in enumerate(swift_without_comments(text).splitlines(), 1):
        if not (match := IMPORT.match(line)):
            continue
        module = match.group(1)
        entry = entry_of(module)
        if entry and target not in IMPORTERS[entry][1]:
            allowed = ", ".join(IMPORTERS[entry][1])
            yield number, Failure(f"{target} may not import {module}; importers are {allowed} (docs/dependencies.md)")
        if module.startswith(FORBIDDEN.get(target, ("\0",))):
            yield number, Failure(f"{target} may not import {module}: it stays free of it")


def check_length(path, text, root):
    if target_of(path, root) is None:
        return
    lines = text.count("\n")
    if lines > MOST_LINES:
        yield 1, Failure(f"{lines} lines; {MOST_LINES} is the most")
    elif lines > WARN_LINES:
        yield 1, Warning_(f"{lines} lines; split what is longer than {WARN_LINES}")


def check_swift_words(path, text, root):
    target = target_of(path, root)
    code = swift_without_comments(text)
    for number, line in enumerate(code.splitlines(), 1):
        if re.search(r"\btry!", line):
            yield number, Failure("try! ends the process on an error")
        if target and target not in ("CommandLine", "TatouCommands", "WatermarkCommands", "Executables") and re.search(r"(?<![\w.])(?:print|debugPrint|dump)\(", line):
            yield number, Failure("only the command line prints; log or throw instead")


def table_markdown():
    rows = ["| module | for | importers |", "|---|---|---|"]
    rows += [f"| `{module}` | {purpose} | {', '.join(f'`{name}`' for name in targets)} |"
             for module, (purpose, targets) in IMPORTERS.items()]
    return "\n".join(rows)


def check_dependency_table(root):
    """docs/dependencies.md has a row per module that names exactly the importers allowed here; its other cells are free."""
    path = root / "docs/dependencies.md"
    if not path.exists():
        yield path, 1, Failure("missing; `script/lint --dependencies` prints the table it has to show")
        return
    shown = {}
    for number, line in enumerate(read(path).splitlines(), 1):
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if line.lstrip().startswith("|") and len(cells) >= 2 and (match := re.fullmatch(r"`(\w+)`", cells[0])):
            shown[match.group(1)] = (number, sorted(re.findall(r"`(\w+)`", cells[-1])))
    for module, (_, targets) in IMPORTERS.items():
        if module not in shown:
            yield path, 1, Failure(f"no row for {module}; see `script/lint --dependencies`")
        elif shown[module][1] != sorted(targets):
            number, named = shown[module]
            yield path, number, Failure(f"{module}: importers here are {named}, script/lint allows {sorted(targets)}")
    for module, (number, _) in shown.items():
        if module not in IMPORTERS:
            yield path, number, Failure(f"{module} is not in the table of script/lint")


def machine_paths(root):
    """Absolute paths that only exist on the machine where somebody worked: the checkout's and its neighbours'."""
    found = {str(root)} if len(root.parts) > 2 else set()
    if str(root.parent) not in ("/", "/tmp", "/home", "/root", "/srv", "/opt", "/var", "/usr"):
        found |= {str(neighbour) for neighbour in root.parent.iterdir() if neighbour.is_dir()}
    return sorted(found, key=len, reverse=True)


# Samples and rules quote what attackers send, tests quote both: a /tmp/ in them is somebody else's.
SCRATCH = re.compile(r"(?<![\w$}.])/tmp/\w")
SCRATCH_FOLDERS = ("script", ".ci", "docs", "Package.swift")


def check_paths(path, text, root, machine):
    first = path.relative_to(root).parts[0]
    scratch = first in SCRATCH_FOLDERS or (path.suffix == ".md" and len(path.relative_to(root).parts) == 1)
    for number, line in enumerate(text.splitlines(), 1):
        for place in machine:
            if re.search(re.escape(place) + r"(?![\w-])", line):
                yield number, Failure(f"names a path of this machine: {place}")
                break
        if re.search(r"(?<![\w.])/(?:home|Users)/(?!user\b|USER\b|\$)\w+/\w", line) and first in SCRATCH_FOLDERS:
            yield number, Failure("names somebody's home folder")
        if scratch and SCRATCH.search(line):
            yield number, Failure("a fixed name below /tmp; use mktemp")


LINK = re.compile(r"!?\[[^\]]*\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)")


def check_links(path, text, root):
    """Relative links resolve to a file or folder of the repository."""
    fenced = False
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith(("```", "~~~")):
            fenced = not fenced
        if fenced or line.startswith("    "):
            continue
        for target in LINK.findall(re.sub(r"`[^`]*`", "", line)):
            if re.match(r"[a-zA-Z][a-zA-Z0-9+.-]*:|//|#", target):
                continue
            name = target.partition("#")[0].partition("?")[0]
            place = root / name.lstrip("/") if name.startswith("/") else path.parent / name
            if not place.exists():
                yield number, Failure(f"link to {target}, which is not there")


def check_script(path, text):
    """Bash and Python parse; nothing is run and nothing is written."""
    first = text.partition("\n")[0]
    if path.suffix in (".bash", ".sh") or (first.startswith("#!") and re.search(r"\b(?:ba)?sh\b", first)):
        result = subprocess.run(["bash", "-n", str(path)], capture_output=True, text=True)
        if result.returncode:
            yield 1, Failure(result.stderr.strip())
    elif path.suffix == ".py" or (first.startswith("#!") and "python" in first):
        try:
            compile(text, str(path), "exec")
        except SyntaxError as error:
            yield error.lineno or 1, Failure(error.msg)


def complaints(root):
    machine = machine_paths(root)
    for path in tracked(root):
        text = read(path)
        if text is None:
            continue
        checks = [check_paths(path, text, root, machine), check_script(path, text)]
        if path.suffix == ".swift":
            checks += [check_imports(path, text, root), check_length(path, text, root), check_swift_words(path, text, root)]
        if path.suffix == ".md":
            checks.append(check_links(path, text, root))
        for check in checks:
            for number, complaint in check:
                yield path, number, complaint
    yield from check_dependency_table(root)
    for path, number, complaint in document_checks.complaints(root):
        yield path, number, Failure(complaint)


def main():
    if sys.argv[1:] == ["--dependencies"]:
        print(table_markdown())
        return 0
    if sys.argv[1:] == ["--targets"]:
        print(document_checks.targets_markdown(ROOT))
        return 0
    failed = 0
    for path, number, complaint in complaints(ROOT):
        kind = "warning" if isinstance(complaint, Warning_) else "error"
        failed += kind == "error"
        print(f"{path.relative_to(ROOT)}:{number}: {kind}: {complaint}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
