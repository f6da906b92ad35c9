"""The action units that mien knows: names, order, meaning (docs/algorithms/action-unit-predictors.md)."""

from __future__ import annotations

DESCRIPTIONS: dict[str, str] = {
    "AU01": "inner brow raiser",
    "AU02": "outer brow raiser",
    "AU04": "brow lowerer",
    "AU05": "upper lid raiser",
    "AU06": "cheek raiser",
    "AU07": "lid tightener",
    "AU09": "nose wrinkler",
    "AU10": "upper lip raiser",
    "AU12": "lip corner puller",
    "AU14": "dimpler",
    "AU15": "lip corner depressor",
    "AU17": "chin raiser",
    "AU20": "lip stretcher",
    "AU23": "lip tightener",
    "AU25": "lips part",
    "AU26": "jaw drop",
    "AU28": "lip suck",
    "AU45": "blink",
}
"""Name of each action unit in the Facial Action Coding System."""

PRESENCE_NAMES: tuple[str, ...] = tuple(DESCRIPTIONS)
"""The 18 action units whose presence is decided, in the order of every presence array and of the table."""

INTENSITY_NAMES: tuple[str, ...] = tuple(name for name in PRESENCE_NAMES if name != "AU28")
"""The 17 action units whose intensity (0 to 5) is estimated, in the order of every intensity array."""
