"""The senders of `script/receivers-check`, as they are in the world. Each check sends something and returns in words what became of it."""

import gzip
import http.client
import json
import os
import re
import socket
import ssl
import subprocess
import time
import urllib.request

from .receivers_wire import PROTOBUF, access_line, post_event, push
from .receivers_world import TOKEN
from .waiting import eventually, free_port, wait_for_port


def rsyslog(world):
    """rsyslogd with one socket in front and four ways out."""
    folder = world.folder
    (folder / "rsyslog.conf").write_text(f"""
global(workDirectory="{folder}" DefaultNetstreamDriverCAFile="{folder}/ca.pem"
       DefaultNetstreamDriverCertFile="{folder}/client.pem" DefaultNetstreamDriverKeyFile="{folder}/client.key")
module(load="imuxsock" SysSock.Use="off")
input(type="imuxsock" Socket="{folder}/log.sock" RateLimit.Interval="0" UseSysTimeStamp="off")
if $msg contains "check-udp-" then action(type="omfwd" target="127.0.0.1" port="{world.ports['udp']}" protocol="udp")
if $msg contains "check-tcp-" then action(type="omfwd" target="127.0.0.1" port="{world.ports['tcp']}" protocol="tcp")
if $msg contains "check-octets-" then action(type="omfwd" target="127.0.0.1" port="{world.ports['octets']}" protocol="tcp"
    TCP_Framing="octet-counted" template="RSYSLOG_SyslogProtocol23Format")
if $msg contains "check-tls-" then action(type="omfwd" target="127.0.0.1" port="{world.ports['tls']}" protocol="tcp"
    TCP_Framing="octet-counted" template="RSYSLOG_SyslogProtocol23Format" StreamDriver="gtls" StreamDriverMode="1"
    StreamDriverAuthMode="x509/name" StreamDriverPermittedPeers="localhost")
""")
    world.run("/usr/sbin/rsyslogd", "-n", "-i", folder / "rsyslog.pid", "-f", folder / "rsyslog.conf")
    eventually("rsyslogd listens", 20, (folder / "log.sock").exists)
    count = 100
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as log:
        log.connect(str(folder / "log.sock"))
        for number in range(count):
            for way in ("udp", "tcp", "octets", "tls"):
                stamp = time.strftime("%b %e %H:%M:%S")
                log.send(f"<38>{stamp} sshd[7]: Invalid user check-{way}-{number} from 203.0.113.9 port 4".encode())
            time.sleep(0.002)
    world.expect("sshd", 4 * count)
    return f"{4 * count} messages over UDP, TCP with line feeds, TCP with lengths, TLS with client certificates"


def journald(world):
    """systemd-journal-upload, twice: the second time from the beginning, as after a lost acknowledgement."""
    folder = world.folder
    now = int(time.time() * 1_000_000)
    count = 200
    entries = "".join(
        f"__REALTIME_TIMESTAMP={now + number}\n__MONOTONIC_TIMESTAMP={number + 1}\n_BOOT_ID={'0' * 31}1\n_HOSTNAME=web\n"
        f"SYSLOG_IDENTIFIER=sshd\n_PID=7\nMESSAGE=Invalid user check-journal-{number} from 203.0.113.9 port 4\n\n"
        for number in range(count))
    (folder / "journal").mkdir()
    subprocess.run(["/lib/systemd/systemd-journal-remote", f"--output={folder}/journal/a.journal", "-"], input=entries.encode(),
                   check=True, capture_output=True)
    for attempt in range(2):
        result = subprocess.run(
            ["/lib/systemd/systemd-journal-upload", f"--url=http://127.0.0.1:{world.ports['http']}", f"--directory={folder}/journal",
             "--follow=no"],
            capture_output=True, text=True, timeout=60)
        assert result.returncode == 0, f"systemd-journal-upload ended with {result.returncode}: {result.stderr}"
    world.expect("sshd", count)
    return f"{count} entries by systemd-journal-upload, sent twice, taken once"


