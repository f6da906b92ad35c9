"""A cursor over text model files: matrices, comments, lists (docs/algorithms/model-files.md#matrices)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mien.errors import ModelFileError
from mien.models.readers.fault import fault, opened

_MOST_ELEMENTS = 10_000_000
_LARGEST = float(np.finfo(np.float32).max)


class TextCursor:
    """Reads a text file from front to back and names every deviation by line and offset.

    A text file that was cut inside its last number cannot be told from a whole one; only the SHA-256
    that the store checks can.

    Parameters
    ----------
    path
        The file, for messages.
    text
        Its text.
    """

    def __init__(self, path: Path, text: str) -> None:
        self.path = path
        self.text = text
        self.offset = 0

    @classmethod
    def open(cls, path: Path | str) -> TextCursor:
        """Open a file."""
        path = Path(path)
        return cls(path, read_text(path))

    def fault(self, expected: str, found: str, offset: int | None = None) -> ModelFileError:
        """Make the error that says what should stand at ``offset`` (default: the current one)."""
        offset = self.offset if offset is None else offset
        line = self.text.count("\n", 0, offset) + 1
        return fault(self.path, f"line {line} (byte {offset})", expected, found)

    def skip_comments(self) -> None:
        """Skip blank lines and lines that start with ``#``, a blank or a carriage return."""
        while self.offset < len(self.text) and self.text[self.offset] in "# \t\r\n":
            end = self.text.find("\n", self.offset)
            self.offset = len(self.text) if end < 0 else end + 1

    def tokens(self, count: int, what: str) -> list[str]:
        """Read the next ``count`` words."""
        if count == 0:
            return []
        words = self.text[self.offset :].split(None, count)
        if len(words) < count:
            raise self.fault(f"{what} ({count} numbers)", f"end of file after {len(words)}")
        if len(words) == count:
            self.offset = len(self.text)
            return words
        self.offset = len(self.text) - len(words.pop())
        # A line that starts with a blank is a comment, so its blanks may not be swallowed.
        while self.text[self.offset - 1] in " \t":
            self.offset -= 1
        return words

    def numbers(self, count: int, what: str) -> NDArray[np.float64]:
        """Read ``count`` finite numbers."""
        start = self.offset
        words = self.tokens(count, what)
        try:
            values = np.array(list(map(float, words)))
        except ValueError:
            found = next(word for word in words if not _is_number(word))
            offset = self.text.find(found, start)
            raise self.fault(f"a number in {what}", repr(found[:40]), offset) from None
        if not (np.abs(values) <= _LARGEST).all():
            raise self.fault(f"finite numbers of single precision in {what}", "others", start)
        return values

    def integers(self, count: int, what: str) -> NDArray[np.int32]:
        """Read ``count`` 32-bit integers."""
        start = self.offset
        values = self.numbers(count, what)
        whole = (values == np.trunc(values)) & (np.abs(values) < 2**31)
        if not whole.all():
            raise self.fault(f"integers in {what}", str(values[~whole][0]), start)
        return values.astype(np.int32)

    def matrix(
        self, what: str, shape: tuple[int | None, int | None] = (None, None), type_code: int = 6
    ) -> NDArray[np.float64]:
        """Read comments, then rows, columns and type code, then the elements by rows: (rows, columns)."""
        self.skip_comments()
        start = self.offset
        rows, columns, code = self.integers(3, f"rows, columns and type of {what}").tolist()
        if code != type_code:
            raise self.fault(f"{what} of type code {type_code}", str(code), start)
        if shape[0] not in (None, rows) or shape[1] not in (None, columns):
            wanted = "×".join("any" if size is None else str(size) for size in shape)
            raise self.fault(f"{what} of {wanted} elements", f"{rows}×{columns}", start)
        if rows < 0 or columns < 0 or rows * columns > _MOST_ELEMENTS:
            raise self.fault(f"{what} of at most {_MOST_ELEMENTS} elements", f"{rows}×{columns}", start)
        return self.numbers(rows * columns, f"{what}, {rows}×{columns}").reshape(rows, columns)

    def finish(self) -> None:
        """Check that nothing but comments and blanks follows."""
        self.skip_comments()
        rest = self.text[self.offset :].split(None, 1)
        if rest:
            raise self.fault("the end of the file", repr(rest[0][:40]))


def read_text(path: Path) -> str:
    """Read a text file, refusing what is not plain text.

    Raises
    ------
    ModelFileError
        It holds bytes that are no ASCII text.
    """
    with opened(path) as file:
        data = file.read()
    try:
        return data.decode("ascii")
    except UnicodeDecodeError as error:
        raise fault(path, f"byte {error.start}", "plain text", f"byte 0x{data[error.start]:02x}") from None


def read_directives(path: Path) -> list[tuple[int, str, str]]:
    """Read a list of ``keyword rest`` lines; see `parse_directives`."""
    return parse_directives(read_text(path))


def read_paths(path: Path, keywords: Sequence[str]) -> dict[str, Path]:
    """Read the files that a list names, relative to itself, by keyword; all of ``keywords`` must be there."""
    files = {keyword: path.parent / rest for _, keyword, rest in read_directives(path)}
    absent = [keyword for keyword in keywords if keyword not in files]
    if absent:
        raise fault(path, "end of the file", f"lines {', '.join(keywords)}", f"none for {', '.join(absent)}")
    return files


def parse_directives(text: str) -> list[tuple[int, str, str]]:
    """Split ``keyword rest`` lines.

    Returns
    -------
    list of (int, str, str)
        Line number, keyword and the rest of the line without blanks at its ends; blank and comment lines
        are left out.
    """
    found = []
    for number, line in enumerate(text.split("\n"), 1):
        words = line.split(None, 1)
        if words and not line.startswith("#"):
            found.append((number, words[0], words[1].strip() if len(words) > 1 else ""))
    return found


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True
