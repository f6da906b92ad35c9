"""What the model files hold once read: frozen records of plain arrays.

Readers (`mien.models.readers`) produce them, stages consume them; neither knows the other.
Shape letters: V views, n landmarks, m modes, N neurons, K sigma components, L layers.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class PdmRecord:
    """Point distribution model (docs/algorithms/model-files.md#shape-models), cast to float32.

    ``mean`` (n, 3) mm; ``basis`` (n, 3, m) mm per unit; ``eigenvalues`` (m,).
    """

    mean: NDArray[np.float32]
    basis: NDArray[np.float32]
    eigenvalues: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class CcnfRecord:
    """CCNF patch experts (docs/algorithms/model-files.md#ccnf-patch-experts). Invisible landmarks are zero.

    ``view_centers`` (V, 3) rad float64; ``visibility`` (V, n) bool;
    ``sigma_components`` window -> (K, w², w²) float32 (windows without components are absent or K = 0);
    ``weights`` (V, n, N, 11, 11) float32 row-major as stored;
    ``norms``, ``biases``, ``alphas`` (V, n, N) float64;
    ``betas`` (V, n, K) float64; ``confidences`` (V, n) float64.
    """

    scale: float
    view_centers: NDArray[np.float64]
    visibility: NDArray[np.bool_]
    sigma_components: dict[int, NDArray[np.float32]]
    weights: NDArray[np.float32]
    norms: NDArray[np.float64]
    biases: NDArray[np.float64]
    alphas: NDArray[np.float64]
    betas: NDArray[np.float64]
    confidences: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class DenseLayer:
    """One layer of a CEN expert: ``weight`` (out, in) float32, ``bias`` (out,) float32.

    ``activation``: 0 sigmoid, 2 rectifier, anything else linear.
    """

    weight: NDArray[np.float32]
    bias: NDArray[np.float32]
    activation: int


@dataclass(frozen=True, slots=True)
class CenRecord:
    """CEN patch experts of one scale (docs/algorithms/model-files.md#cen-patch-experts).

    ``experts[v][i]`` is the tuple of layers of view v, landmark i; empty where the expert is absent
    (invisible, or to be obtained from ``mirror_landmark`` / ``mirror_view``). ``confidences`` (V, n) float64.
    ``source``: the file it was read from.
    """

    scale: float
    view_centers: NDArray[np.float64]
    visibility: NDArray[np.bool_]
    mirror_landmark: NDArray[np.int32]
    mirror_view: NDArray[np.int32]
    experts: tuple[tuple[tuple[DenseLayer, ...], ...], ...]
    confidences: NDArray[np.float64]
    source: Path | None = None


@dataclass(frozen=True, slots=True)
class EarlyTermination:
    """Early-termination table: three float64 arrays of one entry per view of the coarsest scale."""

    weights: NDArray[np.float64]
    biases: NDArray[np.float64]
    cutoffs: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class NetworkLayer:
    """One layer of a small network (docs/algorithms/small-networks.md).

    ``kind`` is one of "conv", "max_pool", "dense", "relu", "prelu", "sigmoid".
    conv: ``weight`` (out, in, kh, kw), ``bias`` (out,).
    dense: ``weight`` (in, out) as stored, ``bias`` (out,).
    prelu: ``weight`` (channels,). max_pool: ``pool`` = (kernel_x, kernel_y, stride_x, stride_y).
    """

    kind: str
    weight: NDArray[np.float32] | None = None
    bias: NDArray[np.float32] | None = None
    pool: tuple[int, int, int, int] | None = None


@dataclass(frozen=True, slots=True)
class MtcnnRecord:
    """The three networks of the face detector (docs/algorithms/model-files.md#detector)."""

    pnet: tuple[NetworkLayer, ...]
    rnet: tuple[NetworkLayer, ...]
    onet: tuple[NetworkLayer, ...]


@dataclass(frozen=True, slots=True)
class ValidatorView:
    """Landmark validator of one view (docs/algorithms/model-files.md#validator).

    ``orientation`` (3,) rad; ``mean_image``, ``std_image`` (N,) float64 in column-major order of the mask;
    ``layers`` the CNN; ``min_x``, ``min_y``; ``destination`` (2n,) float64, all x, then all y;
    ``triangles`` (T, 3) int32;
    ``triangle_ids``, ``mask`` (60, 60) int32;
    ``alpha``, ``beta`` (T, 3) float64.
    """

    orientation: NDArray[np.float64]
    mean_image: NDArray[np.float64]
    std_image: NDArray[np.float64]
    layers: tuple[NetworkLayer, ...]
    min_x: float
    min_y: float
    destination: NDArray[np.float64]
    triangles: NDArray[np.int32]
    triangle_ids: NDArray[np.int32]
    mask: NDArray[np.int32]
    alpha: NDArray[np.float64]
    beta: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ValidatorRecord:
    """Landmark validator: one entry per view."""

    views: tuple[ValidatorView, ...]


@dataclass(frozen=True, slots=True)
class ActionUnitPredictor:
    """One linear predictor (docs/algorithms/model-files.md#action-unit-predictors).

    ``kind`` "svr" (intensity) or "svm" (presence); ``dynamic`` whether the running median is subtracted.
    ``means``, ``weights`` (4702,) float64. ``cutoff`` only dynamic SVR, else NaN; classes only SVM, else NaN.
    """

    name: str
    kind: str
    dynamic: bool
    means: NDArray[np.float64]
    weights: NDArray[np.float64]
    bias: float
    cutoff: float
    positive_class: float
    negative_class: float


@dataclass(frozen=True, slots=True)
class ActionUnitRecord:
    """A complete set of predictors with the shape model and triangulation they need.

    ``triangles`` (111, 3) int32.
    """

    predictors: tuple[ActionUnitPredictor, ...]
    pdm: PdmRecord
    triangles: NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class PartRecord:
    """A part model (inner face, eye): ``mapping`` (P, 2) int32 pairs of main index, part index."""

    name: str
    mapping: NDArray[np.int32]
    model: LandmarkModelRecord


@dataclass(frozen=True, slots=True)
class LandmarkModelRecord:
    """A landmark model as its main file describes it (docs/algorithms/model-files.md).

    ``name`` is the stem of the main file. ``patch_experts`` are ordered coarse to fine, all of one kind.
    """

    name: str
    pdm: PdmRecord
    patch_experts: tuple[CcnfRecord, ...] | tuple[CenRecord, ...]
    parts: tuple[PartRecord, ...]
    validator: ValidatorRecord | None
    early_termination: EarlyTermination | None
    files: tuple[Path, ...] = ()
