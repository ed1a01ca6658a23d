"""What senders put on the wire in `script/receivers-check`: protobuf, Loki's pushes, access lines, events."""

import json
import time


def varint(value):
    out = b""
    while value >= 0x80:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def field(number, value):
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value


def access_line(query, when=None):
    date = time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(when or time.time()))
    return f'203.0.113.9 - - [{date}] "GET /?check={query} HTTP/1.1" 200 5 "-" "-"'


def push(labels, lines, when=None):
    """What promtail sends: a `PushRequest` in snappy's block format."""
    import cramjam  # in the virtual environment of script/receivers-check

    when = when or time.time()
    stream = field(1, labels) + b"".join(field(2, field(1, field(1, int(when)) + field(2, 7)) + field(2, line)) for line in lines)
    return bytes(cramjam.snappy.compress_raw(field(1, stream)))


PROTOBUF = {"Content-Type": "application/x-protobuf", "User-Agent": "promtail/2.9.4"}


def post_event(world, name, port=None, **options):
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    body = json.dumps({"@timestamp": now, "event.action": f"check-{name}", "source.ip": "203.0.113.9"})
    return world.request("POST", "/api/v1/events", body, {"Content-Type": "application/x-ndjson"}, port=port, **options)[0]
