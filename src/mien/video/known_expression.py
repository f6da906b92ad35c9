"""A portrait whose expression changes in a known way, each side of the face by itself.

The picture is warped: corners of the mouth, lips, lids and brows move, all else stays. The portrait that
comes with mien smiles; relaxed it is where the mouth's corners are drawn in and down and the lips closed. How
much of each action a frame shows is chosen, and so the truth that a measurement can be compared with.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SIDES = ("right", "left")
"""The subject's."""
ACTIONS = ("smile", "wink", "brow")

_Points = NDArray[np.float64]

# Where the portrait has what moves, in its px; "right" and "left" are the subject's.
_BOX = (slice(60, 200), slice(150, 300))
"""Rows and columns outside of which nothing moves."""
_CORNERS = {"right": (201.8, 139.1), "left": (245.7, 140.7)}
_RELAXED = {"right": (5.0, 7.0), "left": (-5.0, 7.0)}
"""From a smiling to a relaxed corner of the mouth."""
_CORNER_REACH = (10.0, 10.0)
_BROWS = {"right": (200.0, 89.0), "left": (251.0, 92.5)}
_BROW_REACH = (13.0, 6.0)
_BROW_LIFT = 4.5
_UPPER_LIDS = {
    "right": [(195.0, 100.7), (199.3, 98.2), (202.9, 97.8), (206.5, 98.4), (210.0, 100.0), (213.8, 103.5)],
    "left": [(237.3, 105.0), (241.3, 101.7), (244.8, 100.3), (248.4, 100.0), (251.9, 100.9), (255.9, 104.6)],
}
_LOWER_LIDS = {
    "right": [(195.0, 100.7), (199.8, 103.8), (203.3, 104.4), (206.8, 104.3), (210.3, 103.9), (213.8, 103.5)],
    "left": [(237.3, 105.0), (240.4, 105.6), (243.5, 106.1), (246.8, 106.6), (250.2, 106.6), (255.9, 104.6)],
}
_UPPER_LIP = [(203.3, 139.7), (211.0, 141.4), (218.2, 142.3), (224.1, 143.1), (230.0, 142.8), (244.1, 141.2)]
_LOWER_LIP = [(203.3, 139.7), (211.0, 147.0), (217.7, 149.4), (223.4, 150.2), (229.0, 149.8), (244.1, 141.2)]


@dataclass(frozen=True, slots=True)
class KnownExpression:
    """How much of each action a face shows, frame by frame.

    Attributes
    ----------
    amounts
        (N,) float64 each, by action and side, such as "smile_left": 0 is relaxed, with open eyes and brows at
        rest; 1 is the portrait's own smile, a shut eye, a brow raised by 7 % of the eyes' distance.
    """

    amounts: dict[str, NDArray[np.float64]]

    def __len__(self) -> int:
        return len(next(iter(self.amounts.values())))

    def at(self, frame: int) -> dict[str, float]:
        """Amounts of one frame."""
        return {name: float(values[frame]) for name, values in self.amounts.items()}


def portrait_expression(frames: int) -> KnownExpression:
    """Expression of the demonstration: a smile, a wink of either eye, raised brows, a smile of one side.

    Parameters
    ----------
    frames
        Number of frames; the face is relaxed in most of them.

    Returns
    -------
    KnownExpression
    """
    time = np.arange(frames, dtype=np.float64) * (180 / frames)
    smile = _event(time, 20, 34, 46, 60)
    brows = _event(time, 114, 120, 126, 134)
    return KnownExpression(
        {
            "smile_right": smile + _event(time, 142, 151, 160, 170),
            "smile_left": smile,
            "wink_right": _event(time, 92, 97, 101, 107),
            "wink_left": _event(time, 70, 75, 79, 85),
            "brow_right": brows,
            "brow_left": brows,
        }
    )


def _event(time: _Points, start: float, full: float, ebb: float, end: float) -> _Points:
    """0 to 1 to 0 with smooth edges."""
    rise = np.interp(time, [start, full, ebb, end], [0, 1, 1, 0])
    return np.asarray((1 - np.cos(np.pi * rise)) / 2)


