"""What every worker does before its first recording."""

from __future__ import annotations

from mien.options import AnalysisOptions


def import_libraries() -> None:
    """Import what every recording needs; nothing of what is to be done has to be known for that."""
    import mien.analysis.jobs
    import mien.study.tables
    import mien.study.work  # noqa: F401


def read_models(options: AnalysisOptions) -> bool:
    """Read the models, unless kernels have yet to be compiled on this machine: then say so.

    Raises
    ------
    MienError
        The models are missing or damaged.
    """
    from mien.packs import choose_pack
    from mien.runtime.compilation import is_warm
    from mien.study.work import kept_stages

    pack = choose_pack(options.models)
    if not is_warm(pack.name, options.landmarks):
        return True  # else every worker would compile what building the stages needs
    kept_stages().of(pack, options)
    return False


def compile_kernels(options: AnalysisOptions) -> bool:
    """Compile the kernels; of several workers one does it, and the others wait for it.

    Raises
    ------
    MienError
        The models are missing or damaged.
    """
    from mien.analysis.warmup import warm_up
    from mien.packs import choose_pack

    return warm_up(choose_pack(options.models), options).compiled > 0