def alerts(world):
    """Prometheus says an alert fires; Alertmanager tells of it again and again; one finding."""
    folder = world.folder
    alertmanager, prometheus = free_port(), free_port()
    (folder / "alert.rules.yml").write_text("""
groups:
  - name: check
    interval: 1s
    rules:
      - {alert: CheckFires, expr: "vector(1)", labels: {severity: critical}, annotations: {summary: "it fires"}}
""")
    (folder / "prometheus.yml").write_text(f"""
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
rule_files: [{folder}/alert.rules.yml]
alerting: {{alertmanagers: [{{static_configs: [{{targets: ["127.0.0.1:{alertmanager}"]}}]}}]}}
""")
    (folder / "alertmanager.yml").write_text(f"""
route: {{receiver: vigie, group_wait: 0s, group_interval: 1s, repeat_interval: 1s}}
receivers:
  - name: vigie
    webhook_configs:
      - url: https://127.0.0.1:{world.ports['https']}/webhooks/alertmanager
        http_config:
          authorization: {{credentials: {TOKEN}}}
          tls_config: {{ca_file: {folder}/ca.pem}}
""")
    world.run("/usr/bin/prometheus-alertmanager", f"--config.file={folder}/alertmanager.yml", f"--storage.path={folder}/am",
              f"--web.listen-address=127.0.0.1:{alertmanager}", "--cluster.listen-address=")
    world.run("/usr/bin/prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/tsdb",
              f"--web.listen-address=127.0.0.1:{prometheus}", "--rules.alert.resend-delay=1s")
    world.expect("alert", 1, seconds=90)

    def sent():
        with urllib.request.urlopen(f"http://127.0.0.1:{alertmanager}/metrics") as answer:
            text = answer.read().decode()
        found = re.search(r'alertmanager_notifications_total\{integration="webhook"\} (\d+)', text)
        return int(found.group(1)) if found else 0
    eventually("Alertmanager repeats itself", 60, lambda: sent() >= 2)
    world.no_more()
    return f"Prometheus and Alertmanager over TLS with a token: {sent()} notifications, one finding"


def opentelemetry(world):
    """An SDK's exporter, protobuf with gzip, as an application would use it."""
    import logging

    from opentelemetry.exporter.otlp.proto.http import Compression
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
    from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
    from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
    from opentelemetry.sdk.resources import Resource

    # They would win over the exporter's own certificate file.
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        os.environ.pop(name, None)
    provider = LoggerProvider(resource=Resource.create({"service.name": "shop"}))
    exporter = OTLPLogExporter(
        endpoint=f"https://127.0.0.1:{world.ports['https']}/v1/logs", certificate_file=str(world.folder / "ca.pem"),
        headers={"authorization": f"Bearer {TOKEN}"}, compression=Compression.Gzip)
    provider.add_log_record_processor(BatchLogRecordProcessor(exporter))
    log = logging.getLogger("shop")
    log.propagate = False
    log.addHandler(LoggingHandler(logger_provider=provider))
    count = 300
    for number in range(count):
        log.warning("sign-in refused", extra={"event.action": f"check-otel-{number}", "client.address": "203.0.113.9"})
        log.warning(access_line(f"otel-{number}"))
    provider.shutdown()
    world.expect("app", count)
    world.expect("web", count)
    return f"{2 * count} records of an OpenTelemetry SDK, protobuf, gzip, TLS, a token: fields, and access lines as bodies"


def promtail(world):
    """promtail's bytes, and its JSON form with gzip."""
    body = push('{filename="/var/log/nginx/access.log", host="web1", job="nginx"}', [access_line(f"loki-{n}") for n in range(500)])
    status, text, _ = world.request("POST", "/loki/api/v1/push", body, PROTOBUF)
    assert status == 204, f"{status} {text}"
    now = time.time_ns()
    values = [[str(now + number), access_line(f"json-{number}")] for number in range(500)]
    body = gzip.compress(json.dumps({"streams": [{"stream": {"host": "web1"}, "values": values}]}).encode())
    status, text, _ = world.request("POST", "/loki/api/v1/push", body, {"Content-Type": "application/json", "Content-Encoding": "gzip"})
    assert status == 204, f"{status} {text}"
    world.expect("web", 1000)
    return "1000 lines of nginx in Loki's two forms"


