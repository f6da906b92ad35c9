"""How tables are laid out as text: OpenFace's versions and builds differ in a blank."""

from __future__ import annotations

from enum import StrEnum

from mien.errors import OptionError


class CsvStyle(StrEnum):
    """Layout of a CSV table; names, order and decimals are the same in all."""

    OPENFACE_22 = "openface-2.2"
    """A comma alone between cells, as OpenFace 2.2 writes on Linux and macOS."""
    OPENFACE_BLANK = "openface-blank"
    """A comma and a blank, as OpenFace 2.0 and the builds for Windows write: names have a leading blank."""

    @property
    def separator(self) -> str:
        """What stands between two cells."""
        return ", " if self is CsvStyle.OPENFACE_BLANK else ","


def chosen_style(name: CsvStyle | str) -> CsvStyle:
    """A style from its name.

    Raises
    ------
    OptionError
        The name is unknown.
    """
    if name not in tuple(CsvStyle):
        raise OptionError(f"CSV style: expected {' or '.join(CsvStyle)}, got {str(name)!r}")
    return CsvStyle(name)
