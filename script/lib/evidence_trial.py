"""script/soak evidence: evidence as a user handles it, with every kind of bad archive; a timestamp authority, a witness, two processes."""

import hashlib
import io
import json
import pathlib
import re
import shutil
import subprocess
import tarfile
import tempfile
import time

from lib import timestamp_authority, virtual_environment

INCIDENT = "SEC-2026-0001"
CASE_UTILS = "case-utils==0.18.0"
ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def ask(vigie, *arguments, check=True, data=None):
    done = subprocess.run([str(vigie), *map(str, arguments)], capture_output=True, input=data)
    if check and done.returncode != 0:
        raise AssertionError(f"vigie {' '.join(map(str, arguments))}: {done.returncode}: {done.stderr.decode()}{done.stdout.decode()}")
    return done


def words(done):
    return (done.stdout + done.stderr).decode(errors="replace")


def without_folder(text):
    """The folder of a run says nothing to anybody else."""
    return re.sub(re.escape(tempfile.gettempdir()) + r"/vigie-[\w-]+", "FOLDER", text)


class Table:
    """What was done, what had to come of it, and whether it did."""

    def __init__(self):
        self.rows = []

    def add(self, group, what, holds, said=""):
        self.rows.append({"group": group, "what": what, "holds": bool(holds), "said": without_folder(" ".join(said.split()))[:300]})
        if not holds:
            print(f"NOT SO: {group}: {what}: {said}", flush=True)

    def refused(self, group, what, done, name, status=1):
        said = words(done)
        self.add(group, what, done.returncode == status and name in said, said)


def members(archive):
    with tarfile.open(archive) as tar:
        return [(member, tar.extractfile(member).read()) for member in tar.getmembers()]


def pack(path, files):
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
        for member, data in files:
            member.size = len(data) if member.isreg() else 0
            tar.addfile(member, io.BytesIO(data))
    return path


def renamed(member, name):
    other = tarfile.TarInfo(name)
    other.mode = member.mode
    return other


