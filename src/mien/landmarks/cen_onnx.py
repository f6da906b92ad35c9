"""CEN patch experts on an accelerator, in a few batched products (docs/algorithms/patch-experts-ce-clm.md).

The windows are cut out on the processor and the maps put together there, by the kernels of `cen_kernels`;
between them one ONNX graph per view does the dense layers of all experts at once, for all analyses that
share an accelerator. Scales are not joined: each begins where the fit at the coarser one has ended.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.landmarks import cen_kernels
from mien.landmarks.accelerator import Accelerator
from mien.landmarks.cen_layout import (
    Expert,
    Task,
    check_inputs,
    evaluated_positions,
    jobs_of,
    served_landmarks,
    view_tasks,
)
from mien.models.records import CenRecord, DenseLayer
from mien.runtime.onnx_graph import stacked_dense_to_onnx

_ACTIVATIONS = {cen_kernels.SIGMOID: "sigmoid", cen_kernels.RECTIFIER: "relu"}
_WIDTH = 128
"""Numbers of one window, padded: accelerators like whole blocks."""


@dataclass(frozen=True, slots=True)
class _Batch:
    """Tasks of one view whose networks have the same layers, and where these run."""

    jobs: NDArray[np.int64]
    session: Any


@dataclass(frozen=True, slots=True)
class _Identity:
    """A record that is told from others by being itself: comparing all weights would take long."""

    record: CenRecord

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Identity) and other.record is self.record

    def __hash__(self) -> int:
        return id(self.record)


class CenOnnxPatchExperts:
    """CEN patch experts of one scale, evaluated by ONNX Runtime.

    Parameters
    ----------
    record
        The experts as read from their file.
    device
        A device's name, see `mien.runtime.sessions.create_session`, or what several analyses share.
    exact
        See `mien.landmarks.cen.CenPatchExperts`.
    threads
        Threads inside one product, on the processor; an accelerator has its own.

    Raises
    ------
    ModelFileError
        The networks are not for supports of 11 x 11 pixels.
    ProviderError
        Networks cannot run on the wanted device.
    """

    def __init__(
        self, record: CenRecord, *, device: str | Accelerator, exact: bool = False, threads: int = 1
    ) -> None:
        check_inputs(record)
        self.scale = float(record.scale)
        self.view_centers = np.ascontiguousarray(record.view_centers, dtype=np.float64)
        self.visibility = served_landmarks(record)
        self.confidences = record.confidences
        self._record = record
        self._accelerator = Accelerator(device, threads=threads) if isinstance(device, str) else device
        self._exact = exact
        self._views: dict[int, tuple[_Batch, ...]] = {}
        self._inputs: dict[tuple[int, int, int], NDArray[np.float32]] = {}
        self._view_batches(0)  # A device that does not work shows at once.

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
        for batch in self._view_batches(view):
            inputs = self._input_buffer(batch.jobs, window)
            cen_kernels.cen_all_windows(gray, points, similarity, window, self._exact, batch.jobs, inputs)
            values = self._accelerator.run(batch.session, inputs)
            cen_kernels.cen_all_maps(values, window, batch.jobs, out)

    @property
    def networks(self) -> dict[str, str]:
        """Where the networks run, by name."""
        return {f"CEN {self.scale:g}": self._accelerator.used}

    def _view_batches(self, view: int) -> tuple[_Batch, ...]:
        if view not in self._views:
            groups: dict[tuple[tuple[int, ...], ...], list[Task]] = {}
            for task in view_tasks(self._record, view):
                groups.setdefault(_shape(self._layers(task.expert)), []).append(task)
            self._views[view] = tuple(self._batch(tasks) for tasks in groups.values())
        return self._views[view]

    def _batch(self, tasks: list[Task]) -> _Batch:
        # A view and its mirror use the same experts: sorted, they share one session.
        tasks = sorted(tasks, key=lambda task: task.expert)
        experts = tuple(task.expert for task in tasks)
        session = self._accelerator.open(
            (_Identity(self._record), experts),
            lambda: stacked_dense_to_onnx(_stack([self._layers(expert) for expert in experts])),
        )
        return _Batch(jobs_of(tasks), session)

    def _layers(self, expert: Expert) -> tuple[DenseLayer, ...]:
        return self._record.experts[expert[0]][expert[1]]

    def _input_buffer(self, jobs: NDArray[np.int64], window: int) -> NDArray[np.float32]:
        """(J, rows, 128): windows of one or two landmarks for each job; rows without any are left alone."""
        evaluated = evaluated_positions(window)
        shape = (len(jobs), 2 * evaluated if (jobs[:, 4] >= 0).any() else evaluated, _WIDTH)
        if shape not in self._inputs:
            self._inputs[shape] = np.zeros(shape, np.float32)
        return self._inputs[shape]


def _shape(layers: tuple[DenseLayer, ...]) -> tuple[tuple[int, ...], ...]:
    return tuple((*layer.weight.shape, layer.activation) for layer in layers)


def _stack(
    experts: list[tuple[DenseLayer, ...]],
) -> list[tuple[NDArray[np.float32], NDArray[np.float32], str]]:
    """Weights (E, in, out), biases (E, out) and activation of every layer; the first takes padded windows."""
    stacked = []
    for depth, first in enumerate(experts[0]):
        outputs, inputs = first.weight.shape
        weight = np.zeros((len(experts), inputs if depth else _WIDTH, outputs), np.float32)
        weight[:, :inputs] = np.stack([layers[depth].weight.T for layers in experts])
        bias = np.stack([layers[depth].bias for layers in experts])
        stacked.append((weight, bias, _ACTIVATIONS.get(first.activation, "linear")))
    return stacked
