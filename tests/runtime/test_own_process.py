"""What a process that is mien's alone leaves out."""

from __future__ import annotations

import subprocess
import sys

import pytest

LEAVE_OUT = "from mien.runtime.own_process import leave_out_unneeded; leave_out_unneeded()"


def printed(*lines: str) -> str:
    command = [sys.executable, "-c", "\n".join(lines)]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout.strip()


@pytest.mark.parametrize(
    ("use", "left_out"),
    [("import numba", "scipy"), ("import pyarrow; pyarrow.array([1.0, None])", "pandas")],
)
def test_what_would_only_be_looked_at_is_not_imported_and_nothing_misses_it(use, left_out):
    pytest.importorskip(left_out)
    told = f"import sys; print({left_out!r} in sys.modules)"
    assert printed(LEAVE_OUT, use, told) == "False"


def test_who_asks_for_it_is_told_that_it_is_missing():
    assert (
        printed(LEAVE_OUT, "try: import pandas", "except ImportError as error: print(error.name)") == "pandas"
    )
