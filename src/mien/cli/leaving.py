"""The end of the process, without taking the interpreter apart first."""

from __future__ import annotations

import atexit
import os
import sys
import threading
from typing import NoReturn


def leave(code: str | int | None) -> NoReturn:
    """End the process with an exit code, once all is written.

    Python would free every object and module first, 0.05 s and more after an analysis, which the system does
    at once. Where something still runs, or cannot be written, Python ends the process as usual.

    Parameters
    ----------
    code
        As for `sys.exit`.
    """
    runs = any(
        not thread.daemon for thread in threading.enumerate() if thread is not threading.current_thread()
    )
    if runs or isinstance(code, str):
        sys.exit(code)
    atexit._run_exitfuncs()
    try:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
    except (OSError, ValueError):
        sys.exit(code)
    os._exit(code or 0)
