"""Some inputs of `tools/fuzz_readers.py` for every kind of file; the tool itself tries many more."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

TOOL = Path(__file__).resolve().parents[2] / "tools" / "fuzz_readers.py"


@pytest.fixture(scope="module")
def tool():
    spec = importlib.util.spec_from_file_location("fuzz_readers", TOOL)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_readers_let_only_mien_s_errors_out(tool, tmp_path):
    kinds = tool.kinds(tmp_path)
    assert len(kinds) > 20
    for name, kind in kinds.items():
        kind.read(_written(tmp_path / kind.file, kind.content))
        for seed in range(2 if name in tool.SLOW else 40):
            path = _written(tmp_path / kind.file, tool.damaged(kind, seed))
            try:
                kind.read(path)
            except tool.MienError:
                pass
            except Exception as error:
                pytest.fail(f"{name} {seed}: {error!r}")


def test_an_input_can_be_made_again(tool, tmp_path):
    kind = tool.kinds(tmp_path)["scores"]
    assert tool.damaged(kind, 7) == tool.damaged(kind, 7) != kind.content


def _written(path, data):
    path.write_bytes(data)
    return path
