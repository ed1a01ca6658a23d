"""Drives Tatou's pages in a real Chromium as somebody would who has a paper to hand out and, later, a leak to trace."""

import pathlib
import re
import secrets
import shutil
import subprocess
import tempfile
import threading
import urllib.error
import urllib.request

from selenium.webdriver.common.by import By

from lib import accessibility, rmap_client
from lib.browser_trial import Browser, PATIENCE
from lib.tatou_client import pdf

IDENTITY = "Group_07"
RECIPIENTS = ["Ana of the press", "Bob <b>bold</b> & sons", "Carla"]


class Server:
    """`tatou serve` on a free port and a folder of its own."""

    def __init__(self, tatou):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="tatou-browser-"))
        self.keys = rmap_client.Keys(self.folder, IDENTITY)
        self.process = subprocess.Popen(
            [tatou, "serve", "--data", str(self.folder / "data"), "--listen", "127.0.0.1:0", "--rmap-keys", str(self.keys.folder),
             "--rmap-document", "1"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.said, self.address = [], None
        for line in self.process.stdout:
            self.said.append(line)
            if found := re.search(r"serves on (http://\S+?),", line):
                self.address = found.group(1)
                break
        if not self.address:
            raise SystemExit("the server did not come up:\n" + "".join(self.said))
        # A pipe that nobody reads would stop it.
        threading.Thread(target=lambda: self.said.extend(self.process.stdout), daemon=True).start()

    def log(self):
        return (self.folder / "data/logs/app.log").read_text()

    def stop(self):
        self.process.terminate()
        status = self.process.wait(timeout=PATIENCE)
        self.keys.close()
        shutil.rmtree(self.folder, ignore_errors=True)
        return status


def paper(folder):
    """A paper of two pages with enough words to carry a mark, made by Chromium as from any web page."""
    words = ("The committee met on Tuesday and looked at every figure that the department had sent it, one after the other, and found that "
             "most of them agreed with what had been said in the spring. ")
    (folder / "paper.html").write_text(
        "<html><title>Minutes</title><body style='font:12pt/1.5 serif'><h1>Minutes of the committee</h1>" + f"<p>{words * 4}</p>" * 8 + "</body></html>")
    subprocess.run(
        ["/usr/bin/chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer",
         f"--print-to-pdf={folder / 'minutes.pdf'}", f"file://{folder}/paper.html"], check=True, capture_output=True, timeout=120)
    return folder / "minutes.pdf"


class Visitor:
    """What somebody does on the pages."""

    def __init__(self, browser, address):
        self.browser, self.driver, self.address = browser, browser.driver, address

    def go(self, place):
        self.driver.get(f"{self.address}/#{place}")

    def heading(self, text):
        # Asked in one go: between two questions the page may be another.
        self.browser.until(lambda: self.driver.execute_script("return document.querySelector('h1')?.textContent") == text, f"the page '{text}'")

    def text(self):
        return self.driver.execute_script("return document.body.innerText")

    def says(self, text):
        self.browser.until(lambda: text in self.text(), f"'{text}' on the page")

    def sign_up(self, email, login, password):
        self.go("/sign-up")
        self.heading("Make an account")
        self.browser.fill(email=email, login=login, password=password)
        self.heading("Documents")

    def drop(self, path):
        self.driver.find_element(By.CSS_SELECTOR, "input[type=file]").send_keys(str(path))

    def make_copy(self, recipient):
        self.browser.until(lambda: self.driver.execute_script(
            "return document.querySelector('main form button.primary')?.disabled === false"), "the form takes another order")
        self.driver.find_element(By.NAME, "intended_for").send_keys(recipient)
        self.driver.find_element(By.CSS_SELECTOR, "input[value=word-shift]").click()
        self.driver.find_element(By.CSS_SELECTOR, "main form button.primary").click()
        self.says(f"The copy for {recipient} is made.")
        return self.driver.find_element(By.CSS_SELECTOR, "[role=status] .row code").text


def photo(folder, copy):
    """The first page as a telephone takes it: tilted a little, without its edges. Chromium turns it."""
    (folder / "shown.pdf").write_bytes(copy)
    subprocess.run(["pdftoppm", "-r", "150", "-f", "1", "-l", "1", "-jpeg", "-jpegopt", "quality=90", "-singlefile", "shown.pdf", "shown"], cwd=folder, check=True)
    (folder / "photo.html").write_text(
        "<body style='margin:0;background:#554'><div style='width:1180px;height:1560px;overflow:hidden'>"
        "<img src=shown.jpg style='margin:-40px;transform:rotate(1.5deg)'></div>")
    subprocess.run(
        ["/usr/bin/chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--window-size=1180,1560",
         f"--screenshot={folder / 'photo.png'}", f"file://{folder}/photo.html"], check=True, capture_output=True, timeout=120)
    return folder / "photo.png"


def fetch(link):
    with urllib.request.urlopen(link, timeout=PATIENCE) as answer:
        return answer.read()


def run(tatou, root, pictures=None):
    """The trial. Raises where the pages do not do what they should; returns what was checked."""
    server = Server(tatou)
    password, axe, complaints, checked = secrets.token_urlsafe(18), accessibility.source(), [], []
    browser = Browser(1280, 900, dark=False)
    visitor = Visitor(browser, server.address)

    def look(name):
        checked.append(name)
        complaints.extend(accessibility.violations(browser.driver, axe, name))
        if pictures:
            for dark in (False, True):
                scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
                browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
                if dark:
                    complaints.extend(accessibility.violations(browser.driver, axe, f"{name}, dark"))
                browser.picture(pictures / f"{name}-{'dark' if dark else 'light'}.png")
            browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})

    try:
        visitor.go("/")
        visitor.heading("Sign in")
        look("sign-in")
        browser.fill(email="nobody@example.org", password="wrong password")
        visitor.says("invalid credentials")
        visitor.sign_up("ana@example.org", "ana", password)
        look("documents-empty")
        document = paper(server.folder)
        (server.folder / "notes.pdf").write_text("no PDF at all")
        visitor.drop(server.folder / "notes.pdf")
        visitor.says("the file is not a PDF document")
        visitor.drop(document)
        visitor.says("minutes.pdf is uploaded.")
        look("documents")
        browser.driver.find_element(By.LINK_TEXT, "minutes.pdf").click()
        visitor.heading("minutes.pdf")
        links = {recipient: visitor.make_copy(recipient) for recipient in RECIPIENTS}
        look("document")
        # The copy that is passed on: fetched by its link, without being signed in.
        leak = server.folder / "found-on-a-forum.pdf"
        leak.write_bytes(fetch(links[RECIPIENTS[1]]))
        assert leak.read_bytes() != document.read_bytes(), "the copy is the original"
        visitor.go("/trace")
        visitor.heading("Trace a leak")
        look("trace")
        visitor.drop(leak)
        visitor.says(f"This is the copy for {RECIPIENTS[1]}.")
        look("traced")
        assert len(browser.driver.find_elements(By.CSS_SELECTOR, "svg.scale circle.copy")) == 1, "the picture of the evidence shows no copy"
        assert not browser.driver.find_elements(By.CSS_SELECTOR, "main b > b"), "a recipient's name was rendered as HTML"
        # A photo of a page of another copy: turned, cut at its edges, and compressed.
        visitor.drop(photo(server.folder, fetch(links[RECIPIENTS[2]])))
        visitor.says(f"This is the copy for {RECIPIENTS[2]}.")
        look("traced-picture")
        visitor.drop(document)
        visitor.says("Not found")
        look("not-found")
        # What a program gets by RMAP is a copy like any other.
        leak.write_bytes(fetch(rmap_client.fetch_link(server.address, server.keys)))
        visitor.drop(leak)
        visitor.says(f"This is the copy for {IDENTITY}.")
        # A document that does more than show its page: taken in, and warned of.
        visitor.go("/")
        visitor.heading("Documents")
        (server.folder / "form.pdf").write_bytes(pdf("a form", words=200, catalog="/OpenAction << /S /JavaScript /JS (1) >> /AA << /WC << /S /Launch /F (x) >> >>"))
        visitor.drop(server.folder / "form.pdf")
        visitor.says("Look at form.pdf before you pass it on")
        look("documents-warned")
        browser.driver.find_element(By.LINK_TEXT, "form.pdf").click()
        visitor.heading("form.pdf")
        visitor.says("Look at this document before you pass it on")
        look("document-warned")
        phone = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
        browser.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", phone)

        def fits(name):
            wide = browser.driver.execute_script(
                "return [...document.querySelectorAll('main *')].filter((one) => one.getBoundingClientRect().right > 390).map((one) => `${one.tagName} ${one.className}`)")
            assert browser.driver.execute_script("return document.documentElement.scrollWidth") <= 390, f"the page '{name}' is too wide for a phone: {wide}"
            look(f"{name}-phone")

        for place, heading, name in (("/", "Documents", "documents"), ("/documents/2", "form.pdf", "document-warned"), ("/trace", "Trace a leak", "trace")):
            visitor.go(place)
            visitor.heading(heading)
            fits(name)
        visitor.drop(photo(server.folder, fetch(links[RECIPIENTS[0]])))
        visitor.says(f"This is the copy for {RECIPIENTS[0]}.")
        fits("traced-picture")
        visitor.go("/documents/1")
        visitor.heading("minutes.pdf")
        fits("document")
        browser.driver.find_element(By.CSS_SELECTOR, "button.danger").click()
        browser.driver.find_element(By.CSS_SELECTOR, "dialog button[value=yes]").click()
        visitor.says("minutes.pdf is deleted.")
        try:
            fetch(links[RECIPIENTS[0]])
            raise AssertionError("the link of a deleted document still works")
        except urllib.error.HTTPError as error:
            assert error.code == 404, f"a link of a deleted document answers {error.code}"
        browser.driver.find_element(By.ID, "sign-out").click()
        visitor.heading("Sign in")
        # What the server answers on purpose with 4xx, Chromium writes down as an error of the network.
        strange = [line for line in browser.complaints() if "Failed to load resource" not in line]
        assert not strange, f"the browser complains: {strange}"
        assert not complaints, "axe-core objects:\n" + "\n".join(complaints)
        log = server.log()
        for secret in [password, *(link.rsplit("/", 1)[1] for link in links.values())]:
            assert secret not in log and secret not in "".join(server.said), "a secret stands in a log"
        return {"pages": checked}
    finally:
        browser.quit()
        status = server.stop()
        if status not in (0, -15):
            raise AssertionError(f"tatou ended with status {status}")
