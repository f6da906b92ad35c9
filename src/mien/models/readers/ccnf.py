"""Reads CCNF patch experts (docs/algorithms/model-files.md#ccnf-patch-experts)."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.models.readers.binary import ByteCursor
from mien.models.readers.fault import refusing
from mien.models.readers.views import LARGEST_SUPPORT, Views, read_views
from mien.models.records import CcnfRecord

_MOST_NEURONS = 1000
_MOST_COMPONENTS = 100
_LARGEST_WINDOW = 99
_MOST_EXPANSION = 64  # an honest file holds most experts; this only bounds what a forged one may allocate

_Expert = tuple[NDArray[Any], NDArray[Any], float]
_Sizes = tuple[int, int, int]


@refusing
def read_ccnf(path: Path | str) -> CcnfRecord:
    """Read the CCNF patch experts of one scale.

    Parameters
    ----------
    path
        The binary file (its extension is ``.txt``).

    Returns
    -------
    CcnfRecord
        View centres in radians; zeros where a landmark is invisible.

    Raises
    ------
    ModelFileError
        The file is truncated, has something after its end, or is no CCNF file.
    """
    cursor = ByteCursor.open(path)
    views = read_views(cursor)
    sigmas, components = _read_sigma_components(cursor)
    experts: dict[tuple[int, int], _Expert] = {}
    sizes: _Sizes | None = None
    for view, landmark in np.ndindex(views.visibility.shape):
        expert = _read_expert(cursor, sizes, components, bool(views.visibility[view, landmark]))
        if expert is not None:
            experts[view, landmark] = expert
            neurons, height, width = expert[0]["weights"].shape
            sizes = width, height, neurons
    cursor.finish()
    return _assemble(cursor, views, sigmas, components, experts)


def _read_sigma_components(cursor: ByteCursor) -> tuple[dict[int, NDArray[np.float32]], int]:
    """Read the window sizes with their components; the number of betas is that of the first window."""
    sigmas: dict[int, NDArray[np.float32]] = {}
    counts = []
    for _ in range(cursor.i32("number of window sizes", 0, 100)):
        window = cursor.i32("window size", 1, _LARGEST_WINDOW)
        counts.append(cursor.i32("number of sigma components", 0, _MOST_COMPONENTS))
        if counts[-1] not in (0, counts[0]):
            raise cursor.fault(f"0 or {counts[0]} sigma components", counts[-1], cursor.offset - 4)
        if counts[-1]:
            # A copy: a view would keep the whole file in memory.
            sigmas[window] = cursor.matrices("sigma component", counts[-1], (window**2, window**2)).copy()
    return sigmas, counts[0] if counts else 0


def _read_expert(cursor: ByteCursor, sizes: _Sizes | None, components: int, visible: bool) -> _Expert | None:
    """Read one landmark's neurons, betas and confidence; None for an empty entry."""
    start = cursor.offset
    tag, width, height, neurons = cursor.array("<i4", 4, "header of a patch expert").tolist()
    found = f"tag {tag}, support {width}×{height}, {neurons} neurons"
    if tag != 5 or not 0 <= neurons <= _MOST_NEURONS:
        raise cursor.fault(f"a CCNF patch expert (tag 5, at most {_MOST_NEURONS} neurons)", found, start)
    if neurons == 0:
        if visible:
            raise cursor.fault("neurons in the patch expert of a visible landmark", found, start)
        cursor.i32("end of an empty patch expert", 0, 0)
        return None
    if not (0 < width <= LARGEST_SUPPORT and 0 < height <= LARGEST_SUPPORT):
        raise cursor.fault(f"a support of 1 to {LARGEST_SUPPORT} pixels", found, start)
    if sizes is not None and sizes != (width, height, neurons):
        raise cursor.fault("support {}×{} and {} neurons as before".format(*sizes), found, start)
    body = cursor.offset
    item = cursor.array(_expert_layout(width, height, neurons, components), 1, f"{neurons} neurons")
    stack: NDArray[Any] = item["neurons"][0]
    stride = stack.dtype.itemsize
    cursor.check_headers(stack["tags"], (2, 0), "neuron", body, stride)
    cursor.check_headers(stack["header"], (height, width, 5), "neuron weights", body + 32, stride)
    return stack, item["betas"][0], float(item["confidence"][0])


@functools.cache
def _expert_layout(width: int, height: int, neurons: int, components: int) -> np.dtype[Any]:
    neuron = np.dtype(
        [
            *[("tags", "<i4", (2,)), ("norm", "<f8"), ("bias", "<f8"), ("alpha", "<f8")],
            *[("header", "<i4", (3,)), ("weights", "<f4", (height, width))],
        ]
    )
    return np.dtype([("neurons", neuron, (neurons,)), ("betas", "<f8", (components,)), ("confidence", "<f8")])


def _assemble(
    cursor: ByteCursor,
    views: Views,
    sigmas: dict[int, NDArray[np.float32]],
    components: int,
    experts: dict[tuple[int, int], _Expert],
) -> CcnfRecord:
    """Copy the experts into arrays over views and landmarks."""
    if not experts:
        raise cursor.fault("at least one patch expert", "none")
    first = next(iter(experts.values()))[0]
    grid = views.visibility.shape
    if views.visibility.size * first.nbytes > _MOST_EXPANSION * cursor.size:
        raise cursor.fault("patch experts for most landmarks", f"{len(experts)} of {views.visibility.size}")
    height, width = first["weights"].shape[1:]
    weights = np.zeros((*grid, len(first), height, width), np.float32)
    scalars = {name: np.zeros((*grid, len(first))) for name in ("norm", "bias", "alpha")}
    betas, confidences = np.zeros((*grid, components)), np.zeros(grid)
    for at, (stack, beta, confidence) in experts.items():
        weights[at] = stack["weights"]
        for name, values in scalars.items():
            values[at] = stack[name]
        betas[at], confidences[at] = beta, confidence
    for name, values in {"weights": weights, **scalars, "betas": betas, "confidences": confidences}.items():
        cursor.check_finite(values, name, 0)
    return CcnfRecord(
        scale=views.scale,
        view_centers=views.centers,
        visibility=views.visibility,
        sigma_components=sigmas,
        weights=weights,
        norms=scalars["norm"],
        biases=scalars["bias"],
        alphas=scalars["alpha"],
        betas=betas,
        confidences=confidences,
    )