def archives(vigie, work, table):
    """Custody from seal to export; TLP; suspicious bytes; bad archives."""
    data = work / "evidence-data"
    ask(vigie, "journal", "bench", "--directory", data, "--appends", 20, "--callers", 2)
    log, shell, people = work / "access.log", work / "shell.php", work / "people.csv"
    log.write_text("203.0.113.9 asked for /\n")
    shell.write_text("<?php system($_GET['c']); /* VERY-SUSPICIOUS */ ?>")
    people.write_text("ana,bea\n")
    add = ["evidence", "add", "--incident", INCIDENT, "--data", data]
    ids = {}
    for path, more in ((log, ["--tlp", "green", "--clock-offset=-20"]), (shell, ["--suspicious"]), (people, ["--tlp", "red"])):
        ids[path.name] = ask(vigie, *add, path, *more).stdout.split()[0].decode()
    kept = b"".join(path.read_bytes() for path in (data / "evidence").rglob("*") if path.is_file())
    table.add("at rest", "no byte of any item lies readable in the data folder",
              not any(text in kept for text in (b"203.0.113.9", b"VERY-SUSPICIOUS", b"ana,bea")))
    ask(vigie, "evidence", "show", ids["access.log"], "--to", work / "shown", "--purpose", "triage", "--data", data)
    table.add("custody", "show gives the bytes that were sealed", (work / "shown").read_bytes() == log.read_bytes())
    ask(vigie, "evidence", "transfer", ids["shell.php"], "--to", "the laboratory", "--purpose", "analysis", "--data", data)
    archive = work / "out.tar"
    export = ["evidence", "export", INCIDENT, "--data", data]
    said = words(ask(vigie, *export, "--tlp", "amber", "--for", "an auditor", "--to", archive))
    table.add("TLP", "an item marked RED is withheld from an export at AMBER, and named", ids["people.csv"] in said, said)
    entries = [json.loads(line) for line in ask(vigie, "journal", "read", "--json", "--data", data).stdout.splitlines()]
    for kind, count in (("added", 3), ("viewed", 1), ("transferred", 1), ("exported", 1)):
        found = [entry for entry in entries if entry["type"] == f"evidence.{kind}"]
        table.add("custody", f"{kind}: an entry each, with who and why", len(found) == count and all(entry["actor"] for entry in found))
    raw = archive.read_bytes()
    table.add("TLP", "its bytes are not in the archive", b"ana,bea" not in raw)
    table.add("suspicious", "its bytes are in the archive encrypted only", b"VERY-SUSPICIOUS" not in raw)
    key = (data / "keys" / "checkpoint.pub").read_text().strip()
    # Another machine has the archive and the key, nothing else.
    alone = work / "alone"
    alone.mkdir()
    shutil.copy(archive, alone)
    verify = lambda path, *more: ask(vigie, "evidence", "verify", path, "--key", key, *more, check=False)  # noqa: E731
    done = verify(alone / "out.tar")
    table.add("verify", "the archive verifies with the public key alone", done.returncode == 0, words(done))
    done = ask(vigie, *export, "--tlp", "red", "--for", "the court", "--to", archive, check=False)
    table.add("export", "an archive that is there is not written over", done.returncode != 0 and "out.tar" in words(done), words(done))

    files = members(archive)
    root = files[0][0].name.rsplit("/", 1)[0]
    inside = {member.name[len(root) + 1:]: index for index, (member, _) in enumerate(files)}
    log_at = next(index for name, index in inside.items() if name.endswith("access.log"))
    shell_at = next(index for name, index in inside.items() if name.endswith("shell.php.sealed"))
    bad = alone / "bad.tar"

    def trial(what, changed, name):
        table.refused("bad archive", what, verify(pack(bad, changed) if isinstance(changed, list) else changed), name)

    for index, (member, _) in enumerate(files):
        name = member.name[len(root) + 1:]
        if name != "log-key.pub":
            trial(f"left out: {name.split('/')[0]}", files[:index] + files[index + 1:], "" if index == 0 else name)
    swapped = list(files)
    swapped[log_at], swapped[shell_at] = (files[log_at][0], files[shell_at][1]), (files[shell_at][0], files[log_at][1])
    trial("two evidence files swapped", swapped, files[log_at][0].name[len(root) + 1:])
    changed = list(files)
    changed[log_at] = (files[log_at][0], files[log_at][1].replace(b"203", b"204"))
    trial("one evidence file changed", changed, "access.log")
    trial("a file twice", files + [files[log_at]], "access.log")
    for name in ("../../etc/cron.d/x", "/etc/cron.d/x", f"{root}/../x", f"{root}/files/../../x", "elsewhere/x"):
        trial(f"added: {name.replace(root, 'FOLDER')}", files + [(renamed(files[1][0], name), b"x")], name)
    link = tarfile.TarInfo(f"{root}/files/link")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    trial("a symbolic link", files + [(link, b"")], "link")
    device = tarfile.TarInfo(f"{root}/files/device")
    device.type = tarfile.CHRTYPE
    trial("a device", files + [(device, b"")], "device")
    for share in (0.1, 0.5, 0.9, 0.99):
        bad.write_bytes(raw[:int(len(raw) * share)])
        trial(f"cut at {share:.0%}", bad, "bad.tar")
    # A header that promises 8 GiB less a byte, and one in base 256 that promises 2^62: neither may cost memory or time.
    for what, size in (("a size of 8 GiB", b"77777777777\0"), ("a size of 2^62", b"\x80\0\0\0\x40\0\0\0\0\0\0\0")):
        header = bytearray(files[log_at][0].tobuf(tarfile.USTAR_FORMAT))
        header[124:136] = size
        header[148:156] = b" " * 8
        header[148:156] = b"%06o\0 " % sum(header)
        bad.write_bytes(raw[:-1024] + bytes(header) + b"x" * 512)
        started = time.monotonic()
        trial(what, bad, "bad.tar")
        table.add("bad archive", f"{what}: judged within seconds", time.monotonic() - started < 10)
    bad.write_bytes(b"")
    trial("an empty file", bad, "bad.tar")
    bad.write_bytes(bytes(range(256)) * 40)
    trial("no archive at all", bad, "bad.tar")
    other = work / "other"
    ask(vigie, "journal", "bench", "--directory", other, "--appends", 1, "--callers", 1)
    table.refused("bad archive", "the key of another log", ask(
        vigie, "evidence", "verify", archive, "--key", other / "keys" / "checkpoint.pub", check=False), "checkpoint")

    # The store itself.
    for blob in sorted((data / "evidence" / "blobs").rglob("*.sealed"))[:1]:
        item = next(item for item in map(json.loads, ask(vigie, "evidence", "list", "--json", "--data", data).stdout.splitlines())
                    if item["sha256"] == blob.stem)
        whole = blob.read_bytes()
        for what, bytes_ in (("one byte changed", whole[:-1] + bytes([whole[-1] ^ 1])), ("cut short", whole[:-1]), ("gone", None)):
            blob.unlink()
            if bytes_ is not None:
                blob.write_bytes(bytes_)
            done = ask(vigie, "evidence", "show", item["evidence"], "--to", work / "not", "--purpose", "trial", "--data", data, check=False)
            table.add("store", f"a blob with {what} is refused, named, and nothing is left behind",
                      done.returncode != 0 and blob.name in words(done) and not (work / "not").exists(), words(done))
            blob.write_bytes(whole)
            blob.chmod(0o600)
    done = ask(vigie, "evidence", "show", "EV-0000000000000000", "--to", work / "not", "--purpose", "x", "--data", data, check=False)
    table.add("store", "an id that is not there is said", done.returncode != 0 and "EV-0000000000000000" in words(done), words(done))
    done = ask(vigie, *add, work / "absent", check=False)
    table.add("store", "a file that is not there is said", done.returncode != 0 and "absent" in words(done), words(done))
    done = ask(vigie, *add[:-4], "--incident", "../x", "--data", data, log, check=False)
    table.add("store", "an incident that is none is refused", done.returncode == 2 and "../x" in words(done), words(done))

    # Erasure: the bytes go, hash and proofs stay.
    ask(vigie, "evidence", "erase", ids["access.log"], "--reason", "GDPR article 17", "--data", data)
    table.add("erasure", "neither key nor bytes are left", not any(
        path.name.startswith(hashlib.sha256(log.read_bytes()).hexdigest()) for path in data.rglob("*")))
    done = ask(vigie, "evidence", "show", ids["access.log"], "--to", work / "not", "--purpose", "x", "--data", data, check=False)
    table.add("erasure", "show says that it was erased, when and why", done.returncode == 1 and "article 17" in words(done), words(done))
    table.add("erasure", "the archive of before still verifies", verify(archive).returncode == 0)
    done = ask(vigie, "journal", "verify", "--data", data, check=False)
    table.add("erasure", "the journal still verifies", done.returncode == 0, words(done))
    ask(vigie, *export, "--tlp", "red", "--for", "the court", "--to", work / "later.tar")
    done = verify(work / "later.tar")
    table.add("erasure", "an export after it lists the item as erased, and verifies",
              done.returncode == 0 and f"erased      {ids['access.log']}" in words(done), words(done))
    return archive, root


