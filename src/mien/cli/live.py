"""``mien live``: a camera, or a video at its own pace; numbers in the terminal and as a stream."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mien.cli.arguments import CameraArguments, ModelArguments, QuietOption, analysis_options, grouped
from mien.cli.progress import interruptible
from mien.cli.warmup import compile_first
from mien.cli.words import networks_sentence
from mien.errors import OptionError, OutputError, SourceError
from mien.options import AnalysisOptions

if TYPE_CHECKING:
    from mien.datatypes import Frame
    from mien.live.lines import LiveEncoder
    from mien.live.session import LiveFace, LiveSource
    from mien.live.sinks import LineSink
    from mien.live.statistics import LiveSummary
    from mien.packs import Pack
    from mien.stages import Stages
    from mien.video.source import SourceInfo

_STDOUT = "-"


@grouped
def live(
    video: Annotated[
        Path | None, typer.Argument(help="A video file, with --realtime.", show_default=False)
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
        int, typer.Option(help="Clients of --websocket at the same time; more are refused.", min=1)
    ] = 32,
    groups: Annotated[
        str | None, typer.Option(help="Fields wanted in the lines, such as pose,gaze,action-units; all.")
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
    models: ModelArguments,
    lens: CameraArguments,
    quiet: QuietOption = False,
) -> None:
    """Analyse what a camera sees now; frames are dropped, and counted, rather than queued.

    Numbers are shown in the terminal. JSON Lines go to a file, to a port, or to standard output where that is
    not a terminal. Ctrl-C ends it.
    """
    request = _Request(video, camera, realtime, _size(size), fps, correction, seconds)
    streams = _Streams(jsonl, websocket, host, clients, groups)
    streams.need_another_file_than(video)
    _run(request, streams, analysis_options(models, lens), quiet=quiet)


@dataclass(frozen=True, slots=True)
class _Request:
    """What is analysed."""

    video: Path | None
    camera: int | None
    realtime: bool
    size: tuple[int, int]
    fps: float | None
    correction: bool | None
    seconds: float | None

    def __post_init__(self) -> None:
        if self.video is not None and self.camera is not None:
            raise OptionError(f"expected a video or --camera, got both: {self.video} and {self.camera}")
        if self.video is not None and not self.realtime:
            raise OptionError(
                f"{self.video}: add --realtime to play it at its own pace; for its table use mien analyze"
            )
        if self.video is None and self.realtime:
            raise OptionError("--realtime needs a video; a camera is always in real time")
        if self.seconds is not None and not self.seconds > 0:
            raise OptionError(f"seconds: expected more than 0, got {self.seconds}")


@dataclass(frozen=True, slots=True)
class _Streams:
    """Where JSON Lines go, and what is in them."""

    jsonl: str | None
    websocket: int | None
    host: str
    clients: int
    groups: str | None

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
        if self.jsonl is None and self.websocket is None:
            return not sys.stdout.isatty()
        return self.jsonl == _STDOUT


def _size(text: str) -> tuple[int, int]:
    try:
        width, height = (int(part) for part in text.lower().split("x"))
    except ValueError as error:
        raise OptionError(f"size: expected WIDTHxHEIGHT such as 640x480, got {text!r}") from error
    return width, height


def _run(request: _Request, streams: _Streams, options: AnalysisOptions, *, quiet: bool) -> None:
    from mien.cli.live_display import live_display
    from mien.live.lines import LiveEncoder
    from mien.live.session import LiveAnalysis
    from mien.packs import build_stages, choose_pack

    encoder = LiveEncoder(streams.encoder_groups)
    pack = choose_pack(options.models)
    with ExitStack() as cleanup:
        source, info, first = cleanup.enter_context(_opened(request))
        if request.correction is not None:
            info = replace(info, camera=request.correction)
        if info.camera:
            encoder = LiveEncoder(streams.encoder_groups, corrected=pack.name == "openface")
        stages = build_stages(pack, options, live=info.camera)
        if not quiet:
            typer.echo(pack.notice, err=True)
        compile_first(pack, options, (lambda text: None) if quiet else _say)
        header = _header(encoder, info, stages, pack, options)
        sinks = [cleanup.enter_context(closing(sink)) for sink in _sinks(streams, header, quiet=quiet)]
        analysis = LiveAnalysis(source, stages, first=first)
        display = live_display(info.name, terminal=sys.stderr.isatty(), quiet=quiet, clock=time.perf_counter)
        with interruptible(analysis.stop, lambda text: None), display, closing(iter(analysis)) as results:
            for result in _until(results, request.seconds):
                display.show(result)
                if not _pass_on(encoder.line(result), sinks):
                    break
        if not quiet:
            text = [_describe(analysis.statistics.summary()), *networks_sentence(options, stages.networks())]
            typer.echo(" ".join(text), err=True)


@contextmanager
def _opened(request: _Request) -> Iterator[tuple[LiveSource, SourceInfo, Frame | None]]:
    """The source, what is known about it, and a picture to get ready with where that costs nothing."""
    from mien.video.camera import open_camera
    from mien.video.file import VideoFile
    from mien.video.pacing import RealTime

    if request.video is None:
        with open_camera(request.camera or 0, request.size, request.fps) as camera:
            yield camera, camera.info, None
        return
    if not request.video.exists():
        raise SourceError(f"{request.video}: no such file; expected a video")
    with VideoFile(request.video) as again:
        first = next(iter(again), None)
    with VideoFile(request.video) as video:
        yield RealTime(video), video.info, first


def _header(
    encoder: LiveEncoder, info: SourceInfo, stages: Stages, pack: Pack, options: AnalysisOptions
) -> str:
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
    source = RecordedSource(info.name, info.path, info.width, info.height, info.fps, camera)
    return encoder.header(source, provenance)


def _sinks(streams: _Streams, header: str, *, quiet: bool) -> Iterator[LineSink]:
    """Open every stream and write its header."""
    from mien.live.sinks import FileSink, StreamSink
    from mien.live.websocket import WebSocketSink

    if streams.to_stdout:
        stdout = StreamSink(sys.stdout.buffer)
        stdout.write(header)
        yield stdout
    elif streams.jsonl is not None:
        file = FileSink(streams.jsonl)
        file.write(header)
        yield file
    if streams.websocket is not None:
        server = WebSocketSink(streams.websocket, host=streams.host, header=header, most=streams.clients)
        if not quiet:
            typer.echo(f"JSON Lines on ws://{streams.host}:{server.port}", err=True)
        yield server


def _until(results: Iterator[LiveFace], seconds: float | None) -> Iterator[LiveFace]:
    """Results of the first seconds, counted from the first frame."""
    first_s = None
    for result in results:
        time_s = result.face.time_s
        first_s = time_s if first_s is None else first_s
        if seconds is not None and time_s - first_s >= seconds:
            return
        yield result


def _pass_on(line: str, sinks: list[LineSink]) -> bool:
    """Write a line to all; False when standard output is not read any more."""
    try:
        for sink in sinks:
            sink.write(line)
    except BrokenPipeError:
        # Python flushes once more at its end, and must not complain then.
        with suppress(OSError):
            sys.stdout.close()
        return False
    return True


def _say(text: str) -> None:
    typer.echo(text, err=True)


def _describe(summary: LiveSummary) -> str:
    total = summary.frames + summary.dropped
    return (
        f"{summary.frames} of {total} frames analysed in {summary.seconds:.1f} s, {summary.dropped} dropped. "
        f"Latency from capture to result: median {1e3 * summary.latency_median_s:.1f} ms, "
        f"95 % within {1e3 * summary.latency_95_s:.1f} ms, worst {1e3 * summary.latency_worst_s:.1f} ms."
    )
