"""Print constraints that pin every dependency to the oldest version that pyproject.toml declares."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

REQUIREMENT = re.compile(r"([\w-]+)(?:\[[\w,-]+\])?>=([\w.]+)(?:,.*)?")
"""A name, maybe with extras, and its lower limit."""


def main() -> None:
    """Print one line per dependency, of the package and of its extras."""
    project = tomllib.loads(Path(__file__).parent.with_name("pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"]]
    for extra in project["optional-dependencies"].values():
        wanted += [requirement for requirement in extra if not requirement.startswith(project["name"])]
    for requirement in wanted:
        parts = REQUIREMENT.fullmatch(requirement.partition(";")[0].strip())
        if parts is None:
            raise SystemExit(f"expected NAME>=VERSION, got {requirement!r}; declare its oldest version")
        print("{}=={}".format(*parts.groups()))


if __name__ == "__main__":
    main()
