"""Workers are made ready once, before all of them begin."""

from __future__ import annotations

from mien.options import AnalysisOptions


def warm_worker(options: AnalysisOptions) -> None:
    """Compile the kernels where that has not been done on this machine.

    Raises
    ------
    MienError
        The models are missing or damaged.
    """
    from mien.packs import choose_pack
    from mien.runtime.compilation import is_warm

    pack = choose_pack(options.models)
    if not is_warm(pack.name, options.landmarks):
        from mien.analysis.warmup import warm_up

        warm_up(pack, options)
