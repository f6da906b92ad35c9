"""Reads a whole landmark model from its main file (docs/algorithms/model-files.md)."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from mien.errors import ModelFileError
from mien.models.readers.ccnf import read_ccnf
from mien.models.readers.cen import read_cen
from mien.models.readers.fault import fault, refusing
from mien.models.readers.shape_files import read_early_termination, read_pdm
from mien.models.readers.text import parse_directives, read_directives
from mien.models.readers.validator import read_validator
from mien.models.records import CcnfRecord, CenRecord, LandmarkModelRecord, PartRecord

_MOST_NESTED = 4
_EYE_PARTS = """\
LandmarkDetector_part model_eye/main_clnf_synth_left.txt left_eye_28 36 8 37 10 38 12 39 14 40 16 41 18
LandmarkDetector_part model_eye/main_clnf_synth_right.txt right_eye_28 42 8 43 10 44 12 45 14 46 16 47 18
"""
# Main files that need not be installed: what they say is known (docs/algorithms/model-files.md#main-files).
_BUILT_IN = {
    "main_ceclm_general.txt": "LandmarkDetector cen_general.txt\n"
    f"{_EYE_PARTS}DetectionValidator detection_validation/validator_cnn_68.txt\n"
}
_Experts = tuple[CenRecord, ...] | tuple[CcnfRecord, ...]


@dataclass
class _Directives:
    """The lines of a main or list file: paths by keyword, and those of parts."""

    path: Path
    files: dict[str, list[Path]] = field(default_factory=dict)
    parts: list[tuple[int, str]] = field(default_factory=list)

    def one(self, keyword: str) -> Path | None:
        """Give the last path of a keyword, which is the one that counts."""
        return self.files[keyword][-1] if keyword in self.files else None

    def needed(self, keyword: str) -> Path:
        """Give the path of a keyword that must be there."""
        path = self.one(keyword)
        if path is None:
            raise fault(self.path, "end of the file", f"a line {keyword}", "none")
        return path


@refusing
def read_landmark_model(path: Path | str) -> LandmarkModelRecord:
    """Read a landmark model with its parts, validator and tables.

    Parameters
    ----------
    path
        A main file such as ``main_clnf_general.txt``. ``main_ceclm_general.txt`` need not exist: what it
        says is known, and the files it names are looked for beside it.

    Returns
    -------
    LandmarkModelRecord
        ``files`` names every file that was read.

    Raises
    ------
    ModelsMissingError
        A file is not there.
    ModelFileError
        A file is truncated, has something after its end, is of another kind, or does not fit the others.
    """
    return _read_main(Path(path), 0)


def _read_main(path: Path, depth: int) -> LandmarkModelRecord:
    main = _read_directives(path)
    detector = _read_directives(main.needed("LandmarkDetector"))
    pdm_path = detector.needed("PDM")
    pdm = read_pdm(pdm_path)
    experts, expert_paths = _read_experts(detector, len(pdm.mean))
    files = [detector.path, pdm_path, *expert_paths]
    if _is_there(path):
        files.insert(0, path)
    termination = None
    if (file := detector.one("EarlyTermination")) is not None:
        termination = read_early_termination(file, len(experts[0].view_centers))
        files.append(file)
    validator = None
    if (file := main.one("DetectionValidator")) is not None:
        validator = read_validator(file)
        files.append(file)
    parts = tuple(_read_part(path, line, rest, len(pdm.mean), depth) for line, rest in main.parts)
    files += [file for part in parts for file in part.model.files]
    return LandmarkModelRecord(
        name=path.stem,
        pdm=pdm,
        patch_experts=experts,
        parts=parts,
        validator=validator,
        early_termination=termination,
        files=tuple(dict.fromkeys(files)),
    )


def _read_directives(path: Path) -> _Directives:
    found = _Directives(path)
    built_in = None if _is_there(path) else _BUILT_IN.get(path.name)
    lines = read_directives(path) if built_in is None else parse_directives(built_in)
    for line, keyword, rest in lines:
        if keyword == "LandmarkDetector_part":
            found.parts.append((line, rest))
        elif rest:
            found.files.setdefault(keyword, []).append(path.parent / rest)
    return found


def _is_there(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name that is too long, or holds a zero byte
        return False


def _read_experts(detector: _Directives, landmarks: int) -> tuple[_Experts, list[Path]]:
    """Read the patch experts of all scales, in the order of the list."""
    experts: _Experts
    if paths := detector.files.get("PatchesCEN", []):
        experts = tuple(map(read_cen, paths))
    elif paths := detector.files.get("PatchesCCNF", []):
        experts = tuple(map(read_ccnf, paths))
    elif "PatchesIntensity" in detector.files:
        raise ModelFileError(
            f"{detector.path}: expected CCNF or CEN patch experts, got SVR patch experts (the CLM models of "
            "OpenFace), which mien does not fit; use main_clnf_general.txt or main_ceclm_general.txt"
        )
    else:
        raise fault(detector.path, "end of the file", "lines PatchesCEN or PatchesCCNF", "none")
    counts = [expert.visibility.shape[1] for expert in (*experts,)]
    for path, count in zip(paths, counts, strict=True):
        if count != landmarks:
            raise fault(path, "visibility", f"{landmarks} landmarks as the shape model", str(count))
    return experts, paths


def _read_part(main: Path, line: int, rest: str, landmarks: int, depth: int) -> PartRecord:
    """Read a part: its main file, its name, and pairs of a main and a part landmark."""
    words = rest.split()
    file, name, *numbers = words if len(words) > 1 else ("", "")
    if depth >= _MOST_NESTED:
        raise fault(main, f"line {line}", f"parts at most {_MOST_NESTED} deep", rest[:40])
    if not name or len(numbers) % 2 or not all(number.isdecimal() for number in numbers):
        raise fault(main, f"line {line}", "a file, a name and pairs of landmarks", repr(rest[:60]))
    model = _read_main(main.parent / file, depth + 1)
    mapping = np.array(numbers, np.int64).reshape(-1, 2)
    limits = landmarks, len(model.pdm.mean)
    if not len(mapping) or (mapping >= limits).any():
        raise fault(main, f"line {line}", f"pairs of landmarks below {limits}", repr(rest[:60]))
    return PartRecord(name, mapping.astype(np.int32), model)
