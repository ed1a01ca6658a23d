"""Fuzzers of everything that reads untrusted bytes (the package in Fuzz/), run by libFuzzer from seeds made of this repository."""

import base64
import gzip
import json
import pathlib
import re
import shutil
import subprocess
import sys
import time
import zlib

from lib import machine

FUZZERS = {
    "FuzzEvents": "lines of every format, however they are cut into reads",
    "FuzzRules": "rule files, and what they do with events, with a restart after each line",
    "FuzzFormats": "log formats as YAML, and lines read with them",
    "FuzzReceivers": "what senders send: Loki, OpenTelemetry, syslog, journald, alerts, snappy, gzip",
    "FuzzStates": "the rule cache and the windows of the detection snapshot, damaged",
    "FuzzJournal": "JSON, signed notes, checkpoints, proofs, keys, time stamps",
    "FuzzArchive": "segments of the archive, damaged",
    "FuzzDocuments": "content streams, character maps, PDF files and pictures of strangers",
    "FuzzTokens": "tokens, keys and metadata of an OpenID Connect provider",
    "FuzzExpressions": "regular expressions and what they are run on",
}
# An input may take this long; linear time on 4 KiB is far below it even when instrumented.
SECONDS_PER_INPUT = 10
LARGEST_INPUT = 4096


class FuzzError(Exception):
    pass


def build(root):
    folder = root / "Fuzz"
    subprocess.run(["swift", "build", "-c", "release", "--package-path", str(folder)], check=True, stdout=sys.stderr)
    shown = subprocess.run(["swift", "build", "-c", "release", "--package-path", str(folder), "--show-bin-path"],
                           check=True, capture_output=True, text=True)
    return pathlib.Path(shown.stdout.strip())


def rule_files(root):
    return sorted(path for path in (root / "rules").rglob("*.yml") if not path.name.endswith(".samples.yml"))


