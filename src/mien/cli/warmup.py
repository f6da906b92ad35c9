"""``mien warmup``: compiles the kernels ahead of the first analysis."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import typer

from mien.cli.arguments import ModelArguments, analysis_options, grouped
from mien.cli.progress import tell_of_compilation
from mien.options import AnalysisOptions

if TYPE_CHECKING:
    from mien.packs import Pack


@grouped
def warmup(models: ModelArguments) -> None:
    """Compile the numerical kernels for this machine, so that the first analysis need not.

    Does nothing but load them where that has been done before.
    """
    from mien.analysis.warmup import warm_up
    from mien.packs import choose_pack
    from mien.runtime.compilation import is_warm

    options = analysis_options(models)
    pack = choose_pack(options.models)
    if not is_warm(pack.name, options.landmarks):
        tell_of_compilation(lambda text: typer.echo(text, err=True))
    done = warm_up(pack, options)
    how = f" in {done.processes} processes" if done.compiled and done.processes > 1 else ""
    typer.echo(f"Ready after {done.seconds:.1f} s{how}: {pack.name} models.")


def compile_first(pack: Pack, options: AnalysisOptions, tell: Callable[[str], None]) -> None:
    """Compile before the first analysis on a machine, and say so; at once done on every later one."""
    from mien.runtime.compilation import is_warm

    if not is_warm(pack.name, options.landmarks):
        from mien.analysis.warmup import warm_up

        tell_of_compilation(tell)
        warm_up(pack, options)
