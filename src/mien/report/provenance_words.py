"""What was analysed and how, from a result's provenance, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from mien.results.video_result import VideoResult

_PACKS = {
    "openface": "OpenFace's models",
    "open": "the open models that come with mien; action units that geometry can't measure are missing",
}
_NOT_SAID = frozenset(("models", "landmarks", "threads"))


def words(result: VideoResult) -> list[str]:
    """Sentences on a result: with what, when and from what it was made; nothing that is not known is said."""
    made = result.provenance
    found = [*_program(made), *_source(made), *_models(made), *_options(made), *_analysed(made)]
    if not found:
        found = ["The table does not say how it was made: no provenance file lies beside it."]
    return found


def notes(result: VideoResult) -> list[str]:
    """What a reader should know of the source and of the table, in sentences."""
    own = list(result.source.notes) if result.source is not None else []
    said = result.provenance.get("notes")
    found = [*own, *(map(str, said) if isinstance(said, list | tuple) else ())]
    lost = _part(result.provenance, "analysed").get("lost")
    if lost:
        found.append(f"Not all could be read: {lost}")
    return list(dict.fromkeys(found))


def _part(made: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = made.get(name)
    return part if isinstance(part, dict) else {}


def _program(made: Mapping[str, Any]) -> Iterator[str]:
    if made.get("mien"):
        when = f" on {str(made['made'])[:10]}" if made.get("made") else ""
        machine = _part(made, "machine").get("system")
        where = f", on {machine}" if machine else ""
        yield f"Analysed with mien {made['mien']}{when}{where}."


def _source(made: Mapping[str, Any]) -> Iterator[str]:
    source = _part(made, "source")
    if source.get("path"):
        name = str(source["path"]).replace("\\", "/").rsplit("/", 1)[-1]
        size = source.get("bytes")
        large = ", " + f"{size:,} bytes".replace(",", "\u202f") if isinstance(size, int) else ""
        digest = f", SHA-256 {source['sha256']}" if source.get("sha256") else ""
        yield f"Source: {name}{large}{digest}."


def _models(made: Mapping[str, Any]) -> Iterator[str]:
    models = _part(made, "models")
    if models.get("pack"):
        pack = _PACKS.get(str(models["pack"]), f"the models {models['pack']}")
        landmarks = f"; landmarks by {models['landmarks']}" if models.get("landmarks") else ""
        yield f"Measured with {pack}{landmarks}."


def _options(made: Mapping[str, Any]) -> Iterator[str]:
    options = _part(made, "options")
    if not options:
        return
    usual = _usual()
    other = {
        name: value
        for name, value in options.items()
        if name not in _NOT_SAID and name in usual and value != usual[name]
    }
    if other:
        yield f"Options other than the usual ones: {', '.join(f'{k} {v}' for k, v in other.items())}."
    else:
        yield "All options were the usual ones."
    approximate = made.get("approximations")
    if approximate:
        yield f"Approximated: {', '.join(map(str, approximate))}."


def _usual() -> dict[str, Any]:
    from mien.options import AnalysisOptions

    options = asdict(AnalysisOptions())
    return {name: list(value) if isinstance(value, tuple) else value for name, value in options.items()}


def _analysed(made: Mapping[str, Any]) -> Iterator[str]:
    analysed = _part(made, "analysed")
    if analysed.get("frames"):
        early = "; the analysis was stopped before the end" if analysed.get("stopped") else ""
        yield f"{analysed['frames']} frames were analysed{early}."
