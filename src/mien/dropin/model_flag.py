"""Which landmark model ``-mloc`` means (docs/algorithms/model-files.md#main-files)."""

from __future__ import annotations

from pathlib import Path

from mien.errors import OptionError
from mien.models.store import LANDMARK_MODELS, ModelStore

_EYES = {"left_eye_28", "right_eye_28"}


def landmark_model(location: str | None, store: ModelStore | None = None) -> str | None:
    """The landmark model as the option ``landmarks`` takes it.

    Parameters
    ----------
    location
        The main file as the user gave it: a path from here, or within OpenFace's models, where its name is
        enough. None takes the best that is installed.
    store
        Where OpenFace's models are.

    Raises
    ------
    OptionError
        There is no such file.
    """
    if location is None:
        return None
    store = store or ModelStore()
    names = {file: name for name, file in LANDMARK_MODELS.items()}
    path = Path(location)
    own = _own(store, path.name)
    if path.is_file() and not (own.is_file() and own.samefile(path)):
        return str(path)
    if path.name in names:
        return names[path.name]
    if own.is_file():
        return str(own)
    raise OptionError(
        f"-mloc {location}: no such file, neither here nor as {own}; expected the main file of a landmark "
        "model"
    )


def has_eyes(main_file: Path) -> bool:
    """Whether a landmark model has parts for both eyes, without which there is no gaze.

    Parameters
    ----------
    main_file
        Its main file; one that can't be read is left to its reader, which says more about it.
    """
    try:
        text = main_file.read_text(errors="replace")
    except OSError:
        return True
    parts = (line.split() for line in text.splitlines())
    return {words[2] for words in parts if words[:1] == ["LandmarkDetector_part"] and len(words) > 2} >= _EYES


def _own(store: ModelStore, name: str) -> Path:
    return store.folder / "LandmarkDetector" / "model" / name
