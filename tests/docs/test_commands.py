"""Every command and every piece of Python in the documentation does what it is shown for.

Fences of a page are run in order, in one folder that holds the files which they name: commands by the
installed executables in a shell, Python in one namespace. What can't be run is named here, with the reason.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from documented_blocks import (
    PAGES,
    Block,
    blocks,
    indented_commands,
    inline_commands,
    name_of,
    options_named,
    words_of,
)
from documented_inputs import drawn_files, lay_out, portrait_files, tables_of_others


@dataclass(frozen=True)
class NotRun:
    """Lines of a page that begin like this can't be run by a test."""

    page: str
    begins: str
    reason: str


_NETWORK = "downloads or installs"
_OTHERS = "runs by itself until somebody ends it; tests/study/test_study_dask.py runs such a cluster"
NOT_RUN = (
    NotRun("README.md", "python3 -m venv .venv &&", _NETWORK),
    NotRun("README.md", "python3 -m venv .venv-dev", _NETWORK + "; .ci/run types it and so runs these tests"),
    NotRun("CONTRIBUTING.md", "python3 -m venv .venv-dev", _NETWORK + "; .ci/run types the same line"),
    NotRun("CONTRIBUTING.md", ".venv-dev/bin/python -m sphinx", "tests/docs/test_site.py builds it"),
    NotRun(
        "CONTRIBUTING.md", ".venv-dev/bin/python tools/draw_gallery.py", "replaces files of the repository"
    ),
    NotRun("CONTRIBUTING.md", ".venv-dev/bin/python tools/check_links.py", "needs the internet"),
    NotRun("docs/index.md", "mien demo", "the first tutorial runs it"),
    NotRun("docs/tutorials/first-table.md", "python3 -m venv .venv", _NETWORK),
    NotRun("docs/tutorials/first-table.md", ".venv/bin/pip install", _NETWORK),
    NotRun("docs/tutorials/first-table.md", "source .venv", "the tests' environment is another one"),
    NotRun("docs/tutorials/live.md", "mien live --camera", "needs a camera"),
    NotRun("docs/live.md", "mien live --camera", "needs a camera"),
    NotRun("docs/how-to/choose-models.md", "mien models fetch", _NETWORK),
    NotRun("docs/how-to/choose-models.md", "mien models import", "needs a copy of OpenFace"),
    NotRun("docs/how-to/use-a-gpu.md", "pip uninstall", _NETWORK),
    NotRun("docs/how-to/use-a-gpu.md", "mien analyze interview.mp4 --device cuda", "needs a graphics card"),
    NotRun("docs/openface-commands.md", "ln -s", "changes another program's folder"),
    NotRun("docs/studies.md", "dask scheduler", _OTHERS),
    NotRun("docs/studies.md", "dask worker", _OTHERS),
    NotRun("docs/studies.md", "mien study interviews -o results --scheduler", _OTHERS),
)
OPENFACE = {
    "docs/architecture.md",
    "docs/exact-fit.md",
    "docs/how-to/choose-models.md",
    "docs/how-to/share-a-neutral-face.md",
    "docs/how-to/use-openface-tables.md",
    "docs/normalisation.md",
    "docs/openface-commands.md",
    "docs/reading-tables.md",
    "docs/sides.md",
    "docs/studies.md",
}
"""Pages about what only OpenFace's models can do; they are run with synthetic ones in the same layout."""
PORTRAIT = {"docs/how-to/choose-models.md"}
"""Of these, pages whose files show the portrait: they ask for the open models."""
BEFORE = {
    "docs/columns.md": "import mien\nresult = mien.analyze('clip.mp4')\n"
    "for ending in ('csv', 'parquet', 'jsonl'):\n    result.save('clip.' + ending)\n",
    "docs/reading-tables.md": "import mien\nresult = mien.analyze('clip.mp4')\n",
    "docs/sides.md": "import mien\n",
    "docs/studies.md": "from concurrent.futures import ThreadPoolExecutor\n"
    "my_executor = ThreadPoolExecutor(1)\n",
}
"""What a page's Python takes for granted in words."""
LANGUAGES = {"", "text", "sh", "python", "pycon", "json", "csv", "r"}

_TIMES = re.compile(r"(?:\d[\d,.]*|#) (?:s\b|ms\b|frames/s|MB\b|fps\b)")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_COMPILING = "Compiling for this machine"


