"""Fitting parameters of the landmark models (docs/algorithms/fitting-nu-rlms.md#parameters)."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from mien.errors import OptionError

_CE_CLM_SIGMA_FACTOR = 1.5
_CE_CLM_REGULARISATION_FACTOR = 0.9


@dataclass(frozen=True, slots=True)
class FitOptions:
    """How one landmark model is fitted.

    Attributes
    ----------
    windows_initial
        Response window per scale for a first fit, px in the reference frame; 0 skips the scale.
    windows_tracking
        The same for a frame that continues from the frame before.
    sigma
        Standard deviation of the mean-shift kernel, reference px.
    regularisation
        Weight of the shape prior.
    weight_factor
        0 gives every landmark the weight 1, else the weight is factor times the patch expert's confidence.
    iterations
        Limit of each optimisation.
    adapt_to_scale
        Whether sigma, regularisation and weight follow the scale; false for parts.
    multi_view
        Whether a fit from a box tries several head orientations.
    validate
        Whether the fit is validated.
    validation_boundary
        Certainty above which a fit counts as successful.
    redetect_every
        While a face is lost: face detection every so many failed frames; -1 never.
    exact
        Fit without the original's grids (0.1 px in the mean shift, 1/32 px in the warp): slightly other
        numbers, that rounding does not change (docs/algorithms/numerical-noise.md).
    """

    windows_initial: tuple[int, ...] = (11, 9, 7, 5)
    windows_tracking: tuple[int, ...] = (0, 9, 7, 0)
    sigma: float = 1.5
    regularisation: float = 25.0
    weight_factor: float = 0.0
    iterations: int = 5
    adapt_to_scale: bool = True
    multi_view: bool = False
    validate: bool = True
    validation_boundary: float = 0.725
    redetect_every: int = 2
    exact: bool = False

    def __post_init__(self) -> None:
        if self.redetect_every == 0:
            raise OptionError("redetect_every: expected a number of frames, or -1 for never, got 0")

    def wild(self) -> FitOptions:
        """The original's ``-wild`` preset: larger windows, more iterations, weights by confidence."""
        return replace(
            self,
            windows_initial=(15, 13, 11, 11),
            sigma=1.25,
            regularisation=35.0,
            weight_factor=2.5,
            iterations=10,
            multi_view=True,
        )

    def for_model(self, name: str) -> FitOptions:
        """Apply what the original applies by the stem of the main model file."""
        if name != "main_ceclm_general":
            return self
        return replace(
            self,
            sigma=self.sigma * _CE_CLM_SIGMA_FACTOR,
            regularisation=self.regularisation * _CE_CLM_REGULARISATION_FACTOR,
        )


def _part(windows: tuple[int, ...], regularisation: float, sigma: float, weight: float) -> FitOptions:
    return FitOptions(
        windows_initial=windows,
        windows_tracking=windows,
        sigma=sigma,
        regularisation=regularisation,
        weight_factor=weight,
        adapt_to_scale=False,
        validate=False,
    )


_EYE_28 = _part((3, 5, 9), 0.5, 1.0, 0.0)
_EYE = _part((5, 3), 0.1, 2.0, 0.0)

_OTHER_PART = _part((11, 9, 7, 5), 25.0, 1.5, 0.0)

PART_OPTIONS: dict[str, FitOptions] = {
    "left_eye_28": _EYE_28,
    "right_eye_28": _EYE_28,
    "inner": _part((9,), 2.5, 1.75, 2.5),
    "left_eye": _EYE,
    "right_eye": _EYE,
    "mouth": _part((7, 7), 1.0, 2.0, 0.0),
    "brow": _part((11, 9), 10.0, 3.5, 0.0),
}
"""Parameters of the parts, by name; no option of the user reaches them (docs/algorithms/parts.md)."""


def part_options(name: str, *, exact: bool) -> FitOptions:
    """Parameters of a part model; of the main model's options only ``exact`` reaches it."""
    return replace(PART_OPTIONS.get(name, _OTHER_PART), exact=exact)


@dataclass(frozen=True, slots=True)
class ScaleParameters:
    """Sigma, regularisation and weight factor of one scale."""

    sigma: float
    regularisation: float
    weight_factor: float


def scale_parameters(options: FitOptions, scales: tuple[float, ...], index: int) -> ScaleParameters:
    """Parameters at scale ``index``: they follow log2 of the patch scale, capped at the third."""
    if not options.adapt_to_scale:
        return ScaleParameters(options.sigma, options.regularisation, options.weight_factor)
    octave = math.log2(scales[min(index, 2)] / 0.25)
    regularisation = options.regularisation - 15.0 * octave
    return ScaleParameters(
        sigma=options.sigma + 0.25 * octave,
        regularisation=regularisation if regularisation > 0.0 else 0.001,
        weight_factor=options.weight_factor * (1.0 + 2.0 * octave),
    )
