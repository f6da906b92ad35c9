"""Frames that are missing without an error: gaps between the time stamps, and bytes that nobody has read.

A demuxer that meets damage skips to the next place it understands, and a decoder swallows what it can't use;
neither says so. What they leave behind is a gap in time. Gaps alone mean nothing: recordings of screens and
web cameras are full of them. A gap counts as a loss where something else speaks for it:

* packets in it that were read and gave no picture,
* a packet beside it that arrived damaged or that the decoder refused,
* bytes of the file beside it that belong to no packet.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from av.packet import Packet
from numpy.typing import NDArray

from mien.video.asf import damaged_blocks

_UNKNOWN = -(2**63)
_NOT_CODED = 32
"""Bytes up to which a packet may be a mark that the picture before stays: it gives no picture of its own."""
_GAP = 1.5
"""Usual intervals between frames that count as a gap."""
_NEIGHBOURS = 12
"""Intervals on either side of one that tell what is usual there."""
_REORDERING = 5
"""Packets are stored at most this far from where their frames are shown."""
_LEAST_BYTES = 64
"""Bytes between packets that containers need for themselves."""
_LONGEST_INDEX = 16384
"""Bytes that may follow the last packet of a file in fragments."""
_LEAST_BYTES_OF_FRAGMENTS = 4096
"""The same for fragmented MP4, which lists the packets of seconds in one place."""
_SHARE = 0.4
"""Of the usual size of the missing frames, so much must be unread there."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Frames that are missing between two delivered ones.

    Attributes
    ----------
    after, before
        Time stamps of the neighbours, in the stream's units; None at the ends of the video.
    frames
        How many are missing.
    """

    after: int | None
    before: int | None
    frames: int


class Ledger:
    """Keeps what was read from a file and what was shown of it: a few numbers per packet and frame.

    Parameters
    ----------
    format_name
        FFmpeg's name of the container's format.
    path
        The file, to look at its bytes again.
    indexed
        Whether the file lists its packets, so that none can be overlooked (MP4).
    """

    def __init__(self, format_name: str, path: Path | None = None, *, indexed: bool = False) -> None:
        names = set(format_name.split(","))
        self._asf = path if "asf" in names else None
        # Transport and program streams may hold stuffing, which is no loss.
        self._knows_places = not names & {"mpegts", "mpeg", "asf"} and not ("mp4" in names and indexed)
        self._fragments = "mp4" in names and not indexed
        self._own, self._flagged = array("b"), array("b")
        self._stamps, self._places, self._sizes = array("q"), array("q"), array("q")
        self._shown = array("q")
        self._keyed: bool | None = None
        self._own_packets = 0

    def packet(self, packet: Packet[Any], *, own: bool) -> None:
        """Note a packet in the order of the file, of this stream or of another."""
        stamp = packet.pts if packet.pts is not None else packet.dts
        place = packet.pos
        self._own.append(own and not packet.is_discard)
        self._flagged.append(own and packet.is_corrupt)
        self._stamps.append(_UNKNOWN if stamp is None or not own else stamp)
        self._places.append(_UNKNOWN if place is None or place < 0 else place)
        self._sizes.append(packet.size)
        self._own_packets += own
        if own and self._keyed is None:
            self._keyed = bool(packet.is_keyframe)

    def trouble(self) -> None:
        """Note that the last packet was refused by the decoder, or that the file could not be read there."""
        if self._flagged:
            self._flagged[-1] = True

    def frame(self, stamp: int | None) -> None:
        """Note a delivered frame."""
        if stamp is not None:
            self._shown.append(stamp)

    @property
    def own_packets(self) -> int:
        """How many packets of this stream were read."""
        return self._own_packets

    @property
    def last_shown(self) -> int | None:
        """Time stamp of the last frame."""
        return self._shown[-1] if self._shown else None

    @property
    def longest(self) -> int:
        """The longest time between two frames, in the stream's units."""
        shown = np.unique(np.array(self._shown, np.int64))
        return int(np.diff(shown).max(initial=0))

    def unread_tail(self, size: int) -> int:
        """Bytes of a fragmented MP4 of this size behind its last packet, if too many for an index."""
        if not (self._fragments and self._sizes) or self._places[-1] == _UNKNOWN:
            return 0
        tail = size - self._places[-1] - self._sizes[-1]
        return tail if tail > _LONGEST_INDEX + 8 * max(self._sizes[-24:]) else 0

    def gaps(self, *, ended: bool) -> list[Gap]:
        """Find what is missing so far.

        Parameters
        ----------
        ended
            Whether all of the stream has been decoded, so that frames may be missing at its end too.
        """
        shown = np.unique(np.array(self._shown, np.int64))
        if len(shown) < 2:
            return []
        return _Search(self, shown).run(ended=ended)


