"""``python -m mien`` is the command ``mien``.

Workers of a study import this file once more, as processes that are started afresh do, and need no command:
so it imports none before it is called.
"""

from __future__ import annotations


def main() -> None:
    """Entry point of the ``mien`` executable."""
    from mien.cli.main import main as command

    command()


if __name__ == "__main__":
    main()
