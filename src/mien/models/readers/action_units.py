"""Reads action-unit predictors (docs/algorithms/model-files.md#action-unit-predictors)."""

from __future__ import annotations

import math
from pathlib import Path

from mien.models.readers.binary import ByteCursor
from mien.models.readers.fault import fault, refusing
from mien.models.readers.shape_files import read_pdm, read_triangulation
from mien.models.readers.text import read_directives, read_paths
from mien.models.records import ActionUnitPredictor, ActionUnitRecord

DESCRIPTOR_LENGTH = 4702
"""Numbers a predictor looks at: 4464 of appearance, 238 of geometry."""

_KINDS = {0: ("svr", False), 1: ("svr", True), 4: ("svm", False), 5: ("svm", True)}


@refusing
def read_action_units(path: Path | str) -> ActionUnitRecord:
    """Read the predictors that an entry file names, with their shape model and triangulation.

    Parameters
    ----------
    path
        ``main_dynamic_svms.txt`` or ``main_static_svms.txt``.

    Returns
    -------
    ActionUnitRecord
        Predictors in the order of the list.

    Raises
    ------
    ModelsMissingError
        A file is not there.
    ModelFileError
        A file is truncated, has something after its end, or is of another kind.
    """
    path = Path(path)
    files = read_paths(path, ("AUPredictor", "PDM", "Triangulation"))
    pdm = read_pdm(files["PDM"])
    triangles = read_triangulation(files["Triangulation"])
    if triangles.size and triangles.max() >= len(pdm.mean):
        limit = len(pdm.mean)
        raise fault(files["Triangulation"], "matrix", f"landmarks below {limit}", str(triangles.max()))
    return ActionUnitRecord(_read_list(files["AUPredictor"]), pdm, triangles)


def _read_list(path: Path) -> tuple[ActionUnitPredictor, ...]:
    """Read the predictors of a list of ``relative/path.dat NAME`` lines."""
    predictors = []
    for line, file, name in read_directives(path):
        if not name or "," in name or " " in name:
            found = repr(f"{file} {name}")
            raise fault(path, f"line {line}", "a file and the name of one action unit", found)
        predictors.append(read_predictor(path.parent / file, name))
    if not predictors:
        raise fault(path, "end of the list", "at least one predictor", "none")
    return tuple(predictors)


@refusing
def read_predictor(path: Path | str, name: str) -> ActionUnitPredictor:
    """Read one linear predictor (docs/algorithms/model-files.md#action-unit-predictors).

    Parameters
    ----------
    path
        The binary file.
    name
        The action unit it is for, such as ``"AU01"``.

    Returns
    -------
    ActionUnitPredictor
        Its kind is that of the file's type code.

    Raises
    ------
    ModelFileError
        The file is truncated, has something after its end, or is of another kind.
    """
    cursor = ByteCursor.open(path)
    code = cursor.i32("type of the predictor")
    if code not in _KINDS:
        raise cursor.fault("type of the predictor (0, 1, 4 or 5)", code, 0)
    kind, dynamic = _KINDS[code]
    cutoff = cursor.f64("cut-off") if code == 1 else math.nan
    means = cursor.matrix("means", ("<f8",), (1, DESCRIPTOR_LENGTH))
    weights = cursor.matrix("weights", ("<f8",), (DESCRIPTOR_LENGTH, 1))
    bias = cursor.f64("bias")
    positive = cursor.f64("positive class") if kind == "svm" else math.nan
    negative = cursor.f64("negative class") if kind == "svm" else math.nan
    cursor.finish()
    return ActionUnitPredictor(
        name=name,
        kind=kind,
        dynamic=dynamic,
        means=means.reshape(-1),
        weights=weights.reshape(-1),
        bias=bias,
        cutoff=cutoff,
        positive_class=positive,
        negative_class=negative,
    )