class _Search:
    """One look at a ledger."""

    def __init__(self, ledger: Ledger, shown: NDArray[np.int64]) -> None:
        self._ledger = ledger
        self._shown = shown
        self._flagged = np.array(ledger._flagged, bool)
        sizes = np.array(ledger._sizes, np.int64)
        stamps = np.array(ledger._stamps, np.int64)
        self._files = np.flatnonzero(np.array(ledger._own, bool) & (stamps != _UNKNOWN))
        order = np.argsort(stamps[self._files], kind="stable")
        self._files = self._files[order]  # places in the file of this stream's packets, in the order of time
        self._stamps = stamps[self._files]
        self._real = (sizes[self._files] > _NOT_CODED) | self._flagged[self._files]
        self._times = np.unique(np.concatenate([self._stamps, shown]))
        self._size = float(np.median(sizes[self._files])) if len(self._files) else 0.0
        self._places = np.array(ledger._places, np.int64)
        self._steps: NDArray[np.int64] | None = None
        if ledger._knows_places and len(sizes) > 1 and (self._places != _UNKNOWN).all():
            self._measure(sizes)

    def _measure(self, sizes: NDArray[np.int64]) -> None:
        """Bytes between each packet and the next in the file, and how many the container needs for itself."""
        order = np.argsort(self._places, kind="stable")  # packets may be read in another order, that of time
        holes = np.append(np.diff(self._places[order]) - sizes[order][:-1], 0)
        steps = np.empty_like(holes)
        steps[order] = holes
        self._steps = steps
        self._least_bytes = _LEAST_BYTES + 4 * float(np.percentile(np.abs(steps), 90))

    def run(self, *, ended: bool) -> list[Gap]:
        found = list(self._between())
        usual = self._usual(len(self._times) // 2)
        early = self._swallowed(None, int(self._shown[0]), usual) if self._ledger._keyed else 0
        late = self._swallowed(int(self._shown[-1]), None, usual) if ended else 0
        if early:
            found.insert(0, Gap(None, int(self._shown[0]), early))
        if late:
            found.append(Gap(int(self._shown[-1]), None, late))
        return found

    def _between(self) -> Iterator[Gap]:
        lengths = np.diff(self._shown)
        smallest = np.minimum(np.append(lengths[1:], lengths[-1]), np.insert(lengths[:-1], 0, lengths[0]))
        whole = float(np.median(np.diff(self._times)))
        for i in np.flatnonzero(lengths > _GAP * np.minimum(smallest, whole)).tolist():
            after, before = int(self._shown[i]), int(self._shown[i + 1])
            usual = self._usual(int(np.searchsorted(self._times, after)))
            if before - after <= _GAP * usual:
                continue
            missing = self._swallowed(after, before, usual) + self._skipped(after, before, usual)
            if missing:
                yield Gap(after, before, missing)

    def _usual(self, place: int) -> float:
        """The interval that is usual around one of the times."""
        first = max(0, place - _NEIGHBOURS)
        around = np.diff(self._times[first : place + _NEIGHBOURS + 2])
        return float(np.median(around)) if len(around) else 1.0

    def _swallowed(self, after: int | None, before: int | None, usual: float) -> int:
        """Packets in a gap that were read but gave no picture."""
        low = -np.inf if after is None else after + usual / 4
        high = np.inf if before is None else before - usual / 4
        first, last = (int(i) for i in np.searchsorted(self._stamps, [low, high]))
        inside = slice(first, last)
        counted = self._real[inside].copy()
        if after is None:
            # What is stored behind the first picture but shown before it needs pictures before the first.
            counted &= self._files[inside] < self._files[min(last, len(self._files) - 1)]
        return len(np.unique(self._stamps[inside][counted]))

    def _skipped(self, after: int, before: int, usual: float) -> int:
        """Frames whose packets are missing in the file, as far as there is evidence that there were any."""
        first, last = (int(i) for i in np.searchsorted(self._times, [after, before]))
        times = self._times[first : last + 1]
        frames = 0
        for low, high in pairwise(times.tolist()):
            missing = max(1, round((high - low) / usual) - 1)
            if high - low > _GAP * usual and self._evidence(low, high, missing):
                frames += missing
        return frames

    def _evidence(self, low: int, high: int, missing: int) -> bool:
        last_before = int(np.searchsorted(self._stamps, low, side="right")) - 1
        first_after = int(np.searchsorted(self._stamps, high))
        if last_before < 0 or first_after >= len(self._files):
            return False
        here, there = sorted((int(self._files[last_before]), int(self._files[first_after])))
        if self._flagged[max(0, here - _REORDERING) : there + _REORDERING + 1].any():
            return True
        return self._unread(here, there, missing)

    def _unread(self, here: int, there: int, missing: int) -> bool:
        """Whether so many bytes between two places belong to no packet that frames were in them."""
        first, last = max(0, here - _REORDERING), min(len(self._places) - 1, there + _REORDERING)
        if self._ledger._asf is not None:
            return damaged_blocks(self._ledger._asf, int(self._places[first]), int(self._places[last]))
        if self._steps is None:
            return False
        hole = int(np.abs(self._steps[first:last]).max(initial=0))
        if self._ledger._fragments:
            return hole > max(self._least_bytes + _LEAST_BYTES_OF_FRAGMENTS, _SHARE * missing * self._size)
        return hole > self._least_bytes
