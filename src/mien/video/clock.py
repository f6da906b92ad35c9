"""When a frame was taken: the container's time stamps, or the nominal rate as OpenFace has it."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction


def seconds(stamp: int, time_base: Fraction) -> float:
    """A time stamp in units of a time base, in seconds: as the product of both, at a tenth of the time."""
    return stamp * time_base.numerator / time_base.denominator


@dataclass(frozen=True, slots=True)
class Clock:
    """Turns a frame's index and its time stamp in the file into seconds.

    Attributes
    ----------
    fps
        Nominal frames per second.
    time_base
        Seconds per unit of the container's time stamps.
    origin_s
        Time on the container's clock that counts as zero: its own start, so that times agree with
        what a player shows and with the sound.
    nominal
        Count i/fps and ignore the container's time stamps (docs/algorithms/output-table.md#reader).
    """

    fps: float
    time_base: Fraction
    origin_s: float
    nominal: bool

    def time_s(self, index: int, pts: int | None, previous_s: float | None = None) -> float:
        """Time of a frame.

        Parameters
        ----------
        index
            Position of the frame in the source, from 0.
        pts
            Presentation time stamp in units of ``time_base``; None where the file has none.
        previous_s
            Time of the frame before, where known.

        Returns
        -------
        float
            Seconds. A time stamp that is missing or does not come after the previous one is replaced by
            one nominal interval after the previous.
        """
        if self.nominal:
            return index * (1.0 / self.fps)
        stamp = None if pts is None else seconds(pts, self.time_base) - self.origin_s
        if previous_s is not None and (stamp is None or stamp <= previous_s):
            return previous_s + 1.0 / self.fps
        return index / self.fps if stamp is None else stamp
