"""What the receivers of script/pagers-check get to see: each check is a line that says what was looked at, and what was seen."""

import html
import json
import os
import pathlib
import re
import subprocess
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

import standardwebhooks

from lib import waiting
from lib.pager_world import MAIL_PASSWORD, PAGERDUTY_KEY, WEBHOOK_SECRET, Receivers, write_policies

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Vigie waits 15 s after a failure and twice as long after the next, and 20 s for an answer.
PATIENCE = 180
RULE_TITLE = "A storm"
RULE = f"""title: {RULE_TITLE}
id: 6b6a2a1e-6c0f-4a3e-8f1c-3f4f1f6f0a01
logsource: {{category: webserver}}
detection: {{selection: {{url.query|startswith: 'storm='}}, condition: selection}}
level: medium
vigie: {{category: exfiltration}}
"""
HTML = "<script>alert(1)</script>\r\nBcc: all@example.org"


class Trial:
    def __init__(self, vigie, folder):
        self.vigie, self.folder, self.checks = vigie, folder, []
        names = ("console", "starttls", "smtps", "strange", "plain", "silent", "web")
        self.ports = {name: waiting.free_port() for name in names}
        self.console = f"http://127.0.0.1:{self.ports['console']}"

    def check(self, name, holds, seen=""):
        self.checks.append({"check": name, "holds": bool(holds), "seen": str(seen)})
        print(f"{'ok  ' if holds else 'FAIL'} {name}{f': {seen}' if seen else ''}", flush=True)

    def ask(self, *words, text=None):
        policies = [] if words[:2] == ("incidents", "list") else ["--policies", self.folder / "policies"]
        done = subprocess.run([self.vigie, *words, "--data", self.folder / "data", *policies], capture_output=True, input=text, check=False)
        if done.returncode:
            raise waiting.NotReady(f"vigie {' '.join(words)} ended with {done.returncode}: {done.stderr.decode()}")
        return done.stdout.decode()

    def open(self, title, severity):
        return json.loads(self.ask("incidents", "open", title, "--severity", severity, "--json"))["id"]

    def pages(self, incident):
        return [json.loads(line) for line in self.ask("escalation", "explain", incident, "--json").splitlines()]

    def page(self, incident, channel, step="L1"):
        return next(page for page in self.pages(incident) if page["channel"] == channel and page["step"] == step)

    def form(self, link, press=False):
        """Status of an acknowledge link that a browser opens, and whose button it may press."""
        browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        try:
            with browser.open(link, timeout=20) as answer:
                status, page = answer.status, answer.read().decode()
            if not press:
                return status
            fields = {name: html.unescape(value) for name, value in re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page)}
            with browser.open(link.split("?")[0], urllib.parse.urlencode(fields).encode(), timeout=20) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code


def trial(vigie):
    with tempfile.TemporaryDirectory(prefix="vigie-pagers-") as place:
        place = pathlib.Path(place)
        one = Trial(vigie, place)
        (place / "certificates").mkdir()
        write_policies(place / "policies", ROOT / "policies", one.ports, one.console)
        (place / "rules").mkdir()
        (place / "rules/storm.yml").write_text(RULE)
        (place / "log").touch()
        with Receivers(place / "certificates", one.ports) as receivers, (place / "serve.log").open("wb") as log:
            process = subprocess.Popen(
                [vigie, "serve", "--data", place / "data", "--rules", place / "rules", "--policies", place / "policies", "--listen",
                 f"127.0.0.1:{one.ports['console']}", place / "log"], stderr=log, stdout=log,
                env=os.environ | {"CURL_CA_BUNDLE": str(receivers.authority), "SSL_CERT_FILE": str(receivers.authority)})
            try:
                waiting.wait_for_port(one.ports["console"], process, "vigie serve")
                loud = one.open(f"Flag {HTML} — gefunden", "P0")
                opened = time.monotonic()
                calm = links(one, receivers, loud)
                storm(one, receivers)
                delivery(one, receivers, loud)
                replies(one, receivers, loud)
                spared(one, receivers, calm, opened)
            finally:
                process.terminate()
                process.wait()
        text = (place / "serve.log").read_text(errors="replace")
        secret = [word for word in (MAIL_PASSWORD, WEBHOOK_SECRET, PAGERDUTY_KEY) if word in text]
        one.check("no secret stands in what the server writes about itself", not secret, ", ".join(secret))
    return one.checks


