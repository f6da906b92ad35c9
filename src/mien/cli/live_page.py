"""Options of the page of ``mien live``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mien.errors import OptionError

if TYPE_CHECKING:
    from mien.live.shown import PageOptions

_PAGE = "Live page"
_PORT = 8465


@dataclass(frozen=True, kw_only=True)
class PageArguments:
    """Options of the live page."""

    page: Annotated[
        bool,
        typer.Option(
            "--page",
            help="Show a page in the browser: picture, numbers, courses, start, stop, record, save.",
            rich_help_panel=_PAGE,
        ),
    ] = False
    page_port: Annotated[
        int | None,
        typer.Option(
            help=f"Port of the page; by default {_PORT}, or a free one where that is taken.",
            rich_help_panel=_PAGE,
            show_default=False,
        ),
    ] = None
    page_host: Annotated[
        str,
        typer.Option(
            help="Address of the page. Any other than this machine's own lets others look on and press "
            "buttons: those who have the token that is printed.",
            rich_help_panel=_PAGE,
        ),
    ] = "127.0.0.1"
    page_token: Annotated[
        bool,
        typer.Option(
            "--page-token",
            help="Ask for a token on this machine too, which others may use at the same time.",
            rich_help_panel=_PAGE,
        ),
    ] = False
    anonymous: Annotated[
        str | None,
        typer.Option(
            help="Hide who is seen on the page: blur, or black (landmarks on black).", rich_help_panel=_PAGE
        ),
    ] = None
    out: Annotated[
        Path,
        typer.Option("-o", "--out", help="Folder of recordings and saved tables.", rich_help_panel=_PAGE),
    ] = Path()

    def __post_init__(self) -> None:
        if self.page:
            return
        given = {
            "--page-port": self.page_port is not None,
            "--page-host": self.page_host != "127.0.0.1",
            "--page-token": self.page_token,
            "--anonymous": self.anonymous is not None,
            "--out": self.out != Path(),
        }
        alone = [name for name, is_given in given.items() if is_given]
        if alone:
            raise OptionError(f"{alone[0]} is for the page; add --page, or leave it out")

    def options(self, viewers: int, groups: list[str] | None) -> PageOptions | None:
        """The library's options; None without a page."""
        if not self.page:
            return None
        from mien.live.shown import PageOptions

        return PageOptions(
            host=self.page_host,
            port=self.page_port,
            token=self.page_token,
            viewers=viewers,
            anonymous=self.anonymous,
            out=self.out,
            groups=groups,
        )
