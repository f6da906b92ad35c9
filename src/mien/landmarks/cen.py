"""Convolutional expert networks (CEN), the heart of CE-CLM (docs/algorithms/patch-experts-ce-clm.md).

After Zadeh, Baltrušaitis, Morency: Convolutional experts constrained local model for 3D facial landmark
detection. CVPR workshops 2017; what differs from it is in docs/algorithms/papers.md.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from mien.landmarks import cen_kernels
from mien.landmarks.cen_layout import evaluated_positions, pack_experts, served_landmarks, view_tasks
from mien.models.records import CenRecord
from mien.storage.array_cache import ArrayCache

_PIECES_PER_THREAD = 4


class CenPatchExperts:
    """CEN patch experts of one scale, evaluated on the processor.

    Parameters
    ----------
    record
        The experts as read from their file.
    exact
        Cut out the windows without the original's 1/32-px grid (docs/algorithms/numerical-noise.md).
    threads
        Threads that share the experts of a scale; the results do not depend on it.
    cache
        Where the weights lie once they are laid out for the kernels.

    Raises
    ------
    ModelFileError
        The networks are not for supports of 11 x 11 pixels.
    """

    def __init__(
        self,
        record: CenRecord,
        *,
        exact: bool = False,
        threads: int = 1,
        cache: ArrayCache | None = None,
    ) -> None:
        self.scale = float(record.scale)
        self.view_centers = np.ascontiguousarray(record.view_centers, dtype=np.float64)
        self.visibility = served_landmarks(record)
        self.confidences = record.confidences
        self._record = record
        self._packed = pack_experts(record, cache)
        self._exact = exact
        self._threads = threads
        self._pieces: dict[int, tuple[NDArray[np.int64], ...]] = {}
        self._scratch: dict[int, tuple[_Scratch, ...]] = {}

    def responses(
        self,
        gray: NDArray[np.uint8],
        view: int,
        points: NDArray[np.float32],
        similarity: NDArray[np.float32],
        window: int,
        out: NDArray[np.float32],
    ) -> None:
        """Write the response maps (w², P >= n) of all landmarks; zeros for invisible ones.

        See `CcnfPatchExperts.responses` for the parameters.
        """
        out[:, np.flatnonzero(~self.visibility[view])] = 0.0
        waiting = deque(self._view_pieces(view))

        def work(scratch: _Scratch) -> None:
            # Whoever is free takes the next piece: other threads of the program may hold a core.
            while waiting:
                try:
                    jobs = waiting.popleft()
                except IndexError:
                    return
                cen_kernels.cen_responses(
                    gray,
                    points,
                    similarity,
                    window,
                    self._exact,
                    jobs,
                    self._packed.weights,
                    self._packed.tables,
                    scratch.x,
                    scratch.y,
                    out,
                )

        mine, *others = self._window_scratch(window)
        helpers = [_pool(self._threads - 1).submit(work, scratch) for scratch in others]
        work(mine)
        for helper in helpers:
            # One that has not begun is not waited for: all is done.
            if not helper.cancel():
                helper.result()

    @property
    def networks(self) -> dict[str, str]:
        """Where the networks run, by name: here mien's own kernel is their place."""
        return {f"CEN {self.scale:g}": "cpu"}

    def _view_pieces(self, view: int) -> tuple[NDArray[np.int64], ...]:
        """Jobs of a view, in as many pieces as keep all threads busy to the end."""
        if view not in self._pieces:
            jobs = self._packed.jobs(view_tasks(self._record, view))
            count = 1 if self._threads == 1 else _PIECES_PER_THREAD * self._threads
            self._pieces[view] = tuple(np.array_split(jobs, min(count, max(len(jobs), 1))))
        return self._pieces[view]

    def _window_scratch(self, window: int) -> tuple[_Scratch, ...]:
        if window not in self._scratch:
            evaluated = evaluated_positions(window)
            self._scratch[window] = tuple(
                _Scratch(*self._packed.scratch(evaluated)) for _ in range(self._threads)
            )
        return self._scratch[window]


@cache
def _pool(size: int) -> ThreadPoolExecutor:
    """The helpers of all experts of the process; they sleep between frames."""
    return ThreadPoolExecutor(size, "mien-cen")


@dataclass(frozen=True, slots=True)
class _Scratch:
    """Activations of one thread."""

    x: NDArray[np.float32]
    y: NDArray[np.float32]
