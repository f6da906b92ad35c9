"""Where the weights of CEN experts lie in memory, and which expert serves which landmark.

What they compute: docs/algorithms/patch-experts-ce-clm.md.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.errors import ModelFileError, OptionError
from mien.landmarks.cen_kernels import INPUTS, vectors_of_panel
from mien.landmarks.vector_code import ROWS
from mien.models.records import CenRecord, DenseLayer
from mien.runtime.lanes import LANES
from mien.storage.array_cache import ArrayCache, content_key
from mien.storage.cache_folder import stamp_of

logger = logging.getLogger(__name__)

Expert = tuple[int, int]
"""View and landmark under which an expert is stored."""
_LAYOUT = "cen 3"
_LARGEST_WINDOW = 16
_SMALLEST_STEP = 128
_PADDING = 16


@dataclass(frozen=True, slots=True)
class Task:
    """One expert in one view, with the landmarks it serves: index, and whether on the mirrored area."""

    expert: Expert
    landmarks: tuple[tuple[int, bool], ...]


def evaluated_positions(window: int) -> int:
    """Number of positions of a window that are evaluated: every other one of the checkerboard.

    Raises
    ------
    OptionError
        The window is even, or larger than 15.
    """
    if window % 2 == 0 or not 0 < window < _LARGEST_WINDOW:
        raise OptionError(f"windows of CEN patch experts: expected odd sizes below 16, got {window}")
    return (window * window - 1) // 2


def view_tasks(record: CenRecord, view: int) -> tuple[Task, ...]:
    """Which expert serves which landmarks of a view: its own, or a mirrored one.

    A mirrored pair of the frontal view comes as one task, so that its weights are read once.
    """
    owners: dict[int, tuple[Expert, bool]] = {}
    for i in np.flatnonzero(record.visibility[view]).tolist():
        mirrored = int(record.mirror_landmark[i])
        if record.experts[view][i]:
            owners[i] = ((view, i), False)
            if view == 0 and mirrored != i:
                owners[mirrored] = ((view, i), True)
        elif view != 0:
            owners[i] = ((int(record.mirror_view[view]), mirrored), True)
    served: dict[Expert, list[tuple[int, bool]]] = {}
    for landmark, (expert, flip) in owners.items():
        if record.experts[expert[0]][expert[1]]:
            served.setdefault(expert, []).append((landmark, flip))
    return tuple(Task(expert, tuple(landmarks)) for expert, landmarks in served.items())


def served_landmarks(record: CenRecord) -> NDArray[np.bool_]:
    """Visibility (V, n), without landmarks that no expert serves."""
    served = np.zeros_like(record.visibility)
    for view in range(len(served)):
        for task in view_tasks(record, view):
            served[view, [landmark for landmark, _ in task.landmarks]] = True
    lacking = record.visibility & ~served
    if lacking.any():
        places = ", ".join(f"{i} of view {v}" for v, i in np.argwhere(lacking).tolist())
        logger.warning("no patch expert at scale %g for landmarks %s: left out", record.scale, places)
    return record.visibility & served


@dataclass(frozen=True, slots=True)
class PackedExperts:
    """All experts of a scale, laid out for the kernels.

    Attributes
    ----------
    weights
        Flat float32, memory-mapped: processes share one copy.
    tables
        (T, L, 3) int64: inputs, outputs (0 ends the list) and activation of every layer, for each of T
        kinds of network.
    kind, offset
        (V, n) int64: row of ``tables`` of every stored expert, and where its weights begin.
    """

    weights: NDArray[np.float32]
    tables: NDArray[np.int64]
    kind: NDArray[np.int64]
    offset: NDArray[np.int64]

    def scratch(self, evaluated: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Two buffers for two landmarks of so many positions each."""
        widest = max(_SMALLEST_STEP, int(self.tables[:, :, 1].max(initial=0)) + 3 * LANES)
        rows = -(-2 * evaluated // ROWS) * ROWS
        # Rows whose distance is a power of two would compete for the same places in the cache.
        x, y = np.zeros((2, rows, widest + _PADDING), np.float32)
        return x, y

    def jobs(self, tasks: Sequence[Task]) -> NDArray[np.int64]:
        """Tasks as `cen_kernels.cen_responses` wants them, (J, 6)."""
        jobs = jobs_of(tasks)
        for job, task in zip(jobs, tasks, strict=True):
            job[:2] = self.kind[task.expert], self.offset[task.expert]
        return jobs


def jobs_of(tasks: Sequence[Task]) -> NDArray[np.int64]:
    """(J, 6): two columns for where the weights are, landmark, flip, second landmark or -1, its flip."""
    rows = [(0, 0, *task.landmarks[0], *(*task.landmarks, (-1, False))[1]) for task in tasks]
    return np.array(rows, np.int64).reshape(-1, 6)


def pack_experts(record: CenRecord, cache: ArrayCache | None = None) -> PackedExperts:
    """Lay out the experts of a scale; the first time, or from the cache.

    Raises
    ------
    ModelFileError
        A network does not look at 11 x 11 pixels.
    """
    check_inputs(record)
    tables: dict[tuple[tuple[int, int, int], ...], int] = {}
    kind = np.full(record.visibility.shape, -1, np.int64)
    offset = np.zeros(record.visibility.shape, np.int64)
    size = 0
    for v, i in np.ndindex(*record.visibility.shape):
        layers = record.experts[v][i]
        if layers:
            table = tuple((d.weight.shape[1], d.weight.shape[0], d.activation) for d in layers)
            kind[v, i] = tables.setdefault(table, len(tables))
            offset[v, i] = size
            size += sum(_packed_size(inputs, outputs) for inputs, outputs, _ in table)
    key, made_from = _cache_key(record)
    weights = (cache or ArrayCache()).get(
        key, lambda: _pack(record, offset, size), shape=(size,), made_from=made_from
    )
    return PackedExperts(weights, _as_array(tables), kind, offset)


def check_inputs(record: CenRecord) -> None:
    """Raise `ModelFileError` where a network does not look at 11 x 11 pixels."""
    inputs = {layers[0].weight.shape[1] for view in record.experts for layers in view if layers}
    if inputs - {INPUTS}:
        raise ModelFileError(
            f"{record.source or 'CEN patch experts'}: expected networks of {INPUTS} inputs (1 and 11 × 11 "
            f"pixels), got {max(inputs - {INPUTS})}; patch experts with another support than OpenFace's "
            "cannot be used"
        )


def _as_array(tables: dict[tuple[tuple[int, int, int], ...], int]) -> NDArray[np.int64]:
    depth = max((len(table) for table in tables), default=0) + 1
    out = np.zeros((max(len(tables), 1), depth, 3), np.int64)
    for table, row in tables.items():
        out[row, : len(table)] = table
    return out


def panel_widths(outputs: int) -> tuple[int, ...]:
    """Outputs in each panel of a layer, padded to whole vectors."""
    left = -(-outputs // LANES)
    widths = []
    while left:
        vectors = int(vectors_of_panel.py_func(left))
        widths.append(vectors * LANES)
        left -= vectors
    return tuple(widths)


def _packed_size(inputs: int, outputs: int) -> int:
    return -(-outputs // LANES) * LANES * (inputs + 1)


def _pack(record: CenRecord, offset: NDArray[np.int64], size: int) -> NDArray[np.float32]:
    out = np.zeros(size, np.float32)
    for v, i in np.ndindex(*record.visibility.shape):
        position = int(offset[v, i])
        for layer in record.experts[v][i]:
            position += _pack_layer(layer, out[position:])
    return out


def _pack_layer(layer: DenseLayer, out: NDArray[np.float32]) -> int:
    """Write the panels of a layer, each its bias and one row per input; returns the floats written."""
    outputs, inputs = layer.weight.shape
    first = position = 0
    for width in panel_widths(outputs):
        panel = out[position : position + width * (inputs + 1)].reshape(inputs + 1, width)
        taken = min(width, outputs - first)
        panel[0, :taken] = layer.bias[first : first + taken]
        panel[1:, :taken] = layer.weight[first : first + taken].T
        first += width
        position += panel.size
    return position


def _cache_key(record: CenRecord) -> tuple[str, str]:
    """Key of the packed weights, and the state of their file: hundreds of megabytes are not hashed."""
    if record.source is None:
        layers = [layer for view in record.experts for expert in view for layer in expert]
        parts = [array for layer in layers for array in (layer.weight, layer.bias)]
        return f"cen-{content_key(_LAYOUT, LANES, *parts)}", ""
    state = content_key(*stamp_of(record.source.stat()))
    return f"cen-{content_key(_LAYOUT, LANES, str(record.source.resolve()))}", state
