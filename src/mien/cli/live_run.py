"""Runs of ``mien live``: one, or with a page as many as are started."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mien.errors import SourceError
from mien.live.session import LiveAnalysis, LiveFace

if TYPE_CHECKING:
    from mien.cli.live_display import Quiet
    from mien.cli.live_source import OpenedSource
    from mien.live.lines import LiveEncoder
    from mien.live.shown import ShownAnalysis
    from mien.live.sinks import LineSink
    from mien.live.statistics import LiveSummary
    from mien.results import RecordedSource
    from mien.stages import Stages


@dataclass(frozen=True, slots=True)
class Outlets:
    """Where results go.

    Attributes
    ----------
    encoder, sinks
        Lines, and where they are written.
    display
        The terminal.
    shown
        The page, if there is one.
    """

    encoder: LiveEncoder
    sinks: list[LineSink]
    display: Quiet
    shown: ShownAnalysis | None


@dataclass(slots=True)
class LiveRuns:
    """Analyses a source; with a page, again whenever somebody starts it.

    Attributes
    ----------
    opened
        The source, open.
    stages
        The stages, which start anew with every run.
    outlets
        Where results go.
    recorded, provenance, units
        What is analysed and how, for tables.
    seconds
        How long; None until it ends.
    told
        Takes the summary of every run.
    """

    opened: OpenedSource
    stages: Stages
    outlets: Outlets
    recorded: RecordedSource
    provenance: Mapping[str, Any]
    units: str
    seconds: float | None
    told: Callable[[LiveSummary], None]
    _analysis: LiveAnalysis | None = field(default=None, init=False)
    _stopped: bool = field(default=False, init=False)

    def stop(self) -> None:
        """End it after the frame at hand; from any thread or a signal handler."""
        self._stopped = True
        if self._analysis is not None:
            self._analysis.stop()
        if self.outlets.shown is not None:
            self.outlets.shown.controls.quit()

    def all(self) -> None:
        """Run until there is nothing more to do.

        Raises
        ------
        SourceError
            The source has failed, and there is no page where somebody could start it again.
        """
        shown = self.outlets.shown
        if shown is None:
            self._one()
            return
        self._shown(shown)
        while not self._stopped and shown.controls.wait_for_start():
            try:
                self.opened.open()
            except SourceError as error:
                shown.controls.ended(str(error), failed=True)
            else:
                self._shown(shown)

    def _shown(self, shown: ShownAnalysis) -> None:
        """One run, whose end is told on the page."""
        shown.begin(self.opened.source, self.recorded, self.provenance, self.units)
        try:
            self._one()
        except SourceError as error:
            shown.controls.ended(str(error), failed=True)
        else:
            shown.controls.ended()
        finally:
            self.opened.close()

    def _one(self) -> None:
        analysis = self._analysis = LiveAnalysis(self.opened.source, self.stages, first=self.opened.first)
        if self._stopped:  # while it was made
            return
        with closing(iter(analysis)) as results:
            first_s = None
            for result in results:
                time_s = result.face.time_s
                first_s = time_s if first_s is None else first_s
                over = self.seconds is not None and time_s - first_s >= self.seconds
                if over or not self._pass_on(result):
                    self._stopped = True
                    break
        self.told(analysis.statistics.summary())

    def _pass_on(self, result: LiveFace) -> bool:
        """Hand a result to everybody; False when standard output is not read any more."""
        outlets = self.outlets
        outlets.display.show(result)
        if outlets.shown is not None:
            outlets.shown.show(result, lambda: outlets.encoder.line(result))
        if not outlets.sinks:
            return True
        line = outlets.encoder.line(result)
        try:
            for sink in outlets.sinks:
                sink.write(line)
        except BrokenPipeError:
            # Python flushes once more at its end, and must not complain then.
            with suppress(OSError):
                sys.stdout.close()
            return False
        return True
