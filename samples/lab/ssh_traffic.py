"""What happens on sshd: the ordinary ssh client does the talking, so that the messages are what sshd really writes."""

import concurrent.futures
import os
import socket
import subprocess
import time

from .http_traffic import NAMES, PASSWORDS


def ssh(lab, address, user, passwords=(), key=None, method=None):
    """One connection from `address`. `passwords` are offered in turn; ssh asks for each through SSH_ASKPASS."""
    answers = lab.scratch("answers")
    answers.write_text("".join(f"{password}\n" for password in passwords))
    options = {
        "BatchMode": "no" if passwords else "yes",
        "StrictHostKeyChecking": "no",
        "UserKnownHostsFile": "/dev/null",
        "GlobalKnownHostsFile": "/dev/null",
        "NumberOfPasswordPrompts": str(max(1, len(passwords))),
        "PreferredAuthentications": method or ("publickey" if key else "password"),
        "IdentitiesOnly": "yes",
        "IdentityAgent": "none",
        "ConnectTimeout": "10",
        "LogLevel": "ERROR",
    }
    command = ["ssh", "-F", "none", "-T", "-p", str(lab.sshd.port), "-b", address, "-l", user]
    if key:
        command += ["-i", str(key)]
    for name, value in options.items():
        command += ["-o", f"{name}={value}"]
    environment = {
        "PATH": os.environ["PATH"],
        "SSH_ASKPASS": str(lab.askpass),
        "SSH_ASKPASS_REQUIRE": "force",
        "LAB_ANSWERS": str(answers),
    }
    result = subprocess.run(
        command + ["127.0.0.1", "true"], env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=30
    )
    answers.unlink(missing_ok=True)
    return result.returncode


# Benign -------------------------------------------------------------------------------------------------------------

def admin_mistypes(lab, address):
    """One wrong password, then the right one, on the same connection."""
    time.sleep(4)
    ssh(lab, address, "sample-anna", ["Summer-rain-4", lab.system_accounts["sample-anna"]])


def deployments(lab, address):
    """Configuration management: many short, successful logins by key."""
    while lab.running():
        ssh(lab, address, "sample-deploy", key=lab.sshd.user_key)
        time.sleep(3)


def port_check(lab, address):
    """A load balancer's health check: connects, reads the banner, says nothing, leaves."""
    while lab.running():
        with socket.create_connection(("127.0.0.1", lab.sshd.port), 5, source_address=(address, 0)) as connection:
            connection.recv(64)
        time.sleep(4)


# Attackers ----------------------------------------------------------------------------------------------------------

def brute_force(lab, address, users=("root", "sample-anna"), connections=14, parallel=3):
    def one(number):
        if lab.running():
            words = [PASSWORDS[(number * 3 + step) % len(PASSWORDS)] for step in range(3)]
            ssh(lab, address, users[number % len(users)], words)

    with concurrent.futures.ThreadPoolExecutor(parallel) as pool:
        list(pool.map(one, range(connections)))


def enumeration(lab, address):
    """Many account names, one password each."""
    def one(name):
        if lab.running():
            ssh(lab, address, name, ["admin123"])

    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        list(pool.map(one, [name for name in NAMES if name not in ("root", "backup")]))


def banner_probe(lab, address):
    """A web scanner that knocks on the wrong port, and a client without any key exchange of this century."""
    for greeting in (b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"SSH-2.0-Go\r\n"):
        with socket.create_connection(("127.0.0.1", lab.sshd.port), 5, source_address=(address, 0)) as connection:
            connection.sendall(greeting)
            connection.settimeout(2)
            try:
                while connection.recv(4096):
                    pass
            except OSError:
                pass
        time.sleep(1)


def campaign_ssh(lab, address):
    time.sleep(14)
    brute_force(lab, address, users=("root",), connections=6, parallel=2)
