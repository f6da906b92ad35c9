"""Downloads one file: several addresses, resumed where it stopped, checked, put in place whole."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from mien.errors import MienError
from mien.models.hashes import sha256_of_file
from mien.models.manifest import ModelFile

if TYPE_CHECKING:
    import requests

Progress = Callable[[ModelFile, int], None]
"""Called with the file and the number of its bytes that are here."""

_log = logging.getLogger(__name__)
_TRIES = 3
_CHUNK = 1 << 16  # what a broken transfer may lose
_TIMEOUT_S = (10, 60)
_BUSY = (408, 429)


class DownloadError(MienError):
    """A file could not be downloaded from any of its addresses; the message names each reason."""


class _UnusableError(Exception):
    """What this address gives is not the file: there is no use in asking it again."""


class _BrokenError(Exception):
    """The transfer broke: asking again may help, and goes on where it stopped."""


def make_session() -> requests.Session:
    """Open a session that names this program and asks for the bytes as they are."""
    import requests

    session = requests.Session()
    session.headers.update({"User-Agent": "mien", "Accept-Encoding": "identity"})
    return session


def download(
    file: ModelFile,
    target: Path,
    session: requests.Session,
    progress: Progress | None = None,
    pause_s: float = 0.5,
) -> None:
    """Download a file to its place.

    What has arrived is kept beside the target (``NAME.part``) when the transfer breaks, so that the next
    call goes on from there, from whichever address.

    Parameters
    ----------
    file
        The file, with its addresses, size and hash.
    target
        Where it goes; its folder is made.
    session
        See `make_session`.
    progress
        Told of every piece.
    pause_s
        Seconds to wait before a broken transfer is tried again; doubled each time.

    Raises
    ------
    DownloadError
        No address gave the file.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + ".part")
    reasons = []
    for address in file.addresses:
        try:
            _from_address(address, file, part, session, progress, pause_s)
        except _UnusableError as error:
            reasons.append(f"{address}: {error}")
            _log.info("%s: %s", address, error)
            continue
        part.replace(target)
        return
    raise DownloadError("; ".join(reasons) or "no address is known")


def _from_address(
    address: str,
    file: ModelFile,
    part: Path,
    session: requests.Session,
    progress: Progress | None,
    pause_s: float,
) -> None:
    """Complete the partial file from one address and check it."""
    failures = 0
    while True:
        resumed = part.exists()
        try:
            _transfer(address, file, part, session, progress)
        except _BrokenError as error:
            failures += 1
            if failures == _TRIES:
                raise _UnusableError(str(error)) from error
            time.sleep(pause_s * 2 ** (failures - 1))
            continue
        digest = sha256_of_file(part)
        if digest == file.sha256:
            return
        part.unlink()
        if not resumed:
            raise _UnusableError(f"its SHA-256 is {digest[:12]}…, expected {file.sha256[:12]}…")
        _log.info("%s: the resumed file is wrong, starting again", address)


def _transfer(
    address: str, file: ModelFile, part: Path, session: requests.Session, progress: Progress | None
) -> None:
    """Append what is missing to the partial file."""
    import requests

    have = part.stat().st_size if part.exists() else 0
    if have > file.size:
        part.unlink()
        have = 0
    if have == file.size:
        return
    headers = {"Range": f"bytes={have}-"} if have else {}
    try:
        with session.get(address, headers=headers, stream=True, timeout=_TIMEOUT_S) as response:
            have = _check_answer(response, file, have)
            with part.open("ab" if have else "wb") as out:
                for chunk in response.iter_content(_CHUNK):
                    have += len(chunk)
                    if have > file.size:
                        break
                    out.write(chunk)
                    if progress is not None:
                        progress(file, have)
    except requests.RequestException as error:
        raise _BrokenError(_in_short(error)) from error
    if have > file.size:
        part.unlink()
        raise _UnusableError(f"it gives more than the expected {file.size} bytes")
    if have < file.size:
        raise _BrokenError(f"the connection broke after {have} of {file.size} bytes")


def _check_answer(response: requests.Response, file: ModelFile, have: int) -> int:
    """Check the header of an answer; give the offset at which its bytes start."""
    status = response.status_code
    answer = f"the server answered {status} {response.reason}"
    if status >= 500 or status in _BUSY:
        raise _BrokenError(answer)
    if status not in (200, 206):
        raise _UnusableError(answer)
    if status == 200:
        have = 0
    elif not response.headers.get("Content-Range", "").startswith(f"bytes {have}-"):
        raise _UnusableError("the server gave another range than asked for")
    length = response.headers.get("Content-Length", "")
    if length.isdecimal() and have + int(length) != file.size:
        kind = response.headers.get("Content-Type", "unknown type")
        raise _UnusableError(f"it offers {have + int(length)} bytes ({kind}), expected {file.size}")
    return have


def _in_short(error: Exception) -> str:
    """Say what went wrong with a connection in a few words."""
    name = type(error).__name__
    return f"{name}: {str(error)[:200]}"
