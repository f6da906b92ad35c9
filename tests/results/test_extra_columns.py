"""mien's own columns: only where they are asked for, in every format the same."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from mien.errors import OptionError
from mien.results import EXTRA_GROUPS, ExtraGroup, columns, extra, read_openface_csv
from synthetic_result import make_result

OPENFACE = columns.full_sequence()
MESH = tuple(f"mesh_{axis}_{index}" for axis in "xyz" for index in range(478))


@pytest.fixture
def result():
    return make_result(3, mesh=True, measures=("mouth_open", "AU12_cm"))


def names_in(path):
    if path.suffix == ".parquet":
        return tuple(pq.read_schema(path).names)
    return read_openface_csv(path).names


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (None, ()),
        ((), ()),
        ("measures", ("mouth_open", "AU12_cm")),
        (["mesh"], MESH),
        ("mesh, measures", ("mouth_open", "AU12_cm", *MESH)),
        ("all", ("mouth_open", "AU12_cm", *MESH)),
    ],
)
def test_they_follow_openfaces_columns_where_they_are_asked_for(result, tmp_path, suffix, choice, expected):
    path = tmp_path / f"t{suffix}"
    result.save(path, extra=choice)
    assert names_in(path) == (*OPENFACE, *expected)
    assert tuple(result.to_pandas(extra=choice).columns) == (*OPENFACE[1:], *expected)
    assert result.to_table(extra=choice).names == (*OPENFACE, *expected)
    made = json.loads((tmp_path / "t.provenance.json").read_text())["written"]["extra"]
    groups = ("measures", "blendshapes", "mesh")
    assert made == [name for name in groups if choice == "all" or name in (choice or ())]


def test_values_are_the_results(result, tmp_path):
    result.save(tmp_path / "t.csv", extra="all", groups="pose")
    table = read_openface_csv(tmp_path / "t.csv")
    np.testing.assert_allclose(table["mouth_open"], result.measures["mouth_open"], atol=5.1e-5)
    np.testing.assert_allclose(table.select(MESH[478:956]), result.mesh[:, :, 1], atol=0.00501)


def test_lines_of_json_hold_them_where_they_are_asked_for(result, tmp_path):
    keys = {}
    for choice in (None, "measures", "mesh"):
        result.save(tmp_path / "t.jsonl", extra=choice)
        header, row = map(json.loads, (tmp_path / "t.jsonl").read_text().splitlines()[:2])
        assert set(row) <= set(header["mien"]["fields"])
        keys[choice] = set(row)
    assert keys["measures"] - keys[None] == {"measures"}
    assert keys["mesh"] - keys[None] == {"mesh"}


def test_a_result_without_them_has_none(tmp_path):
    make_result(2).save(tmp_path / "t.csv", extra="all")
    assert names_in(tmp_path / "t.csv") == OPENFACE


@pytest.mark.parametrize("save", ["t.csv", "t.parquet", "t.jsonl"])
def test_unknown_names_are_refused(result, tmp_path, save):
    with pytest.raises(
        OptionError, match="unknown extra columns nose: expected some of measures, blendshapes, mesh"
    ):
        result.save(tmp_path / save, extra="mesh,nose")
    assert not list(tmp_path.iterdir())


def test_openfaces_groups_and_miens_are_asked_for_apart(result):
    with pytest.raises(
        OptionError, match=r"unknown columns mesh: .*mien's own columns are asked for as extra"
    ):
        result.to_table(groups="pose,mesh")


def test_blendshapes_have_columns_of_coefficients_and_logits(tmp_path):
    result = make_result(4, shapes=True, measures=("AU12_cm",))
    assert result.to_table().names == OPENFACE
    result.save(tmp_path / "t.csv", extra="blendshapes")
    table = read_openface_csv(tmp_path / "t.csv")
    assert len(table.names) == 714 + 2 * 52
    assert table.names[714:717] == (
        "blendshape_neutral",
        "blendshape_browDownLeft",
        "blendshape_browDownRight",
    )
    for name in ("jawOpen", "cheekSquintLeft"):
        column = result.blendshape_names.index(name)
        np.testing.assert_allclose(table[f"blendshape_{name}"], result.blendshapes[:, column], atol=5.1e-6)
        logits = result.blendshape_logits[:, column]
        np.testing.assert_allclose(table[f"blendshape_{name}_logit"], logits, atol=5.1e-4)
    result.save(tmp_path / "t.jsonl", extra="blendshapes")
    row = json.loads((tmp_path / "t.jsonl").read_text().splitlines()[1])
    assert row["blendshapes"]["jawOpen"] == pytest.approx(table["blendshape_jawOpen"][0], abs=1e-5)
    assert len(row["blendshape_logits"]) == 52
    assert "AU12_cm" not in row.get("measures", {})


def test_a_further_group_needs_nothing_but_its_place_in_the_list(monkeypatch, tmp_path):
    shapes = ExtraGroup(
        name="bones",
        meaning="lengths",
        packs=("open",),
        owns=lambda measure: measure.startswith("bone_"),
        decimals=2,
    )
    monkeypatch.setattr(extra, "EXTRA_GROUPS", (*EXTRA_GROUPS, shapes))
    monkeypatch.setattr(extra, "EXTRA_NAMES", (*extra.EXTRA_NAMES, "bones"))
    result = make_result(2, measures=("bone_jaw", "mouth_open"))
    assert result.to_table(extra="measures").names[714:] == ("mouth_open",)
    result.save(tmp_path / "t.csv", extra="bones")
    frame = pd.read_csv(tmp_path / "t.csv", dtype=str)
    assert tuple(frame.columns[714:]) == ("bone_jaw",)
    assert frame.iloc[:, 714].str.fullmatch(r"-?\d\.\d\d").all()
    result.save(tmp_path / "t.jsonl", extra="bones")
    assert list(json.loads((tmp_path / "t.jsonl").read_text().splitlines()[1])["measures"]) == ["bone_jaw"]
