"""``mien live``: a camera, or a video at its own pace; numbers in the terminal and as a stream."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mien.cli.arguments import CameraArguments, ModelArguments, QuietOption, analysis_options, grouped
from mien.cli.live_page import PageArguments
from mien.cli.live_source import LiveRequest, OpenedSource
from mien.cli.progress import interruptible
from mien.cli.warmup import compile_first
from mien.cli.words import networks_sentence, note
from mien.errors import OptionError, OutputError
from mien.options import AnalysisOptions

if TYPE_CHECKING:
    from mien.live.shown import PageOptions, ShownAnalysis
    from mien.live.sinks import LineSink
    from mien.live.statistics import LiveSummary
    from mien.packs import Pack
    from mien.results import RecordedSource
    from mien.stages import Stages
    from mien.video.source import SourceInfo

_STDOUT = "-"


@grouped
def live(
    video: Annotated[
        Path | None, typer.Argument(help="A video file, with --realtime or --page.", show_default=False)
    ] = None,
    camera: Annotated[
        int | None, typer.Option(help="Number of the camera; 0, the first one, where nothing else is given.")
    ] = None,
    realtime: Annotated[
        bool, typer.Option("--realtime", help="Play VIDEO at its own pace, as if it were a camera.")
    ] = False,
    size: Annotated[str, typer.Option(help="Size of the camera's pictures in px.")] = "640x480",
    fps: Annotated[float | None, typer.Option(help="Frames per second wanted of the camera.")] = None,
    jsonl: Annotated[
        str | None,
        typer.Option(help="Stream JSON Lines into this file; - is standard output.", show_default=False),
    ] = None,
    websocket: Annotated[
        int | None, typer.Option(help="Stream JSON Lines to whoever connects to this port.")
    ] = None,
    host: Annotated[str, typer.Option(help="Address that --websocket listens on.")] = "127.0.0.1",
    clients: Annotated[
        int,
        typer.Option(
            help="Clients of --websocket, and viewers of --page, at the same time; more are refused.", min=1
        ),
    ] = 32,
    groups: Annotated[
        str | None,
        typer.Option(help="Fields wanted in lines and saved tables, such as pose,gaze,action-units; all."),
    ] = None,
    correction: Annotated[
        bool | None,
        typer.Option(
            "--correction/--no-correction",
            help="Intensities relative to the lowest tenth seen so far; by default for cameras.",
        ),
    ] = None,
    seconds: Annotated[float | None, typer.Option(help="Stop after so many seconds.")] = None,
    *,
    page: PageArguments,
    models: ModelArguments,
    lens: CameraArguments,
    quiet: QuietOption = False,
) -> None:
    """Analyse what a camera sees now; frames are dropped, and counted, rather than queued.

    Numbers are shown in the terminal, and with --page in the browser. JSON Lines go to a file, to a port, or
    to standard output where that is not a terminal. Ctrl-C ends it.
    """
    if video is not None and not (realtime or page.page or camera is not None):
        raise OptionError(
            f"{video}: add --realtime to play it at its own pace, or --page to look on; for its table use "
            "mien analyze"
        )
    if video is None and realtime:
        raise OptionError("--realtime needs a video; a camera is always in real time")
    request = LiveRequest(video, camera, _size(size), fps, correction, seconds)
    streams = _Streams(jsonl, websocket, host, clients, groups, page.page)
    streams.need_another_file_than(video)
    shown = page.options(clients, streams.encoder_groups)
    _run(request, streams, shown, analysis_options(models, lens), quiet=quiet)


@dataclass(frozen=True, slots=True)
class _Streams:
    """Where JSON Lines go, and what is in them."""

    jsonl: str | None
    websocket: int | None
    host: str
    clients: int
    groups: str | None
    page: bool

    @property
    def encoder_groups(self) -> list[str] | None:
        """Names of the groups; None means all."""
        return None if self.groups is None else [name.strip() for name in self.groups.split(",")]

    def need_another_file_than(self, video: Path | None) -> None:
        """Refuse to write over the video."""
        if self.jsonl in (None, _STDOUT) or video is None:
            return
        file = Path(self.jsonl)
        if file.exists() and video.exists() and file.samefile(video):
            raise OutputError(f"{file} is the video itself; choose another name with --jsonl")

    @property
    def to_stdout(self) -> bool:
        """As asked for, or because somebody reads it and nothing else is asked for."""
        if self.jsonl is None and self.websocket is None and not self.page:
            return not sys.stdout.isatty()
        return self.jsonl == _STDOUT


def _size(text: str) -> tuple[int, int]:
    try:
        width, height = (int(part) for part in text.lower().split("x"))
    except ValueError as error:
        raise OptionError(f"size: expected WIDTHxHEIGHT such as 640x480, got {text!r}") from error
    return width, height


def _run(
    request: LiveRequest,
    streams: _Streams,
    page: PageOptions | None,
    options: AnalysisOptions,
    *,
    quiet: bool,
) -> None:
    from mien.cli.live_display import live_display
    from mien.cli.live_run import LiveRuns, Outlets
    from mien.live.lines import LiveEncoder
    from mien.packs import build_stages, choose_pack

    say = (lambda text: None) if quiet else _say
    LiveEncoder(streams.encoder_groups)  # unknown names are told before anything is opened
    pack = choose_pack(options.models)
    with ExitStack() as cleanup:
        opened = cleanup.enter_context(closing(OpenedSource(request, pausable=page is not None)))
        info = opened.open()
        corrected = info.camera and pack.name == "openface"
        encoder = LiveEncoder(streams.encoder_groups, corrected=corrected)
        stages = build_stages(pack, options, live=info.camera)
        say(pack.notice)
        compile_first(pack, options, say)
        recorded, provenance = _about(info, stages, pack, options)
        header = encoder.header(recorded, provenance)
        sinks = [cleanup.enter_context(closing(sink)) for sink in _sinks(streams, header, quiet=quiet)]
        shown = None if page is None else _shown(page, stages, info, header, quiet=quiet)
        if shown is not None:
            cleanup.enter_context(closing(shown))
        display = live_display(info.name, terminal=sys.stderr.isatty(), quiet=quiet, clock=time.perf_counter)
        runs = LiveRuns(
            opened,
            stages,
            Outlets(encoder, sinks, display, shown),
            recorded,
            provenance,
            "live, corrected" if corrected else "live",
            request.seconds,
            lambda summary: say(
                " ".join([_describe(summary), *networks_sentence(options, stages.networks())])
            ),
        )
        with interruptible(runs.stop, lambda text: None), display:
            runs.all()


def _about(
    info: SourceInfo, stages: Stages, pack: Pack, options: AnalysisOptions
) -> tuple[RecordedSource, dict[str, Any]]:
    """What is analysed, and how."""
    from mien.results import RecordedSource, collect_provenance

    provenance = collect_provenance(
        source=info.path,
        hash_source=False,
        pack=pack.name,
        landmark_model=stages.landmark_model,
        model_sha256=pack.hashes(),
        options=options,
        networks=stages.networks(),
    )
    camera = stages.camera_for(info.width, info.height)
    return RecordedSource(info.name, info.path, info.width, info.height, info.fps, camera), provenance


def _shown(page: PageOptions, stages: Stages, info: SourceInfo, header: str, *, quiet: bool) -> ShownAnalysis:
    """The page; its address is told even where little else is."""
    from mien.live.shown import ShownAnalysis
    from mien.results.table import readable

    shown = ShownAnalysis(
        page,
        stages,
        name=readable(info.name),
        models=f"{stages.pack}, {stages.landmark_model}",
        header=header,
        camera=info.path is None,
    )
    note(f"Live page: {shown.address}")
    if shown.warning:
        note(f"mien: {shown.warning}")
    return shown


def _sinks(streams: _Streams, header: str, *, quiet: bool) -> Iterator[LineSink]:
    """Open every stream and write its header."""
    from mien.live.sinks import FileSink, StreamSink

    if streams.to_stdout:
        stdout = StreamSink(sys.stdout.buffer)
        stdout.write(header)
        yield stdout
    elif streams.jsonl is not None:
        file = FileSink(streams.jsonl)
        file.write(header)
        yield file
    if streams.websocket is not None:
        from mien.live.websocket import WebSocketSink

        server = WebSocketSink(streams.websocket, host=streams.host, header=header, most=streams.clients)
        if not quiet:
            typer.echo(f"JSON Lines on ws://{streams.host}:{server.port}", err=True)
        yield server


def _say(text: str) -> None:
    typer.echo(text, err=True)


def _describe(summary: LiveSummary) -> str:
    total = summary.frames + summary.dropped
    return (
        f"{summary.frames} of {total} frames analysed in {summary.seconds:.1f} s, {summary.dropped} dropped. "
        f"Latency from capture to result: median {1e3 * summary.latency_median_s:.1f} ms, "
        f"95 % within {1e3 * summary.latency_95_s:.1f} ms, worst {1e3 * summary.latency_worst_s:.1f} ms."
    )
