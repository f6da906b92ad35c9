"""Versions of mien and of installed packages."""

from __future__ import annotations

__version__ = "0.1.0"
"""Of mien, as in its ``pyproject.toml``."""


def version_of(package: str) -> str | None:
    """Version of an installed package; None where it is not installed."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(package)
    except PackageNotFoundError:
        return None
