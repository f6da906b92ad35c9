"""Who may import whom: the rooms of the package stay apart, and no two files need each other."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

import pytest

import mien

ROOT = Path(mien.__file__).parent
TOP = {"__init__", "__main__", "pipeline", "stages", "datatypes", "errors", "options"}
STAGES = ("video", "detection", "landmarks", "people", "pose", "gaze", "appearance", "action_units")
FOUNDATIONS = ("shape", "geometry", "imaging")
TWO_ENDS = {
    "compare": "a command and its library",
    "warmup": "a command and its library",
    "cen": "a model and the reader of its files",
    "mtcnn": "a model and the reader of its files",
    "validator": "a model and the reader of its files",
    "options": "of an analysis, and of the fit that they choose",
    "images": "pictures as a source, and the stage that finds all of their faces",
    "kernels": "every stage has its own",
    "__init__": "every room has one",
}


def module_of(path: Path) -> str:
    parts = ("mien", *path.relative_to(ROOT).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = {module_of(path): path for path in sorted(ROOT.rglob("*.py"))}


class Imports(ast.NodeVisitor):
    """Modules of the package that a file imports, also those inside functions; not those for types only."""

    def __init__(self) -> None:
        self.found: set[str] = set()

    def visit_If(self, node: ast.If) -> None:
        if "TYPE_CHECKING" in ast.unparse(node.test):
            for other in node.orelse:
                self.visit(other)
        else:
            self.generic_visit(node)

    def visit_Import(self, node: ast.Import) -> None:
        self.found |= {name.name for name in node.names if name.name.split(".")[0] == "mien"}

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        assert node.level == 0, "imports are absolute"
        if node.module and node.module.split(".")[0] == "mien":
            whole = {f"{node.module}.{name.name}" for name in node.names}
            self.found |= {name if name in FILES else node.module for name in whole}


def imports_of(path: Path) -> set[str]:
    visitor = Imports()
    visitor.visit(ast.parse(path.read_text(encoding="utf-8")))
    return visitor.found


IMPORTS = {module: imports_of(path) - {module} for module, path in FILES.items()}


def room(module: str) -> str:
    """The folder that a module is in; empty at the top."""
    path = FILES[module].relative_to(ROOT)
    return path.parts[0] if len(path.parts) > 1 else ""


def rooms_imported_by(name: str) -> set[str]:
    return {room(other) for module in FILES if room(module) == name for other in IMPORTS[module]} - {name, ""}


def test_the_imports_that_this_file_finds_are_real():
    assert IMPORTS["mien.cli.main"] >= {"mien.cli.analyze", "mien.errors", "mien.runtime.versions"}
    lazy = "mien.analysis.normalised"
    assert lazy in IMPORTS["mien.cli.analyze"]


def test_at_the_top_is_what_users_import_the_pipeline_and_what_is_shared():
    assert {path.stem for path in ROOT.glob("*.py")} <= TOP


def test_no_files_need_each_other():
    assert not circles(IMPORTS)


def circles(graph: dict[str, set[str]]) -> set[frozenset[str]]:
    """Sets of modules that import one another, by way of others too."""
    reached = {module: _reach(graph, module) for module in graph}
    return {
        frozenset(other for other in reached[module] if module in reached[other])
        for module in graph
        if module in reached[module]
    }


def _reach(graph: dict[str, set[str]], start: str) -> set[str]:
    found: set[str] = set()
    ahead = list(graph[start])
    while ahead:
        module = ahead.pop()
        if module not in found and module in graph:
            found.add(module)
            ahead += graph[module]
    return found


def test_circles_are_found():
    graph = {"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"a"}}
    assert circles(graph) == {frozenset("bc")}


def test_errors_import_nothing_of_the_package():
    assert not IMPORTS["mien.errors"]


@pytest.mark.parametrize("module", sorted(set(FILES) - {"mien"}))
def test_nothing_imports_the_package_itself(module):
    assert "mien" not in IMPORTS[module]


@pytest.mark.parametrize("stage", STAGES)
def test_no_stage_knows_another(stage):
    assert not rooms_imported_by(stage) & set(STAGES)


@pytest.mark.parametrize("name", FOUNDATIONS)
def test_foundations_know_no_stage(name):
    assert not rooms_imported_by(name) & {*STAGES, "results", "analysis", "view", "cli"}


@pytest.mark.parametrize(
    ("name", "strangers"),
    [
        ("results", {"view", "analysis", "cli", "live", "dropin"}),
        ("view", {"analysis", "cli", "live", "dropin"}),
        ("analysis", {"cli", "live", "dropin"}),
        ("live", {"cli", "dropin"}),
        ("dropin", {"cli", "live"}),
        *((stage, {"results", "analysis", "view", "cli", "live", "dropin"}) for stage in STAGES),
    ],
)
def test_data_flows_one_way(name, strangers):
    assert not rooms_imported_by(name) & strangers


def test_only_the_pipeline_and_what_runs_it_know_the_order_of_stages():
    users = {room(module) or module for module in FILES if "mien.pipeline" in IMPORTS[module]}
    assert users <= {"analysis", "live"}


def test_files_of_one_name_are_two_ends_of_one_thing():
    counted = Counter(path.stem for path in FILES.values())
    twice = {name for name, count in counted.items() if count > 1}
    assert twice <= set(TWO_ENDS)
