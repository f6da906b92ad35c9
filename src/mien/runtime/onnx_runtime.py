"""The one place where ONNX Runtime is imported, with its telemetry off.

From version 1.29 on its official builds send usage events to Microsoft from Linux and macOS too, keep a
device identifier and a database of events in the user's cache folder, and truncate ``.ses`` in the folder for
temporary files. The environment variable `VARIABLE`, read once while the library is loaded, turns all of it
off; on Windows some builds ignore it and hand events to the system, which `disable_telemetry_events` ends.
"""

from __future__ import annotations

import os
from typing import Any

VARIABLE = "ORT_DISABLE_TELEMETRY"
"""ONNX Runtime's own: see "Disabling Telemetry" in the Privacy.md that its package installs."""
_ALLOWED = ("0", "false", "no", "off")


def refuse_telemetry() -> bool:
    """Tell ONNX Runtime, in this process and its children, to send and keep nothing.

    Returns
    -------
    bool
        False where the user has allowed it, with a 0 in `VARIABLE`; that stays.
    """
    if os.environ.get(VARIABLE, "").strip().lower() in _ALLOWED:
        return False
    os.environ[VARIABLE] = "1"
    return True


def import_onnx_runtime() -> Any:
    """Import ONNX Runtime, which sends nothing.

    Where somebody has imported it before mien, it is told to send nothing more.

    Returns
    -------
    module
        ``onnxruntime``.
    """
    refused = refuse_telemetry()
    import onnxruntime

    if refused and hasattr(onnxruntime, "disable_telemetry_events"):
        onnxruntime.disable_telemetry_events()
    return onnxruntime