def validator():
    if found := shutil.which("case_validate"):
        return found
    return str(virtual_environment.folder("case", CASE_UTILS) / "bin/case_validate")


def case_document(archive, root, table):
    """The published validator of CASE, in a virtual environment of its own."""
    with tarfile.open(archive) as tar:
        document = archive.parent / "case.jsonld"
        document.write_bytes(tar.extractfile(f"{root}/case.jsonld").read())
    done = subprocess.run([validator(), document], capture_output=True)
    holds = done.returncode == 0 and "Conforms: True" in words(done) and "Severity" not in words(done).replace("sh:Info", "")
    table.add("CASE/UCO", "case_validate: conforms, without a warning", holds, words(done))
    return holds


def timestamps(vigie, work, table):
    """`journal timestamp --tsa` asks openssl over HTTP; openssl verifies the answer; it travels in an archive."""
    data = work / "stamped"
    ask(vigie, "journal", "bench", "--directory", data, "--appends", 50, "--callers", 2)
    with timestamp_authority.Authority(work / "authority") as authority:
        said = words(ask(vigie, "journal", "timestamp", "--tsa", f"{authority.address}/tsa", "--data", data))
        table.add("RFC 3161", "the authority was asked over HTTP, its answer is kept", authority.asked == 1, said)
        done = ask(vigie, "journal", "timestamp", "--tsa", f"{authority.address}/elsewhere", "--data", data, check=False)
        table.add("RFC 3161", "an address that refuses is named", done.returncode == 3 and "/elsewhere" in words(done), words(done))
    done = ask(vigie, "journal", "timestamp", "--tsa", authority.address, "--data", data, check=False)
    table.add("RFC 3161", "an authority that is gone is named", done.returncode == 3 and authority.address in words(done), words(done))
    kept = data / "journal" / "tlog" / "kept"
    answer = next(kept.glob("*.tsr"))
    note = answer.with_suffix(".checkpoint").read_bytes()
    text = work / "text"
    text.write_bytes(note[:note.index(b"\n\n") + 1])
    check = ["openssl", "ts", "-verify", "-data", str(text), "-in", str(answer), "-CAfile", str(authority.ca), "-untrusted",
             str(authority.folder / "tsa.pem")]
    done = subprocess.run(check, capture_output=True)
    table.add("RFC 3161", "openssl ts -verify accepts it", done.returncode == 0, words(done))
    text.write_bytes(text.read_bytes().replace(b"\n50\n", b"\n51\n"))
    table.add("RFC 3161", "and not for another text", subprocess.run(check, capture_output=True).returncode != 0)
    done = ask(vigie, "journal", "verify", "--data", data)
    table.add("RFC 3161", "journal verify counts it", "1 timestamps" in words(done), words(done))


