"""Live results as JSON Lines: the lines of `mien.results.jsonl`, and how the analysis keeps up."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from mien.live.session import LiveFace
from mien.results.columns import GroupChoice
from mien.results.extra import ALL
from mien.results.jsonl import RowEncoder
from mien.results.video_result import RecordedSource

_FIELDS = {
    "latency_ms": {"unit": "ms", "decimals": 2},
    "dropped": {"counts_from": 0},
    "fps": {"unit": "1/s", "decimals": 1},
}


class LiveEncoder:
    """Turns live results into lines of JSON.

    Every line has one key more than those of a recorded video: "live", with the latency from capture to
    result, the number of frames dropped since the start, and the results per second.

    Parameters
    ----------
    groups
        Groups of OpenFace's fields wanted, as in `mien.results.write_openface_csv`; None means all. mien's
        own are always there.
    corrected
        Whether intensities are corrected as the original corrects those of a camera (docs/live.md).

    Raises
    ------
    OptionError
        A group is unknown.
    """

    def __init__(self, groups: GroupChoice = None, *, corrected: bool = False) -> None:
        self._rows = RowEncoder(groups, extra=ALL)
        self._corrected = corrected

    def header(
        self, source: RecordedSource | None = None, provenance: Mapping[str, Any] | None = None
    ) -> str:
        """The first line, which says what the others mean."""
        about = json.loads(self._rows.header(source=source, provenance=provenance))
        about["mien"]["action_units"] = "live, corrected" if self._corrected else "live"
        about["mien"]["fields"]["live"] = _FIELDS
        return json.dumps(about) + "\n"

    def line(self, result: LiveFace) -> str:
        """The line of one result."""
        live = {
            "latency_ms": round(1e3 * result.latency_s, 2),
            "dropped": result.dropped,
            "fps": None if math.isnan(result.fps) else round(result.fps, 1),
        }
        whole = self._rows.face(result.face)
        return f'{whole.rstrip()[:-1]},"live":{json.dumps(live, separators=(",", ":"))}}}\n'
