"""Downloads one file: several addresses, resumed where it stopped, checked, put in place whole."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from mien.errors import MienError
from mien.models.hashes import sha256_of_file
from mien.models.manifest import ModelFile
from mien.storage.cache_folder import sync_folder

if TYPE_CHECKING:
    import requests

Progress = Callable[[ModelFile, int], None]
"""Called with the file and the number of its bytes that are here."""

_log = logging.getLogger(__name__)
_TRIES = 3
_CHUNK = 1 << 16  # what a broken transfer may lose
_TIMEOUT_S = (10, 60)
_BUSY = (408, 429)
_NO_SUCH_RANGE = 416


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
    part = target.with_name(target.name + ".part")
    reasons = []
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _make_way(target, part)
        for address in file.addresses:
            try:
                _from_address(address, file, part, session, progress, pause_s)
            except _UnusableError as error:
                reasons.append(f"{address}: {error}")
                _log.info("%s: %s", address, error)
                continue
            part.replace(target)  # a link is replaced, not what it points at
            sync_folder(target.parent)
            return
    except OSError as error:
        raise DownloadError(f"{target} cannot be written ({error.strerror or error})") from error
    raise DownloadError("; ".join(reasons) or "no address is known")


def _make_way(target: Path, part: Path) -> None:
    """See to it that only files of this program's own are written to."""
    for path in (target, part):
        if path.is_dir() and not path.is_symlink():
            raise DownloadError(f"{path} is a folder; remove it or move it away")
    if part.is_symlink() or (part.exists() and not part.is_file()):
        part.unlink()  # writing would go to wherever a link or a pipe leads


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
    have = part.stat().st_size if part.exists() else 0
    if have > file.size:
        part.unlink()
        have = 0
    if have == file.size:
        return
    headers = {"Range": f"bytes={have}-"} if have else {}
    with _judging_answers():
        answer = session.get(address, headers=headers, stream=True, timeout=_TIMEOUT_S)
    with answer as response:
        if response.status_code == _NO_SUCH_RANGE and have:
            part.unlink()
            raise _BrokenError("the server has nothing after what is here, starting again")
        have = _check_answer(response, file, have)
        with _opened(part, have) as out:
            for chunk in _chunks(response):
                have += len(chunk)
                if have > file.size:
                    break
                out.write(chunk)
                if progress is not None:
                    progress(file, have)
            out.flush()
            os.fsync(out.fileno())
    if have > file.size:
        part.unlink()
        raise _UnusableError(f"it gives more than the expected {file.size} bytes")
    if have < file.size:
        raise _BrokenError(f"the connection broke after {have} of {file.size} bytes")


def _chunks(response: requests.Response) -> Iterator[bytes]:
    """The bytes of an answer, apart from what is done with them: a full disk is no broken transfer."""
    chunks = response.iter_content(_CHUNK)
    while True:
        with _judging_answers():
            chunk = next(chunks, None)
        if chunk is None:
            return
        yield chunk


@contextmanager
def _judging_answers() -> Iterator[None]:
    """Tell connections that broke from answers that make no sense, whatever those raise."""
    import requests

    try:
        yield
    except (
        requests.exceptions.InvalidURL,
        requests.exceptions.InvalidSchema,
        requests.exceptions.MissingSchema,
        requests.TooManyRedirects,
    ) as error:
        raise _UnusableError(_in_short(error)) from error
    except requests.RequestException as error:
        raise _BrokenError(_in_short(error)) from error
    except Exception as error:
        # Redirects to what is no address make requests and urllib3 raise UnicodeError, ValueError and others.
        raise _UnusableError(f"its answer makes no sense ({_in_short(error)})") from error


def _opened(part: Path, have: int) -> BinaryIO:
    """Open the partial file to go on, or from the start; not through a link that was put there meanwhile."""
    flags = os.O_WRONLY | os.O_CREAT | (os.O_APPEND if have else os.O_TRUNC)
    flags |= getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
    return os.fdopen(os.open(part, flags, 0o644), "ab" if have else "wb")


def _check_answer(response: requests.Response, file: ModelFile, have: int) -> int:
    """Check the header of an answer; give the offset at which its bytes start."""
    status = response.status_code
    answer = f"the server answered {status} {_plain(response.reason)}"
    if status >= 500 or status in _BUSY:
        raise _BrokenError(answer)
    if status not in (200, 206):
        raise _UnusableError(answer)
    if status == 200:
        have = 0
    elif not response.headers.get("Content-Range", "").startswith(f"bytes {have}-"):
        raise _UnusableError("the server gave another range than asked for")
    length = response.headers.get("Content-Length", "")
    if length.isascii() and length.isdigit() and len(length) < 20 and have + int(length) != file.size:
        kind = _plain(response.headers.get("Content-Type", "unknown type"))
        raise _UnusableError(f"it offers {have + int(length)} bytes ({kind}), expected {file.size}")
    return have


def _in_short(error: Exception) -> str:
    """Say what went wrong with a connection in a few words."""
    return f"{type(error).__name__}: {_plain(str(error)[:200])}"


def _plain(text: object) -> str:
    """What a server says, without what a terminal would obey."""
    return "".join(letter if letter.isprintable() else "?" for letter in str(text))[:200]