def haproxy(world):
    """HAProxy passes connections on, TLS included, and says whose they are, in either version of its header; others may not."""
    folder = world.folder
    syslog, web = free_port(), free_port()
    # It says another address than this machine's, which would tell nothing.
    (folder / "haproxy.cfg").write_text(f"""
defaults
    mode tcp
    timeout connect 5s
    timeout client 60s
    timeout server 60s
listen syslog
    bind 127.0.0.1:{syslog}
    tcp-request connection set-src ipv4(203.0.113.77)
    server vigie 127.0.0.1:{world.ports['proxied-tls']} send-proxy-v2 check inter 200
listen web
    bind 127.0.0.1:{web}
    tcp-request connection set-src ipv4(203.0.113.78)
    server vigie 127.0.0.1:{world.ports['proxied-http']} send-proxy check inter 200
""")
    checked = subprocess.run(["/usr/sbin/haproxy", "-c", "-f", str(folder / "haproxy.cfg")], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr
    process = world.run("/usr/sbin/haproxy", "-db", "-f", folder / "haproxy.cfg")
    wait_for_port(web, process, "haproxy")
    context = ssl.create_default_context(cafile=folder / "ca.pem")
    context.load_cert_chain(folder / "client.pem", folder / "client.key")
    stamp = time.strftime("%b %e %H:%M:%S")
    count = 20
    for number in range(count):
        with context.wrap_socket(socket.create_connection(("127.0.0.1", syslog), timeout=30), server_hostname="localhost") as stream:
            stream.sendall(f"<38>{stamp} web sshd[7]: Invalid user check-proxied-{number} from 203.0.113.9 port 4\n".encode())
        assert post_event(world, f"proxied-{number}", port=web) == 200
    world.expect_all({"sshd": count, "app": count})
    spool = next((folder / "data/detection/receivers").glob(f"syslog-tls-127.0.0.1-{world.ports['proxied-tls']}.jsonl"))
    named = spool.read_text().count('"log.source.address":"203.0.113.77"')
    assert named == count, f"{named} of {count} messages have the sender's address"
    for header in (b"PROXY TCP4 198.51.100.1 127.0.0.1 1 2\r\n", b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c" + bytes([198, 51, 100, 1, 127, 0, 0, 1, 0, 1, 0, 2])):
        with socket.create_connection(("127.0.0.1", world.ports["proxied-http"]), timeout=30, source_address=("127.0.0.2", 0)) as stream:
            stream.sendall(header + b"GET /ready HTTP/1.1\r\nHost: a\r\n\r\n")
            assert stream.recv(100) == b"", "somebody who is no proxy said whose connection it is, and was answered"
    with socket.create_connection(("127.0.0.1", world.ports["proxied-http"]), timeout=30, source_address=("127.0.0.2", 0)) as stream:
        stream.sendall(b"GET /ready HTTP/1.1\r\nHost: a\r\n\r\n")
        assert stream.recv(100).startswith(b"HTTP/1.1 200"), "somebody who is no proxy is not answered"
    return f"HAProxy in front of TLS and of HTTP, both versions, health checks: {count} and {count} events, named as it says; forged headers refused"


def pagerduty(world):
    body = json.dumps({"routing_key": TOKEN, "event_action": "trigger", "dedup_key": "disk",
                       "payload": {"summary": "disk full", "source": "db1", "severity": "critical"}})
    context = ssl.create_default_context(cafile=world.folder / "ca.pem")
    for wanted, text in ((202, body), (202, body), (401, body.replace(TOKEN, "wrong"))):
        connection = http.client.HTTPSConnection("127.0.0.1", world.ports["https"], context=context, timeout=30)
        connection.request("POST", "/v2/enqueue", text, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        got = answer.read().decode()
        assert answer.status == wanted, f"{answer.status} for {wanted}: {got}"
        connection.close()
    world.expect("alert", 1)
    return "PagerDuty's events: one finding for two of one key; a wrong routing key is refused"
