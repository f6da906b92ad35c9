"""Files of ELAN and Praat: tiers of annotations, read here, and written by whoever has some.

The one place that knows the optional package for them, pympi-ling.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from mien.errors import OptionError, SourceError

ANNOTATION_SUFFIXES = (".eaf", ".textgrid")

Tiers = dict[str, list[tuple[float, float, str]]]
"""Names of tiers, and what each holds: begin and end in s, and the words."""


def need_annotations() -> None:
    """Make sure that such files can be read and written.

    Raises
    ------
    OptionError
        pympi-ling is not installed.
    """
    if find_spec("pympi") is None:
        raise OptionError("ELAN and Praat need pympi-ling; install it with: pip install 'mien[elan]'")


def read_tiers(path: Path) -> Tiers:
    """Read all tiers of a file of ELAN (.eaf) or Praat (.TextGrid); annotations without words are left out.

    Raises
    ------
    SourceError
        The file can't be read, or is none.
    OptionError
        pympi-ling is not installed.
    """
    need_annotations()
    return _elan(path) if path.suffix.lower() == ".eaf" else _praat(path)


def _elan(path: Path) -> Tiers:
    from pympi.Elan import Eaf

    try:
        file = Eaf(str(path), suppress_version_warning=True)
    except Exception as error:
        raise SourceError(f"{path}: expected a file of ELAN, got {type(error).__name__}: {error}") from error
    return {
        name: sorted(
            (span[0] / 1000, span[1] / 1000, span[2].strip())
            for span in file.get_annotation_data_for_tier(name)
            if span[2].strip()
        )
        for name in file.get_tier_names()
    }


def _praat(path: Path) -> Tiers:
    from pympi.Praat import TextGrid

    try:
        file = TextGrid(str(path))
        return {
            tier.name: [
                (float(start), float(end), str(text).strip())
                for start, end, text in tier.get_all_intervals()
                if str(text).strip()
            ]
            for tier in file.get_tiers()
            if tier.tier_type == "IntervalTier"
        }
    except Exception as error:
        raise SourceError(
            f"{path}: expected a TextGrid of Praat, got {type(error).__name__}: {error}"
        ) from error
