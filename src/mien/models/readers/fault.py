"""The one wording of "this model file is wrong"."""

from __future__ import annotations

from pathlib import Path

from mien.errors import ModelFileError, ModelsMissingError

_ADVICE = "Replace the damaged or wrong file with `mien models fetch` or `mien models import DIR`."


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


def read_bytes(path: Path) -> bytes:
    """Read a whole model file.

    Raises
    ------
    ModelsMissingError
        There is no such file.
    ModelFileError
        It cannot be read.
    """
    try:
        return path.read_bytes()
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
