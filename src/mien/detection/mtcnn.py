"""Face detection with three cascaded networks, MTCNN (docs/algorithms/face-detection.md).

Zhang, Zhang, Li, Qiao: Joint face detection and alignment using multitask cascaded convolutional
networks. IEEE Signal Processing Letters 23(10), 2016. Where paper and original program differ (smallest
face, thresholds, rounding), the program is followed.
"""

from __future__ import annotations

import math
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.datatypes import FaceBoxes
from mien.detection.boxes import Candidates, join
from mien.detection.kernels import network_inputs
from mien.errors import OptionError
from mien.models.records import MtcnnRecord, NetworkLayer
from mien.runtime.onnx_graph import INPUT_NAME, network_to_onnx
from mien.runtime.sessions import create_session, device_of

FloatArray = NDArray[np.float32]

MIN_FACE_PX = 60
_CELL_PX = 12
_PYRAMID_FACTOR = 0.709
_MIN_PROPOSAL_SCORE = np.float32(0.6)
_MIN_REFINED_SCORE = np.float32(0.7)
_MIN_FINAL_SCORE = np.float32(0.7)
_BATCH = 2
"""Candidates that a network looks at together: more take memory and save no time."""


class MtcnnDetector:
    """Finds faces of 60 px and more.

    Parameters
    ----------
    record
        The three networks.
    device
        Where they run: see `mien.runtime.sessions.create_session`.
    threads
        Threads inside one network.
    """

    def __init__(self, record: MtcnnRecord, *, device: str = "cpu", threads: int = 1) -> None:
        self._record = record
        self._device = device
        self._threads = threads
        if device != "cpu":
            _ = self._pnet  # A device that does not work shows at once.

    @property
    def networks(self) -> dict[str, str]:
        """Where those networks run that were needed so far, by name."""
        names = {"_pnet": "MTCNN proposal", "_rnet": "MTCNN refinement", "_onet": "MTCNN output"}
        return {name: device_of(vars(self)[key]) for key, name in names.items() if key in vars(self)}

    def detect(self, bgr: NDArray[np.uint8]) -> FaceBoxes:
        """Find all faces of an image.

        Parameters
        ----------
        bgr
            (H, W, 3) uint8.

        Returns
        -------
        FaceBoxes
            Boxes tight around the landmarks, most certain first; none if the image is smaller than 60 px.

        Raises
        ------
        OptionError
            The image has another shape or type.
        """
        if bgr.ndim != 3 or bgr.shape[2] != 3 or bgr.dtype != np.uint8:
            raise OptionError(
                "expected an image (H, W, 3) of uint8 with the channels blue, green, red, "
                f"got {bgr.shape} of {bgr.dtype}; convert it first"
            )
        bgr = np.ascontiguousarray(bgr)
        faces = self.accept(bgr, self.refine(bgr, self.propose(bgr)))
        return FaceBoxes(calibrate(faces.boxes), faces.scores)

    def propose(self, bgr: NDArray[np.uint8]) -> Candidates:
        """First network: square candidates from all levels of the image pyramid, with its scores."""
        found = self.scan(bgr)
        return found.suppressed(0.7).corrected().squared()

    def scan(self, bgr: NDArray[np.uint8]) -> Candidates:
        """Candidates of all levels of the pyramid, each level suppressed by itself."""
        levels = [
            cell_candidates(self.proposal_maps(bgr, scale), scale).suppressed(0.5)
            for scale in pyramid_scales(*bgr.shape[:2])
        ]
        return join([_NO_CANDIDATES, *levels])

    def refine(self, bgr: NDArray[np.uint8], candidates: Candidates) -> Candidates:
        """Second network: fewer, better placed square candidates, with its scores."""
        scored = self.score_refinement(bgr, candidates)
        return scored.take(scored.scores >= _MIN_REFINED_SCORE).suppressed(0.7).corrected().squared()

    def accept(self, bgr: NDArray[np.uint8], candidates: Candidates) -> Candidates:
        """Third network: the faces, before `calibrate`."""
        scored = self.score_output(bgr, candidates)
        confident = scored.take(scored.scores >= _MIN_FINAL_SCORE)
        return confident.corrected(inclusive=True).suppressed(0.7, by_smaller=True)

    def score_refinement(self, bgr: NDArray[np.uint8], candidates: Candidates) -> Candidates:
        """Replace scores and corrections by the second network's."""
        return _score(self._rnet, 24, bgr, candidates)

    def score_output(self, bgr: NDArray[np.uint8], candidates: Candidates) -> Candidates:
        """Replace scores and corrections by the third network's."""
        return _score(self._onet, 48, bgr, candidates)

    def proposal_maps(self, bgr: NDArray[np.uint8], scale: float) -> FloatArray:
        """The first network's (6, h, w) maps on one level of the pyramid."""
        height, width = bgr.shape[:2]
        inputs = np.empty((1, 3, math.ceil(height * scale), math.ceil(width * scale)), np.float32)
        network_inputs(bgr, np.array([[0, 0, width, height]]), inputs)
        maps: FloatArray = self._pnet.run(None, {INPUT_NAME: inputs})[0][0]
        return maps

    # Sessions are opened at their first use: images without candidates need only one of them.
    @cached_property
    def _pnet(self) -> Any:
        return self._session(self._record.pnet, None)

    @cached_property
    def _rnet(self) -> Any:
        return self._session(self._record.rnet, 24)

    @cached_property
    def _onet(self) -> Any:
        return self._session(self._record.onet, 48)

    def _session(self, layers: tuple[NetworkLayer, ...], side: int | None) -> Any:
        model = network_to_onnx(layers, channels=3, height=side, width=side)
        return create_session(model, device=self._device, threads=self._threads)


