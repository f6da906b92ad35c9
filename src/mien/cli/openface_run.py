"""Runs what a command line of the original asks for, and says what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mien.analysis.jobs import run_job
from mien.analysis.picture_jobs import run_pictures
from mien.cli.console import Console
from mien.cli.exit_codes import ExitCode
from mien.cli.words import exit_code, note, worst
from mien.dropin.flags import Program
from mien.dropin.input_jobs import InputJob, picture_job, video_jobs, with_model
from mien.dropin.request import Request, Source

if TYPE_CHECKING:
    from mien.video.source import FrameSource


def run_request(request: Request) -> ExitCode:
    """Analyse all inputs in order and write the original's files.

    As in the original, inputs after one that can't be opened are not attempted.

    Raises
    ------
    MienError
        An input or the models can't be read, or something can't be written.
    """

    def warn(text: str) -> None:
        note(f"{request.program}: warning: {text}")

    for warning in request.warnings:
        warn(warning)
    request = with_model(request, warn)
    console = Console(request.options, quiet=request.quiet)
    if request.program is Program.FACE_LANDMARK_IMG:
        job = picture_job(request, warn)
        with console.interruptible():
            outcome = run_pictures(job, request.options, watch=console, stopped=console.stopped)
        console.tell(outcome)
        return exit_code(outcome)
    return _videos(request, video_jobs(request, warn), console)


def _videos(request: Request, jobs: list[InputJob], console: Console) -> ExitCode:
    codes = []
    with console.interruptible():
        for position, each in enumerate(jobs):
            camera = _open_camera(request, each) if each.source.kind is Source.CAMERA else None
            outcome = run_job(each.job, each.options, watch=console, stopped=console.stopped, source=camera)
            rest = [later.source.path for later in jobs[position + 1 :]]
            if outcome.error is not None and rest:
                note(f"{request.program}: not attempted, as in OpenFace: {', '.join(rest)}")
            console.tell(outcome)
            codes.append(exit_code(outcome))
            if outcome.stopped:
                break
    return worst(codes)


def _open_camera(request: Request, each: InputJob) -> FrameSource:
    from mien.video.camera import open_camera

    return open_camera(int(each.source.path), request.camera_size)
