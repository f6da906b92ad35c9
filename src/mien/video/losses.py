"""What could not be read of a video, and how it is said."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from mien.video.clock import seconds
from mien.video.gaps import Gap, Ledger

_NAMED_GAPS = 3


@dataclass(slots=True)
class Losses:
    """What could not be read, counted while decoding.

    Attributes
    ----------
    failed_reads
        Places where the container could not be read.
    damaged_packets
        Packets that arrived damaged or that the decoder refused.
    damaged_frames
        Delivered pictures that the decoder had to repair.
    unusable_frames
        Pictures that were decoded but could not be converted to colours; they are left out.
    unread_bytes
        Bytes behind the last packet that should hold more.
    early_s
        How much earlier the video ends than its header says.
    cut_short
        Whether the end of the file is missing, as its container says without naming frames.
    announced_frames, read_frames
        Frames that the header announces, and those that were found where they are fewer; else 0.
    ended
        Whether the decoder has delivered all it has.
    start_s, end_s
        What counts: losses outside these times were not asked for.
    origin_s
        The container's time that counts as zero.
    """

    failed_reads: int = 0
    damaged_packets: int = 0
    damaged_frames: int = 0
    unusable_frames: int = 0
    unread_bytes: int = 0
    early_s: float = 0.0
    cut_short: bool = False
    announced_frames: int = 0
    read_frames: int = 0
    ended: bool = False
    start_s: float = 0.0
    end_s: float = float("inf")
    origin_s: float = 0.0
    ledger: Ledger = field(default_factory=lambda: Ledger(""))
    _time_base: Fraction = Fraction(1)
    _ends: dict[int, tuple[int, Any]] = field(default_factory=dict)

    def begin(self, container: InputContainer, stream: VideoStream) -> Ledger:
        """Start to decode a stream from some place; what was read before is forgotten."""
        self.ledger = Ledger(container.format.name, Path(container.name), indexed=stream.frames > 0)
        self.ended = False
        if stream.time_base:
            self._time_base = Fraction(stream.time_base.numerator, stream.time_base.denominator)
        return self.ledger

    def note(self, packet: Packet[Any], *, own: bool) -> None:
        """Note a packet that has been read."""
        stamp = packet.pts if packet.pts is not None else packet.dts
        if packet.size == 0 and stamp is None:
            return
        self.ledger.packet(packet, own=own)
        if stamp is None:
            return
        stream, end = packet.stream_index, stamp + (packet.duration or 0)
        last = self._ends.get(stream)
        if last is None or end > last[0]:
            # Kept, since every look at the time base makes a fraction anew.
            self._ends[stream] = end, packet.time_base if last is None else last[1]

    @property
    def last_s(self) -> float:
        """Where the last packet of any stream ends, on the container's clock; -inf before the first."""
        return max((seconds(end, unit) for end, unit in self._ends.values() if unit), default=float("-inf"))

    def gaps(self) -> list[Gap]:
        """Where frames are missing within what was asked for."""
        return [gap for gap in self.ledger.gaps(ended=self.ended) if self._wanted(gap)]

    @property
    def shown_s(self) -> float | None:
        """Time of the last delivered frame by the container; None where it has no times."""
        stamp = self.ledger.last_shown
        return None if stamp is None else self._time_s(stamp)

    @property
    def longest_s(self) -> float:
        """The longest time between two delivered frames."""
        return float(self.ledger.longest * self._time_base)

    def _wanted(self, gap: Gap) -> bool:
        begin = float("-inf") if gap.after is None else self._time_s(gap.after)
        end = float("inf") if gap.before is None else self._time_s(gap.before)
        if gap.after is None or gap.before is None:
            return self.start_s == 0.0 if gap.after is None else self.end_s == float("inf")
        return end > self.start_s and begin < self.end_s

    def _time_s(self, stamp: int) -> float:
        return seconds(stamp, self._time_base) - self.origin_s

    def describe(self) -> str:
        """Say what was lost in one sentence; empty when nothing was."""
        parts = []
        gaps = self.gaps()
        if self.early_s > 0:
            parts.append(f"the video ends {self.early_s:.2f} s earlier than its header says")
        if self.unread_bytes:
            parts.append(f"the last {self.unread_bytes / 1000:.0f} kB of the file could not be read")
        if gaps:
            parts.append(self._missing(gaps))
        if self.damaged_packets:
            parts.append(f"{_count(self.damaged_packets, 'packet is', 'packets are')} damaged")
        if self.damaged_frames:
            parts.append(f"{_count(self.damaged_frames, 'frame is', 'frames are')} damaged")
        if self.unusable_frames:
            parts.append(f"{_count(self.unusable_frames, 'frame', 'frames')} could not be converted")
        if self.failed_reads and not (self.early_s or gaps):
            parts.append(f"{_count(self.failed_reads, 'part', 'parts')} of the file could not be read")
        if self.cut_short and not (self.early_s or self.unread_bytes or self.announced_frames):
            parts.append("the end of the file is missing")
        if self.announced_frames:
            parts.append(f"the file announces {self.announced_frames} frames, {self.read_frames} were read")
        return "; ".join(parts)

    def _missing(self, gaps: list[Gap]) -> str:
        total = sum(gap.frames for gap in gaps)
        places = [
            "at the beginning" if gap.after is None else f"after {self._time_s(gap.after):.2f} s"
            for gap in gaps[:_NAMED_GAPS]
        ]
        more = len(gaps) - _NAMED_GAPS
        where = ", ".join(places) + (
            f" and in {_count(more, 'more place', 'more places')}" if more > 0 else ""
        )
        return f"{_count(total, 'frame is', 'frames are')} missing {where}"


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
