"""Where a study keeps what it knows of its recordings, and what its own files are called."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

HOME = ".mien-study"
"""The hidden folder, below that of a study's results."""
ENTRIES, SUMMARIES = "done", "summaries"
"""Folders in it: of entries of what is done, and of summaries and events."""
SUMMARY, LONG, EVENTS, DICTIONARY, FAILURES = (
    "study.csv",
    "study_long.csv",
    "events.csv",
    "dictionary.csv",
    "failures.csv",
)
"""Tables of the study itself, in the folder of results."""
_OWN = re.compile(r"(study|study_long|events|dictionary|failures(-\d+of\d+)?)", re.IGNORECASE)
_LONGEST = 200
"""Bytes of a name that leave room, of the 255 that systems allow, for what results append to it."""


def is_own(base: str) -> bool:
    """Whether files of the study itself have this name, or begin with it."""
    return _OWN.fullmatch(base) is not None


def within_limits(name: str) -> str:
    """A name to which results can append theirs; the end of a very long one is replaced by a check sum."""
    length = len(os.fsencode(name))
    if length <= _LONGEST:
        return name
    kept = name[:_LONGEST]
    while len(os.fsencode(kept)) > _LONGEST:
        kept = kept[:-1]
    return f"{kept}~{hashlib.sha256(os.fsencode(name)).hexdigest()[:8]}"


def has_begun(results: Path) -> bool:
    """Whether any recording has been done."""
    return (results / HOME / ENTRIES).is_dir()
