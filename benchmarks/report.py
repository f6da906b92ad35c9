"""How large a report is, how fast it opens, and whether it zooms without stutter, in a real browser.

    python benchmarks/report.py [ROWS]

Needs chromium, chromedriver and the development requirements. docs/report.md has the figures.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from helpers_browser import open_browser, open_page, wait_for
from machine import machine_block
from mien.report import ReportOptions, write_report
from recording_results import recording

ZOOM = """
const done = arguments[0], chart = document.querySelector('[data-course=intensity]');
const keys = [];
for (const [key, count] of [['+', 5], ['ArrowRight', 30], ['ArrowLeft', 30], ['-', 5]])
  keys.push(...Array(count).fill(key));
const work = [], frames = [];
(async () => {
  chart.scrollIntoView({block: 'center'});
  await new Promise(resolve => setTimeout(resolve, 500));
  let before = await new Promise(requestAnimationFrame);
  for (const key of keys) {
    const begin = performance.now();
    chart.dispatchEvent(new KeyboardEvent('keydown', {key, bubbles: true}));
    await new Promise(resolve => queueMicrotask(resolve));
    work.push(performance.now() - begin);
    const now = await new Promise(requestAnimationFrame);
    frames.push(now - before);
    before = now;
  }
  done([work, frames]);
})();
"""
PAINT = "const p = performance.getEntriesByName('first-contentful-paint')[0]; return p ? p.startTime : 0"
DRAWN = "return document.documentElement.dataset.drawn"


def opened(driver, path: Path) -> tuple[float, float]:
    """Times to the first paint and to all courses drawn, ms."""
    open_page(driver, path)
    drawn = float(wait_for(driver, DRAWN))
    return float(wait_for(driver, PAINT)), drawn


def processor_ms(driver) -> float:
    """Processor time of the browser, all of its processes, ms; 0 where the system does not say (no /proc)."""
    total, ticks = 0, os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100
    family = {driver.service.process.pid}
    for _ in range(6):
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError, ValueError, IndexError):
                if int(stat.read_text().rpartition(")")[2].split()[1]) in family:
                    family.add(int(stat.parent.name))
    for process in family:
        with suppress(OSError, IndexError):
            fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
            total += int(fields[11]) + int(fields[12])
    return 1000 * total / ticks


def zoomed(driver) -> str:
    """Milliseconds of a step of the zoom: computing and drawing, and from picture to picture."""
    before = processor_ms(driver)
    work, frames = driver.execute_async_script(ZOOM)
    parts = [f"processor time of a step {(processor_ms(driver) - before) / len(work):.0f}"]
    for name, values in (("drawing", work), ("picture to picture", frames)):
        ordered = sorted(values)
        parts.append(
            f"{name} {statistics.median(values):.0f} (95 % {ordered[int(0.95 * len(ordered))]:.0f}, "
            f"worst {ordered[-1]:.0f})"
        )
    return ", ".join(parts)


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 54_000
    print(machine_block())
    lost = tuple((begin, begin + 40) for begin in range(500, rows, 2_000))
    result = recording(rows, lost=lost, points=False)
    with tempfile.TemporaryDirectory() as folder, open_browser() as driver:
        path = Path(folder) / "a.html"
        begin = time.perf_counter()
        write_report(result, path, ReportOptions(pictures="none"))
        print(
            f"{rows} rows: {path.stat().st_size / 1e6:.2f} MB, written in {time.perf_counter() - begin:.1f} s"
        )
        times = [opened(driver, path) for _ in range(5)]
        for name, values in zip(("first paint", "all courses drawn"), zip(*times, strict=True), strict=True):
            print(f"{name}: {statistics.median(values):.0f} ms (worst of 5: {max(values):.0f})")
        print(f"zoom, 6 action units: {zoomed(driver)} ms")
        driver.execute_script("document.querySelectorAll('fieldset button')[1].click()")
        wait_for(driver, "return document.querySelectorAll('[data-course=intensity] li').length === 17")
        print(f"zoom, 17 action units: {zoomed(driver)} ms")


if __name__ == "__main__":
    main()
