"""Tables in the text forms of OpenFace (docs/algorithms/output-table.md), written fast."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
from numpy.typing import NDArray

from mien.results.columns import CsvStyle, Form, GroupChoice, chosen_style
from mien.results.extra import ExtraChoice
from mien.results.files import whole_file
from mien.results.table import Table, tabulate
from mien.runtime.memory import page_out

if TYPE_CHECKING:
    from mien.results.video_result import VideoResult

_ROWS_AT_ONCE = 256


def write_openface_csv(
    result: VideoResult,
    path: str | Path,
    *,
    groups: GroupChoice = None,
    form: Form | str = Form.SEQUENCE,
    extra: ExtraChoice = None,
    style: CsvStyle | str = CsvStyle.OPENFACE_22,
) -> None:
    r"""Write a result as OpenFace writes it.

    Names, order and decimals are OpenFace's; lines end with ``\n``, numbers are rounded correctly (as by C's
    ``printf``, so that ``-0.04`` becomes ``-0.0``). What was not measured (NaN) is an empty cell, in every
    style without a blank, which readers would take for text. mien's own columns follow OpenFace's. Where the
    result is one of several pictures, a column "file" goes before; texts are quoted as RFC 4180 says.

    Parameters
    ----------
    result
        What to write.
    path
        The table; it appears when it is complete, and replaces what was there.
    groups
        Names of the groups of OpenFace's columns wanted ("gaze", "pose", "landmarks-2d", "landmarks-3d",
        "shape", "action-units"), also in one text with commas between; None means all that the result has.
    form
        "sequence" for videos; "image" for the faces of a single image, which has other first columns.
    extra
        Names of the groups of mien's own columns wanted, such as "measures" and "mesh", or "all" that the
        result has; None means none, so that the table is OpenFace's. See `mien.results.extra`.
    style
        "openface-2.2", a comma between cells, or "openface-blank", a comma and a blank, as OpenFace 2.0 and
        its builds for Windows write; see `CsvStyle`.

    Raises
    ------
    OutputError
        The table can't be written there.
    OptionError
        A group or the style is unknown.
    """
    chosen = chosen_style(style)
    with whole_file(path) as file:
        header = tabulate(result[:0], groups, form, extra)
        file.write(chosen.separator.join((*header.texts, *header.names)).encode() + b"\n")
        for start in range(0, len(result), _ROWS_AT_ONCE):
            part = tabulate(result[start : start + _ROWS_AT_ONCE], groups, form, extra)
            _write_rows(file, part, chosen)
            page_out(array for _, array in result.arrays())


def _write_rows(file: BinaryIO, table: Table, style: CsvStyle) -> None:
    if not table.texts:
        write_numbers(file, table.values, table.decimals, style)
        return
    for row, texts in zip(table.values, zip(*table.texts.values(), strict=True), strict=True):
        file.write("".join(_quoted(text) + style.separator for text in texts).encode())
        write_numbers(file, row[np.newaxis], table.decimals, style)


def write_numbers(
    file: BinaryIO,
    values: NDArray[np.float64],
    decimals: NDArray[np.int64],
    style: CsvStyle = CsvStyle.OPENFACE_22,
) -> None:
    """Write lines of numbers; NaN is an empty cell.

    Parameters
    ----------
    file
        Where to.
    values, decimals
        (N, C) and (C,): every line, and the decimals of its cells.
    style
        What stands between cells.
    """
    # compiled code is needed for writing only; reading and comparing start faster without
    from mien.results import kernels

    buffer = np.empty((values.size + 1) * kernels.LONGEST_CELL, np.uint8)
    row, blank = 0, style is CsvStyle.OPENFACE_BLANK
    while row < len(values):
        size, row = kernels.write_rows(values, decimals, row, blank, buffer)
        file.write(buffer[:size].data)
        if row < len(values):
            file.write(format_row(values[row], decimals, style).encode())
            row += 1


def _quoted(text: str) -> str:
    """A text as a cell; with quotes where it would be read as something else without."""
    plain = text == text.strip() and not any(sign in text for sign in ',"\n\r')
    return text if plain and text else '"' + text.replace('"', '""') + '"'


def format_row(
    values: NDArray[np.float64], decimals: NDArray[np.int64], style: CsvStyle = CsvStyle.OPENFACE_22
) -> str:
    """One line of text: what the kernel does, slowly, for numbers of any size.

    Parameters
    ----------
    values, decimals
        (C,) each.
    style
        What stands between cells.
    """
    cells = [
        "" if math.isnan(value) else f"{value:.{places}f}"
        for value, places in zip(values.tolist(), decimals.tolist(), strict=True)
    ]
    before = ("," if not cell else style.separator for cell in cells[1:])
    return cells[0] + "".join(map(str.__add__, before, cells[1:])) + "\n"