def links(one, receivers, loud):
    """A quiet incident: Slack and PagerDuty first, a minute later somebody else, whom an acknowledgement spares. Returns which it is."""
    calm = one.open("Somebody signs in as everybody", "P1")
    post = waiting.eventually("the message in the chat", PATIENCE, lambda: receivers.posts("/slack", calm))[0]
    text = json.loads(post["body"])["text"]
    link = re.search(r"<(http[^|>]+)\|Acknowledge", text)[1].replace("&amp;", "&")
    alarm = json.loads(waiting.eventually("the alarm in the chat", PATIENCE, lambda: receivers.posts("/slack", loud))[0]["body"])["text"]
    one.check("the chat's message calls everybody for P0 and nobody for P1, and has two links",
              alarm.startswith("<!channel> ") and not text.startswith("<!") and "|Open SEC-" in text)
    one.check("HTML in a title is text in the chat", "<script" not in alarm and "&lt;script&gt;" in alarm)
    opened = [one.form(link) for _ in range(3)]
    before = json.loads(one.ask("incidents", "show", calm, "--json"))["incident"]["acknowledged_at"]
    one.check("a link that is opened three times, as chat programs do, acknowledges nothing", opened == [200] * 3 and before is None, opened)
    forged = one.form(link[:-1] + ("0" if link[-1] != "0" else "1"), press=True)
    one.check("a forged link is refused", forged == 404, forged)
    bare = urllib.parse.urlencode({"token": urllib.parse.parse_qs(urllib.parse.urlsplit(link).query)["token"][0]}).encode()
    try:
        urllib.request.urlopen(link.split("?")[0], bare, timeout=20)
        one.check("a form of another page presses no button", False)
    except urllib.error.HTTPError as error:
        one.check("a form of another page presses no button", error.code == 403, error.code)
    pressed = one.form(link, press=True)
    after = json.loads(one.ask("incidents", "show", calm, "--json"))["incident"]["acknowledged_at"]
    one.check("the button acknowledges", pressed == 200 and after, pressed)
    again = one.form(link, press=True)
    one.check("the same link again is refused", again in (409, 410), again)
    stop = waiting.eventually("PagerDuty is told", PATIENCE, lambda: [
        post for post in receivers.posts("/pagerduty", calm) if json.loads(post["body"])["event_action"] == "acknowledge"])
    events = [json.loads(post["body"]) for post in receivers.posts("/pagerduty", calm)]
    one.check("PagerDuty gets a trigger, and an acknowledge under the same dedup_key",
              stop and [event["event_action"] for event in events] == ["trigger", "acknowledge"]
              and len({event["dedup_key"] for event in events}) == 1 and {event["routing_key"] for event in events} == {PAGERDUTY_KEY})
    return calm


def spared(one, receivers, calm, opened):
    """Once the time of the first step is over."""
    waiting.eventually("a minute is over", PATIENCE, lambda: time.monotonic() > opened + 75)
    second = [page["status"] for page in one.pages(calm) if page["step"] == "L2"]
    one.check("the second step reaches nobody after the acknowledgement",
              not set(second) & {"sent", "waiting"} and not receivers.posts("/good", calm), second or "never written down")


def storm(one, receivers):
    """Thirty addresses at once, which make thirty incidents, all for one person."""
    before = len(receivers.mail["smtps"].taken)
    day = time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime())
    with (one.folder / "log").open("a") as log:
        log.write("".join(f'198.51.100.{number} - - [{day}] "GET /?storm={number} HTTP/1.1" 200 5 "-" "x"\n' for number in range(1, 31)))
    names = waiting.eventually("thirty incidents", PATIENCE, lambda: len(names := [
        row["id"] for row in map(json.loads, one.ask("incidents", "list", "--json").splitlines()) if row["title"] == RULE_TITLE]) == 30 and names)
    waiting.eventually("every page of the storm has come to an end", PATIENCE, lambda: all(
        page["status"] == "sent" for name in names for page in one.pages(name)), pause=1)
    mails = [taken["mail"] for taken in receivers.mail["smtps"].taken[before:]]
    texts = [mail.get_content() for mail in mails]
    told = [name for text in texts for name in re.findall(r"SEC-[0-9]+-[0-9]+(?= P2)", text)]
    more = sum(int(number) for text in texts for number in re.findall(r"^and (\d+) more", text, re.MULTILINE))
    one.check("thirty incidents at once are told in fewer mails: twenty by name in each, the others by number",
              len(mails) < 10 and set(told) <= set(names) and len(set(told)) + more == 30 and len(set(told)) < 30,
              f"{len(mails)} mails, {len(set(told))} named, {more} more")


