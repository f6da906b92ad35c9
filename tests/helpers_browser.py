"""A real browser for tests of pages: Debian's chromium and its driver, where they are installed."""

from __future__ import annotations

import base64
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.support.ui import WebDriverWait

# axe-core 4.14.1, Mozilla Public License 2.0, unchanged from its npm package.
AXE = Path(__file__).parent / "data" / "axe" / "axe.min.js"
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_QUIET = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)
SERIOUS = ("serious", "critical")


@contextmanager
def open_browser(width: int = 1200, height: int = 900) -> Iterator[webdriver.Chrome]:
    """A browser with an empty profile; skips the test where there is none."""
    browser = next(filter(None, map(shutil.which, _BROWSERS)), None)
    service = shutil.which("chromedriver")
    if browser is None or service is None:
        pytest.skip("needs chromium and chromedriver (Debian: apt install chromium chromium-driver)")
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        for argument in (*_QUIET, f"--window-size={width},{height}", f"--user-data-dir={profile}"):
            options.add_argument(argument)
        driver = webdriver.Chrome(options=options, service=Service(service))
        try:
            driver.set_page_load_timeout(60)
            driver.set_script_timeout(60)
            yield driver
        finally:
            driver.quit()


def open_page(driver: webdriver.Chrome, path: Path) -> None:
    """Show a file, without what the browser logged before."""
    driver.get_log("browser")
    driver.get(path.resolve().as_uri())


def wait_for(driver: webdriver.Chrome, script: str, seconds: float = 30):
    """Wait until a script returns something true, and give that."""
    return WebDriverWait(driver, seconds, poll_frequency=0.05).until(
        lambda browser: browser.execute_script(script)
    )


def complaints(driver: webdriver.Chrome) -> list[str]:
    """Errors and warnings of the page since it was opened: scripts that failed, what a policy refused."""
    return [
        entry["message"] for entry in driver.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")
    ]


def accessibility_faults(driver: webdriver.Chrome) -> list[str]:
    """What axe-core calls serious or critical, with where it is."""
    # evaluated by the driver, so that the page's own policy may forbid every other script
    driver.execute_script(AXE.read_text(encoding="utf-8"))
    found = driver.execute_async_script(
        "const done = arguments[0]; axe.run(document).then(found => done(found.violations.map("
        "each => [each.impact, each.id, each.nodes.map(node => node.html.slice(0, 200))])),"
        "error => done([['critical', String(error), []]]));"
    )
    return [f"{identity}: {nodes}" for impact, identity, nodes in found if impact in SERIOUS]


def print_page(driver: webdriver.Chrome) -> bytes:
    """The page as a PDF on A4."""
    paper = {"paperWidth": 8.27, "paperHeight": 11.69, "printBackground": False}
    return base64.b64decode(driver.execute_cdp_cmd("Page.printToPDF", paper)["data"])