def pyramid_scales(height: int, width: int) -> list[float]:
    """Scales of the image pyramid: faces of 60 px first; none if the image is smaller."""
    smallest = min(height, width)
    if smallest < MIN_FACE_PX:
        return []
    levels = math.floor(math.log(MIN_FACE_PX / smallest) / math.log(_PYRAMID_FACTOR)) + 1
    return [_CELL_PX / MIN_FACE_PX * _PYRAMID_FACTOR**level for level in range(levels)]


def calibrate(boxes: FloatArray) -> FloatArray:
    """Turn the networks' square boxes into ones tight around the landmarks: brow to chin, cheek to cheek."""
    x, y, width, height = boxes.T
    return np.stack(
        [
            x - np.float32(0.0075) * width,
            y + np.float32(0.2459) * height,
            np.float32(1.0323) * width,
            np.float32(0.7751) * height,
        ],
        axis=1,
    )


def cell_candidates(maps: FloatArray, scale: float) -> Candidates:
    """Turn the cells of the first network's (6, h, w) maps that see a face into boxes of the image."""
    factor = np.float32(scale)
    probability = _probability(maps[0], maps[1])
    column, row = np.nonzero((probability >= _MIN_PROPOSAL_SCORE).T)  # Column by column: matters for ties.
    cell = np.stack([column, row], axis=1)
    low = np.trunc((2 * cell + 1).astype(np.float32) / factor)
    high = np.trunc((2 * cell + _CELL_PX).astype(np.float32) / factor)
    boxes = np.concatenate([low, high - low], axis=1)
    return Candidates(boxes, probability[row, column], maps[2:6, row, column].T)


def _score(session: Any, side: int, bgr: NDArray[np.uint8], candidates: Candidates) -> Candidates:
    """Run a network on the candidates; those that see nothing of the image are left out."""
    candidates = candidates.take(_touches_image(candidates.boxes, *bgr.shape[:2]))
    if len(candidates) == 0:
        return candidates
    # The crop starts one pixel before the box and ends with its last pixel.
    windows = candidates.boxes.astype(np.int64) + np.array([-1, -1, 1, 1])
    outputs = []
    for start in range(0, len(windows), _BATCH):
        batch = windows[start : start + _BATCH]
        inputs = np.empty((len(batch), 3, side, side), np.float32)
        network_inputs(bgr, batch, inputs)
        outputs.append(session.run(None, {INPUT_NAME: inputs})[0])
    logits = np.concatenate(outputs)
    return Candidates(candidates.boxes, _probability(logits[:, 0], logits[:, 1]), logits[:, 2:6])


def _touches_image(boxes: FloatArray, height: int, width: int) -> NDArray[np.bool_]:
    low, size = boxes[:, :2], boxes[:, 2:]
    begins_inside = low - 1 < np.array([width, height])
    touches: NDArray[np.bool_] = np.all((size >= 0) & begins_inside & (low + size > 0), axis=1)
    return touches


def _probability(other: FloatArray, face: FloatArray) -> FloatArray:
    with np.errstate(over="ignore"):
        probability: FloatArray = np.float32(1) / (np.float32(1) + np.exp(other - face))
    return probability


_NO_CANDIDATES = Candidates(
    np.empty((0, 4), np.float32), np.empty(0, np.float32), np.empty((0, 4), np.float32)
)
