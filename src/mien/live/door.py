"""Who may see the live page: checks of Host, Origin and token, before anything is answered."""

from __future__ import annotations

import ipaddress
import secrets
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")
_TOKEN_BYTES = 18


def new_token() -> str:
    """A token that nobody guesses, of letters that an address may have."""
    return secrets.token_urlsafe(_TOKEN_BYTES)


def is_loopback(host: str) -> bool:
    """Whether an address is reached from this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class Door:
    """What a request must show.

    Three things are looked at. The name under which the server was asked for (Host): a site whose name was
    made to point here (DNS rebinding) is told from this machine by it. The page that asks (Origin): only the
    server's own may. The token, where there is one.

    Attributes
    ----------
    host
        Address that the server listens on.
    token
        Without it nothing but the page's own script and styles is given; None where it is not asked for.
    """

    host: str
    token: str | None

    def knows(self, hosts: Sequence[str]) -> bool:
        """Whether a request, of which these are the Host headers, was meant for this server."""
        name = _name_of(hosts[0]) if len(hosts) == 1 else None
        if name is None:
            return False
        if is_loopback(name):
            return True
        # a number can't be made to point elsewhere, a name can
        return not is_loopback(self.host) and (_is_number(name) or name in self._own_names())

    def lets_in(self, origins: Sequence[str], hosts: Sequence[str]) -> bool:
        """Whether a page of such an origin may open a connection; programs have none, and may."""
        if not origins:
            return True
        if len(origins) != 1 or len(hosts) != 1:
            return False
        scheme, _, place = origins[0].partition("://")
        return scheme in ("http", "https") and place.lower() == hosts[0].strip().lower()

    def has_token(self, path: str) -> bool:
        """Whether the address that was asked for has the token in it, where one is needed."""
        if self.token is None:
            return True
        given = parse_qs(urlsplit(path).query).get("token", [""])[0]
        return secrets.compare_digest(given.encode(), self.token.encode())

    def _own_names(self) -> set[str]:
        name = socket.gethostname().lower()
        return {self.host.lower(), name, f"{name.partition('.')[0]}.local"}


def _name_of(host: str) -> str | None:
    """Name or number in a Host header, in small letters, without the port."""
    try:
        parts = urlsplit(f"//{host.strip()}")
        # looked at for its errors
        _ = parts.port
    except ValueError:
        return None
    more = (parts.username, parts.path, parts.query, parts.fragment)
    return None if any(more) or parts.username is not None else parts.hostname


def _is_number(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
