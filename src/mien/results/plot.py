"""Time courses of a result as a picture."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mien.errors import OptionError
from mien.results.summary import summarise

if TYPE_CHECKING:
    from mien.results.video_result import VideoResult

_BY_DEFAULT = 4
_SIZE_INCH = (9.0, 3.5)
_SHADE = "0.88"


def plot_result(
    result: VideoResult,
    units: Iterable[str] | str | None = None,
    *,
    face_id: int | None = None,
    ax: Any = None,
) -> Any:
    """Draw time courses; see `VideoResult.plot`."""
    rows, identity = _one_face(result, face_id)
    curves = _curves(rows, units)
    axes = _new_axes() if ax is None else ax
    times, unit = _times(rows)
    # frames that failed hold no measurement, so a line has a gap there
    usable = rows.success
    for name, values in curves.items():
        axes.plot(times, np.where(usable, values, np.nan), label=name, linewidth=1.2)
    _shade(axes, times, ~rows.success)
    axes.set_xlabel(unit)
    axes.set_ylabel(_label(list(curves), about=result.about_openfaces_scale))
    axes.margins(x=0)
    if result.source is not None or identity is not None:
        name = result.source.name if result.source is not None else ""
        axes.set_title(", ".join(filter(None, [_plain(name), identity])))
    axes.legend(loc="upper left", bbox_to_anchor=(1, 1), fontsize="small", frameon=False)
    return axes


def _plain(name: str) -> str:
    """A name that is drawn as it is: a dollar sign would begin a formula, lone bytes can't be drawn."""
    return name.encode("utf-8", "backslashreplace").decode().replace("$", r"\$")


def _one_face(result: VideoResult, face_id: int | None) -> tuple[VideoResult, str | None]:
    """Rows of one identity, by default of the one with most successes, and its name if there are others."""
    known = np.unique(result.face_id)
    if not len(known):
        raise OptionError("expected at least one row to plot, got a result without any")
    if face_id is None:
        face_id = int(max(known, key=lambda each: result.success[result.face_id == each].sum()))
    if face_id not in known:
        raise OptionError(f"face_id: expected one of {', '.join(map(str, known))}, got {face_id}")
    if len(known) == 1:
        return result, None
    return result[result.face_id == face_id], f"face {face_id}"


def _curves(result: VideoResult, units: Iterable[str] | str | None) -> dict[str, NDArray[np.float64]]:
    every = _known(result)
    if units is None:
        chosen = _most_active(result)
        if not chosen:
            raise OptionError(
                "expected a measured action unit to plot, got a result without any; name measures"
            )
    else:
        chosen = [name.strip() for name in units.split(",")] if isinstance(units, str) else list(units)
    unknown = [name for name in chosen if name not in every]
    if unknown or not chosen:
        raise OptionError(f"units: expected some of {', '.join(every)}; got {', '.join(unknown) or 'none'}")
    return {name: every[name] for name in chosen}


def _known(result: VideoResult) -> dict[str, NDArray[np.float64]]:
    """Everything that has a time course: AU12 (its intensity), AU12_r, AU12_c, and measures."""
    found: dict[str, NDArray[np.float64]] = {}
    if result.au_intensity is not None and result.au_presence is not None:
        intensity = dict(zip(result.au_intensity_names, result.au_intensity.T, strict=True))
        found |= intensity
        found |= {f"{name}_r": values for name, values in intensity.items()}
        presence = zip(result.au_presence_names, result.au_presence.T, strict=True)
        found |= {f"{name}_c": values for name, values in presence}
    return found | dict(result.measures)


def _most_active(result: VideoResult) -> list[str]:
    """Units that reach highest, by their 95th percentile, in the order of their numbers."""
    measured = [unit for unit in summarise(result).units if unit.frames]
    return sorted(unit.name for unit in sorted(measured, key=lambda unit: -unit.p95)[:_BY_DEFAULT])


def _new_axes() -> Any:
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise OptionError("plot needs matplotlib; install it with: pip install 'mien[plot]'") from error
    return plt.subplots(figsize=_SIZE_INCH, layout="constrained")[1]


def _times(result: VideoResult) -> tuple[NDArray[np.float64], str]:
    """Seconds, or numbers of frames where all times are the same (pictures)."""
    if np.ptp(result.time_s) > 0 or len(result) == 1:
        return result.time_s, "time, s"
    return result.frame.astype(np.float64) + 1, "frame"


def _shade(axes: Any, times: NDArray[np.float64], failed: NDArray[np.bool_]) -> None:
    """Grey where the face was not tracked, from half a step before to half a step after."""
    if not failed.any():
        return
    middles = (times[1:] + times[:-1]) / 2
    edges = np.concatenate([times[:1], middles, times[-1:]])
    changes = np.flatnonzero(np.diff(np.concatenate([[False], failed, [False]])))
    spans = [(edges[a], edges[b] - edges[a]) for a, b in changes.reshape(-1, 2)]
    axes.broken_barh(
        spans,
        (0, 1),
        transform=axes.get_xaxis_transform(),
        facecolors=_SHADE,
        label="no success",
        zorder=0,
    )


def _label(names: list[str], *, about: bool = False) -> str:
    presences = [name for name in names if name.endswith("_c")]
    if len(presences) == len(names):
        return "presence"
    units = [name for name in names if name[:2] == "AU" and not name.endswith(("_c", "_cm"))]
    if len(units) != len(names):
        return "value"
    return "intensity, about OpenFace's scale" if about else "intensity"
