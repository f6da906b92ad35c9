"""Parquet: every column has its type and its unit."""

from __future__ import annotations

import pyarrow.parquet as pq
import pytest

from mien.results import columns
from synthetic_result import make_result


@pytest.fixture(scope="module")
def schema(tmp_path_factory):
    path = tmp_path_factory.mktemp("parquet") / "t.parquet"
    make_result(2, measures=("eye_opening", "lip_gap_cm", "lip_gap_cm_change"), mesh=True).save(
        path, extra="all"
    )
    return pq.read_schema(path)


@pytest.mark.parametrize(
    ("column", "unit", "kind"),
    [
        ("frame", "", "int64"),
        ("timestamp", "s", "double"),
        ("success", "", "bool"),
        ("x_67", "px", "float"),
        ("Z_0", "mm", "float"),
        ("eye_lmk_X_3", "mm", "float"),
        ("pose_Tx", "mm", "double"),
        ("pose_Rx", "rad", "double"),
        ("gaze_0_x", "", "double"),
        ("gaze_angle_y", "rad", "double"),
        ("p_scale", "px/mm", "float"),
        ("p_ry", "rad", "float"),
        ("p_ty", "px", "float"),
        ("p_33", "", "float"),
        ("AU12_r", "", "double"),
        ("AU12_c", "", "double"),
        ("mesh_x_5", "px", "float"),
        ("eye_opening", "", "double"),
        ("lip_gap_cm", "cm", "double"),
        ("lip_gap_cm_change", "cm", "double"),
    ],
)
def test_columns_have_types_and_units(schema, column, unit, kind):
    field = schema.field(column)
    assert str(field.type) == kind
    assert field.metadata[b"unit"].decode() == unit


def test_every_column_says_its_unit(schema):
    assert all(b"unit" in field.metadata for field in schema)


def test_blocks_have_a_unit_for_each_column():
    for block in vars(columns).values():
        if isinstance(block, columns.Columns):
            assert len(block.units) == len(block.names)
