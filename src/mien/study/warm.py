"""Workers are made ready once, before all of them begin."""

from __future__ import annotations

from mien.options import AnalysisOptions


def needs_compiling(options: AnalysisOptions) -> bool:
    """Whether kernels have yet to be compiled on this machine.

    Raises
    ------
    MienError
        The models are missing.
    """
    from mien.packs import choose_pack
    from mien.runtime.compilation import is_warm

    return not is_warm(choose_pack(options.models).name, options.landmarks)


def warm_worker(options: AnalysisOptions) -> None:
    """Compile the kernels.

    Raises
    ------
    MienError
        The models are missing or damaged.
    """
    from mien.analysis.warmup import warm_up
    from mien.packs import choose_pack

    warm_up(choose_pack(options.models), options)
