"""Signs in to the console through a real OpenID Connect provider on this machine, in Chromium; and tries what must not work.

The provider is Authlib's, inside PyPI's oidc-provider-mock; see openid_provider.py.
"""

import http.client
import json
import pathlib
import re
import shutil
import subprocess
import tempfile
import urllib.parse
import urllib.request

from selenium.webdriver.common.by import By

from lib import accessibility, virtual_environment, waiting

MOCK = "oidc-provider-mock==0.3.4"
USERS = {
    "bea-1": {"preferred_username": "bea", "groups": ["soc"]},
    # Called like an account that is there already, and with a name that must not render.
    "ana-1": {"preferred_username": "ana", "groups": ["staff", "admins"]},
    "eve-1": {"preferred_username": "<img src=x onerror=alert(1)>", "groups": ["staff"]},
    "zoe-1": {"preferred_username": "zoe", "groups": ["cooks"]},
}
PATIENCE = 120


class Provider:
    def __init__(self, root, folder):
        self.python, self.folder, self.port = virtual_environment.folder("openid", MOCK) / "bin/python", folder, waiting.free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.program = root / "script/lib/openid_provider.py"
        (folder / "users.json").write_text(json.dumps(USERS))
        self.start()

    def start(self):
        with open(self.folder / "provider.log", "a") as log:
            self.process = subprocess.Popen(
                [str(self.python), str(self.program), str(self.port), str(self.folder / "users.json")], stdout=log, stderr=log)
        waiting.wait_for_port(self.port, self.process, "the provider", PATIENCE)

    def post(self, path, body=None):
        data = json.dumps(body).encode() if body else b""
        request = urllib.request.Request(self.address + path, data=data, headers={"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return json.loads(answer.read() or b"null")

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=PATIENCE)


class Client:
    """A browser of a few lines, for what a real one would not do: it follows nothing by itself."""

    def __init__(self):
        self.cookies = {}

    def get(self, address, body=None):
        parts = urllib.parse.urlsplit(address)
        connection = http.client.HTTPConnection(parts.netloc, timeout=PATIENCE)
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request("GET" if body is None else "POST", f"{parts.path}?{parts.query}", body, headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        for cookie in answer.headers.get_all("Set-Cookie") or []:
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        return answer.status, answer.headers.get("Location"), text

    def to_return(self, console, subject):
        """Goes to the provider, signs in there, and says where that sends a browser."""
        status, there, _ = self.get(console + "/sign-in/provider")
        assert status == 303, f"the button leads to the provider, not to {status}"
        return self.get(there, urllib.parse.urlencode({"sub": subject}))[1]


class Console:
    def __init__(self, vigie, root, folder, provider):
        self.vigie, self.folder, self.port = vigie, folder, waiting.free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        registered = provider.post("/oauth2/clients", {"redirect_uris": [self.address + "/sign-in/provider/return"]})
        secret = folder / "client.secret"
        secret.write_text(registered["client_secret"] + "\n")
        secret.chmod(0o600)
        self.secret = registered["client_secret"]
        self.configuration = folder / "vigie.yml"
        self.configuration.write_text(
            f"listen: 127.0.0.1:{self.port}\ndata: {folder}/data\nrules: {folder}/rules\nconsole:\n  openid:\n"
            f"    issuer: {provider.address}\n    name: Example\n    client_id: {registered['client_id']}\n"
            f"    client_secret_file: {secret}\n    scopes: [openid, profile]\n"
            "    roles: {viewer: [staff], responder: [soc], admin: [admins]}\n")
        # Signing in needs no rules, and without them the start takes no time.
        (folder / "rules").mkdir()
        self.log = folder / "serve.log"
        self.process = subprocess.Popen(
            [vigie, "serve", "--config", str(self.configuration), str(root / "samples/sshd.log")], stderr=self.log.open("w"), cwd=folder)
        waiting.wait_for_port(self.port, self.process, "vigie serve", PATIENCE)

    def run(self, *arguments):
        return subprocess.run([self.vigie, *arguments], capture_output=True, text=True)

    def accounts(self):
        listed = self.run("user", "list", "--json", "--data", str(self.folder / "data")).stdout
        return {account["name"]: account for account in map(json.loads, listed.splitlines())}

    def stop(self):
        self.process.terminate()
        return self.process.wait(timeout=PATIENCE)


def run(vigie, root, make_browser, pictures=None):
    """The trial. Returns how many pages axe looked at; raises where something is not as it should be."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="vigie-openid-"))
    provider = console = None
    try:
        provider = Provider(root, folder)
        console = Console(vigie, root, folder, provider)
        password = first_account(console)
        check = console.run("check", "provider", "--config", str(console.configuration))
        assert check.returncode == 0 and "returns" in check.stdout, check.stdout + check.stderr
        for dark in (False, True):
            in_browser(console, make_browser(1280, 900, dark), pictures, "dark" if dark else "light")
        without_javascript(console, make_browser(1280, 900, False, javascript=False))
        names = console.accounts()
        assert names["bea"]["role"] == "responder" and len(names) == 2, f"one account for one person: {sorted(names)}"
        must_not_work(console, provider)
        count = barriers(console, make_browser)
        provider_down(console, provider, make_browser, password, pictures)
        # Before its files are read: a running server moves some of them.
        assert console.stop() == 0, "the server ends well"
        everything = console.log.read_text() + "".join(
            path.read_text(errors="replace") for path in (folder / "data").rglob("*") if path.is_file())
        assert console.secret not in everything, "the client's secret is in no log and no file of the server"
        return count
    finally:
        for process in (console, provider):
            if process and process.process.poll() is None:
                process.stop()
        shutil.rmtree(folder, ignore_errors=True)


def first_account(console):
    """A local admin: the way in that needs no provider."""
    made = console.run("user", "add", "ana", "--role", "admin", "--data", str(console.folder / "data"))
    client, password = Client(), "correct horse battery staple"
    link = console.address + re.search(r"/invitation\?token=\w+", made.stdout).group()
    token = re.search(r'name="csrf" value="(\w+)"', client.get(link)[2]).group(1)
    fields = {"csrf": token, "token": link.partition("=")[2], "password": password, "password_again": password}
    status, _, text = client.get(console.address + "/invitation", urllib.parse.urlencode(fields))
    assert status == 200 and "The password is set" in text, f"{status}: {text}"
    return password


def press(browser, console):
    browser.driver.get(console.address + "/incidents")
    browser.driver.find_element(By.LINK_TEXT, "Sign in with Example").click()
    browser.until(lambda: browser.driver.find_elements(By.NAME, "sub"), "the button leads to the provider")


def authorize(browser, console, subject):
    press(browser, console)
    browser.driver.find_element(By.CSS_SELECTOR, f"form[aria-labelledby='heading-auth-predefined'] button[value='{subject}']").click()


def in_browser(console, browser, pictures, suffix):
    driver = browser.driver
    try:
        if pictures:
            driver.get(console.address + "/sign-in")
            browser.picture(pictures / f"sign-in-{suffix}.png", whole=False)
        authorize(browser, console, "bea-1")
        browser.until(lambda: driver.current_url == console.address + "/incidents", "the way back ends where one wanted to go")
        assert "bea" in driver.find_element(By.CSS_SELECTOR, "header").text, "and one is signed in"
        session = driver.get_cookie("vigie")
        assert session["sameSite"] == "Strict" and session["httpOnly"], session
        assert driver.get_cookie("vigie-provider") is None, "what the way needed is gone"
        driver.get(console.address + "/account")
        assert "You sign in with Example" in driver.page_source
        if pictures:
            browser.picture(pictures / f"account-provider-{suffix}.png")
        driver.find_element(By.CSS_SELECTOR, "form[action='/sign-out'] button").click()
        browser.until(lambda: "left=provider" in driver.current_url, "signing out says what it did not do")
        driver.find_element(By.LINK_TEXT, "Sign out there, too").click()
        browser.until(lambda: not driver.current_url.startswith(console.address), "and leads to the provider")
        # Zoe has no group that counts.
        authorize(browser, console, "zoe-1")
        browser.until(lambda: "You have no role here" in driver.page_source, "who has no role is told so")
        if pictures:
            browser.picture(pictures / f"no-role-{suffix}.png", whole=False)
        assert driver.get_cookie("vigie") is None
        press(browser, console)
        driver.find_element(By.CSS_SELECTOR, "button[value='deny']").click()
        browser.until(lambda: "/sign-in/provider/return" in driver.current_url, "who declines comes back")
        assert driver.get_cookie("vigie") is None and "Sign in again" in driver.page_source, driver.page_source
        # The provider's own pages want a style sheet from elsewhere; refusals of ours are answers with status 400 and 403.
        complaints = [line for line in browser.complaints() if console.address in line and "status of 4" not in line]
        assert not complaints, f"the browser complains: {complaints[:3]}"
    finally:
        browser.quit()


def without_javascript(console, browser):
    try:
        authorize(browser, console, "bea-1")
        browser.until(lambda: browser.driver.current_url == console.address + "/incidents", "it works without JavaScript")
        assert "bea" in browser.driver.find_element(By.CSS_SELECTOR, "header").text
    finally:
        browser.quit()


def must_not_work(console, provider):
    """Replays, foreign browsers, changed keys, changed answers."""
    client = Client()
    back = client.to_return(console.address, "eve-1")
    stranger = Client().get(back)
    assert stranger[0] == 400 and "not expected" in stranger[2], "an answer in another browser"
    kept = dict(client.cookies)
    status, location, text = client.get(back)
    assert status == 200 and location is None and client.cookies["vigie"], f"{status}: {text}"
    assert "onerror" not in client.get(console.address + "/account")[2], "no claim renders"
    client.cookies = kept
    assert client.get(back)[0] == 400, "the same answer again"
    # The code again, in a browser that waits for one: the provider knows it was used.
    other = Client()
    fresh = other.to_return(console.address, "eve-1")
    code = urllib.parse.parse_qs(urllib.parse.urlsplit(back).query)["code"][0]
    replayed = re.sub(r"code=[^&]*", "code=" + urllib.parse.quote(code), fresh)
    status, _, text = other.get(replayed)
    assert status == 403 and "does not take the code" in text and "vigie" not in other.cookies, f"{status}: {text}"
    # A code of somebody else, taken from their address bar: its challenge is not ours (PKCE).
    thief, victim = Client(), Client()
    stolen = urllib.parse.parse_qs(urllib.parse.urlsplit(victim.to_return(console.address, "ana-1")).query)["code"][0]
    injected = re.sub(r"code=[^&]*", "code=" + urllib.parse.quote(stolen), thief.to_return(console.address, "eve-1"))
    status, _, text = thief.get(injected)
    assert status == 403 and "vigie" not in thief.cookies, f"{status}: {text}"
    # Another issuer in the answer.
    mixed = Client()
    status, _, text = mixed.get(mixed.to_return(console.address, "eve-1") + "&iss=https%3A%2F%2Fevil.example")
    assert status == 502 and "not of this provider" in text, f"{status}: {text}"
    # The provider changes its key: the next sign-in finds the new one, ten seconds after the last look at the latest.
    provider.post("/rotate")

    def signs_in():
        client = Client()
        return client.get(client.to_return(console.address, "ana-1"))[0] == 200

    waiting.eventually("a sign-in with the provider's new key", PATIENCE, signs_in, pause=3)
    accounts = console.accounts()
    assert accounts["ana"]["role"] == accounts["ana-2"]["role"] == "admin", "a name joins no accounts"


def barriers(console, make_browser):
    count = 0
    for dark in (False, True):
        browser = make_browser(1280, 900, dark)
        try:
            doors = ["/sign-in", "/sign-in?left=provider", "/sign-in/provider/return"]
            found = accessibility.check_doors(browser, console.address, doors)
            authorize(browser, console, "bea-1")
            browser.until(lambda: browser.driver.current_url == console.address + "/incidents", "the way back")
            found += accessibility.check_doors(browser, console.address, ["/account"])
            assert not found, "axe-core objects:\n" + "\n".join(dict.fromkeys(found))
            count += len(doors) + 1
        finally:
            browser.quit()
    return count


def provider_down(console, provider, make_browser, password, pictures):
    client = Client()
    back = client.to_return(console.address, "bea-1")
    provider.stop()
    status, _, text = client.get(back)
    assert status == 502 and "cannot be asked" in text and "vigie" not in client.cookies, f"{status}: {text}"
    check = console.run("check", "provider", "--config", str(console.configuration))
    assert check.returncode == 1 and "refuses the connection" in check.stdout + check.stderr, check.stdout + check.stderr
    browser = make_browser(1280, 900, False)
    try:
        browser.driver.get(console.address + "/sign-in")
        browser.fill(name="ana", password=password)
        browser.until(lambda: browser.driver.current_url.endswith("/incidents"), "passwords work without the provider")
        if pictures:
            browser.driver.get(console.address + "/accounts")
            browser.picture(pictures / "accounts-provider-light.png")
    finally:
        browser.quit()