def witnesses(vigie, work, table):
    """A second vigie cosigns through a folder; a forked log is refused."""
    data, drop = work / "witnessed", work / "drop"
    drop.mkdir()
    bench = lambda path, count: ask(vigie, "journal", "bench", "--directory", path, "--appends", count, "--callers", 1)  # noqa: E731
    bench(data, 30)
    (work / "fork").mkdir()
    shutil.copytree(data / "keys", work / "fork" / "keys")
    log_key = data / "keys" / "checkpoint.pub"
    witness = ["journal", "witness", "--drop", drop, "--log", log_key, "--key", work / "witness" / "key", "--name", "witness.example/w",
               "--state", work / "witness" / "state"]
    (work / "witness").mkdir()
    ask(vigie, *witness, check=False)
    ask_for = lambda path: ask(  # noqa: E731
        vigie, "journal", "checkpoint", "--drop", drop, "--witness-key", work / "witness" / "key.pub", "--data", path, check=False)
    ask_for(data)
    said = words(ask(vigie, *witness))
    ask_for(data)
    done = ask(vigie, "journal", "verify", "--data", data, "--witness", work / "witness" / "key.pub")
    table.add("witness", "another vigie cosigned, and journal verify lists it", "witness.example/w saw 30" in words(done), said + words(done))
    bench(work / "fork", 40)
    # The first answer says which size the witness saw; then the fork has to prove that it continues it.
    ask_for(work / "fork")
    ask(vigie, *witness, check=False)
    ask_for(work / "fork")
    done = ask(vigie, *witness, check=False)
    table.add("witness", "a fork under the same key is refused", done.returncode == 1 and "refused" in words(done)
              and "conflict" not in words(done), words(done))


def two_processes(vigie, work, table):
    """The second on one data folder is refused with the reason, whichever command it is."""
    data = work / "shared"
    rules = work / "rules"
    rules.mkdir()
    (rules / "one.yml").write_text(
        "title: One\nid: 0b9a3b4e-6a57-4b3e-9d46-0f3a5a4a5d10\nlogsource: {category: webserver}\n"
        "detection: {selection: {url.query|contains: 'attack='}, condition: selection}\nlevel: high\n")
    serve = [str(vigie), "serve", "--data", str(data), "--rules", str(rules), "--listen", "127.0.0.1:0"]
    first = subprocess.Popen(serve, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        deadline = time.monotonic() + 60
        while not (data / "journal" / "tlog" / "checkpoint").exists() and time.monotonic() < deadline and first.poll() is None:
            time.sleep(0.05)
        second = subprocess.run(serve, capture_output=True, timeout=60)
        table.add("two processes", "a second serve is refused, naming the first", second.returncode != 0
                  and str(first.pid) in words(second) and "in use" in words(second), words(second))
        for command in (["journal", "rebuild"], ["journal", "erase", "203.0.113.1", "--reason", "trial"]):
            done = ask(vigie, *command, "--data", data, check=False)
            table.add("two processes", f"{' '.join(command[:2])} beside it is refused, naming it",
                      done.returncode != 0 and str(first.pid) in words(done), words(done))
        done = ask(vigie, "journal", "verify", "--data", data, check=False)
        table.add("two processes", "reading beside it works", done.returncode == 0, words(done))
        log = work / "beside.log"
        log.write_text("x\n")
        done = ask(vigie, "evidence", "add", log, "--incident", INCIDENT, "--data", data, check=False)
        table.add("two processes", "evidence add beside it is written down by it", done.returncode == 0, words(done))
    finally:
        first.terminate()
        first.wait()


def run(options, work):
    table = Table()
    archive, root = archives(options.vigie, work, table)
    case_document(archive, root, table)
    timestamps(options.vigie, work, table)
    witnesses(options.vigie, work, table)
    two_processes(options.vigie, work, table)
    print("| what | checked | holds |\n|---|---|---|")
    for group in dict.fromkeys(row["group"] for row in table.rows):
        rows = [row for row in table.rows if row["group"] == group]
        print(f"| {group} | {len(rows)} | {sum(row['holds'] for row in rows)} |")
    return table.rows
