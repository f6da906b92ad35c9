"""``python -m mien`` is the command ``mien``."""

from __future__ import annotations

from mien.cli.main import main

if __name__ == "__main__":
    main()
