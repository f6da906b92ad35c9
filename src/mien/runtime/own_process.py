"""What a process that is mien's alone, a command or a worker, can do without."""

from __future__ import annotations

import sys
from typing import Any


class _LeftOut:
    """Finds packages to be missing, for `sys.meta_path`.

    Where SciPy is installed, Numba imports its linear algebra, 0.1 s and 20 MB, only to know whether it could
    compile products of matrices, which no kernel of mien asks for. Where pandas is, pyarrow imports it, 0.2 s
    and 40 MB, only to know that what it is given is none of its objects.
    """

    names = ("scipy", "pandas")

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        if name in self.names:
            raise ModuleNotFoundError(
                f"{name} is left out: nothing that mien's commands do needs it", name=name
            )


def leave_out_unneeded() -> None:
    """Let nothing import packages that would only be looked at."""
    sys.meta_path.insert(0, _LeftOut())
