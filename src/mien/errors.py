"""The errors that mien raises on purpose.

Every message says what was expected, what came, and what to do next. Anything
else that escapes from the library is a bug.
"""

from __future__ import annotations

from typing import Any


class MienError(Exception):
    """Base of all errors that a caller of mien may want to catch."""


class ModelFileError(MienError):
    """A model file is truncated, oversized, or not what its name says."""


class ModelsMissingError(MienError):
    """The wanted models are not installed; the message names the command that installs them."""


class SourceError(MienError):
    """A video, image, folder or camera cannot be read."""


class FrameError(MienError):
    """A stage failed on one frame; the results of the frames before it are complete.

    Attributes
    ----------
    partial : mien.VideoResult or None
        Those results, where `mien.analyze` was at work.
    """

    partial: Any = None


class OutputError(MienError):
    """A result cannot be written where it was asked for."""


class TableError(MienError):
    """A table of results cannot be read, or two tables cannot be compared."""


class OptionError(MienError, ValueError):
    """Options contradict each other or have values outside their range."""


class ProviderError(MienError):
    """A wanted ONNX Runtime execution provider is not available."""


class StoppedError(MienError):
    """Work was stopped, as asked for, before there was anything to keep."""


class UnexpectedError(MienError):
    """Something failed in a way that nobody thought of; it costs one source, and the message names both."""
