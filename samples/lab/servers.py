"""Starts and stops the three servers: nginx, sshd and the shop application. Nothing of it outlives the run."""

import os
import pathlib
import shutil
import signal
import socket
import stat
import subprocess
import sys
import threading

from lib.waiting import free_port, wait_for_port

LOG_HOST = "web1"
SYSLOG_SOCKET = pathlib.Path("/dev/log")
ACCOUNT_COMMENT = "vigie samples, throw-away"


class LabError(Exception):
    """Something the lab needs is not there; the text says what to do."""


def stop(process):
    """Ends one process that this module started, by its own id."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class App:
    def __init__(self, work, log_path, accounts_path):
        self.port = free_port()
        script = pathlib.Path(__file__).with_name("app.py")
        self.process = subprocess.Popen(
            [sys.executable, "-B", str(script), str(self.port), str(log_path), str(accounts_path)], cwd=work
        )
        wait_for_port(self.port, self.process, "the shop application")

    def close(self):
        stop(self.process)


NGINX_CONFIG = """
user root;
worker_processes 1;
daemon off;
pid {work}/nginx.pid;
error_log {work}/nginx-error.log;
events {{ worker_connections 512; }}
http {{
    include /etc/nginx/mime.types;
    access_log {log} combined;
    client_body_temp_path {work}/body;
    proxy_temp_path {work}/proxy;
    fastcgi_temp_path {work}/fastcgi;
    uwsgi_temp_path {work}/uwsgi;
    scgi_temp_path {work}/scgi;
    server {{
        listen 127.0.0.1:{port};
        root {work}/htdocs;
        location = /healthz {{ return 200 "ok\\n"; }}
        location ~ ^/(login|search|api/|dav/) {{
            proxy_pass http://127.0.0.1:{app_port};
            proxy_set_header X-Real-IP $remote_addr;
            proxy_set_header Host $host;
        }}
    }}
}}
"""

# A site small enough to read, with enough files for a browser to fetch a page the way browsers do.
SITE = {
    "index.html": 3200,
    "account": 1800,
    "products.html": 5400,
    "about.html": 900,
    "app/index.html": 700,
    "app/main.8f2c1.js": 48000,
    "app/vendor.11ab0.js": 96000,
    "css/site.css": 7100,
    "js/site.js": 9300,
    "img/logo.svg": 1500,
    "img/hero.jpg": 61000,
    "img/p1.jpg": 8100,
    "img/p2.jpg": 8300,
    "img/p3.jpg": 7900,
    "robots.txt": 60,
    "sitemap.xml": 400,
    "favicon.ico": 1150,
}


class Nginx:
    def __init__(self, work, log_path, app_port):
        self.port = free_port()
        for name, size in SITE.items():
            file = work / "htdocs" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes((name.encode() + b"\n") * (size // (len(name) + 1) + 1))
        config = work / "nginx.conf"
        config.write_text(NGINX_CONFIG.format(work=work, log=log_path, port=self.port, app_port=app_port))
        # Its own process group: nginx ends its workers on SIGTERM, and nothing else belongs to that group.
        self.process = subprocess.Popen(
            ["nginx", "-p", str(work), "-c", str(config), "-e", str(work / "nginx-error.log")],
            env={**os.environ, "TZ": "UTC"},
            start_new_session=True,
        )
        wait_for_port(self.port, self.process, "nginx")

    def close(self):
        stop(self.process)


class Syslog:
    """Stands in for the syslog daemon: takes what sshd sends through syslog(3) and writes the classic file format.

    glibc sends `<PRI>Mon dd hh:mm:ss sshd[pid]: text`; a daemon adds the host name and drops the priority. Nothing else
    is changed. A socket at /dev/log is made only where none exists: a host with a syslog daemon keeps its own.
    """

    def __init__(self, log_path):
        if SYSLOG_SOCKET.is_socket() and not self.somebody_listens():
            # Left behind by a run, or a daemon, that was killed.
            SYSLOG_SOCKET.unlink()
        if SYSLOG_SOCKET.exists():
            raise LabError(
                f"{SYSLOG_SOCKET} exists, so this host has a syslog daemon of its own; make the samples in a container"
            )
        if SYSLOG_SOCKET.is_symlink():
            raise LabError(f"{SYSLOG_SOCKET} is a dangling link to a stopped daemon; make the samples in a container")
        self.log = open(log_path, "a", buffering=1, encoding="utf-8")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(SYSLOG_SOCKET))
        SYSLOG_SOCKET.chmod(stat.S_IRUSR | stat.S_IWUSR | stat.S_IRGRP | stat.S_IWGRP | stat.S_IROTH | stat.S_IWOTH)
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    @staticmethod
    def somebody_listens():
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as probe:
            try:
                probe.connect(str(SYSLOG_SOCKET))
                return True
            except ConnectionRefusedError:
                return False

    def run(self):
        while True:
            try:
                text = self.socket.recv(8192).decode("utf-8", "replace").rstrip("\r\n\0")
            except OSError:
                return
            if text == "stop":
                return
            text = text.partition(">")[2]
            stamp, rest = text[:15], text[16:]
            # Other programs of this host find the socket, too; the sample is about sshd alone.
            if rest.startswith("sshd["):
                self.log.write(f"{stamp} {LOG_HOST} {rest}\n")

    def close(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"stop", str(SYSLOG_SOCKET))
        self.thread.join(5)
        self.socket.close()
        SYSLOG_SOCKET.unlink(missing_ok=True)
        self.log.close()


class Accounts:
    """Throw-away system accounts, so that a right password exists; locked out of everything by their random password."""

    def __init__(self, passwords):
        self.names = []
        import pwd

        try:
            for name, password in passwords.items():
                try:
                    if pwd.getpwnam(name).pw_gecos != ACCOUNT_COMMENT:
                        raise LabError(f"the account {name} exists and is not ours; rename it or use a container")
                    subprocess.run(["userdel", name], check=True, capture_output=True)
                except KeyError:
                    pass
                subprocess.run(
                    ["useradd", "--no-create-home", "--home-dir", "/", "--shell", "/bin/sh",
                     "--comment", ACCOUNT_COMMENT, name],
                    check=True, capture_output=True,
                )
                self.names.append(name)
                subprocess.run(["chpasswd"], input=f"{name}:{password}\n", text=True, check=True, capture_output=True)
        except BaseException:
            self.close()
            raise

    def close(self):
        for name in self.names:
            subprocess.run(["userdel", name], capture_output=True)
        self.names = []


SSHD_CONFIG = """
ListenAddress 127.0.0.1:{port}
HostKey {work}/host_ed25519
PidFile {work}/sshd.pid
AuthorizedKeysFile {work}/authorized_keys
StrictModes no
UsePAM yes
PasswordAuthentication yes
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
ForceCommand /bin/true
MaxStartups 60
LoginGraceTime 20
PrintMotd no
"""


class Sshd:
    def __init__(self, work):
        self.port = free_port()
        self.user_key = work / "user_ed25519"
        for key in (work / "host_ed25519", self.user_key):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "sample", "-f", str(key)], check=True)
        shutil.copy(f"{self.user_key}.pub", work / "authorized_keys")
        (work / "authorized_keys").chmod(0o644)
        config = work / "sshd_config"
        config.write_text(SSHD_CONFIG.format(work=work, port=self.port))
        # The privilege separation directory is fixed at compile time; it is empty, and removed again if it was ours.
        self.separation = pathlib.Path("/run/sshd")
        self.made_separation = not self.separation.exists()
        if self.made_separation:
            self.separation.mkdir(mode=0o755)
        self.process = subprocess.Popen(
            ["/usr/sbin/sshd", "-D", "-f", str(config)],
            env={**os.environ, "TZ": "UTC"},
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        wait_for_port(self.port, self.process, "sshd")

    def close(self):
        stop(self.process)
        if self.made_separation:
            try:
                self.separation.rmdir()
            except OSError:
                pass