def sample_lines(root):
    for path in sorted((root / "rules").rglob("*.samples.yml")):
        for line in path.read_text().splitlines():
            if len(line) > 40 and not line.lstrip().startswith(("-", "#")):
                yield line.strip()
    for name in ("app.jsonl", "nginx-access.log", "sshd.log"):
        lines = (root / "samples" / name).read_text(errors="replace").splitlines()
        yield from lines[:: max(1, len(lines) // 60)]


def seeds(root, fuzzer):
    """Inputs to start from, in the form that each fuzzer reads."""
    if fuzzer == "FuzzEvents":
        for number, line in enumerate(sample_lines(root)):
            yield bytes([number % 16, 7 * number % 256]) + line.encode() + b"\n"
    elif fuzzer == "FuzzRules":
        events = "\n".join((root / "samples/app.jsonl").read_text().splitlines()[:4]).encode()
        for path in rule_files(root):
            for document in re.split(r"^---$", path.read_text(), flags=re.M):
                yield document.encode() + b"\0" + events
    elif fuzzer == "FuzzFormats":
        lines = "\n".join(sample_lines(root)).encode()
        for path in sorted((root / "rules/formats").glob("*.yml")):
            text = path.read_bytes()
            yield text + b"\0" + lines[:max(200, LARGEST_INPUT - len(text))]
    elif fuzzer == "FuzzReceivers":
        yield from receiver_seeds()
    elif fuzzer == "FuzzStates":
        for number in range(16):
            yield bytes([number % 2, number]) + bytes(range(number, number + 40))
    elif fuzzer == "FuzzArchive":
        yield b"\0" + b"VGS1" + bytes(40)
        for number in range(8):
            # Headers that agree with nothing: what a reader has to look past.
            yield bytes([number % 2]) + b"VGB1" + bytes([1, number]) + bytes(74) + bytes(range(number * 9))
    elif fuzzer == "FuzzJournal":
        hash_text = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
        checkpoint = f"example.org/log\n12\n{hash_text}\n"
        note = f"{checkpoint}\n\u2014 example.org/log {hash_text}\n"
        yield b"\0" + '{"a":[1,-2.5e-7,"\u00e9\\u00e9\\ud83d\\ude00",null,true],"b":{"":9007199254740991}}'.encode()
        yield b"\1" + note.encode()
        yield b"\2" + checkpoint.encode()
        yield b"\3" + f"c2sp.org/tlog-proof@v1\nindex 3\n{hash_text}\n\n{note}".encode()
        yield b"\4" + f"example.org/log+0123abcd+{hash_text}".encode()
        yield b"\5" + bytes.fromhex("3014300302010030 0d06092a864886f70d010702 a000".replace(" ", ""))
        yield b"\6" + f"old 4\n{hash_text}\n\n{note}".encode()
    elif fuzzer == "FuzzDocuments":
        yield from document_seeds()
    elif fuzzer == "FuzzTokens":
        yield from token_seeds()
    else:
        for path in rule_files(root):
            for pattern in re.findall(r"\|re[^:]*:\s*'([^'\n]+)'", path.read_text()):
                yield b"\1" + pattern.encode() + b"\n" + b"GET /?id=1 union select"


def document_seeds():
    pixels = bytes((x * 2 + y) % 256 for y in range(96) for x in range(128))
    rows = b"".join(bytes([y % 5]) + pixels[y * 128:(y + 1) * 128] for y in range(96))
    yield b"\6\1" + zlib.compress(pixels)
    yield b"\6\2" + zlib.compress(pixels)
    yield b"\6\17" + zlib.compress(rows)
    # Grey of 128 x 96, as little of a JPEG as there can be.
    yield b"\5" + bytes.fromhex("ffd8ffdb004300" + "08" * 64 + "ffc0000b080060008001011100" + "ffc4001500" + "00" * 15 + "0100"
                                "ffc4001500" + "00" * 15 + "0110" + "ffda0008010100003f00") + bytes(64) + b"\xff\xd9"
    content = (b"q 1 0 0 1 9 9 cm BT /F1 10 Tf 12 TL 50 60 Td [(one t)20(wo)-300(three)] TJ (a\\(b\\)) ' 5 1 (c\\101) \" 3 Tr (hidden) Tj ET Q "
               b"/X Do BI /W 1 /H 1 /BPC 8 /CS /G ID x EI /Artifact BMC <</K [1 2]>> BDC EMC EMC 1.5 -.5 Td % comment\n")
    yield b"\0" + content
    yield b"\1" + content
    yield b"\1" + b"BT /F2 9 Tf 50 Tz 2 Ts 1 Tc 1 Tw 0 2 -2 0 30 10 Tm <00010002000300> Tj T* [<0001> -5 <0002>] TJ ET"
    yield b"\2" + (b"1 begincodespacerange <0000> <ffff> endcodespacerange 2 beginbfchar <0001> <0020> <0002> <d83dde00> endbfchar "
                   b"2 beginbfrange <0003> <0009> <0041> <000a> <000b> [<0042> <0043>] endbfrange")
    yield (b"\3" + b"1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[4 0 R]>>>>endobj 2 0 obj<</Type/Pages/Kids[3 0 R 2 0 R]"
           b"/Count -1>>endobj 3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Rotate -90/Contents[4 0 R 4 0 R]>>endobj "
           b"4 0 obj<</Length 99>>stream\nBT (a) Tj ET\nendstream endobj trailer<</Root 1 0 R>>")
    yield b"\4" + b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\0\0\0\0"
    yield b"\4" + b"\xff\xd8\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0\xff\xd9"


def token_seeds():
    """One of each that FuzzTokens knows, in its order; the claims are those that it takes."""
    def coded(value):
        return base64.urlsafe_b64encode(value if isinstance(value, bytes) else json.dumps(value).encode()).rstrip(b"=")

    claims = {"iss": "https://login.example.org", "aud": ["vigie"], "azp": "vigie", "sub": "248289761001", "nonce": "n-0S6_WzA2Mj",
              "exp": 1_800_000_300, "iat": 1_800_000_000, "nbf": 1_799_999_990.5, "realm_access": {"roles": ["a", "b"]}}
    for header in ({"alg": "RS256", "kid": "1", "typ": "JWT"}, {"alg": "ES256"}, {"alg": "EdDSA"}, {"alg": "none"}, {"alg": "HS256", "crit": []}):
        yield b"\0" + b".".join((coded(header), coded(claims), coded(bytes(64))))
    yield b"\1" + json.dumps(claims).encode()
    yield b"\1" + json.dumps(claims | {"aud": "vigie", "at_hash": "AA"}).encode()
    # The generator of P-256 and an RSA key of 2048 bits without a known factor.
    x, y = (bytes.fromhex(text) for text in ("6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296",
                                             "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"))
    keys = [{"kty": "EC", "crv": "P-256", "x": coded(x).decode(), "y": coded(y).decode(), "use": "sig", "kid": "1"},
            {"kty": "RSA", "n": coded(b"\xc1" + bytes(range(1, 256))).decode(), "e": "AQAB", "alg": "RS256", "key_ops": ["verify"]},
            {"kty": "OKP", "crv": "Ed25519", "x": coded(bytes(range(32))).decode()}]
    yield b"\2" + json.dumps({"keys": keys}).encode()
    for key in keys:
        yield b"\2" + json.dumps({"keys": [key]}).encode()
    place = "https://login.example.org/"
    yield b"\3" + json.dumps({
        "issuer": place[:-1], "authorization_endpoint": place + "a", "token_endpoint": place + "t?x=1", "jwks_uri": place + "k",
        "userinfo_endpoint": place + "u", "end_session_endpoint": place + "e", "code_challenge_methods_supported": ["S256"],
        "response_types_supported": ["code"], "token_endpoint_auth_methods_supported": ["client_secret_post"],
        "id_token_signing_alg_values_supported": ["EdDSA"], "authorization_response_iss_parameter_supported": True}).encode()
    yield b"\4" + coded(bytes(range(255)))
    yield b"\5" + json.dumps(claims | {"realm_access.roles": [1, None, {}]}).encode()
    yield b"\6" + b"https://[2001:db8::1]:8443/realms/a?b=c"


def receiver_seeds():
    """One body of each protocol that FuzzReceivers knows, in its order."""
    def field(number, value):
        return bytes([number << 3 | 2, len(value)]) + value

    line = b'203.0.113.9 - - [01/Mar/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 5'
    stream = field(1, b'{a="b"}') + field(2, field(1, b"\x08\x80\xa4\x84\xd7\x06") + field(2, line) + field(3, field(1, b"k") + field(2, b"v")))
    loki = field(1, stream)
    pair = field(1, b"client.address") + field(2, field(1, b"203.0.113.9"))
    record = b"\x09" + (1_800_000_000_000_000_000).to_bytes(8, "little") + field(5, field(1, line)) + field(6, pair)
    otlp = field(1, field(1, field(1, pair)) + field(2, field(2, record)))
    yield b"\0\0" + loki
    yield b"\1\0" + b'{"streams":[{"stream":{"a":"b"},"values":[["1800000000000000000","line \\" x",{"k":"v"}]]}]}'
    yield b"\2\0" + otlp
    yield (b"\3\0" + b'{"resourceLogs":[{"resource":{"attributes":[{"key":"a","value":{"intValue":"1"}}]},"scopeLogs":[{"logRecords":'
           b'[{"timeUnixNano":"1","body":{"stringValue":"x"},"attributes":[{"key":"m","value":{"kvlistValue":{"values":[]}}}]}]}]}]}')
    yield b"\4\0" + bytes([12, 12]) + b"abcd" + bytes([0x1d, 4, 0, 0x61])
    yield b"\5\0" + b'{"a":1}\n{"b":"c"}\nno\n'
    yield b"\6\0" + line + b"\n" + b"<13>Mar  1 10:00:00 h sshd[1]: Invalid user x from 203.0.113.9 port 2\n"
    yield (b"\7\0" + b'{"version":"4","alerts":[{"status":"firing","labels":{"alertname":"A","severity":"critical"},'
           b'"annotations":{"summary":"s"},"startsAt":"2026-03-01T10:00:00Z","fingerprint":"f"}]}')
    yield (b"\x08\0" + b'{"routing_key":"r","event_action":"trigger","dedup_key":"k","payload":{"summary":"s","source":"h",'
           b'"severity":"error","custom_details":{"a":"b"}}}')
    yield b"\x09\3" + b"5 <13>a7 <13>b c"
    yield b"\x09\3" + b"<13>a\n<13>b\r\n"
    yield (b"\x0a\5" + b"__CURSOR=s=a;i=1f\n__REALTIME_TIMESTAMP=1800000000000000\nMESSAGE\n" + (3).to_bytes(8, "little") +
           b"a\nb\nSYSLOG_IDENTIFIER=sshd\n\nMESSAGE=x\n\n")
    yield b"\0\0" + gzip.compress(line, mtime=0)


def run(root, seconds, name=None, keep=None):
    """One record per fuzzer; raises FuzzError with the input's place when a law is broken."""
    programs = build(root)
    records = []
    for fuzzer, reads in FUZZERS.items():
        if name and name != fuzzer:
            continue
        corpus = (keep or programs / "corpus") / fuzzer
        found = programs / "found" / fuzzer
        shutil.rmtree(found, ignore_errors=True)
        found.mkdir(parents=True)
        corpus.mkdir(parents=True, exist_ok=True)
        for number, seed in enumerate(seeds(root, fuzzer)):
            (corpus / f"seed-{number}").write_bytes(seed[:LARGEST_INPUT])
        folders = [str(corpus)]
        if (past := root / "Fuzz/Regressions" / fuzzer).is_dir():
            folders.append(str(past))
        command = [str(programs / fuzzer), f"-max_total_time={seconds}", f"-timeout={SECONDS_PER_INPUT}",
                   f"-max_len={LARGEST_INPUT}", "-rss_limit_mb=2048", "-print_final_stats=1", "-seed=1",
                   f"-artifact_prefix={found}/", *folders]
        started = time.monotonic()
        process = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        log = process.stderr.decode(errors="replace")
        if process.returncode:
            tail = "\n".join(log.splitlines()[-40:])
            raise FuzzError(f"{fuzzer} broke a law or a limit:\n{tail}\n  its input is in {found}; run it again with\n"
                            f"  {programs / fuzzer} {found}/NAME\n  and keep it in Fuzz/Regressions/{fuzzer}/ with the fix")
        record = {"fuzzer": fuzzer, "reads": reads, "seconds": round(time.monotonic() - started, 1)}
        for key, pattern in (("inputs", r"stat::number_of_executed_units:\s*(\d+)"), ("peak_mib", r"stat::peak_rss_mb:\s*(\d+)"),
                             ("edges", r"cov: (\d+)(?!.*cov: )")):
            match = re.search(pattern, log, re.S)
            record[key] = int(match.group(1)) if match else None
        if not record["inputs"]:
            raise FuzzError(f"{fuzzer} says nothing of inputs that it ran:\n{log[-2000:]}")
        print(f"{fuzzer}: {record['inputs']:,} inputs, {record['edges']} edges, nothing found in {record['seconds']} s", file=sys.stderr)
        records.append(record)
    return records


def trial(root, options):
    try:
        records = run(root, options.seconds, options.fuzzer)
    except FuzzError as error:
        print(f"script/soak: {error}", file=sys.stderr)
        return 1
    except subprocess.CalledProcessError as error:
        print(f"script/soak: the fuzzers do not build (status {error.returncode}); see above", file=sys.stderr)
        return 2
    described = machine.describe(root)
    lines = ["# Fuzzing", "", machine.sentence(described), "", f"`script/soak fuzz --seconds {options.seconds}`; libFuzzer with "
             "AddressSanitizer; every broken law is a crash, so what is listed here found none.", "",
             "| fuzzer | reads | inputs | edges covered | seconds | peak MiB |", "|---|---|---|---|---|---|"]
    for one in records:
        lines.append(f"| {one['fuzzer']} | {one['reads']} | {one['inputs']:,} | {one['edges']} | {one['seconds']} | {one['peak_mib']} |")
    text = "\n".join(lines) + "\n"
    print(text)
    if options.json:
        options.json.write_text(json.dumps({"machine": described, "fuzzers": records}, indent=1) + "\n")
        options.json.with_suffix(".md").write_text(text)
    return 0
