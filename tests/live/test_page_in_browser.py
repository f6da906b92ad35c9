"""The live page in a real browser: drawn, moving, obeyed, and honest about its state."""

from __future__ import annotations

import time

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from shown_results import page

from helpers_browser import accessibility_faults, complaints, open_browser, wait_for

DRAWN = "return Number(document.getElementById('picture').dataset.number) > 3"
STATE = "return document.getElementById('state-words').textContent"


@pytest.fixture(scope="module")
def browser():
    with open_browser(1280, 800) as driver:
        yield driver


@pytest.fixture
def shown(tmp_path):
    with page(tmp_path) as (made, feed):
        made.feed = feed
        yield made


def show(browser, shown):
    browser.get_log("browser")
    browser.get(shown.address)
    wait_for(browser, DRAWN)


def wait_for_state(browser, words):
    wait_for(browser, f"return document.getElementById('state-words').textContent.includes({words!r})")


def press(browser, identity):
    wait_for(browser, f"return !document.getElementById('{identity}').disabled")
    browser.find_element(By.ID, identity).click()


def text(browser, identity):
    return browser.execute_script(f"return document.getElementById('{identity}').textContent")


CORNER = (
    "const c = document.getElementById('picture');"
    "return c.getContext('2d').getImageData(c.width - 2, c.height - 2, 1, 1).data[0]"
)
"""Level of the picture's lower right corner."""
COLOURFUL = (
    "const c = document.getElementById('picture'),"
    " d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data; let n = 0;"
    "for (let i = 0; i < d.length; i += 4) n += Math.abs(d[i] - d[i + 2]) > 40; return n"
)
"""Pixels of lines: the picture itself is grey."""


def wait_until(browser, script, fulfilled):
    deadline = time.monotonic() + 60
    while not fulfilled(browser.execute_script(script)):
        assert time.monotonic() < deadline, script
        time.sleep(0.05)


def leave_out_lines(browser):
    for each in ("landmarks", "head", "gaze"):
        browser.find_element(By.ID, f"show-{each}").send_keys(Keys.SPACE)


def test_the_picture_is_drawn_and_numbers_bars_and_courses_move(browser, shown):
    show(browser, shown)
    assert browser.execute_script(STATE) == "running"
    assert browser.title == "clip.mp4 · mien live"
    wait_for(browser, "return document.getElementById('drawn').textContent.endsWith(' ms')")
    assert text(browser, "fps") == "30"
    assert text(browser, "latency") == "4 ms"
    assert text(browser, "viewers") == "1 viewer"
    bars = "return [...document.querySelectorAll('.bar i')].map(each => each.style.transform).join()"
    numbers = "return [...document.querySelectorAll('td.number, dd')].map(each => each.textContent).join()"
    for script in (bars, numbers, CORNER):
        before = browser.execute_script(script)
        wait_until(browser, script, lambda now, before=before: now != before)
    inked = browser.execute_script(
        "return [...document.querySelectorAll('.chart canvas')].map(each => {"
        " const d = each.getContext('2d').getImageData(0, 0, each.width, each.height).data; let n = 0;"
        " for (let i = 3; i < d.length; i += 4) n += d[i] > 0; return n; })"
    )
    assert len(inked) == 3
    assert min(inked) > 500
    # this test reads pictures back, which the browser finds slow
    assert [each for each in complaints(browser) if "willReadFrequently" not in each] == []
    assert accessibility_faults(browser) == []


def test_landmarks_are_drawn_by_the_page_and_can_be_left_out(browser, shown):
    show(browser, shown)
    wait_until(browser, COLOURFUL, lambda count: count > 100)
    leave_out_lines(browser)
    wait_until(browser, COLOURFUL, lambda count: count == 0)


def test_stop_and_start_by_keyboard(browser, shown):
    show(browser, shown)
    browser.find_element(By.ID, "stop").send_keys(Keys.ENTER)
    wait_for_state(browser, "paused")
    assert shown.feed.tap.paused
    assert "paused" in browser.find_element(By.ID, "veil").text
    assert text(browser, "start") == "Go on"
    wait_for(browser, "return !document.getElementById('start').disabled")
    browser.find_element(By.ID, "start").send_keys(Keys.SPACE)
    wait_for_state(browser, "running")
    assert not shown.feed.tap.paused


def test_record_and_save_leave_files_that_can_be_downloaded(browser, shown, tmp_path):
    show(browser, shown)
    got = tmp_path / "downloads"
    got.mkdir()
    browser.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(got)})
    press(browser, "record")
    wait_for(
        browser, "return /recording into .*jsonl: [1-9]/.test(document.getElementById('kept').textContent)"
    )
    assert browser.find_element(By.ID, "record").get_attribute("aria-pressed") == "true"
    press(browser, "record")
    press(browser, "save")
    wait_for(browser, "return document.querySelectorAll('#files button').length === 3")
    for button in browser.find_elements(By.CSS_SELECTOR, "#files button"):
        button.click()
    files = {path.name for path in tmp_path.iterdir() if path.is_file()}
    assert sorted(name.split(".", 1)[1] for name in files) == ["csv", "jsonl", "provenance.json"]
    deadline = time.monotonic() + 30
    while {path.name for path in got.iterdir()} != files and time.monotonic() < deadline:
        time.sleep(0.05)
    assert all((got / name).read_bytes() == (tmp_path / name).read_bytes() for name in files)
    assert complaints(browser) == []


