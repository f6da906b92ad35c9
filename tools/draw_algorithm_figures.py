"""Draws the figures of docs/algorithms.

    python tools/draw_algorithm_figures.py [NAME ...]

writes docs/algorithms/images, or only the figures named. Curves are computed with mien's own functions; faces
are the portrait that mien ships (Eileen Collins, NASA, public domain) and the open canonical face (MediaPipe,
Apache-2.0). Nothing comes from OpenFace's models.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw
from svg_canvas import BLUE, GOLD, GREEN, INK, PALE, RED, SOFT, Plot, Sheet

IMAGES = Path(__file__).resolve().parent.parent / "docs" / "algorithms" / "images"


# --- schemes ----------------------------------------------------------------------------------------------


def pipeline() -> Sheet:
    """From a frame to a row."""
    s = Sheet(820, 436, "From a frame to a row of the table")
    s.step(20, 20, 170, "frame", "BGR, 8 bits; grey", fill="white")
    s.box(220, 12, 370, 288, "#fbfcfd", SOFT, 1, 8)
    s.text((232, 30), "tracker", 12, SOFT)
    s.step(240, 42, 330, "face detection", "only while no face is followed, or it failed")
    s.step(240, 96, 330, "fit: mean shift in response maps", "from a box, or from the frame before")
    s.step(240, 150, 330, "parts: inner face, eyes", "merged; shape model fitted again")
    s.step(240, 204, 330, "validator", "confidence, success")
    s.arrow((190, 40), (238, 56))
    for y in (82, 136, 190):
        s.arrow((405, y), (405, y + 13))
    s.path([(570, 224), (582, 224), (582, 116), (578, 116)], SOFT, 1.2, "4 3")
    s.arrow((582, 116), (571, 116), SOFT, 1.2)
    s.text((405, 264), "next frame: continue from here", 11, SOFT, "middle")
    s.text((405, 282), "failed: detect again in this frame, then in every second one", 11, SOFT, "middle")
    s.arrow((405, 300), (405, 322))
    s.text((490, 317), "68 points, 2 × 28 eye points, shape parameters", 11, SOFT)
    s.step(20, 324, 180, "head pose", "pinhole camera, PnP")
    s.step(220, 324, 150, "gaze", "ray meets eyeball")
    s.step(390, 324, 200, "refit, aligned face", "112 × 112 px, masked; FHOG")
    s.step(610, 324, 190, "action units", "neutral face, 35 predictors")
    s.arrow((202, 344), (218, 344))
    s.arrow((592, 344), (608, 344))
    s.path([(405, 322), (405, 314), (110, 314)], INK, 1.2)
    s.arrow((110, 314), (110, 323), INK, 1.2)
    s.arrow((480, 314), (480, 323), INK, 1.2)
    s.path([(405, 314), (480, 314)], INK, 1.2)
    s.box(20, 390, 780, 34, "white", INK, 1.2, 5)
    s.text(
        (410, 412),
        "row of the table; at the end of the video: action units once more, zeros, smoothing",
        13,
        INK,
        "middle",
    )
    for x in (110, 295, 490, 705):
        s.arrow((x, 366), (x, 388), SOFT, 1.2)
    return s


def warp_grid() -> Sheet:
    """A position between four pixels, rounded to 1/32 px."""
    s = Sheet(760, 300, "A position is rounded to 1/32 px, then interpolated")
    x0, y0, cell = 60, 40, 200
    for k in range(33):
        shade = "#eef1f4" if k % 8 else "#ccd4db"
        s.line((x0 + cell * k / 32, y0), (x0 + cell * k / 32, y0 + cell), shade, 1)
        s.line((x0, y0 + cell * k / 32), (x0 + cell, y0 + cell * k / 32), shade, 1)
    names = ("I(ix, iy)", "I(ix+1, iy)", "I(ix, iy+1)", "I(ix+1, iy+1)")
    for k, name in enumerate(names):
        at = x0 + cell * (k & 1), y0 + cell * (k >> 1)
        s.circle(at, 6, INK)
        above = -14 if k < 2 else 24
        s.text((at[0], at[1] + above), name, 12, INK, "middle")
    exact, grid = (0.33, 0.61), (round(0.33 * 32) / 32, round(0.61 * 32) / 32)
    place = [(x0 + cell * x, y0 + cell * y) for x, y in (exact, grid)]
    s.circle(place[1], 4.5, BLUE)
    s.circle(place[0], 3.5, RED)
    s.text((330, 70), "exact position: x = ix + 0.33, y = iy + 0.61", 12, RED)
    s.text((330, 94), "on the grid: fx = rint(32 · 0.33) = 11, fy = rint(32 · 0.61) = 20", 12, BLUE)
    s.text((330, 130), "weights (of 1024):", 13)
    fx, fy = 11, 20
    for k, (name, weight) in enumerate(
        zip(names, ((32 - fx) * (32 - fy), fx * (32 - fy), (32 - fx) * fy, fx * fy), strict=True)
    ):
        s.text((350, 152 + 20 * k), f"{name}  ×  {weight}", 13)
    s.text((330, 250), "a neighbour outside the picture counts as 0", 12, SOFT)
    return s


def face_detection() -> Sheet:
    """Pyramid, three networks, calibration."""
    s = Sheet(840, 200, "Face detection with three networks")
    for k in range(5):
        side = 110 * 0.709**k
        s.box(18 + 22 * k, 140 - side, side, side, "#f4f7fa", SOFT, 1)
    s.text((75, 165), "pyramid, step 0.709,", 12, SOFT, "middle")
    s.text((75, 181), "each from the original", 12, SOFT, "middle")
    s.step(180, 60, 130, "first network", "12-px cells, ≥ 0.6", "hundreds → tens")
    s.step(350, 60, 130, "second, 24 px", "≥ 0.7", "tens → a few")
    s.step(520, 60, 130, "third, 48 px", "≥ 0.7", "the faces")
    for x in (148, 312, 482, 652):
        s.arrow((x, 86), (x + 30, 86))
    for x, words in ((245, "suppress 0.5, 0.7"), (415, "suppress 0.7"), (585, "correct, then")):
        s.text((x, 134), words, 11, SOFT, "middle")
    for x, words in ((245, "correct, square"), (415, "correct, square"), (585, "suppress by smaller")):
        s.text((x, 149), words, 11, SOFT, "middle")
    x, y, a = 700, 30, 100
    s.box(x, y, a, a, "none", SOFT, 1.2)
    s.box(x - 0.0075 * a, y + 0.2459 * a, 1.0323 * a, 0.7751 * a, "none", BLUE, 2)
    s.text((760, 156), "network's square", 11, SOFT, "middle")
    s.text((760, 174), "calibrated: brows to chin", 11, BLUE, "middle")
    return s


def response_map() -> Sheet:
    """Area of interest, windows, map."""
    s = Sheet(800, 280, "Area of interest, support windows and response map")
    c, n = 9, 19
    x, y = 40, 50
    for row in range(n):
        for column in range(n):
            s.box(x + c * column, y + c * row, c, c, "white", "#e3e8ec", 0.6)
    s.box(x, y, c * n, c * n, "none", INK, 1.5)
    s.box(x + 2 * c, y + 5 * c, 11 * c, 11 * c, "#2b6cb022", BLUE, 2)
    s.circle((x + 9.5 * c, y + 9.5 * c), 3.5, RED)
    s.text((x + n * c / 2, 40), "area, q = w + 10 = 19 px", 12, INK, "middle")
    s.text((x + n * c / 2, y + n * c + 18), "window at row 5, column 2", 12, BLUE, "middle")
    s.text((x + n * c / 2, y + n * c + 36), "landmark in the middle", 12, RED, "middle")
    s.step(285, 105, 190, "expert", "less mean, over norm;", "neurons or network")
    s.arrow((225, 140), (283, 140))
    s.arrow((477, 140), (540, 140))
    x, y, c, w = 560, 60, 18, 9
    peak = (5.6, 3.1)
    for row in range(w):
        for column in range(w):
            value = math.exp(-((row - peak[1]) ** 2 + (column - peak[0]) ** 2) / 4)
            shade = round(255 - 165 * value)
            s.box(x + c * column, y + c * row, c, c, f"rgb({shade},{shade},255)", "#e3e8ec", 0.6)
    s.box(x + 2 * c, y + 5 * c, c, c, "none", BLUE, 2)
    s.circle((x + 4.5 * c, y + 4.5 * c), 3.5, RED)
    s.text((x + w * c / 2, 50), "response map, w = 9", 12, INK, "middle")
    s.text((x + w * c / 2, y + w * c + 18), "column ↔ x, row ↔ y", 12, SOFT, "middle")
    s.text((x + w * c / 2, y + w * c + 36), "middle = (w − 1)/2 = 4", 12, RED, "middle")
    return s


def checkerboard() -> Sheet:
    """Positions that are computed, and those that are means."""
    s = Sheet(680, 240, "Every other position of a response map is computed")
    x, y, c, w = 40, 30, 26, 7
    for row in range(w):
        for column in range(w):
            odd = (row + column) % 2
            s.box(x + c * column, y + c * row, c, c, "#2b6cb0" if odd else "white", SOFT, 0.8)
    for row, column in ((3, 3), (0, 0), (0, 4)):
        for dy, dx in ((-1, 0), (1, 0), (0, -1), (0, 1)):
            if 0 <= row + dy < w and 0 <= column + dx < w:
                a = x + c * (column + dx + 0.5), y + c * (row + dy + 0.5)
                b = x + c * (column + 0.5 + 0.18 * dx), y + c * (row + 0.5 + 0.18 * dy)
                s.arrow(a, b, GOLD, 1.6)
    s.box(260, 60, 18, 18, BLUE, SOFT, 0.8)
    s.text((288, 74), "row + column odd: the network runs, (w² − 1)/2 times", 12)
    s.box(260, 92, 18, 18, "white", SOFT, 0.8)
    s.text((288, 106), "even: mean of the direct neighbours,", 12)
    s.text((288, 124), "4 inside, 3 at an edge, 2 in a corner", 12)
    s.text((260, 160), "w = 11, 9, 7, 5: 60, 40, 24, 12 runs", 12, SOFT)
    return s


def tracker() -> Sheet:
    """States of the tracker."""
    s = Sheet(860, 300, "States of the tracker")
    s.step(20, 110, 190, "no face", "detector in every 12th frame", "failures −1, 0, 1 …")
    s.step(330, 110, 150, "followed", "small windows", "failures = −1")
    s.step(650, 110, 190, "failing", "large windows", "detector in every 2nd frame")
    s.arrow((212, 132), (328, 132))
    s.text((270, 124), "face found", 11, INK, "middle")
    s.text((270, 149), "(even if refused)", 11, SOFT, "middle")
    s.arrow((482, 124), (648, 124), RED)
    s.text((565, 116), "refused", 11, RED, "middle")
    s.arrow((648, 148), (482, 148), GREEN)
    s.text((565, 165), "fit or search accepted", 11, GREEN, "middle")
    s.path([(745, 166), (745, 235), (115, 235)], SOFT, 1.5)
    s.arrow((115, 235), (115, 168), SOFT)
    s.text((430, 229), "failures > 100", 11, SOFT, "middle")
    s.path([(370, 108), (370, 70), (440, 70)], GREEN, 1.5)
    s.arrow((440, 70), (440, 108), GREEN)
    s.text((405, 62), "accepted: success 1", 11, GREEN, "middle")
    s.path([(710, 108), (710, 70), (780, 70)], RED, 1.5)
    s.arrow((780, 70), (780, 108), RED)
    s.text((745, 62), "refused: success 0", 11, RED, "middle")
    s.text(
        (430, 276),
        "followed or failing, a frame begins with the last parameters, good or bad",
        12,
        SOFT,
        "middle",
    )
    return s


def head_pose() -> Sheet:
    """Scaled orthographic and pinhole camera."""
    s = Sheet(780, 270, "Scaled orthographic and pinhole camera")
    for left, title in ((40, "shape model: rays are parallel"), (430, "pinhole: rays meet in the camera")):
        s.text((left + 150, 26), title, 13, INK, "middle", "bold")
        s.line((left + 90, 50), (left + 90, 240), SOFT, 2)
        s.text((left + 90, 258), "image", 11, SOFT, "middle")
    face = [(250.0, 100.0), (232.0, 128.0), (222.0, 150.0), (240.0, 165.0), (252.0, 200.0)]
    for x, y in face:
        s.line((40 + x, y), (40 + 90, y), BLUE, 1.1, "4 3")
        s.circle((40 + x, y), 3.5, INK)
        s.circle((40 + 90, y), 3, BLUE)
    camera = 450.0, 150.0
    s.circle(camera, 5, RED)
    s.text((camera[0], 178), "camera", 11, RED, "middle")
    for x, y in face:
        point = 430 + x + 40, y
        share = (520 - camera[0]) / (point[0] - camera[0])
        s.line(camera, point, RED, 1.1, "4 3")
        s.circle(point, 3.5, INK)
        s.circle((520, camera[1] + share * (point[1] - camera[1])), 3, RED)
    s.text((290, 258), "s px per mm", 11, SOFT, "middle")
    s.text((715, 258), "Z about fx/s", 11, SOFT, "middle")
    return s


def gaze() -> Sheet:
    """A ray meets the eyeball."""
    s = Sheet(760, 290, "Gaze: a ray through the iris meets the eyeball")
    camera, centre, radius = (60.0, 235.0), (560.0, 130.0), 84.0
    iris = (474.0, 141.0)
    dx, dy = iris[0] - camera[0], iris[1] - camera[1]
    length = math.hypot(dx, dy)
    dx, dy = dx / length, dy / length
    along = dx * (centre[0] - camera[0]) + dy * (centre[1] - camera[1])
    off = (centre[0] - camera[0]) ** 2 + (centre[1] - camera[1]) ** 2 - along**2
    hit = along - math.sqrt(radius**2 - off)
    q = camera[0] + hit * dx, camera[1] + hit * dy
    s.circle(centre, radius, "#f4f7fa", SOFT)
    s.circle(camera, 5, INK)
    s.text((camera[0], 258), "camera (0, 0, 0)", 12, INK, "middle")
    s.line(camera, (camera[0] + 540 * dx, camera[1] + 540 * dy), SOFT, 1.2, "5 4")
    s.circle(iris, 4.5, GOLD)
    s.text((462, 112), "P, middle of the iris", 12, GOLD, "end")
    s.circle(q, 4.5, RED)
    s.text((q[0] + 12, q[1] + 22), "Q", 13, RED)
    s.circle(centre, 4, INK)
    s.text((centre[0] + 10, centre[1] - 6), "C", 13)
    gx, gy = (q[0] - centre[0]) / radius, (q[1] - centre[1]) / radius
    s.arrow(centre, (centre[0] + 170 * gx, centre[1] + 170 * gy), RED, 2)
    s.text((centre[0] + 176 * gx, centre[1] + 176 * gy + 5), "gaze", 13, RED, "end")
    s.line(centre, (centre[0] + radius * 0.7, centre[1] + radius * 0.714), SOFT, 1)
    s.text((centre[0] + 34, centre[1] + 28), "12 mm", 11, SOFT)
    corners = (centre[0] - 49, centre[1] + 24.5)
    s.circle(corners, 3.5, BLUE)
    s.line(corners, centre, BLUE, 1.2, "3 3")
    s.text((660, 225), "middle of the eye's corners,", 12, BLUE, "middle")
    s.text((660, 241), "3.5 mm up and 7 mm back to C", 12, BLUE, "middle")
    s.line((592, 222), (corners[0] + 5, corners[1] + 3), BLUE, 0.8)
    return s


# --- computed curves --------------------------------------------------------------------------------------


def mean_shift() -> Sheet:
    """Where a landmark is drawn to, on the grid and exactly."""
    from mien.landmarks.kernels import kernel_table, mean_shifts

    w, sigma = 7, 1.0
    table = np.empty((w, 10 * w), np.float32)
    kernel_table(w, sigma, table)
    row, column = np.mgrid[:w, :w]
    density = 0.05 + np.exp(-((column - 4.3) ** 2 + (row - 2.2) ** 2) / 2.2)
    maps = np.zeros((w * w, 16), np.float32)
    maps[:, 0] = density.ravel()

    def mean_at(x: float, width: float) -> float:
        place, out = np.array([[x], [3.0]], np.float32), np.empty((2, 1), np.float32)
        mean_shifts(maps, w, table, width, place, np.ones(1, np.float32), out)
        return x + float(out[0, 0])

    s = Sheet(800, 300, "One mean shift in a response map")
    x0, y0, c = 30, 45, 30
    for r in range(w):
        for k in range(w):
            shade = round(255 - 170 * float(density[r, k]) / float(density.max()))
            s.box(x0 + c * k, y0 + c * r, c, c, f"rgb({shade},{shade},255)", "#e3e8ec", 0.6)
    start = x0 + c * 3.0, y0 + c * 3.8
    s.circle(start, c * sigma, "none", RED)
    s.circle(start, 4, RED)
    s.arrow(start, (x0 + c * 4.2, y0 + c * 3.1), RED, 2)
    s.text((x0 + c * w / 2, 32), "response map, kernel (σ), shift", 12, INK, "middle")
    s.text((x0 + c * w / 2, 280), "the mean of response × kernel", 12, SOFT, "middle")
    xs = np.linspace(2.5, 3.5, 801)
    plot = Plot(s, (340, 45, 420, 200), (2.5, 3.5), (3.2, 3.85))
    plot.curve(xs, [mean_at(float(x), 0.0) for x in xs], BLUE)
    plot.curve(xs, [mean_at(float(x), sigma) for x in xs], RED, 1.2, "5 3")
    plot.ticks(
        [(v, f"{v:.1f}") for v in (2.5, 2.7, 2.9, 3.1, 3.3, 3.5)],
        [(v, f"{v:.1f}") for v in (3.2, 3.4, 3.6, 3.8)],
    )
    s.text((550, 280), "where the landmark stands, x", 12, SOFT, "middle")
    s.text((340, 28), "mean for a kernel", 12)
    s.text((460, 28), "on the grid of 0.1,", 12, BLUE)
    s.text((590, 28), "at the landmark", 12, RED)
    return s


def validator() -> Sheet:
    """Certainty of every bin, and the limit."""
    s = Sheet(760, 250, "Certainty of the validator's bins")
    for top, bins in ((40, 30), (140, 20)):
        good = 0
        for k in range(bins):
            certainty = np.float32(0.5 * (1 - (-1 + 1 / bins + 2 * k / bins)))
            passes = bool(certainty > np.float32(0.725))
            good += passes
            height = 60 * float(certainty)
            x = 90 + 640 / bins * k
            s.box(x, top + 60 - height, 640 / bins - 3, height, GREEN if passes else PALE, "none", 0)
        s.text((82, top + 35), f"{bins} bins", 12, INK, "end")
        s.line((90, top + 60 - 60 * 0.725), (730, top + 60 - 60 * 0.725), RED, 1, "4 3")
        s.text((92 + 640 / bins * good, top + 76), f"k ≤ {good - 1} passes", 11, GREEN, "end")
    s.text((734, 30), "0.725", 11, RED, "end")
    s.text((410, 240), "bins of the estimated error, best at the left; height: certainty", 12, SOFT, "middle")
    return s


def _scores(count: int = 150) -> tuple[np.ndarray, np.ndarray]:
    """Drawn raw scores of one action unit, and which frames count."""
    t = np.arange(count)
    rng = np.random.default_rng(3)
    smile = 2.2 * np.exp(-(((t - 48) / 13.0) ** 2)) + 1.3 * np.exp(-(((t - 108) / 9.0) ** 2))
    good = np.ones(count, bool)
    good[76:80] = False
    return -0.4 + smile + 0.12 * rng.standard_normal(count), good


def postprocessing() -> Sheet:
    """Raw scores, their zero, the final intensity."""
    from mien.action_units.postprocess import dynamic_offsets, finish_intensity

    raw, good = _scores()
    cutoff = np.array([0.55])
    history = np.where(good, raw, 0.0)[:, None]
    zero = float(dynamic_offsets(history, good, cutoff)[0])
    final = finish_intensity(history, good, cutoff)[:, 0]
    s = Sheet(760, 270, "From raw scores to a finished intensity")
    plot = Plot(s, (60, 30, 670, 190), (0, 150), (-1, 3))
    x, y = plot.at(76, 3)
    s.box(x, y, plot.at(80, 0)[0] - x, 190, "#f3f4f6", "none", 0)
    s.text((x + 2, 26), "failed", 11, SOFT)
    for part in (slice(0, 76), slice(80, 150)):
        plot.curve(np.arange(150)[part], raw[part], SOFT, 1.2)
    plot.curve((0, 150), (zero, zero), GOLD, 1.2, "5 3")
    plot.curve(np.arange(150), final, BLUE, 2)
    plot.ticks([(v, str(v)) for v in (0, 50, 100, 150)], [(v, str(v)) for v in (-1, 0, 1, 2, 3)])
    s.text((395, 258), "frame", 12, SOFT, "middle")
    s.text((80, 48), "raw scores", 12, SOFT)
    s.text((160, 48), f"zero: {zero:.2f}, a quantile of 0.55", 12, GOLD)
    s.text((520, 48), "less zero, 0 to 5, mean of three", 12, BLUE)
    return s


def running_median() -> Sheet:
    """A running median from a histogram, beside the exact one."""
    from mien.action_units.running_median import RunningMedian

    raw, _ = _scores()
    values = raw / 10 + 0.12
    median = RunningMedian(1, -0.005, 1.0, 1000, floor=0.0)
    track, exact, seen = [], [], []
    for number, value in enumerate(values):
        if number % 2 == 0:
            median.update(np.array([value]), True)
            seen.append(value)
        track.append(float(median.value[0]))
        exact.append(float(np.median(seen)))
    s = Sheet(760, 250, "A running median")
    plot = Plot(s, (60, 30, 670, 170), (0, 150), (0.04, 0.34))
    plot.curve(range(150), values, SOFT, 1)
    plot.curve(range(150), exact, GOLD, 3)
    plot.curve(range(150), track, BLUE, 1.4)
    plot.ticks([(v, str(v)) for v in (0, 50, 100, 150)], [(v, f"{v:.1f}") for v in (0.1, 0.2, 0.3)])
    s.text((395, 240), "frame", 12, SOFT, "middle")
    s.text((80, 46), "one entry of the descriptor", 12, SOFT)
    s.text((320, 46), "median of every other frame so far", 12, GOLD)
    s.text((560, 46), "from 1000 bins", 12, BLUE)
    return s


def noise() -> Sheet:
    """How a difference of 0.01 px grows or dies; figures of docs/exact-fit.md."""
    frames = (1, 3, 10, 50)
    videos = {
        "still face": ((0.015, 0.018, 0.018, 0.019), (0.0011, 0.00026, 0.00002, 0.00001)),
        "large face": ((0.022, 0.029, 0.033, 0.035), (0.0011, 0.00030, 0.00004, 0.00003)),
        "moving face": ((0.011, 0.014, 0.014, 0.017), (0.0006, 0.00009, 0.00001, 0.000008)),
    }
    s = Sheet(760, 290, "Two fits that start 0.01 px apart")
    plot = Plot(s, (80, 30, 560, 200), (0, 1.75), (-5.5, -1))
    for (name, (default, exact)), dash in zip(videos.items(), ("", "6 3", "2 3"), strict=True):
        for values, colour in ((default, RED), (exact, BLUE)):
            plot.curve([math.log10(f) for f in frames], [math.log10(v) for v in values], colour, 2, dash)
        del name
    plot.ticks(
        [(math.log10(f), str(f)) for f in frames],
        [(-v, label) for v, label in ((5, "0.00001"), (4, "0.0001"), (3, "0.001"), (2, "0.01"), (1, "0.1"))],
    )
    s.text((360, 272), "frames after the start (three videos)", 12, SOFT, "middle")
    s.text((80, 22), "distance of the landmarks, px", 12)
    s.text((650, 66), "with the grids", 12, RED)
    s.text((650, 190), "without", 12, BLUE)
    return s


# --- faces ------------------------------------------------------------------------------------------------


def _canonical() -> tuple[np.ndarray, np.ndarray]:
    """Canonical face (468, 3), nominal cm, and the vertices of the 68 landmarks."""
    from mien.landmarks.mesh_indices import read_mesh_indices
    from mien.models import open as pack
    from mien.shape.canonical_face import read_canonical_face

    face = read_canonical_face(pack.CANONICAL_FACE)
    return face.vertices, read_mesh_indices(pack.INDICES).ibug68


_CHAINS = (
    (range(17), False),
    (range(17, 22), False),
    (range(22, 27), False),
    (range(27, 31), False),
    (range(31, 36), False),
    (range(36, 42), True),
    (range(42, 48), True),
    (range(48, 60), True),
    (range(60, 68), True),
)


def _outline(s: Sheet, points: np.ndarray, colour: str, width: float) -> None:
    for chain, closed in _CHAINS:
        indices = [*chain, *([chain[0]] if closed else [])]
        s.path([(float(points[k, 0]), float(points[k, 1])) for k in indices], colour, width)


def shape_model() -> Sheet:
    """Numbers of the landmarks, and three instances of the global parameters."""
    from mien.geometry.rotation import rotation_from_euler

    vertices, ibug68 = _canonical()
    shape = vertices[ibug68]
    s = Sheet(860, 480, "68 landmarks, and what the global parameters do")
    points = shape[:, :2] * 25 + (225, 210)
    _outline(s, points, PALE, 2)
    for k, (x, y) in enumerate(points):
        s.circle((float(x), float(y)), 2.2, BLUE)
        s.text((float(x) + 3, float(y) - 3), str(k), 9, INK)
    turns = (
        ((0, 0, 0), "s, tx, ty"),
        ((0, 0.5, 0), "ry = 0.5"),
        ((0.35, 0, 0), "rx = 0.35"),
        ((0, 0, 0.4), "rz = 0.4"),
    )
    for number, (angles, label) in enumerate(turns):
        at = 570 + 190 * (number % 2), 115 + 225 * (number // 2)
        turned = (shape @ rotation_from_euler(np.array(angles, float)).T)[:, :2] * 9 + at
        _outline(s, turned, INK, 1.2)
        s.text((at[0], at[1] + 108), label, 12, RED, "middle")
    return s


def _portrait() -> tuple[np.ndarray, np.ndarray, object]:
    """BGR portrait, mesh points (478, 3), region."""
    from mien.data import PORTRAIT
    from mien.detection.blazeface import SHORT_RANGE, BlazeFace
    from mien.landmarks.face_region import region_from_box
    from mien.landmarks.mesh import MeshNetwork
    from mien.landmarks.mesh_indices import read_mesh_indices
    from mien.models import open as pack
    from mien.runtime.sessions import create_session

    with Image.open(PORTRAIT) as portrait:
        bgr = np.ascontiguousarray(np.asarray(portrait.convert("RGB"))[:, :, ::-1])
    faces = BlazeFace(create_session(pack.SHORT_RANGE.read_bytes()), SHORT_RANGE).detect(bgr)
    region = region_from_box(faces.boxes[0], faces.keypoints[0, :2])
    session = create_session(pack.ATTENTION_MESH.read_bytes())
    mesh = MeshNetwork(session, read_mesh_indices(pack.INDICES)).read(bgr, region)
    return bgr, mesh.points, region


def open_mesh() -> Image.Image:
    """Region and mesh over the portrait."""
    bgr, points, region = _portrait()
    picture = Image.fromarray(bgr[:, :, ::-1]).convert("RGB")
    zoom = 3
    picture = picture.resize((picture.width * zoom, picture.height * zoom), Image.Resampling.BICUBIC)
    draw = ImageDraw.Draw(picture)
    matrix = region.crop_matrix(192)
    corners = np.array([(0, 0, 1), (192, 0, 1), (192, 192, 1), (0, 192, 1), (0, 0, 1)]) @ matrix.T
    draw.line([tuple(map(float, zoom * c)) for c in corners], (255, 210, 0), 3)
    for number, (x, y, _) in enumerate(points):
        colour, r = ((255, 60, 60), 2.5) if number >= 468 else ((80, 200, 255), 1.4)
        draw.ellipse((zoom * x - r, zoom * y - r, zoom * x + r, zoom * y + r), fill=colour)
    side = region.side * zoom * 1.08
    left, top = zoom * region.cx - side / 2, zoom * region.cy - side / 2
    box = [max(left, 0), max(top, 0), min(left + side, picture.width), min(top + side, picture.height)]
    return picture.crop([round(v) for v in box])


def alignment() -> Image.Image:
    """The portrait's aligned face, masked, and the directions of its FHOG cells."""
    from mien.appearance import kernels
    from mien.appearance.alignment import LIFT_PX, RAISED_LANDMARKS, RIGID_LANDMARKS
    from mien.appearance.fhog import FhogExtractor

    bgr, mesh, _ = _portrait()
    vertices, ibug68 = _canonical()
    points = mesh[ibug68, :2]
    reference = vertices[ibug68][:, :2] * (10 / 1.105) * 0.7
    warp = _similarity(points[list(RIGID_LANDMARKS)], reference[list(RIGID_LANDMARKS)])
    nose, chin = (warp @ [*points[k], 1] for k in (28, 8))
    warp[:, 2] += 56 - nose[0], 109 - chin[1]
    aligned = np.zeros((112, 112, 3), np.uint8)
    steps, spans = np.empty((2, 112), np.int64), np.zeros((112, 113), np.int16)
    spans[:, 0] = 1
    kernels.warp(bgr.reshape(-1), *bgr.shape[:2], warp.astype(np.float32), spans, steps, aligned)
    inside = points @ warp[:, :2].T + warp[:, 2]
    inside[list(RAISED_LANDMARKS), 1] -= LIFT_PX
    mask = Image.new("L", (112, 112), 0)
    ImageDraw.Draw(mask).polygon([tuple(map(float, p)) for p in _hull(inside)], 255)
    masked = np.where(np.asarray(mask)[:, :, None] > 0, aligned, 0).astype(np.uint8)
    glyphs = _glyphs(FhogExtractor().describe(masked).reshape(12, 12, 31))
    panels = [
        Image.fromarray(a[:, :, ::-1]).resize((280, 280), Image.Resampling.BICUBIC) for a in (aligned, masked)
    ]
    out = Image.new("RGB", (3 * 280 + 40, 280), "white")
    for number, panel in enumerate((*panels, glyphs)):
        out.paste(panel, (300 * number, 0))
    return out.quantize(96)