def express(portrait: NDArray[np.uint8], amounts: dict[str, float]) -> NDArray[np.uint8]:
    """Give the portrait an expression.

    Parameters
    ----------
    portrait
        (512, 512, 3) uint8, the portrait that comes with mien.
    amounts
        Of each action and side, as `KnownExpression.at` gives them.

    Returns
    -------
    ndarray
        (512, 512, 3) uint8.
    """
    rows, columns = _BOX
    y, x = np.mgrid[_BOX].astype(np.float64)
    from_x, from_y = x.copy(), y.copy()
    for side in SIDES:
        slack = 1 - amounts[f"smile_{side}"]
        dx, dy = (slack * shift for shift in _RELAXED[side])
        (cx, cy) = _CORNERS[side]
        near = _bump(x, y, (cx + dx, cy + dy), _CORNER_REACH)
        from_x -= dx * near
        from_y -= dy * near
        from_y += amounts[f"brow_{side}"] * _BROW_LIFT * _bump(x, y, _BROWS[side], _BROW_REACH)
        lids = _UPPER_LIDS[side], _LOWER_LIDS[side]
        from_y += _shutter(x, y, *lids, 0.9 * amounts[f"wink_{side}"], share=0.85, room=6)
    ends = [_CORNERS[side][0] for side in SIDES]
    parted = np.interp(from_x, ends, [amounts[f"smile_{side}"] for side in SIDES])
    # the lips close where the corners have taken them
    from_y += _shutter(from_x, from_y, _UPPER_LIP, _LOWER_LIP, 0.95 * (1 - parted), share=0.3, room=16)
    drawn = portrait.copy()
    drawn[rows, columns] = _sample(portrait, from_x, from_y)
    return drawn


def _bump(x: _Points, y: _Points, centre: tuple[float, float], reach: tuple[float, float]) -> _Points:
    """1 at the centre, falling off around it."""
    (cx, cy), (rx, ry) = centre, reach
    return np.asarray(np.exp(-(((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2) / 2))


def _shutter(
    x: _Points,
    y: _Points,
    upper: list[tuple[float, float]],
    lower: list[tuple[float, float]],
    closed: float | _Points,
    *,
    share: float,
    room: float,
) -> _Points:
    """Rows further down from which a picture is drawn whose opening between two edges closes.

    The upper edge comes down by a share of the way, the lower one goes up by the rest; what lies within
    ``room`` px above and below is stretched.
    """
    above, below = (np.interp(x, *np.array(edge).T) for edge in (upper, lower))
    way = closed * (below - above)
    top, bottom = above + share * way, below - (1 - share) * way
    top_way, bottom_way = share * way, -(1 - share) * way
    inner = np.where(below > above, (y - top) / np.maximum(bottom - top, 1e-9), 0.0)
    shift = np.where(y < top, top_way * _ramp(y, above - room, top), 0.0)
    shift = np.where(y > bottom, bottom_way * _ramp(-y, -below - room, -bottom), shift)
    between = (y >= top) & (y <= bottom)
    return np.asarray(-np.where(between, top_way + np.clip(inner, 0, 1) * (bottom_way - top_way), shift))


def _ramp(y: _Points, start: _Points, end: _Points) -> _Points:
    """From 0 at the start to 1 at the end."""
    return np.asarray(np.clip((y - start) / np.maximum(end - start, 1e-9), 0, 1))


def _sample(picture: NDArray[np.uint8], x: _Points, y: _Points) -> NDArray[np.uint8]:
    """Bilinear interpolation at points inside the picture."""
    left, top = np.floor(x).astype(np.int64), np.floor(y).astype(np.int64)
    fx, fy = (x - left)[..., None], (y - top)[..., None]
    upper = picture[top, left] * (1 - fx) + picture[top, left + 1] * fx
    lower = picture[top + 1, left] * (1 - fx) + picture[top + 1, left + 1] * fx
    return np.asarray(np.rint(upper * (1 - fy) + lower * fy)).astype(np.uint8)


@dataclass(frozen=True, slots=True)
class FollowedAction:
    """How well a measured action follows the known one.

    Attributes
    ----------
    correlation
        Pearson's r of both time courses.
    onsets
        Measured less true onset of every event, frames; an onset is where half of the event's peak is passed.
        NaN where nothing was measured.
    """

    correlation: float
    onsets: NDArray[np.float64]


def follow_action(measured: NDArray[np.float64], truth: NDArray[np.float64]) -> FollowedAction:
    """Compare the time course of a measured action with the true one.

    Parameters
    ----------
    measured
        (N,) float64 in any unit, NaN where not measured.
    truth
        (N,) float64, 0 where nothing happens.

    Returns
    -------
    FollowedAction
    """
    known = np.isfinite(measured)
    steady = known.sum() < 2 or np.ptp(measured[known]) == 0
    r = np.nan if steady else float(np.corrcoef(measured[known], truth[known])[0, 1])
    edges = np.flatnonzero(np.diff(np.concatenate([[False], truth > 0, [False]]).astype(np.int8)))
    late = []
    for start, end in edges.reshape(-1, 2):
        window = slice(max(start - _LATITUDE, 0), end + _LATITUDE)
        late.append(_onset(measured[window]) - _onset(truth[window]))
    return FollowedAction(r, np.array(late))


_LATITUDE = 5
"""Frames before and after an event in which its onset is looked for."""


def _onset(values: _Points) -> float:
    """Where the values first rise above half of their peak over the first value; between frames."""
    rise = values - values[0]
    if not np.isfinite(rise).all() or rise.max() <= 0:
        return float("nan")
    rise = rise / rise.max()
    first = int(np.argmax(rise > 0.5))
    return first - float((rise[first] - 0.5) / (rise[first] - rise[first - 1]))
