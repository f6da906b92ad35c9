"""The process ends quickly, and with everything that it would have done."""

import subprocess
import sys

import pytest

PROGRAM = """
import atexit, sys, threading, time
from mien.cli.leaving import leave
atexit.register(print, "at exit", flush=False)
{before}
sys.stdout.write("written ")
leave({code})
"""


def run(code, before="", **options):
    program = PROGRAM.format(code=code, before=before)
    return subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, **options)


@pytest.mark.parametrize(("code", "expected"), [("None", 0), ("0", 0), ("3", 3)])
def test_output_is_flushed_and_the_code_is_told(code, expected):
    done = run(code)
    assert done.returncode == expected
    assert done.stdout.split() == ["written", "at", "exit"]


def test_a_message_is_an_error():
    done = run("'no'", stderr=subprocess.PIPE)
    assert done.returncode == 1
    assert done.stderr.strip() == "no"


def test_threads_that_still_run_are_waited_for():
    work = "threading.Thread(target=lambda: (time.sleep(0.3), print('done'))).start()"
    assert "done" in run("0", work).stdout
