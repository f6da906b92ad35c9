"""Convolutional expert network (CEN) patch experts, the heart of CE-CLM (landmarks.md §5.5)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from mien.landmarks import cen_kernels
from mien.models.records import CenRecord, DenseLayer
from mien.runtime.array_cache import ArrayCache, content_key
from mien.runtime.vector_math import ROWS

_NO_LANDMARK = -1


class CenPatchExperts:
    """CEN patch experts of one scale.

    Parameters
    ----------
    record
        The experts as read from their file.
    threads
        Threads that share the experts of a scale; the results do not depend on it.
    """

    def __init__(self, record: CenRecord, *, threads: int = 1) -> None:
        self.scale = float(record.scale)
        self.view_centers = np.ascontiguousarray(record.view_centers, dtype=np.float64)
        self.visibility = np.ascontiguousarray(record.visibility, dtype=np.bool_)
        self.confidences = record.confidences
        self._record = record
        self._threads = threads
        self._pool = ThreadPoolExecutor(threads - 1, "mien-cen") if threads > 1 else None
        self._tables, self._layers, self._offsets, size = _lay_out(record)
        self._weights = ArrayCache().get(_cache_key(record), lambda: _pack(record, self._offsets, size))
        self._jobs: dict[int, NDArray[np.int64]] = {}

    def responses(
        self,
        gray: NDArray[np.uint8],
        view: int,
        points: NDArray[np.float32],
        similarity: NDArray[np.float32],
        window: int,
        out: NDArray[np.float32],
    ) -> None:
        """Write the response maps (w², n) of all landmarks; zeros for invisible ones.

        See `CcnfPatchExperts.responses` for the parameters.
        """
        jobs = self._view_jobs(view)
        out[:, ~self.visibility[view]] = 0.0

        def work(first: int, last: int) -> None:
            cen_kernels.cen_responses(
                gray, points, similarity, window, jobs, first, last, self._weights, self._layers, out
            )

        chunks = list(pairwise(np.linspace(0, len(jobs), self._threads + 1).astype(int).tolist()))
        waiting = [self._pool.submit(work, *c) for c in chunks[1:]] if self._pool is not None else []
        work(*chunks[0])
        for result in waiting:
            result.result()

    def _view_jobs(self, view: int) -> NDArray[np.int64]:
        if view not in self._jobs:
            self._jobs[view] = self._plan_view(view)
        return self._jobs[view]

    def _plan_view(self, view: int) -> NDArray[np.int64]:
        """Which expert serves which landmarks of a view: its own, or a mirrored one (§5.5)."""
        served: dict[tuple[int, int], list[tuple[int, int]]] = {}
        for landmark, (owner, flip) in self._owners(view).items():
            served.setdefault(owner, []).append((landmark, int(flip)))
        jobs = []
        for (v, i), landmarks in served.items():
            first, second = landmarks[0], landmarks[1] if len(landmarks) > 1 else (_NO_LANDMARK, 0)
            jobs.append((self._tables[v, i], self._offsets[v, i], *first, *second))
        return np.array(jobs, np.int64).reshape(-1, 6)

    def _owners(self, view: int) -> dict[int, tuple[tuple[int, int], bool]]:
        """Landmark to the (view, landmark) of its expert and whether that works on the mirror image."""
        record = self._record
        owners: dict[int, tuple[tuple[int, int], bool]] = {}
        for i in np.flatnonzero(record.visibility[view]).tolist():
            mirrored = int(record.mirror_landmark[i])
            if record.experts[view][i]:
                owners[i] = ((view, i), False)
                if view == 0 and mirrored != i:
                    owners[mirrored] = ((view, i), True)
            elif view != 0:
                owners[i] = ((int(record.mirror_view[view]), mirrored), True)
        return {i: owner for i, owner in owners.items() if record.experts[owner[0][0]][owner[0][1]]}


def _padded(outputs: int) -> int:
    return -(-outputs // ROWS) * ROWS


def _lay_out(
    record: CenRecord,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], int]:
    """Layer table of every expert, the tables, the offset of every expert's weights, and their total size."""
    tables: dict[tuple[tuple[int, int, int], ...], int] = {}
    shape = record.visibility.shape
    table_of = np.full(shape, -1, np.int64)
    offsets = np.zeros(shape, np.int64)
    size = 0
    for v, view in enumerate(record.experts):
        for i, layers in enumerate(view):
            if not layers:
                continue
            key = tuple((d.weight.shape[1], d.weight.shape[0], d.activation) for d in layers)
            table_of[v, i] = tables.setdefault(key, len(tables))
            offsets[v, i] = size
            size += sum(_padded(outputs) * (inputs + 1) for inputs, outputs, _ in key)
    depth = max((len(key) for key in tables), default=0) + 1
    table = np.zeros((max(len(tables), 1), depth, 3), np.int64)
    for key, t in tables.items():
        table[t, : len(key)] = key
    return table_of, table, offsets, size


def _pack(record: CenRecord, offsets: NDArray[np.int64], size: int) -> NDArray[np.float32]:
    """Flat weights of all experts in the order of the kernels."""
    out = np.zeros(size, np.float32)
    for v, view in enumerate(record.experts):
        for i, layers in enumerate(view):
            position = int(offsets[v, i])
            for layer in layers:
                packed = _pack_layer(layer)
                out[position : position + packed.size] = packed
                position += packed.size
    return out


def _pack_layer(layer: DenseLayer) -> NDArray[np.float32]:
    """Panels (outputs / 7, inputs, 7), then the bias, both padded with zeros."""
    outputs, inputs = layer.weight.shape
    padded = _padded(outputs)
    weight = np.zeros((padded, inputs), np.float32)
    weight[:outputs] = layer.weight
    bias = np.zeros(padded, np.float32)
    bias[:outputs] = layer.bias
    panels = weight.reshape(-1, ROWS, inputs).transpose(0, 2, 1)
    return np.concatenate([panels.reshape(-1), bias])


def _cache_key(record: CenRecord) -> str:
    """Key of the packed weights: hundreds of megabytes are not hashed, their file's identity is."""
    if record.source is None:
        parts = [layer.weight for view in record.experts for layers in view for layer in layers]
        return f"cen-{content_key('cen 1', *parts)}"
    status = record.source.stat()
    return f"cen-{content_key('cen 1', str(record.source.resolve()), status.st_size, status.st_mtime_ns)}"
