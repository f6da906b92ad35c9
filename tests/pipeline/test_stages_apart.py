"""Who may know whom: read from the imports of every file, also of those that stand inside functions."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import mien

ROOT = Path(mien.__file__).parent
STAGES = {"detection", "landmarks", "people", "pose", "gaze", "appearance", "action_units"}
FILES = sorted(ROOT.rglob("*.py"))
PUTS_TOGETHER = {"pipeline.py", "packs"}
"""They alone know several stages."""
KNOWN_OUTSIDE = {"action_units", "landmarks", "appearance"}
"""Action units have names and can be computed again from scores; warming up fits landmarks; sides of a face
are drawn straight into aligned faces."""


def imports(path: Path) -> set[str]:
    """Modules of mien that a file imports, wherever it does."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: relative import"
            module = node.module or ""
            # A name may be a module itself: from mien import packs.
            found |= {module} | {f"{module}.{alias.name}" for alias in node.names}
    return {name for name in found if name.split(".")[0] == "mien"}


def rooms(path: Path) -> set[str]:
    return {name.split(".")[1] for name in imports(path) if name.count(".")}


def room_of(path: Path) -> str:
    return path.relative_to(ROOT).parts[0]


def stage_files() -> list[Path]:
    return [path for path in FILES if room_of(path) in STAGES]


def test_every_stage_is_there():
    assert {room_of(path) for path in stage_files()} == STAGES


@pytest.mark.parametrize("stage", sorted(STAGES))
def test_no_stage_knows_another(stage):
    known = {
        f"{path.relative_to(ROOT)} imports {other}"
        for path in stage_files()
        if room_of(path) == stage
        for other in rooms(path) & (STAGES - {stage})
    }
    assert not known


@pytest.mark.parametrize("stage", sorted(STAGES))
def test_no_stage_knows_who_puts_it_together_or_what_becomes_of_its_results(stage):
    above = {"pipeline", "packs", "stages", "analysis", "results", "view", "cli", "live", "dropin", "video"}
    known = {
        f"{path.relative_to(ROOT)} imports {other}"
        for path in stage_files()
        if room_of(path) == stage
        for other in rooms(path) & above
    }
    assert not known


def test_only_the_packs_know_several_stages():
    several = {
        str(path.relative_to(ROOT))
        for path in FILES
        if room_of(path) not in STAGES | PUTS_TOGETHER and len(rooms(path) & STAGES) > 1
    }
    assert not several


def test_other_stages_are_known_to_nobody_else():
    known = {
        f"{path.relative_to(ROOT)} imports {stage}"
        for path in FILES
        if room_of(path) not in STAGES | PUTS_TOGETHER
        for stage in rooms(path) & (STAGES - KNOWN_OUTSIDE)
    }
    assert not known


def test_the_pipeline_knows_the_contract_alone():
    assert not rooms(ROOT / "pipeline.py") & (STAGES | {"packs"})
    assert not rooms(ROOT / "stages.py") - {"datatypes"}
