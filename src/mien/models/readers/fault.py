"""The one wording of "this model file is wrong"."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, ParamSpec, TypeVar

from mien.errors import MienError, ModelFileError, ModelsMissingError
from mien.storage.regular_file import open_regular

_ADVICE = "Replace the damaged or wrong file with `mien models fetch` or `mien models import DIR`."


P = ParamSpec("P")
T = TypeVar("T")


def refusing(read: Callable[P, T]) -> Callable[P, T]:
    """Make a reader refuse what it stumbles over.

    Readers check what they know can be wrong. This is for the rest: whatever a damaged file makes Python or
    NumPy raise, a lack of memory for what the file declares included, is a damaged file.
    """

    @functools.wraps(read)
    def refuse(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return read(*args, **kwargs)
        except MienError:
            raise
        except Exception as error:
            found = f"{type(error).__name__}: {str(error)[:200]}"
            path = args[0] if args else kwargs.get("path")
            raise fault(str(path), "somewhere", "a model file", found) from error

    return refuse


def fault(path: Path | str, where: str, expected: str, found: str) -> ModelFileError:
    """Make the error for a file that does not hold what it should.

    Parameters
    ----------
    path
        The file.
    where
        Where in it: ``"byte 12"`` or ``"line 3 (byte 40)"``.
    expected, found
        What should stand there and what does.

    Returns
    -------
    ModelFileError
        To be raised by the caller.
    """
    return ModelFileError(f"{path}: {where}: expected {expected}, found {found}. {_ADVICE}")


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """Open a model file.

    Raises
    ------
    ModelsMissingError
        There is no such file.
    ModelFileError
        It cannot be read.
    """
    try:
        with open_regular(path) as file:
            yield file
    except FileNotFoundError:
        raise missing(path) from None
    except OSError as error:
        raise ModelFileError(f"{path}: cannot be read ({error.strerror or error})") from error


def missing(path: Path) -> ModelsMissingError:
    """Make the error for a model file that is not there."""
    return ModelsMissingError(
        f"model file {path} is missing; get it with `mien models fetch`, "
        "or with `mien models import DIR` from an existing OpenFace folder"
    )
