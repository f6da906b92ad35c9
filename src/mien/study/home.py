"""Where a study keeps what it knows of its recordings."""

from __future__ import annotations

from pathlib import Path

HOME = ".mien-study"
"""The hidden folder, below that of a study's results."""
ENTRIES, SUMMARIES = "done", "summaries"
"""Folders in it: of entries of what is done, and of summaries and events."""


def has_begun(results: Path) -> bool:
    """Whether any recording has been done."""
    return (results / HOME / ENTRIES).is_dir()
