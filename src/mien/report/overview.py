"""An overview of many recordings: one row each, the worst or the best first, with links to their reports."""

from __future__ import annotations
