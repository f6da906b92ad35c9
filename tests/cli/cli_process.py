"""How tests start the installed command."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def executable() -> str:
    """Path of the installed command."""
    return str(Path(sys.executable).with_name("mien"))


def environment(models: Path | None) -> dict[str, str]:
    """Environment in which mien finds these models and no others."""
    values = {k: v for k, v in os.environ.items() if k != "MIEN_MODELS"}
    return values | {"MIEN_MODELS": str(models) if models else str(Path("/nowhere"))}
