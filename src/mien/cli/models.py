"""`mien models`: get, check and show the model files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from mien.models.manifest import ModelFile
    from mien.models.store import ModelStore
    from mien.packs import Pack

app = typer.Typer(
    help="Get, check and show the model files.", no_args_is_help=True, pretty_exceptions_enable=False
)

_SHORT = 12
_MOST_NAMES = 4


@app.command()
def fetch(
    accept: Annotated[
        bool,
        typer.Option("--accept-openface-licence", help="Agree to OpenFace's licence without being asked."),
    ] = False,
    without_ce_clm: Annotated[
        bool, typer.Option("--without-ce-clm", help="Leave out the CE-CLM landmark model (430 MB of 460).")
    ] = False,
) -> None:
    """Download OpenFace's models after agreement to their licence."""
    from mien.models.manifest import GROUPS
    from mien.models.store import ModelStore

    store = ModelStore()
    groups = tuple(group for group in GROUPS if not (without_ce_clm and group == "ce-clm"))
    wanted = store.status().lacking(*groups)
    if not wanted:
        typer.echo(f"All files are already in {store.folder}")
        return
    accepted = accept or _ask_for_agreement(wanted, store)
    with _progress_bar(wanted) as progress:
        fetched = store.fetch(accept_licence=accepted, groups=groups, progress=progress)
    typer.echo(f"{len(fetched)} files downloaded and checked, in {store.folder}")


@app.command("import")
def import_models(
    source: Annotated[Path, typer.Argument(help="An OpenFace folder, or a zip or tar archive of one.")],
) -> None:
    """Copy OpenFace's models from an existing OpenFace folder or archive."""
    from mien.models.store import ModelStore

    store = ModelStore()
    report = store.import_from(source)
    typer.echo(f"{len(report.copied)} files copied to {store.folder}, {len(report.kept)} already there")
    _say_what_differs(report.different, store.manifest.version)
    _say_what_is_missing(report.missing)
    if any(file.group == "clnf" for file in report.missing):
        raise typer.Exit(1)


@app.command()
def status(
    hashes: Annotated[bool, typer.Option("--hashes", help="List every file with its SHA-256.")] = False,
) -> None:
    """Show the model packs: licence, version, what they give, which one is used."""
    from rich.console import Console

    from mien.models.manifest import GROUPS
    from mien.models.store import ModelStore
    from mien.packs import PACKS, describe_pack

    store = ModelStore()
    packs = tuple(describe_pack(name, store) for name in PACKS)
    active, problem = _active(store)
    Console(soft_wrap=False).print(_status_table(packs, active))
    if problem:
        typer.echo(f"mien: {problem}", err=True)
    _say_what_is_missing(store.status().lacking(*GROUPS))
    if hashes:
        for pack in packs:
            for path, digest in pack.hashes().items():
                typer.echo(f"{digest}  {pack.name}/{path}")


@app.command()
def path() -> None:
    """Print the folder of OpenFace's models."""
    from mien.models.store import ModelStore

    typer.echo(ModelStore().folder)


def _ask_for_agreement(wanted: tuple[ModelFile, ...], store: ModelStore) -> bool:
    """Show the licence and ask; leave the program if the answer is no."""
    from mien.models.store import licence_text

    typer.echo(licence_text())
    megabytes = sum(file.size for file in wanted) / 1e6
    typer.echo(f"{len(wanted)} files ({megabytes:.0f} MB) will be downloaded to {store.folder}")
    try:
        agreed = typer.confirm("Do you agree to this licence?")
    except typer.Abort:
        agreed = False
    if not agreed:
        typer.echo("Nothing was downloaded: OpenFace's licence was not agreed to.", err=True)
        raise typer.Exit(1)
    return True


def _active(store: ModelStore) -> tuple[str, str]:
    """Name of the pack that an analysis takes, or why it would take none."""
    from mien.errors import ModelsMissingError
    from mien.packs import choose_pack

    try:
        return choose_pack(None, store).name, ""
    except ModelsMissingError as error:
        return "", str(error)


def _status_table(packs: tuple[Pack, ...], active: str) -> Table:
    from rich.table import Table

    table = Table(show_lines=True)
    for column in ("", *(pack.name for pack in packs)):
        table.add_column(column, overflow="fold")
    rows: dict[str, Callable[[Pack], str]] = {
        "state": lambda pack: _state(pack, active),
        "version": lambda pack: pack.version,
        "licence": lambda pack: pack.licence,
        "gives": lambda pack: "\n".join(pack.gives),
        "landmark models": lambda pack: ", ".join(pack.landmark_models) or "none",
        "files": lambda pack: f"{len(pack.files)}, SHA-256 of all {_digest(pack)}",
        "folder": lambda pack: str(pack.folder),
    }
    for name, cell in rows.items():
        table.add_row(name, *(cell(pack) for pack in packs))
    return table


def _state(pack: Pack, active: str) -> str:
    if pack.name == active:
        return "complete, used"
    if pack.complete:
        return "complete"
    return f"not complete, {len(pack.missing)} files missing or wrong"


def _digest(pack: Pack) -> str:
    """A short hash over the hashes of all files of a pack."""
    import hashlib

    listing = "".join(f"{digest}  {path}\n" for path, digest in sorted(pack.hashes().items()))
    return hashlib.sha256(listing.encode()).hexdigest()[:_SHORT] if pack.files else "-"


def _say_what_differs(different: dict[str, str], version: str) -> None:
    if different:
        typer.echo(f"{len(different)} files have the right name but are not those of {version}:", err=True)
    for place in sorted(different.values())[:_MOST_NAMES]:
        typer.echo(f"  {place}", err=True)
    if len(different) > _MOST_NAMES:
        typer.echo("  …", err=True)


def _say_what_is_missing(files: tuple[ModelFile, ...]) -> None:
    meaning = {
        "clnf": "needed for OpenFace's models",
        "ce-clm": "the landmark model CE-CLM",
        "extra": "alternative landmark models",
    }
    for group, what in meaning.items():
        paths = [file.path for file in files if file.group == group]
        if paths:
            names = [path.rsplit("/", 1)[-1] for path in paths[:_MOST_NAMES]]
            shown = ", ".join(names) + (", …" if len(paths) > _MOST_NAMES else "")
            typer.echo(f"missing or wrong, {what}: {len(paths)} ({shown})", err=True)
    if files:
        typer.echo("get them with `mien models fetch`, or `mien models import DIR`", err=True)


@contextmanager
def _progress_bar(files: tuple[ModelFile, ...]) -> Iterator[Callable[[ModelFile, int], None]]:
    """Show the bytes of all files together, and the name of the current one."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=sum(file.size for file in files))
        arrived: dict[str, int] = {}

        def progress(file: ModelFile, count: int) -> None:
            arrived[file.path] = count
            name = file.path.rsplit("/", 1)[-1]
            bar.update(task, completed=sum(arrived.values()), description=name)

        yield progress