def shell() -> str:
    """Bash, or the test is skipped."""
    found = None if os.name == "nt" else shutil.which("bash")
    if found is None:
        pytest.skip("commands are typed into bash, which is not here")
    return found


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The portrait's files, and the drawn face's with models that recognise it."""
    from synthetic_models import write_openface

    folder = tmp_path_factory.mktemp("made")
    for name in ("portrait", "drawn"):
        (folder / name).mkdir()
    portrait_files(folder / "portrait")
    drawn_files(folder / "drawn")
    write_openface(folder / "openface-2.2.0", ce_clm=False)
    return folder


@pytest.fixture
def place(request, made, tmp_path, monkeypatch) -> Path:
    """The folder of a page with all files that pages name; the environment that mien finds its models in."""
    openface = name_of(request.param) in OPENFACE
    monkeypatch.setenv("MIEN_MODELS", str(made / "openface-2.2.0" if openface else tmp_path / "none"))
    monkeypatch.setenv("PATH", os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    for name, value in {"MPLBACKEND": "Agg", "COLUMNS": "100", "SLURM_ARRAY_TASK_ID": "1"}.items():
        monkeypatch.setenv(name, value)
    drawn = openface and name_of(request.param) not in PORTRAIT
    folder = lay_out(made / ("drawn" if drawn else "portrait"), tmp_path / "here")
    monkeypatch.chdir(folder)
    if "processed/" in request.param.read_text(encoding="utf-8"):
        tables_of_others(lambda *words: run("mien analyze " + " ".join(words)), folder)
    return folder


def run(script: str) -> str:
    """Type a script; gives what it says."""
    done = subprocess.run(
        [shell(), "-euo", "pipefail", "-c", script],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, f"$ {script}\n{done.stdout}\nexit code {done.returncode}"
    return done.stdout


def what_runs(block: Block) -> str:
    """The lines of a block that can be run."""
    marks = tuple(mark.begins for mark in NOT_RUN if mark.page == name_of(block.page))
    lines = re.sub(r"\\\n\s*", "", block.text).splitlines()
    return "\n".join(line for line in lines if not (marks and line.startswith(marks)))


def alike(shown: str, said: str) -> bool:
    """Whether a line of a program is the one that a page shows; times differ, other numbers a little."""
    texts = [_TIMES.sub("# ", " ".join(line.split())) for line in (shown, said)]
    if _NUMBER.sub("0", texts[0]) != _NUMBER.sub("0", texts[1]):
        return False
    pairs = zip(*([float(number) for number in _NUMBER.findall(text)] for text in texts), strict=True)
    return all(abs(a - b) <= 0.1 + 0.1 * abs(a) for a, b in pairs)


def missing_lines(shown: str, said: str) -> list[str]:
    """Lines of a page that the program did not say, in their order; … stands for any."""
    lines = iter([line for line in said.splitlines() if _COMPILING not in line])
    wanted = [line for line in shown.splitlines() if line.strip() not in ("", "…")]
    return [line for line in wanted if not any(alike(line, each) for each in lines)]


RUNNABLE = [
    page
    for page in PAGES
    if any(block.kind == "python" or (block.kind == "run" and what_runs(block)) for block in blocks(page))
]


@pytest.mark.parametrize(
    ("page", "place"), [(page, page) for page in RUNNABLE], indirect=["place"], ids=name_of
)
def test_what_a_page_shows_works(page, place):
    names: dict[str, object] = {"__name__": "documentation"}
    exec(BEFORE.get(name_of(page), ""), names)
    said = ""
    for block in blocks(page):
        if block.kind == "run" and what_runs(block).strip():
            said = run(what_runs(block))
        elif block.kind == "python":
            code = compile("\n" * block.line + block.text, name_of(page), "exec")
            with contextlib.redirect_stdout(io.StringIO()) as printed:
                exec(code, names)
            said = printed.getvalue()
        elif block.kind == "output":
            assert missing_lines(block.text, said) == [], said


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_options_that_a_page_names_exist(page):
    wrong = []
    usage = [block.text for block in blocks(page) if block.kind == "usage"]
    named = [line for text in usage for line in text.replace("\n          ", " ").splitlines()]
    for command in (*named, *inline_commands(page)):
        wrong += unknown_options(command)
    assert wrong == []


def unknown_options(command: str) -> list[str]:
    """What a line that begins with ``mien`` names and no command has."""
    words = words_of(command)
    if words[:1] != ["mien"] or len(words) < 2 or words[1].startswith("-"):
        return []
    known = known_options()
    typed = next((" ".join(words[:n]) for n in (3, 2) if " ".join(words[:n]) in known), None)
    if typed is None:
        return [] if words[1] in ("models",) and len(words) == 2 else [f"no such command: {command}"]
    return sorted(f"{option}: {command}" for option in options_named(command) - known[typed])


def known_options() -> dict[str, set[str]]:
    """Long options of every command."""
    import typer

    from mien.cli.main import app
    from mien.dropin.flags import BY_NAME, Program

    found: dict[str, set[str]] = {}

    def collect(group, typed):
        for word, command in group.commands.items():
            name = f"{typed} {word}"
            if getattr(command, "commands", None):
                collect(command, name)
            found[name] = {"--help"}.union(*(parameter.opts for parameter in command.params))
            found[name] |= set().union(*(parameter.secondary_opts for parameter in command.params))

    collect(typer.main.get_command(app), "mien")
    for program in Program:
        found[f"mien {program.value}"] |= set(BY_NAME)
    return found


def test_an_option_that_does_not_exist_is_noticed():
    assert unknown_options("mien analyze clip.mp4 --no-such-option") == [
        "--no-such-option: mien analyze clip.mp4 --no-such-option"
    ]
    assert unknown_options("mien analyse clip.mp4") == ["no such command: mien analyse clip.mp4"]
    assert unknown_options("mien models fetch --without-ce-clm") == []


def test_other_output_than_a_page_shows_is_noticed():
    said = "clip.mp4: 40 frames in 0.8 s (37 frames/s). Table: clip.csv\nDone"
    assert missing_lines("clip.mp4: 40 frames in 2.8 s (3 frames/s). Table: clip.csv\n…\nDone", said) == []
    assert missing_lines("clip.mp4: 60 frames in 0.8 s (37 frames/s). Table: clip.csv", said) != []
    assert missing_lines("Finished", said) == ["Finished"]


@pytest.mark.parametrize("mark", NOT_RUN, ids=lambda mark: f"{mark.page}: {mark.begins}")
def test_what_is_not_run_is_still_in_its_page(mark):
    (page,) = (page for page in PAGES if name_of(page) == mark.page)
    lines = [line for block in blocks(page) if block.kind == "run" for line in block.text.splitlines()]
    assert any(line.startswith(mark.begins) for line in lines)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_fences_of_a_page_say_what_they_hold(page):
    languages = {block.language for block in blocks(page)}
    assert {name for name in languages if not name.startswith("{")} <= LANGUAGES
    assert indented_commands(page) == []
