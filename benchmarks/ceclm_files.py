"""Writes CEN files of the true sizes, for speed figures: layers of 300-100-50-1 and 500-200-100-1 units.

The true files cannot be given away. With ``--stand-ins`` (a folder of small CEN files) their networks are
embedded: the units they lack are random and lead nowhere, so that fits behave as with the small files at the
cost of the large ones. Without, all weights are random and the responses nearly flat: then tracking goes on
where the face was found, if validation is off.
"""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

from mien.models.readers.cen import read_cen
from mien.models.records import CenRecord, DenseLayer

WIDTHS = {
    "0.25": (300, 100, 50, 1),
    "0.35": (300, 100, 50, 1),
    "0.50": (500, 200, 100, 1),
    "1.00": (500, 200, 100, 1),
}
STORED = {"0.25": 210, "0.35": 210, "0.50": 212, "1.00": 212}
SIZES = {300: 60_602_360, 500: 154_289_792}
"""Bytes of the true files, by the width of the first layer."""
_INPUTS = 122
_RECTIFIER, _SIGMOID = 2, 0
_YAWS_DEG = (0.0, -20.0, -45.0, -70.0, 70.0, 45.0, 20.0)
_MIRROR_VIEW = (0, 6, 5, 4, 3, 2, 1)
_PAIRS = (
    *((i, 16 - i) for i in range(8)),
    *((17 + i, 26 - i) for i in range(5)),
    *((31, 35), (32, 34), (36, 45), (37, 44), (38, 43), (39, 42), (40, 47), (41, 46)),
    *((48, 54), (49, 53), (50, 52), (55, 59), (56, 58), (60, 64), (61, 63), (65, 67)),
)


def write_patch_experts(folder: Path, stand_ins: Path | None) -> None:
    """Write the four files into a folder."""
    rng = np.random.default_rng(1)
    folder.mkdir(parents=True, exist_ok=True)
    for scale, widths in WIDTHS.items():
        small = None if stand_ins is None else read_cen(stand_ins / f"cen_patches_{scale}_of.dat")
        record = _random_record(float(scale), widths, rng) if small is None else _embedded(small, widths, rng)
        path = folder / f"cen_patches_{scale}_of.dat"
        _write(path, _filled_up(record, STORED[scale]))
        assert path.stat().st_size == SIZES[widths[0]], path


def _random_layers(widths: tuple[int, ...], rng: np.random.Generator) -> tuple[DenseLayer, ...]:
    layers, inputs = [], _INPUTS
    for depth, outputs in enumerate(widths):
        weight = rng.normal(0, 1 / np.sqrt(inputs), (outputs, inputs)).astype(np.float32)
        layers.append(
            DenseLayer(weight, np.zeros(outputs, np.float32), _RECTIFIER if depth < 2 else _SIGMOID)
        )
        inputs = outputs
    return tuple(layers)


def _random_record(scale: float, widths: tuple[int, ...], rng: np.random.Generator) -> CenRecord:
    """Experts stored as in the stand-ins: of the frontal view one of each pair, all of three turned views."""
    mirror = np.arange(68, dtype=np.int32)
    for a, b in _PAIRS:
        mirror[a], mirror[b] = b, a
    visible = np.ones((7, 68), bool)
    hidden = [
        *range(9, 17),
        *range(22, 27),
        35,
        *range(42, 48),
        *range(52, 57),
        63,
        64,
        65,
        32,
        34,
        60,
        21,
        39,
    ]
    visible[3, hidden] = False
    visible[4] = visible[3, mirror]
    centers = np.zeros((7, 3))
    centers[:, 1] = np.deg2rad(_YAWS_DEG)
    stored = [{i for i in range(68) if mirror[i] >= i}, *(set(np.flatnonzero(v)) for v in visible[1:4])]
    experts = tuple(
        tuple(_random_layers(widths, rng) if v < 4 and i in stored[v] else () for i in range(68))
        for v in range(7)
    )
    ones = np.ones((7, 68))
    return CenRecord(scale, centers, visible, mirror, np.array(_MIRROR_VIEW, np.int32), experts, ones)


def _embedded(record: CenRecord, widths: tuple[int, ...], rng: np.random.Generator) -> CenRecord:
    experts = tuple(
        tuple(_embed(layers, widths, rng) if layers else () for layers in view) for view in record.experts
    )
    return CenRecord(
        record.scale,
        record.view_centers,
        record.visibility,
        record.mirror_landmark,
        record.mirror_view,
        experts,
        record.confidences,
    )


def _embed(
    layers: tuple[DenseLayer, ...], widths: tuple[int, ...], rng: np.random.Generator
) -> tuple[DenseLayer, ...]:
    """The same function in larger layers; a missing one becomes a rectified identity."""
    small = list(layers)
    while len(small) < len(widths):
        units = len(small[0].bias)
        small.insert(1, DenseLayer(np.eye(units, dtype=np.float32), np.zeros(units, np.float32), _RECTIFIER))
    large, inputs = [], _INPUTS
    for layer, outputs in zip(small, widths, strict=True):
        used_outputs, used_inputs = layer.weight.shape
        weight = rng.normal(0, 0.05, (outputs, inputs)).astype(np.float32)
        weight[:used_outputs] = 0
        weight[:used_outputs, :used_inputs] = layer.weight
        bias = rng.normal(0, 0.05, outputs).astype(np.float32)
        bias[:used_outputs] = layer.bias
        large.append(DenseLayer(weight, bias, layer.activation))
        inputs = outputs
    return tuple(large)


def _filled_up(record: CenRecord, count: int) -> CenRecord:
    """Store experts for some invisible landmarks too, until there are as many as in the true file."""
    views = [list(view) for view in record.experts]
    example = next(layers for view in views for layers in view if layers)
    missing = count - sum(bool(layers) for view in views for layers in view)
    for v, i in np.argwhere(~record.visibility).tolist():
        if missing > 0 and not views[v][i]:
            views[v][i] = example
            missing -= 1
    return CenRecord(
        record.scale,
        record.view_centers,
        record.visibility,
        record.mirror_landmark,
        record.mirror_view,
        tuple(map(tuple, views)),
        record.confidences,
    )


def _matrix(values: np.ndarray, code: int) -> bytes:
    values = np.atleast_2d(values)
    return struct.pack("<3i", *values.shape, code) + np.ascontiguousarray(values).tobytes()


def _write(path: Path, record: CenRecord) -> None:
    with path.open("wb") as file:
        file.write(struct.pack("<di", record.scale, len(record.view_centers)))
        for center in record.view_centers:
            file.write(_matrix(np.rad2deg(center).reshape(3, 1), 6))
        for visible in record.visibility:
            file.write(_matrix(visible.astype(np.int32).reshape(-1, 1), 4))
        file.write(_matrix(record.mirror_landmark, 4) + _matrix(record.mirror_view, 4))
        for v, view in enumerate(record.experts):
            for i, layers in enumerate(view):
                file.write(struct.pack("<4i", 6, 11, 11, len(layers)))
                for layer in layers:
                    file.write(struct.pack("<i", layer.activation))
                    file.write(_matrix(layer.bias, 5) + _matrix(layer.weight, 5))
                file.write(struct.pack("<d", record.confidences[v, i]))
