"""The landmark validator: how far a fit can be trusted (docs/algorithms/validator.md).

A small network looks at the face, warped to the mean shape of the nearest view, and sorts the fit's
error into bins. It follows Baltrušaitis, Robinson, Morency: OpenFace: an open source facial behavior
analysis toolkit. WACV 2016, section 3.1.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.landmarks.validator_kernels import validation_input
from mien.models.records import ValidatorRecord, ValidatorView
from mien.runtime.onnx_graph import INPUT_NAME, network_to_onnx
from mien.runtime.sessions import create_session, device_of

FloatArray = NDArray[np.float32]

CERTAINTY_THRESHOLD = float(np.float32(0.725))
"""A fit is good where its certainty is greater than this. The threshold is a float32: in 20 bins one
certainty equals it, and fails."""


class LandmarkValidator:
    """Tells how far 68 landmarks can be trusted.

    Parameters
    ----------
    record
        Networks and warps of all views.
    device
        Where the networks run: see `mien.runtime.sessions.create_session`.
    threads
        Threads inside one network.
    """

    def __init__(self, record: ValidatorRecord, *, device: str = "cpu", threads: int = 1) -> None:
        self._record = record
        self._device = device
        self._threads = threads
        self._orientations = [view.orientation.tolist() for view in record.views]
        self._judges: list[ViewJudge | None] = [None] * len(record.views)

    @property
    def networks(self) -> dict[str, str]:
        """Where the networks of those views run that were needed so far."""
        devices = [judge.device for judge in self._judges if judge is not None]
        return {"landmark validator": devices[0]} if devices else {}

    def certainty(
        self, orientation_rad: FloatArray | NDArray[np.float64], gray: NDArray[np.uint8], points: FloatArray
    ) -> float:
        """Judge landmarks.

        Parameters
        ----------
        orientation_rad
            (3,) Euler angles of the head.
        gray
            (H, W) uint8, C-contiguous.
        points
            (68, 2) float32, px.

        Returns
        -------
        float
            A float32 value between 0 (bad) and 1 (good); 0 where the landmarks leave the image. Compare it
            with `CERTAINTY_THRESHOLD`.
        """
        # Another memory layout would compile the kernel anew.
        points = np.ascontiguousarray(points, np.float32)
        return self.judge(self.nearest_view(orientation_rad)).certainty(gray, points)

    def nearest_view(self, orientation_rad: FloatArray | NDArray[np.float64]) -> int:
        """Index of the view whose orientation is nearest, the first one of equals."""
        angles = orientation_rad.tolist()
        distances = [math.dist(angles, view) for view in self._orientations]
        return distances.index(min(distances))

    def judge(self, view: int) -> ViewJudge:
        """The validator of one view."""
        # Opened at first use: most videos show few of the views.
        judge = self._judges[view]
        if judge is None:
            judge = ViewJudge(self._record.views[view], device=self._device, threads=self._threads)
            self._judges[view] = judge
        return judge


class ViewJudge:
    """The validator of one view.

    Parameters
    ----------
    view
        Its network and warp.
    device, threads
        See `LandmarkValidator`.
    """

    def __init__(self, view: ValidatorView, *, device: str = "cpu", threads: int = 1) -> None:
        height, width = view.mask.shape
        rows, columns = np.nonzero(view.mask)
        triangle = view.triangle_ids[rows, columns]
        self._shape = (1, 1, height, width)
        self._pixels = np.stack([rows * width + columns, triangle], axis=1).astype(np.int32)
        self._positions = np.stack(
            [
                columns.astype(np.float32) + np.float32(view.min_x),
                rows.astype(np.float32) + np.float32(view.min_y),
            ]
        )
        # The file lists the pixels column by column; here they go row by row, as in memory.
        statistics = np.zeros((2, width, height), np.float32)
        statistics[:, view.mask.T != 0] = view.mean_image, view.std_image
        self._normalisation = np.ascontiguousarray(statistics[:, columns, rows])
        self._triangles = np.ascontiguousarray(view.triangles, np.int32)
        self._alpha = np.ascontiguousarray(view.alpha, np.float32)
        self._beta = np.ascontiguousarray(view.beta, np.float32)
        model = network_to_onnx(view.layers, channels=1, height=height, width=width)
        self._session: Any = create_session(model, device=device, threads=threads)

    @property
    def device(self) -> str:
        """Where the network runs."""
        return device_of(self._session)

    def certainty(self, gray: NDArray[np.uint8], points: FloatArray) -> float:
        """As `LandmarkValidator.certainty`."""
        inputs = self.network_input(gray, points)
        if inputs is None:
            return 0.0
        outputs = self._session.run(None, {INPUT_NAME: inputs})[0][0]
        bins = len(outputs)
        error = -1 + 1 / bins + 2 * int(outputs.argmax()) / bins
        return float(np.float32(0.5 * (1 - error)))

    def network_input(self, gray: NDArray[np.uint8], points: FloatArray) -> FloatArray | None:
        """The normalised face (1, 1, 60, 60), or None where the landmarks leave the image."""
        inputs = np.zeros(self._shape, np.float32)
        usable = validation_input(
            gray,
            points,
            self._triangles,
            self._alpha,
            self._beta,
            self._pixels,
            self._positions,
            self._normalisation,
            inputs.reshape(-1),
        )
        return inputs if usable else None
