"""Files of ELAN and Praat: tiers of annotations, read here, and written by whoever has some.

The one place that knows the optional package for them, pympi-ling.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mien.errors import OptionError, SourceError

ANNOTATION_SUFFIXES = (".eaf", ".textgrid")

Tiers = dict[str, list[tuple[float, float, str]]]
"""Names of tiers, and what each holds: begin and end in s, and the words."""


def need_pympi(path: Path) -> Any:
    """The package that reads and writes such files, for the file ``path``.

    Raises
    ------
    OptionError
        It is not installed.
    """
    try:
        import pympi
        import pympi.Elan
        import pympi.Praat
    except ImportError as error:
        raise OptionError(
            f"{path}: files of ELAN and Praat need pympi-ling; install it with: pip install 'mien[elan]'"
        ) from error
    return pympi


def read_tiers(path: Path) -> Tiers:
    """Read all tiers of a file of ELAN (.eaf) or Praat (.TextGrid); annotations without words are left out.

    Raises
    ------
    SourceError
        The file can't be read, or is none.
    OptionError
        pympi-ling is not installed.
    """
    pympi = need_pympi(path)
    return _elan(path, pympi) if path.suffix.lower() == ".eaf" else _praat(path, pympi)


def _elan(path: Path, pympi: Any) -> Tiers:
    try:
        file = pympi.Elan.Eaf(str(path), suppress_version_warning=True)
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


def _praat(path: Path, pympi: Any) -> Tiers:
    try:
        file = pympi.Praat.TextGrid(str(path))
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
