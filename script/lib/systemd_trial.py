"""A systemd of a trial's own: process 1 of namespaces of its own, with one unit.

It sees no unit and no generator but those of the trial, and the machine's files as read-only: a systemd that started what is installed here
would do what a boot does, such as emptying /tmp.
"""

import contextlib
import pathlib
import signal
import subprocess

from lib import waiting

UNIT, PORT = "notes.service", 83
# In namespaces of its own for processes, mounts, control groups, names; the network is the caller's.
BOOT = f"""set -e
mount -t proc proc /proc
umount -l /sys/fs/cgroup || true
mount -t cgroup2 cgroup2 /sys/fs/cgroup
for folder in /run /tmp /var/tmp /var/log /var/lib /etc/systemd; do mount -t tmpfs -o mode=755 tmpfs $folder; done
mkdir -p /run/trial/units /run/trial/none /run/trial/www
echo fine > /run/trial/www/page
# Not `python3 -m http.server`, which asks for its own name, and waits for a name server that is not there.
cat > /run/trial/serve.py <<SERVE
import http.server, socketserver
socketserver.TCPServer.allow_reuse_address = True
socketserver.TCPServer(("", {PORT}), http.server.SimpleHTTPRequestHandler).serve_forever()
SERVE
cat > /run/trial/units/{UNIT} <<UNIT
[Unit]
DefaultDependencies=no
[Service]
WorkingDirectory=/run/trial/www
ExecStart=/usr/bin/python3 /run/trial/serve.py
# It has started once it answers.
ExecStartPost=/bin/bash -c 'until : < /dev/tcp/127.0.0.1/{PORT}; do sleep 0.05; done 2> /dev/null'
UNIT
printf '[Unit]\\nDefaultDependencies=no\\n' > /run/trial/units/trial.target
mount -o remount,bind,ro /
exec env -i container=vigie-trial PATH=/usr/sbin:/usr/bin:/sbin:/bin SYSTEMD_UNIT_PATH=/run/trial/units \\
  SYSTEMD_GENERATOR_PATH=/run/trial/none SYSTEMD_ENVIRONMENT_GENERATOR_PATH=/run/trial/none \\
  /lib/systemd/systemd --system --unit=trial.target --log-target=null --show-status=0
"""


def hierarchy():
    """Where control groups of version 2 are mounted; `None` where they are not."""
    for line in pathlib.Path("/proc/mounts").read_text().splitlines():
        _, place, kind, *_ = line.split()
        if kind == "cgroup2":
            return pathlib.Path(place)
    return None


def missing():
    """Why it cannot be tried here; empty where it can."""
    if not pathlib.Path("/lib/systemd/systemd").exists():
        return "systemd is not installed"
    if not hierarchy():
        return "control groups of version 2 are not mounted"
    return ""


@contextlib.contextmanager
def booted(namespace, tag):
    """Gives the command that is `systemctl` there, with the unit running."""
    group = hierarchy() / f"vigie-trial-{tag}"
    group.mkdir()
    process = None
    try:
        process = subprocess.Popen(
            ["ip", "netns", "exec", namespace, "unshare", "--pid", "--fork", "--kill-child", "--mount", "--cgroup", "--uts", "--ipc",
             "--propagation", "private", "bash", "-c", BOOT],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            preexec_fn=lambda: (group / "cgroup.procs").write_text("0"))
        first = int(waiting.eventually("systemd has a process", 10, lambda: pathlib.Path(
            f"/proc/{process.pid}/task/{process.pid}/children").read_text().split())[0])
        command = ["nsenter", f"--target={first}", "--mount", "--pid", "--cgroup", "--net", "systemctl"]

        def ask(*words):
            done = subprocess.run([*command, *words], capture_output=True, text=True)
            return done.stdout.strip()
        waiting.eventually("systemd runs", 30, lambda: ask("is-system-running") == "running")
        ask("start", UNIT)
        waiting.eventually("the unit runs", 30, lambda: ask("is-active", UNIT) == "active")
        yield command
    finally:
        if process:
            process.send_signal(signal.SIGKILL)
            process.wait()
        waiting.eventually("its control groups are gone", 10, lambda: gone(group))


def gone(group):
    """Inner ones first; each is busy until its processes are gone."""
    for folder in sorted(group.rglob("*/"), key=lambda folder: -len(folder.parts)):
        if folder.is_dir():
            with contextlib.suppress(OSError):
                folder.rmdir()
    with contextlib.suppress(OSError):
        group.rmdir()
    return not group.exists()
