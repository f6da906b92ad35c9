"""Scores of recordings as files, and tables made from them without the video.

``NAME.scores.npz`` holds everything that a recording's action units depend on, except the weights of the
predictors, which their licence keeps from being passed on. See docs/normalisation.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.action_units.histogram import MedianHistogram
from mien.action_units.normalisation import (
    Baseline,
    neutral_baseline,
    normalise,
    person_baseline,
    pooled_neutral,
    resting_baseline,
)
from mien.action_units.predictors import PredictorSet
from mien.action_units.scores import ClipScores, PredictorFacts
from mien.analysis.targets import SCORES_ENDING
from mien.datatypes import ActionUnitSeries
from mien.errors import OptionError, TableError
from mien.results import columns
from mien.results.files import whole_file
from mien.results.table import Table
from mien.results.unit_cells import read_intensities, replace_units, write_units
from mien.results.video_result import VideoResult
from mien.storage.npz import read_npz

VERSION = 1
"""Version of the format."""

_Arrays = dict[str, NDArray[Any]]
_OUTPUTS, _INTENSITIES, _PRESENCES = 35, 17, 18
_CLIP = {
    "ok": ("?", (None,)),
    "scores": ("f8", (None, _OUTPUTS)),
    "live_intensity": ("f8", (None, _INTENSITIES)),
    "live_positive": ("?", (None, _PRESENCES)),
    "neutral": ("f8", (_OUTPUTS,)),
}
_FACTS = {
    "dynamic": ("?", (_OUTPUTS,)),
    "measured": ("?", (_OUTPUTS,)),
    "cutoffs": ("f8", (_INTENSITIES,)),
    "classes": ("f8", (2, _PRESENCES)),
}
_ROWS = {"frame": "i8", "time_s": "f8", "confidence": "f8", "success": "?"}


@dataclass(frozen=True, slots=True)
class RecordingScores:
    """Scores of one person in one recording, and which frames they belong to; N frames.

    Attributes
    ----------
    clip
        The scores.
    frame, time_s
        (N,) int64, counted from 0; (N,) float64.
    confidence, success
        (N,) float64; (N,) bool: as in the recording's table.
    face_id
        Identity of the face.
    source
        Name of the recording.
    """

    clip: ClipScores
    frame: NDArray[np.int64]
    time_s: NDArray[np.float64]
    confidence: NDArray[np.float64]
    success: NDArray[np.bool_]
    face_id: int = 0
    source: str = ""

    @classmethod
    def of(cls, clip: ClipScores, result: VideoResult) -> RecordingScores:
        """Scores with the frames of the result they belong to."""
        if len(clip) != len(result):
            raise ValueError(f"expected scores of {len(result)} frames, got {len(clip)}")
        return cls(
            clip=clip,
            frame=result.frame,
            time_s=result.time_s,
            confidence=result.confidence,
            success=result.success,
            face_id=int(result.face_id[0]) if len(result) else 0,
            source=result.source.name if result.source else "",
        )

    def save(self, path: str | Path) -> None:
        """Write all of it; the file appears when it is complete.

        Raises
        ------
        OutputError
            It can't be written there.
        """
        clip, facts = self.clip, self.clip.predictors
        arrays: dict[str, Any] = {"version": VERSION, "face_id": self.face_id, "source": self.source}
        arrays |= {name: getattr(self, name) for name in _ROWS}
        arrays |= {f"clip_{name}": getattr(clip, name) for name in _CLIP}
        arrays |= {f"predictors_{name}": getattr(facts, name) for name in _FACTS}
        arrays["predictors_fingerprint"] = facts.fingerprint
        for index, histogram in enumerate(clip.histograms):
            arrays |= {f"median{index}_{name}": value for name, value in _packed(histogram).items()}
        with whole_file(path) as file:
            np.savez_compressed(file, **arrays)


def _packed(histogram: MedianHistogram) -> dict[str, Any]:
    layout = (histogram.low, histogram.high, histogram.bins, histogram.floor, histogram.count)
    return {
        "layout": np.array(layout, np.float64),
        "value": histogram.value,
        # Differences are small numbers, which compress to a fraction.
        "steps": np.diff(histogram.cells, prepend=np.uint32(0)),
        "counters": histogram.counters,
    }


def read_scores(path: str | Path) -> RecordingScores:
    """Read NAME.scores.npz.

    Raises
    ------
    TableError
        It can't be read, is damaged, or something else.
    """
    try:
        arrays = read_npz(path)
        version = _whole_number(arrays["version"])
        if version != VERSION:
            raise TableError(
                f"{path}: expected scores of version {VERSION}, got {version}; "
                "another version of mien wrote them"
            )
        return _unpack(arrays)
    except OSError as error:
        raise TableError(
            f"{path} can't be read: {error.strerror or error}; expected NAME{SCORES_ENDING}"
        ) from error
    except (ValueError, KeyError, TypeError, OverflowError, MemoryError) as error:
        raise TableError(
            f"{path}: expected scores as mien analyze --keep-scores writes them, got something else or a "
            f"damaged file ({error})"
        ) from error


def _unpack(arrays: _Arrays) -> RecordingScores:
    facts = {name: _typed(arrays, f"predictors_{name}", *kind) for name, kind in _FACTS.items()}
    clip = ClipScores(
        **{name: _typed(arrays, f"clip_{name}", *kind) for name, kind in _CLIP.items()},
        histograms=(_histogram(arrays, 0), _histogram(arrays, 1)),
        predictors=PredictorFacts(**facts, fingerprint=_text(arrays, "predictors_fingerprint")),
    )
    rows = {name: _typed(arrays, name, kind, (len(clip),)) for name, kind in _ROWS.items()}
    face_id = _whole_number(arrays["face_id"])
    return RecordingScores(clip, **rows, face_id=face_id, source=_text(arrays, "source"))


def _histogram(arrays: _Arrays, index: int) -> MedianHistogram:
    low, high, bins, floor, count = _typed(arrays, f"median{index}_layout", "f8", (5,)).tolist()
    value = _typed(arrays, f"median{index}_value", "f8", (None,))
    steps = _typed(arrays, f"median{index}_steps", "u4", (None,))
    cells = steps.cumsum(dtype=np.uint64)
    if not (high > low and bins >= 1 and count >= 0) or (cells >= len(value) * int(bins)).any():
        raise ValueError(f"median{index} has cells outside its range")
    return MedianHistogram(
        low=low,
        high=high,
        bins=int(bins),
        floor=floor,
        count=int(count),
        value=value,
        cells=cells.astype(np.uint32),
        counters=_typed(arrays, f"median{index}_counters", "u4", steps.shape),
    )


def _typed(arrays: _Arrays, name: str, kind: str, shape: tuple[int | None, ...]) -> NDArray[Any]:
    """An array that has this type and as many axes, of these lengths where they are given."""
    array = arrays[name]
    fits = array.ndim == len(shape) and all(
        wanted in (None, length) for wanted, length in zip(shape, array.shape, strict=True)
    )
    if array.dtype != np.dtype(kind) or not fits:
        raise ValueError(
            f"{name}: expected {np.dtype(kind)} of shape {shape}, got {array.dtype} of {array.shape}"
        )
    return array


def _whole_number(array: NDArray[Any]) -> int:
    if array.dtype.kind not in "iu" or array.shape != ():
        raise ValueError(f"expected a whole number, got {array.dtype} of shape {array.shape}")
    return int(array)


def _text(arrays: _Arrays, name: str) -> str:
    array = arrays[name]
    if array.dtype.kind != "U" or array.shape != ():
        raise ValueError(f"{name}: expected text, got {array.dtype} of shape {array.shape}")
    try:
        return str(array)
    except (ValueError, SystemError) as error:  # code points that no text has
        raise ValueError(f"{name}: expected text") from error


def normalise_recordings(
    recordings: Sequence[RecordingScores],
    *,
    one_person: bool = False,
    baseline: Baseline | None = None,
    predictors: PredictorSet | None = None,
) -> list[ActionUnitSeries]:
    """Action units of recordings, each by itself or together.

    Parameters
    ----------
    recordings
        Their scores.
    one_person
        They share one neutral face and one zero, see `mien.action_units.normalisation.person_baseline`.
    baseline
        A neutral face from elsewhere, which takes precedence; what it leaves open comes from the recordings.
    predictors
        Those that made the scores; needed for several recordings of one person without a neutral face.

    Returns
    -------
    list of ActionUnitSeries
        One per recording.

    Raises
    ------
    OptionError
        The scores were made by different predictors, or by others than ``predictors``.
    """
    clips = [recording.clip for recording in recordings]
    if one_person and len(clips) > 1 and (baseline is None or baseline.neutral is None):
        made_by = {clip.predictors.fingerprint for clip in clips}
        if predictors is None or made_by != {predictors.fingerprint()}:
            raise OptionError(
                "several recordings of one person need the models that made their scores, all the same; "
                "check MIEN_MODELS, or analyse them again with --keep-scores"
            )
        shared = person_baseline(clips, pooled_neutral(clips, predictors))
        baseline = replace(shared, rest=None if baseline is None else baseline.rest)
    return [normalise(clip, baseline) for clip in clips]


def read_baseline(path: str | Path) -> Baseline:
    """What a recording of the neutral face gives: its scores, or its table.

    Parameters
    ----------
    path
        NAME.scores.npz, or a CSV table; see `neutral_baseline` and `resting_baseline` for what each gives.

    Raises
    ------
    TableError
        It can't be read, or no frame of it is successful.
    """
    path = Path(path)
    if path.suffix.lower() == ".npz":
        return neutral_baseline(read_scores(path).clip)
    intensity, ok = read_intensities(path)
    if not ok.any():
        raise TableError(f"{path}: expected at least one successful frame of the neutral face, got none")
    return resting_baseline(intensity, ok)


def write_table(
    recording: RecordingScores, series: ActionUnitSeries, path: str | Path, like: str | Path | None = None
) -> None:
    """Write a CSV table of a recording with these action units.

    Parameters
    ----------
    recording
        Its scores.
    series
        Its action units.
    path
        The table.
    like
        The recording's table from its analysis, which has the other columns; None writes action units only.

    Raises
    ------
    TableError
        ``like`` can't be read or belongs to another recording.
    OutputError
        The table can't be written there.
    """
    units = np.concatenate([series.intensity, series.presence], axis=1)
    if like is not None:
        replace_units(like, recording.frame, units, path)
        return
    blocks = columns.SEQUENCE_COLUMNS
    names = tuple(name for block in blocks for name in block.names)
    decimals = np.array([block.decimals for block in blocks for _ in block.names], np.int64)
    first = np.stack(
        [
            recording.frame + 1,
            np.full(len(recording.frame), recording.face_id),
            recording.time_s,
            recording.confidence,
            recording.success,
        ],
        axis=1,
    ).astype(np.float64)
    write_units(Table(names, first, decimals), units, path)
