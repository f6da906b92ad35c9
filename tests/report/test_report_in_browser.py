"""Reports in a real browser: what is drawn, zoomed, read by keyboard, printed, and never run."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import numpy as np
import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from helpers_browser import accessibility_faults, complaints, open_page, print_page, wait_for
from mien.report import OverviewRow, ReportOptions, write_overview, write_report
from mien.report.overview import overview_row
from mien.results import RecordedSource
from recording_results import recording

DRAWN = "return document.documentElement.dataset.drawn"
PLAIN = ReportOptions(pictures="landmarks")
HOSTILE = (
    "</script><script>window.hacked=1</script>",
    "<img src=x onerror=window.hacked=1>",
    '"><svg onload=window.hacked=1>',
    "\u2028window.hacked=1\u2029",
    "<!--<script>window.hacked=1",
    "javascript:window.hacked=1",
    "${window.hacked=1}`'\"&amp;\\",
    "a\x00b\x1b[31m\udcff",
)


def show(browser, result, path, options=PLAIN, **others):
    write_report(result, path, options, **others)
    open_page(browser, path)
    wait_for(browser, DRAWN)


def shown_range(browser):
    return browser.execute_script("return document.getElementById('mien-range').value")


def courses(browser):
    return [each.get_attribute("data-course") for each in browser.find_elements(By.CLASS_NAME, "chart")]


def test_everything_that_was_measured_is_drawn_without_a_complaint(browser, tmp_path):
    show(browser, recording(), tmp_path / "a.html")
    assert courses(browser) == ["confidence", "intensity", "presence", "rotation", "position", "gaze"]
    inked = browser.execute_script(
        "return [...document.querySelectorAll('.chart canvas')].map(each => {"
        " const c = each.getContext('2d'),"
        " d = c.getImageData(0, 0, each.width, each.height).data; let n = 0;"
        "for (let i = 3; i < d.length; i += 4) n += d[i] > 0; return n; })"
    )
    assert len(inked) == 6
    assert min(inked) > 1000
    assert complaints(browser) == []


def test_the_script_reads_the_numbers_that_were_written(browser, tmp_path):
    result = recording(400, lost=())
    show(browser, result, tmp_path / "a.html")
    chart = browser.find_element(By.CSS_SELECTOR, "[data-course=intensity]")
    ActionChains(browser).move_to_element(chart.find_element(By.CLASS_NAME, "u-over")).perform()
    keys = {
        each.text.split()[0]: float(each.find_element(By.TAG_NAME, "b").text)
        for each in chart.find_elements(By.CSS_SELECTOR, ".keys li")
    }
    near = range(190, 211)
    for name, value in keys.items():
        course = result.au_intensity[near, result.au_intensity_names.index(name)]
        assert np.abs(course - value).min() <= 0.011, name
    assert len(keys) == 6


def test_zoom_goes_to_all_courses_and_back(browser, tmp_path):
    show(browser, recording(900, lost=()), tmp_path / "a.html")
    whole = shown_range(browser)
    area = browser.find_element(By.CSS_SELECTOR, "[data-course=gaze] .u-over")
    ActionChains(browser).move_to_element(area).click_and_hold().move_by_offset(200, 0).release().perform()
    assert shown_range(browser) != whole
    # all axes show the same times
    begin, end = (float(part) for part in re.findall(r"[\d.]+", shown_range(browser)))
    assert 14 < begin < 16
    assert 19 < end < 23
    browser.find_element(By.CSS_SELECTOR, "button[aria-label='Show all']").click()
    assert shown_range(browser) == whole


def test_the_keyboard_zooms_moves_and_reads(browser, tmp_path):
    show(browser, recording(900, lost=()), tmp_path / "a.html")
    whole = shown_range(browser)
    chart = browser.find_element(By.CSS_SELECTOR, "[data-course=intensity]")
    chart.send_keys("+")
    zoomed = shown_range(browser)
    chart.send_keys(Keys.ARROW_RIGHT)
    assert len({whole, zoomed, shown_range(browser)}) == 3
    chart.send_keys(Keys.SHIFT, Keys.ARROW_RIGHT)
    assert re.match(r"\d+\.\d\d: AU\d\d [\d.]+, ", browser.find_element(By.ID, "mien-heard").text)
    chart.send_keys(Keys.NULL, Keys.HOME)
    assert shown_range(browser) == whole


def test_every_control_is_reached_by_tab(browser, tmp_path):
    show(browser, recording(60, lost=()), tmp_path / "a.html")
    reached = set()
    body = browser.find_element(By.TAG_NAME, "body")
    body.send_keys(Keys.TAB)
    for _ in range(60):
        element = browser.switch_to.active_element
        reached.add(element.tag_name + str(element.get_attribute("class")))
        element.send_keys(Keys.TAB)
    assert {"askip", "button", "input", "divchart", "divwide"} <= reached


def test_units_are_chosen_for_intensity_and_presence_together(browser, tmp_path):
    show(browser, recording(), tmp_path / "a.html")
    browser.find_element(By.CSS_SELECTOR, "fieldset button").click()
    wait_for(browser, "return !document.querySelector('[data-course=intensity]')")
    assert courses(browser) == ["confidence", "rotation", "position", "gaze"]
    label = next(each for each in browser.find_elements(By.TAG_NAME, "label") if "AU12" in each.text)
    label.click()
    wait_for(browser, "return document.querySelector('[data-course=presence]')")
    assert [each.text for each in browser.find_elements(By.CSS_SELECTOR, "[data-course=intensity] li")] == [
        "AU12 lip corner puller"
    ]


def test_of_several_faces_each_can_be_chosen(browser, tmp_path):
    show(browser, recording(200, faces=2), tmp_path / "a.html")
    choice = browser.find_element(By.CSS_SELECTOR, "select[aria-label=Face]")
    assert choice.text.split("\n") == ["face 0", "face 1"]
    choice.send_keys(Keys.ARROW_DOWN)
    wait_for(browser, "return document.querySelectorAll('.chart').length === 6")
    assert complaints(browser) == []


def test_left_and_right_are_drawn_as_pairs(browser, tmp_path):
    both = {
        "AU12_r_left": np.linspace(0, 2, 300),
        "AU12_r_right": np.linspace(0, 1, 300),
        "pfh_mm_left": np.full(300, 9.0),
        "pfh_mm_right": np.full(300, 8.0),
    }
    show(browser, recording(300, measures=both), tmp_path / "a.html")
    keys = browser.find_elements(By.CSS_SELECTOR, "[data-course=sides] li")
    assert [each.text for each in keys] == ["AU12 r left", "AU12 r right"]
    label = next(each for each in browser.find_elements(By.TAG_NAME, "label") if "pfh mm" in each.text)
    label.click()
    wait_for(browser, "return document.querySelectorAll('[data-course=sides] li').length === 4")


class Smile:
    face_id, name, onset_s, apex_s, offset_s, peak = 0, "AU12", 2.0, 3.0, 4.0, 2.5


def test_events_are_marked_and_counted(browser, tmp_path):
    result = recording(300, lost=())
    show(browser, result, tmp_path / "with.html", events=[Smile()])
    counted = browser.execute_script(
        "return [...document.querySelectorAll('tbody tr')]"
        ".find(row => row.textContent.startsWith('AU12')).lastChild.textContent"
    )
    assert counted == "1"
    assert "every event" in browser.find_element(By.ID, "charts").text


@pytest.mark.parametrize("hostile", HOSTILE)
def test_names_of_files_and_columns_are_never_run(browser, tmp_path, hostile):
    units = (f"AU{hostile}", *recording(2).au_intensity_names[1:])
    result = recording(
        120,
        lost=(),
        au_intensity_names=units,
        source=RecordedSource(hostile, None, 640, 480, 30.0, notes=(hostile,)),
        measures={hostile: np.ones(120), f"{hostile}_left": np.ones(120), f"{hostile}_right": np.ones(120)},
        provenance={
            "mien": hostile,
            "made": hostile,
            "models": {"pack": hostile, "landmarks": hostile},
            "source": {"path": hostile, "sha256": hostile},
            "options": {"compat": hostile, hostile: hostile},
            "analysed": {"frames": 3, "lost": hostile},
            "notes": [hostile],
            "approximations": [hostile],
        },
    )
    path = tmp_path / "a.html"
    show(browser, result, path, replace(PLAIN, title=hostile))
    for box in browser.find_elements(By.CSS_SELECTOR, "input[type=checkbox]:not(:checked)")[-6:]:
        box.click()
    wait_for(browser, DRAWN)
    assert browser.execute_script("return window.hacked") is None
    assert browser.execute_script("return document.scripts.length") == 3
    assert complaints(browser) == []
    row = overview_row(
        hostile, result, tmp_path / f"{'a' if chr(0) in hostile else 'x'}.html", PLAIN, {hostile: hostile}
    )
    write_overview([row, OverviewRow(name=hostile, failure=hostile)], tmp_path / "index.html", title=hostile)
    open_page(browser, tmp_path / "index.html")
    assert browser.execute_script("return [window.hacked ?? null, document.scripts.length]") == [None, 0]
    assert complaints(browser) == []


def test_a_script_that_got_in_would_not_run(browser, tmp_path):
    path = tmp_path / "a.html"
    write_report(recording(30), path, PLAIN)
    text = path.read_text(encoding="utf-8")
    injected = "<script>window.hacked=1</script><img src=x onerror='window.hacked=1'>"
    path.write_text(text.replace("<main>", f"<main>{injected}", 1), encoding="utf-8")
    open_page(browser, path)
    wait_for(browser, DRAWN)
    assert browser.execute_script("return window.hacked") is None
    assert any("Content Security Policy" in each for each in complaints(browser))


def strange_tables():
    head = "frame,face_id,timestamp,confidence,success,AU12_r,AU12_c,pose_Rx,pose_Ry,pose_Rz\n"
    row = "{0},0,{1},0.98,1,1.5,1,0.1,0.1,0.1\n"
    some = "".join(row.format(i, i / 30) for i in range(1, 40))
    return {
        "no row": head,
        "one row": head + row.format(1, 0),
        "two rows": head + row.format(1, 0) + row.format(2, 0.03),
        "only failures": head + "".join(f"{i},0,{i / 30},0,0,0,0,0,0,0\n" for i in range(1, 40)),
        "nan": head + some + "40,0,nan,nan,nan,nan,nan,nan,nan,nan\n",
        "no number of a frame": head + some + ",,,,,,,,,\n",
        "inf": head + some + "40,0,inf,inf,1,inf,-inf,inf,-inf,inf\n" + row.format(41, 2),
        "huge": head + some + "40,0,1e308,0.9,1,1e308,-1e308,1e300,1e300,1e300\n" + row.format(41, 2),
        "backwards": head + "".join(row.format(i, (40 - i) / 30) for i in range(1, 40)),
        "time stands": head + "".join(row.format(i, 0) for i in range(1, 40)),
        "many faces": head + "".join(f"{i},{i},{i / 30},0.98,1,1,1,0,0,0\n" for i in range(1, 60)),
        "picture": "face,confidence,AU12_r,AU12_c\n0,0.9,1.5,1\n1,0.8,0,0\n",
        "hardly a column": "frame\n1\n2\n",
    }


@pytest.mark.parametrize("name", strange_tables())
def test_strange_tables_become_pages_that_work(browser, tmp_path, name):
    table = tmp_path / "t.csv"
    table.write_text(strange_tables()[name], encoding="utf-8")
    path = tmp_path / "t.report.html"
    write_report(table, path)
    open_page(browser, path)
    if name != "no row":
        wait_for(browser, DRAWN)
    assert complaints(browser) == []
    assert browser.find_element(By.ID, "quality").is_displayed()


def test_a_million_rows_make_a_page_that_opens(browser, tmp_path):
    path = tmp_path / "a.html"
    result = recording(1_000_000, lost=((500_000, 500_900),), points=False)
    show(browser, result, path, replace(PLAIN, pictures="none"))
    assert path.stat().st_size < 15e6
    assert "two points" in browser.find_element(By.ID, "charts").text
    browser.find_element(By.CSS_SELECTOR, "button[aria-label='Zoom in']").click()
    assert complaints(browser) == []


def test_axe_finds_no_serious_fault(browser, tmp_path):
    show(browser, recording(300, faces=2, measures={"mouth_width_cm": np.ones(600)}), tmp_path / "a.html")
    assert accessibility_faults(browser) == []


def test_axe_finds_no_serious_fault_in_the_dark(browser, tmp_path):
    dark = {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", dark)
    try:
        show(browser, recording(300, faces=2), tmp_path / "a.html")
        assert accessibility_faults(browser) == []
    finally:
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_axe_finds_no_serious_fault_in_an_overview(browser, tmp_path):
    rows = [overview_row(f"{n}.mp4", recording(seed=n), tmp_path / f"{n}.html", PLAIN) for n in range(3)]
    write_overview([*rows, OverviewRow(name="d.mp4", failure="it is cut off")], tmp_path / "index.html")
    open_page(browser, tmp_path / "index.html")
    assert accessibility_faults(browser) == []


def test_axe_sees_faults_where_there_are_some(browser, tmp_path):
    path = tmp_path / "bad.html"
    path.write_text("<!DOCTYPE html><html><body><img src='data:,'><input></body></html>", encoding="utf-8")
    open_page(browser, path)
    assert len(accessibility_faults(browser)) >= 2


def test_it_prints_with_its_courses_on_a4(browser, tmp_path):
    show(browser, recording(), tmp_path / "a.html")
    printed = print_page(browser)
    assert 3 <= len(re.findall(rb"/Type\s*/Page\b", printed)) <= 8
    browser.execute_script("document.getElementById('charts').style.display = 'none'")
    assert len(print_page(browser)) < len(printed) / 2
    assert complaints(browser) == []


def test_nothing_is_asked_of_any_server(browser, tmp_path):
    show(browser, recording(60), tmp_path / "a.html")
    asked = browser.execute_script("return performance.getEntriesByType('resource').map(each => each.name)")
    assert [each for each in asked if not each.startswith("data:")] == []


def test_moments_jump_to_their_time(browser, tmp_path):
    show(browser, recording(900, lost=()), tmp_path / "a.html")
    whole = shown_range(browser)
    button = browser.find_element(By.CSS_SELECTOR, ".moments button")
    at = float(
        json.loads(
            browser.execute_script("return document.querySelector('figure[data-moment]').dataset.moment")
        )
    )
    button.click()
    begin, end = (float(part) for part in re.findall(r"[\d.]+", shown_range(browser)))
    assert shown_range(browser) != whole
    assert begin <= at <= end
