"""Runs axe-core (from PyPI's axe-playwright-python, which carries it) on every page of the console, in a browser that selenium drives."""

from lib import virtual_environment

AXE = "axe-playwright-python==0.1.8"
# WCAG 2.2 AA, and what axe holds for good practice.
PATIENCE = 300
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def source():
    """The text of axe-core."""
    folder = virtual_environment.folder("axe", AXE, options=["--no-deps"])
    return next(folder.glob("lib/python*/site-packages/axe_playwright_python/axe.min.js")).read_text()


def violations(driver, axe, place):
    """What axe has against the page that is open: one text for each rule and element."""
    driver.set_script_timeout(PATIENCE)
    driver.execute_script(axe)
    found = driver.execute_async_script(
        "const done = arguments[arguments.length - 1];"
        "axe.run(document, {runOnly: {type: 'tag', values: arguments[0]}, resultTypes: ['violations']})"
        ".then(result => done(result.violations), error => done([{id: 'axe', help: String(error), nodes: []}]))", TAGS)
    return [f"{place}: {rule['id']}: {rule['help']}: {' '.join(map(str, node['target'])) if node else ''}"
            for rule in found for node in rule["nodes"] or [None]]


def links(driver, prefix):
    """Paths of links on the page that begin so."""
    found = driver.execute_script(
        "return [...document.querySelectorAll('main a[href]')].map(link => new URL(link.href)).filter("
        "url => url.origin === location.origin && url.pathname.startsWith(arguments[0])).map(url => url.pathname)", prefix)
    return list(dict.fromkeys(found))


def pages(driver, address):
    """Paths of one page of each kind; those with an id are found as a person finds them."""
    yield from ["/incidents", "/incidents?q=nothing-is-called-so", "/views", "/on-call", "/metrics", "/sources", "/rules", "/hunts", "/leases",
                "/leases/new", "/silences", "/silences/new?kind=exception&address=192.0.2.7", "/journal", "/accounts", "/account", "/account/second-factor", "/nowhere"]
    for start, prefix in (("/incidents", "/incidents/SEC-"), ("/journal", "/journal/"), ("/hunts", "/hunts/"), ("/silences", "/silences/S-")):
        driver.get(address + start)
        for path in links(driver, prefix)[:1]:
            yield path
            driver.get(address + path)
            yield from links(driver, "/evidence/")[:1]


def check(browser, address):
    """All violations on the pages for somebody who is signed in, with what can be opened open; and how many pages."""
    axe = source()
    found, count = [], 0
    for path in pages(browser.driver, address):
        browser.driver.get(address + path)
        browser.driver.execute_script(
            # Of hundreds that are alike, a few: axe takes minutes on all the texts of all rules.
            "[...document.querySelectorAll('details')].slice(0, 8).forEach(element => { element.open = true })")
        found += violations(browser.driver, axe, path)
        count += 1
    return found, count


def sees_a_barrier(browser, address):
    """Whether axe finds what is planted for it: without that, finding nothing would mean nothing."""
    browser.driver.get(address)
    browser.driver.execute_script("document.querySelector('main').append(document.createElement('img'))")
    return any(": image-alt:" in line for line in violations(browser.driver, source(), "planted"))


def check_doors(browser, address, paths):
    """The same for pages without a sign-in."""
    axe = source()
    found = []
    for path in paths:
        browser.driver.get(address + path)
        found += violations(browser.driver, axe, path)
    return found
