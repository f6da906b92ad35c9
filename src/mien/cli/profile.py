"""``mien profile``: where the time of an analysis goes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mien.cli.arguments import ModelArguments, SpanArguments, analysis_options, grouped
from mien.cli.words import networks_sentence
from mien.errors import SourceError

if TYPE_CHECKING:
    from mien.analysis.profiling import FitHealth, RunMeasurement, StageProfile

REAL_TIME = 30.0
ORIGINAL = {(640, 480): (56.8, 41.8), (1080, 720): (38.1, 26.5)}
"""Frames per second of the original program on two cores and on one, by size of the frames: CLNF, gaze and
action units, CSV only, whole run, on a server processor of two cores."""


@grouped
def profile(
    video: Annotated[Path, typer.Argument(help="A video file.", show_default=False)],
    *,
    models: ModelArguments,
    span: SpanArguments,
    threads: Annotated[int | None, "Threads of the run that is timed as a whole."] = None,
) -> None:
    """Analyse a video twice and say where the time goes.

    Once stage by stage in one thread, once as mien analyze does it, in a process of its own; no table
    is kept.
    """
    from mien.analysis.profiling import measure_run, profile_stages

    if not video.exists():
        raise SourceError(f"{video}: no such file; expected a video")
    options = analysis_options(models, span, threads=threads)
    stages = profile_stages(video, options)
    for line in (*stage_table(stages), *networks_sentence(options, stages.networks)):
        typer.echo(line)
    run = measure_run(video, options)
    for lines in (speed(stages, run), start_up(run), health(stages.health, stages.frames)):
        typer.echo()
        for line in lines:
            typer.echo(line)


def stage_table(result: StageProfile) -> Iterator[str]:
    """Milliseconds per frame of every stage, the dearest first."""
    whole_ms = 1e3 * result.seconds / max(1, result.frames)
    table_ms = 1e3 * result.table_s / max(1, result.frames)
    size = f"{result.width} × {result.height}"
    yield f"{size}, {result.pack}, {result.landmark_model}: one thread, without the first frame"
    yield f"{'ms per frame':28}{'mean':>9}{'95 %':>9}{'share':>8}{'calls':>9}"
    rest = whole_ms
    for stage in sorted(result.stages, key=lambda stage: -stage.frame_ms.mean()):
        mean, late = stage.frame_ms.mean(), stage.percentile_ms(95)
        rest -= mean
        yield _row(stage.stage, mean, f"{late:9.3f}", mean / (whole_ms + table_ms), stage.calls)
    yield _row("between the stages", rest, f"{'':9}", rest / (whole_ms + table_ms), result.frames)
    yield _row("post-processing, table", table_ms, f"{'':9}", table_ms / (whole_ms + table_ms), 1)
    yield _row("all", whole_ms + table_ms, f"{'':9}", 1.0, result.frames)


def _row(name: str, mean: float, late: str, share: float, calls: int) -> str:
    return f"{name:28}{mean:9.3f}{late}{100 * share:6.1f} %{calls:9}"


def speed(result: StageProfile, run: RunMeasurement) -> Iterator[str]:
    """Frames per second, beside real time and the original."""
    rate = run.frames / run.total
    steady = result.frames / result.seconds if result.seconds else float("nan")
    real_time = f"{rate / REAL_TIME:.1f} × real time at {REAL_TIME:.0f} frames/s"
    threads = f"{run.threads} thread{'s' if run.threads > 1 else ''}"
    yield f"{'whole run, ' + threads:24} {rate:7.1f} frames/s, {real_time}"
    yield f"stages only, one thread  {steady:7.1f} frames/s"
    original = ORIGINAL.get((result.width, result.height))
    if original:
        yield (
            f"the original elsewhere   {original[0]:7.1f} frames/s on two cores, {original[1]} on one "
            "(CLNF, published figures: compare on one machine only)"
        )
    if run.peak_mb is not None:
        yield f"peak memory              {run.peak_mb:7.0f} MB"


def start_up(run: RunMeasurement) -> Iterator[str]:
    """What happens until the first row."""
    parts = {
        "Python": run.interpreter,
        "imports": run.imports,
        "video, models": run.models,
        "kernels": run.kernels,
        "first detection": run.detection,
        "the rest of the first row": run.first_row,
    }
    compiled = f" ({run.compiled} kernels compiled)" if run.compiled else ""
    yield f"start to first row       {sum(parts.values()):7.2f} s{compiled}"
    for name, seconds in parts.items():
        yield f"  {name:23}{seconds:7.2f} s"


def health(fits: FitHealth, frames: int) -> Iterator[str]:
    """Iterations and convergence of the main fit, first fits, failures."""
    if not fits.iterations and not fits.hypotheses:
        return
    yield f"main fit: iterations of at most {fits.limit}, share that converged before"
    for (scale, call), counts in sorted(
        fits.iterations.items(), key=lambda item: (item[0][0], item[0][1] != "rigid")
    ):
        share = _converged_percent(counts, fits.limit)
        yield f"  scale {scale + 1}, {call:6}{_mean(counts):7.2f}{share:8.1f} %"
    yield f"first fits: {fits.hypotheses} hypotheses tried; {fits.failures} of {frames + 1} frames failed"


def _mean(counts: Counter[int]) -> float:
    return sum(n * times for n, times in counts.items()) / counts.total()


def _converged_percent(counts: Counter[int], limit: int) -> float:
    return 100 * sum(times for n, times in counts.items() if n < limit) / counts.total()