def test_no_face_is_said_and_so_is_the_end(browser, shown):
    show(browser, shown)
    shown.feed.success = False
    wait_for_state(browser, "no face in the picture")
    shown.feed.success = True
    wait_for(browser, STATE + " === 'running'")
    shown.feed.tap.paused = True
    shown.controls.ended()
    wait_for_state(browser, "the video has ended")
    assert text(browser, "start") == "Play again"
    shown.controls.ended("<b>unplugged</b>", failed=True)
    wait_for_state(browser, "stopped: <b>unplugged</b>")


def test_the_end_of_the_server_is_said_and_its_return_is_noticed(browser, tmp_path):
    with page(tmp_path) as (shown, _):
        port = shown._page.port
        show(browser, shown)
    wait_for_state(browser, "mien has ended")
    assert browser.find_element(By.ID, "stop").get_property("disabled")
    with page(tmp_path, port=port) as (shown, _):
        wait_for(browser, STATE + " === 'running'")
        wait_for(browser, DRAWN)


def test_a_lost_connection_is_said_and_made_again(browser, shown):
    show(browser, shown)
    before = browser.execute_script("return Number(document.getElementById('picture').dataset.number)")
    browser.execute_script(
        "window.words = []; new MutationObserver(() => words.push("
        "document.getElementById('state-words').textContent)).observe(document.getElementById('state'),"
        "{childList: true, subtree: true, characterData: true})"
    )
    for connection in shown._page._open():
        connection.socket.shutdown(2)
    wait_for(browser, "return window.words.some(each => each.includes('connection lost'))")
    wait_for(browser, f"return Number(document.getElementById('picture').dataset.number) > {before + 5}")
    wait_for(browser, STATE + " === 'running'")


def test_a_hostile_name_is_text_and_nothing_else(browser, tmp_path):
    name = "<img src=x onerror=window.hacked=1></title><script>window.hacked=1</script>\u2028.mp4"
    with page(tmp_path, name=name) as (shown, feed):
        show(browser, shown)
        assert text(browser, "name") == name
        press(browser, "record")
        wait_for(
            browser, "return /recording into .*: [1-9]/.test(document.getElementById('kept').textContent)"
        )
        feed.tap.paused = True
        shown.controls.ended(name, failed=True)
        wait_for_state(browser, "stopped")
        assert browser.execute_script("return window.hacked") is None
        assert browser.execute_script("return document.querySelectorAll('img').length") == 0
        assert complaints(browser) == []


def test_the_token_is_needed_and_enough(browser, tmp_path):
    with page(tmp_path, token=True) as (shown, _):
        browser.get(shown.address.partition("?")[0])
        assert "its token is missing" in browser.find_element(By.TAG_NAME, "body").text
        show(browser, shown)
        assert browser.execute_script(STATE) == "running"


def test_another_site_can_neither_connect_nor_frame_nor_read(browser, shown, tmp_path):
    # a page of this machine, but of another port; what its own policy would refuse is asked for without it
    browser.execute_cdp_cmd("Page.setBypassCSP", {"enabled": True})
    try:
        with page(tmp_path) as (other, _):
            show(browser, other)
            outcome = browser.execute_async_script(
                "const done = arguments[1], address = arguments[0], socket = new WebSocket("
                "address.replace('http', 'ws') + '/live');"
                "socket.onopen = () => done('opened'); socket.onerror = () =>"
                " fetch(address).then(() => done('read'), () => done('refused'));",
                shown.address,
            )
            assert outcome == "refused"
    finally:
        browser.execute_cdp_cmd("Page.setBypassCSP", {"enabled": False})


def test_nothing_of_a_picture_reaches_an_anonymous_page(browser, tmp_path):
    with page(tmp_path, anonymous="black") as (shown, _):
        show(browser, shown)
        leave_out_lines(browser)
        wait_until(browser, COLOURFUL, lambda count: count == 0)
        assert browser.execute_script(CORNER) == 0
        assert "nothing of the picture is sent" in text(browser, "models")


@pytest.mark.parametrize("width", [390, 820])
def test_on_narrow_screens_all_is_in_reach(browser, shown, width):
    size = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        show(browser, shown)
        assert browser.execute_script("return document.documentElement.scrollWidth") <= width
        assert accessibility_faults(browser) == []
        cut = browser.execute_script(
            "return [...document.querySelectorAll('button, dd, th')].filter(each => each.clientWidth"
            " && each.scrollWidth > each.clientWidth + 1).map(each => each.textContent)"
        )
        assert cut == []
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_in_the_dark_it_is_as_accessible(browser, shown):
    dark = {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", dark)
    try:
        show(browser, shown)
        assert accessibility_faults(browser) == []
    finally:
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_every_control_is_reached_by_tab(browser, shown):
    show(browser, shown)
    wait_for(browser, "return !document.getElementById('save').disabled")
    reached = set()
    browser.find_element(By.TAG_NAME, "body").send_keys(Keys.TAB)
    for _ in range(40):
        element = browser.switch_to.active_element
        reached.add(element.get_attribute("id") or element.get_attribute("aria-label") or element.text)
        element.send_keys(Keys.TAB)
    assert {"stop", "record", "save", "show-landmarks", "mirrored", "AU12 in the time course"} <= reached
