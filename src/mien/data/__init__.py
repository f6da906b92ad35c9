"""Files that come with mien for demonstrations; NOTICE says where they are from."""

from __future__ import annotations

from pathlib import Path

PORTRAIT = Path(__file__).resolve().parent / "portrait.jpg"
"""A portrait in the public domain, 512x512 px: Eileen Collins, NASA."""
