"""A live analysis with a page: what is shown, kept, and controlled by whoever looks on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mien.errors import OutputError
from mien.live.board import Board, Viewer
from mien.live.controls import Controls, Pausable
from mien.live.door import is_loopback
from mien.live.keeping import Names, Recorder, TableSoFar
from mien.live.page import LivePage
from mien.live.picture import PictureMaker
from mien.live.server import MOST_CLIENTS
from mien.live.session import LiveFace
from mien.results import RecordedSource
from mien.results.columns import GroupChoice
from mien.stages import Stages

USUAL_PORT = 8465


@dataclass(frozen=True, slots=True, kw_only=True)
class PageOptions:
    """How a live page is served.

    Attributes
    ----------
    host
        Address that it listens on; any other than this machine's own needs a token, which is made.
    port
        Port; 0 takes a free one; None the usual one, 8465, or a free one where that is taken.
    token
        Whether a token is needed on this machine too.
    viewers
        How many may look on at the same time.
    anonymous
        How faces are hidden: "blur", "black" (landmarks on black), or None.
    out
        Folder of recordings and saved tables.
    groups
        Groups of columns in saved tables, as in `mien.results.write_openface_csv`.
    """

    host: str = "127.0.0.1"
    port: int | None = None
    token: bool = False
    viewers: int = MOST_CLIENTS
    anonymous: str | None = None
    out: Path = Path()
    groups: GroupChoice = None


class ShownAnalysis:
    """Shows the results of a live analysis on a page, and keeps what its viewers want to keep.

    Parameters
    ----------
    options
        How it is served.
    stages
        The stages of the analysis.
    name
        Name of the source.
    models
        Which models are used, in words.
    header
        First line of recordings, as `mien.live.lines.LiveEncoder` gives it.
    camera
        Whether the source is a camera.

    Raises
    ------
    OptionError
        The package websockets is not installed, or an option is impossible.
    OutputError
        The port can't be had.

    Examples
    --------
    A loop of one's own, with a source that can be paused (`mien.live.pausing`):

    >>> shown = ShownAnalysis(PageOptions(), stages, name="clip.mp4")  # doctest: +SKIP
    >>> shown.begin(source, recorded, provenance)  # doctest: +SKIP
    >>> for result in LiveAnalysis(source, stages):  # doctest: +SKIP
    ...     shown.show(result, lambda: encoder.line(result))
    """

    def __init__(
        self,
        options: PageOptions,
        stages: Stages,
        *,
        name: str,
        models: str = "",
        header: str = "",
        camera: bool = False,
    ) -> None:
        names = Names(options.out, name)
        self._table = TableSoFar(names, options.groups)
        self._board = Board(PictureMaker(options.anonymous), stages.camera_for)
        about = {
            "name": name,
            "models": models,
            "approximate": stages.pack == "open",
            "camera": camera,
            "anonymous": options.anonymous,
        }
        with ExitStack() as undo:
            undo.callback(self._board.close)
            self.controls = Controls(Recorder(names, header), self._table, self._board.tell)
            self._page = self._served(options, about)
            undo.pop_all()

    @property
    def address(self) -> str:
        """Where the page is, with its token."""
        return self._page.address

    @property
    def warning(self) -> str:
        """What somebody should know who opens it to others; empty where nobody else gets in."""
        if is_loopback(self._page.door.host):
            return ""
        return (
            "whoever has this address sees the face and can stop, record and save; nothing is encrypted: "
            "others in the same network may read along"
        )

    def viewers(self) -> list[Viewer]:
        """Those who look on: what they have drawn, how late, and what was left out for them."""
        return self._board.viewers()

    def begin(
        self, source: Pausable, recorded: RecordedSource, provenance: Mapping[str, Any], units: str = "live"
    ) -> None:
        """A source is being analysed from now on; its table is a new one.

        Parameters
        ----------
        source
            What is paused when a viewer says so.
        recorded, provenance
            What is analysed, and how.
        units
            What the action units are: "live", or "live, corrected".
        """
        self._board.begin()
        self._table.begin(recorded, provenance, units)
        self.controls.running(source)

    def show(self, result: LiveFace, line: Callable[[], str]) -> None:
        """Keep a result and show it; ``line`` makes its line where a recording wants one."""
        self._board.post(result, self.controls.keep(result, line))

    def close(self) -> None:
        """End the page, and what is being recorded."""
        self.controls.close()
        self._page.close()

    def _served(self, options: PageOptions, about: Mapping[str, Any]) -> LivePage:
        """At the usual port, or at a free one where that is taken and none was asked for."""

        def serve(port: int) -> LivePage:
            return LivePage(
                self._board,
                about,
                do=self.controls.do,
                file=self.controls.file,
                host=options.host,
                port=port,
                most=options.viewers,
                token=options.token,
            )

        if options.port is not None:
            return serve(options.port)
        try:
            return serve(USUAL_PORT)
        except OutputError:
            return serve(0)