def _similarity(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Least-squares similarity (2, 3) between points (n, 2)."""
    a, b = source - source.mean(axis=0), target - target.mean(axis=0)
    u, _, vt = np.linalg.svd(a.T @ b)
    rotation = (u @ vt).T
    linear = rotation * math.sqrt((b**2).sum() / (a**2).sum())
    return np.column_stack([linear, target.mean(axis=0) - linear @ source.mean(axis=0)])


def _hull(points: np.ndarray) -> list[np.ndarray]:
    """Convex hull, in order."""
    ordered = sorted(map(tuple, points.tolist()))
    halves = []
    for sequence in (ordered, ordered[::-1]):
        half: list[tuple[float, float]] = []
        for p in sequence:
            while len(half) > 1 and _turn(half[-2], half[-1], p) <= 0:
                half.pop()
            half.append(p)
        halves += half[:-1]
    return [np.array(p) for p in halves]


def _turn(a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _glyphs(cells: np.ndarray) -> Image.Image:
    """Strokes along the edges that the unsigned channels of each cell stand for."""
    picture = Image.new("RGB", (280, 280), "black")
    draw = ImageDraw.Draw(picture)
    for row in range(12):
        for column in range(12):
            x, y = 280 * (column + 1.5) / 14, 280 * (row + 1.5) / 14
            for bin_, value in enumerate(cells[row, column, 18:27]):
                angle = math.radians(20 * bin_ + 90)  # an edge runs across its gradient
                dx, dy = 9 * math.cos(angle), 9 * math.sin(angle)
                shade = round(255 * min(float(value) / 0.4, 1.0))
                draw.line((x - dx, y - dy, x + dx, y + dy), (shade, shade, shade), 1)
    return picture


FIGURES: dict[str, Callable[[], Sheet | Image.Image]] = {
    "pipeline.svg": pipeline,
    "warp-grid.svg": warp_grid,
    "face-detection.svg": face_detection,
    "shape-model.svg": shape_model,
    "response-map.svg": response_map,
    "checkerboard.svg": checkerboard,
    "mean-shift.svg": mean_shift,
    "validator.svg": validator,
    "tracker.svg": tracker,
    "head-pose.svg": head_pose,
    "gaze.svg": gaze,
    "alignment.png": alignment,
    "running-median.svg": running_median,
    "postprocessing.svg": postprocessing,
    "noise.svg": noise,
    "open-mesh.jpg": open_mesh,
}


def main() -> None:
    """Draw the figures named on the command line, or all."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    for name in sys.argv[1:] or FIGURES:
        figure, path = FIGURES[name](), IMAGES / name
        if isinstance(figure, Sheet):
            figure.write(path)
        else:
            figure.save(path, quality=80) if path.suffix == ".jpg" else figure.save(path, optimize=True)
        print(f"{path.name}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
