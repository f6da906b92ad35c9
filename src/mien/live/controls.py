"""What viewers of a live page may ask for, and what has become of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from mien.errors import OutputError
from mien.live.keeping import Recorder, TableSoFar
from mien.live.session import LiveFace
from mien.results.provenance import provenance_path

COMMANDS = ("start", "stop", "record", "end-record", "save")
_SAVED_SHOWN = 6
_LOOK_S = 0.5


class Pausable(Protocol):
    """A source that can be paused, from any thread."""

    def pause(self) -> None:
        """Deliver nothing from now on."""
        ...

    def resume(self) -> None:
        """Go on."""
        ...


class Controls:
    """Start, stop, record, save: from any thread, while the analysis runs in another.

    The states are "starting", "running", "paused", "ended" (the source is at its end) and "failed".

    Parameters
    ----------
    recorder, table
        What is kept.
    tell
        Takes every new state, as a mapping that JSON can hold.
    """

    def __init__(
        self, recorder: Recorder, table: TableSoFar, tell: Callable[[Mapping[str, Any]], None]
    ) -> None:
        self._recorder = recorder
        self._table = table
        self._tell = tell
        # re-entrant: a signal handler may end the wait of its own thread
        self._changed = threading.Condition()
        self._state, self._words, self._trouble = "starting", "", ""
        self._source: Pausable | None = None
        self._wanted = self._quitting = self._saving = False
        self._files: dict[str, Path] = {}
        self._saved: list[dict[str, Any]] = []
        self._told()

    def file(self, name: str) -> Path | None:
        """A file that was written on behalf of viewers, by its name."""
        return self._files.get(name)

    # --- the analysis

    def running(self, source: Pausable) -> None:
        """A source is being analysed."""
        with self._changed:
            self._source, self._wanted = source, False
            self._state, self._words = "running", ""
            self._told()

    def keep(self, result: LiveFace, line: Callable[[], str]) -> dict[str, int]:
        """Keep a row.

        Parameters
        ----------
        result
            The row.
        line
            Makes its line for a recording.

        Returns
        -------
        dict
            How many rows are kept.
        """
        try:
            self._table.append(result.face, result.dropped)
        except OutputError as error:
            self._failed(error)
        try:
            if self._recorder.recording:
                self._recorder.write(line())
        except OutputError as error:
            self._failed(error)
        return {"table_rows": len(self._table), "recorded_rows": self._recorder.rows}

    def ended(self, words: str = "", *, failed: bool = False) -> None:
        """The source has ended, or failed for a reason that ``words`` give."""
        with self._changed:
            self._source = None
            self._end_recording()
            self._state, self._words = "failed" if failed else "ended", words
            self._told()

    def wait_for_start(self) -> bool:
        """Wait until somebody wants to start again; False at the end of the program."""
        with self._changed:
            while not (self._wanted or self._quitting):
                # A signal handler may quit between the look and the wait, in this thread: nobody is woken.
                self._changed.wait(_LOOK_S)
            return not self._quitting

    def quit(self) -> None:
        """The program ends."""
        with self._changed:
            self._quitting = True
            self._changed.notify_all()

    def close(self) -> None:
        """End what is being recorded."""
        self._recorder.stop()

    # --- viewers

    def do(self, command: str) -> None:
        """Do what a viewer asks for; what is no command, or makes no sense now, is of no account."""
        actions = {
            "start": self._start,
            "stop": self._stop,
            "record": self._record,
            "end-record": self._end_recording,
            "save": self._save,
        }
        action = actions.get(command)
        if action is None:
            return
        with self._changed:
            self._trouble = ""
            try:
                action()
            except OutputError as error:
                self._trouble = str(error)
            self._told()

    def _start(self) -> None:
        if self._state == "paused" and self._source is not None:
            self._state = "running"
            self._source.resume()
        elif self._state in ("ended", "failed"):
            self._state, self._words, self._wanted = "starting", "", True
            self._changed.notify_all()

    def _stop(self) -> None:
        if self._state == "running" and self._source is not None:
            self._state = "paused"
            self._source.pause()

    def _record(self) -> None:
        if self._state in ("running", "paused"):
            self._recorder.start()

    def _end_recording(self) -> None:
        rows = self._recorder.rows
        path = self._recorder.stop()
        if path is not None:
            self._add({"rows": rows, "kind": "recording"}, path)

    def _save(self) -> None:
        if not self._saving:
            self._saving = True
            threading.Thread(target=self._save_table, name="mien-table", daemon=True).start()

    def _save_table(self) -> None:
        """In a thread of its own: a long table takes its time."""
        trouble = ""
        try:
            path, rows = self._table.save()
        except (OutputError, OSError) as error:
            trouble = str(error)
        with self._changed:
            self._saving, self._trouble = False, trouble
            if not trouble:
                self._add({"rows": rows, "kind": "table"}, path, provenance_path(path))
            self._told()

    def _add(self, about: dict[str, Any], *paths: Path) -> None:
        """Let viewers have files."""
        self._files |= {path.name: path for path in paths}
        self._saved = [*self._saved, about | {"files": [path.name for path in paths]}][-_SAVED_SHOWN:]

    def _failed(self, error: OutputError) -> None:
        with self._changed:
            self._trouble = str(error)
            self._told()

    def _told(self) -> None:
        recording = self._recorder.path if self._recorder.recording else None
        self._tell(
            {
                "state": self._state,
                "words": self._words,
                "trouble": self._trouble,
                "recording": None if recording is None else recording.name,
                "saving": self._saving,
                "saved": self._saved,
            }
        )
