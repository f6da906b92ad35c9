"""Kernels that are laid out by vector lanes are right for processors with other vectors than this one's."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
WIDTHS = {"AVX2": (8, 16), "NEON": (4, 32), "SSE": (4, 16)}
PROGRAM = """
import sys
import pytest
import mien.runtime.lanes as lanes
lanes.LANES, lanes.REGISTERS = int(sys.argv[1]), int(sys.argv[2])
sys.exit(pytest.main(["-q", "-p", "no:cacheprovider", *sys.argv[3:]]))
"""


@pytest.mark.parametrize("processor", WIDTHS)
def test_responses_and_fits_equal_their_definition(processor, tmp_path):
    lanes, registers = WIDTHS[processor]
    chosen = [
        f"{HERE / 'test_ccnf_responses.py'}::test_window_without_components_only_rescales_the_potential",
        f"{HERE / 'test_ccnf_responses.py'}::test_components_of_another_file_may_take_the_place_of_the_own",
        f"{HERE / 'test_ccnf_responses.py'}::test_invisible_landmarks_get_zeros",
        f"{HERE / 'test_mean_shift.py'}::test_mean_shifts_equal_their_definition",
        f"{HERE.parent / 'shape' / 'test_pdm.py'}::test_solution_of_a_system_equals_numpys",
    ]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(lanes), str(registers), *chosen],
        cwd=HERE.parent.parent,
        env=os.environ | {"MIEN_CACHE": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "5 passed" in done.stdout