def delivery(one, receivers, incident):
    """The same page on ten ways, most of which misbehave."""
    mail = waiting.eventually("the mail that was refused once", PATIENCE, lambda: receivers.mails("starttls", incident), pause=0.5)
    first = mail[0]
    waited = receivers.mail["starttls"].asked_at
    one.check("a mail server that says 451 gets the mail again, over TLS, signed in",
              len(mail) == 1 and first["tls"] and first["user"] == "vigie" and len(waited) > 1,
              f"{waited[1] - waited[0]:.0f} s later" if len(waited) > 1 else "")
    headers = first["mail"]
    one.check("a title with HTML and a line break adds no header and no recipient",
              first["to"] == ["starttls@example.org"] and headers["bcc"] is None and headers.get_content_type() == "text/plain"
              and "gefunden" in str(headers["subject"]), str(headers["subject"]))
    direct = waiting.eventually("the mail over smtps", PATIENCE, lambda: receivers.mails("smtps", incident))
    one.check("mail over TLS from the first byte", len(direct) == 1 and direct[0]["tls"] and direct[0]["user"] == "vigie")
    waiting.eventually("the refusals are written down", PATIENCE, lambda: all(
        one.page(incident, name)["failure"] for name in ("strange", "plain", "silent", "hangs")), pause=1)
    reasons = {name: one.page(incident, name)["failure"] for name in ("strange", "plain", "silent", "hangs", "gone")}
    one.check("a certificate of a stranger's authority is refused", not receivers.mail["strange"].taken, reasons["strange"])
    one.check("a server without TLS gets nothing", not receivers.mail["plain"].taken, reasons["plain"])
    one.check("a silent mail server is given up waiting for", "answer" in reasons["silent"], reasons["silent"])
    one.check("a webhook that hangs is given up waiting for", "answer" in reasons["hangs"], reasons["hangs"])
    gone = one.page(incident, "gone")
    one.check("an answer that will not change (410) ends as a dead letter, after one attempt",
              gone["status"] == "dead" and len(receivers.posts("/gone")) == 1, f"{gone['status']}: {gone['failure']}")
    posts = waiting.eventually("the hook that answered 500, then hung, then took it", PATIENCE,
                               lambda: len(receivers.posts("/tired", incident)) >= 3 and receivers.posts("/tired", incident), pause=0.5)
    checker = standardwebhooks.Webhook(WEBHOOK_SECRET)
    right = 0
    for post in posts + receivers.posts("/good", incident):
        lower = {name.lower(): value for name, value in post["headers"].items()}
        checker.verify(post["body"], lower)
        right += 1
    keys = {post["headers"].get("Webhook-Id") or post["headers"].get("webhook-id") for post in posts}
    one.check("500, then silence, then taken: three attempts under one key, each signed (checked by the standardwebhooks library)",
              len(posts) == 3 and len(keys) == 1 and right == 4,
              f"after {posts[1]['time'] - posts[0]['time']:.0f} and {posts[2]['time'] - posts[1]['time']:.0f} s")
    good = receivers.posts("/good", incident)
    one.check("nobody waited for those that misbehave", good and good[0]["time"] < posts[1]["time"])
    waiting.eventually("the third attempt is written down as sent", PATIENCE, lambda: one.page(incident, "tired")["status"] == "sent")
    one.check("a page that is sent is sent once", len(receivers.mails("starttls", incident)) == 1 and len(good) == 1)


def replies(one, receivers, incident):
    """Somebody answers the mail; the mail server's alias hands it on."""
    page = receivers.mails("starttls", incident)[0]["mail"]
    answer = (f"From: Ana <ana@example.org>\r\nTo: security@example.org\r\nSubject: Re: {page['subject']}\r\n"
              f"Message-ID: <{time.time()}@example.org>\r\nIn-Reply-To: {page['message-id']}\r\n\r\nOn my way.\r\n")
    taken = json.loads(one.ask("intake", "mail", "--json", text=answer.encode()))
    one.check("an answer to a page's mail is a note in its incident", taken.get("incident") == incident, json.dumps(taken)[:200])
