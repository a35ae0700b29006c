"""Where the relay listens and where it goes: set by whoever starts it, never by a request."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from wattermark.errors import UsageError
from wattermark.serving.heads import check_target
from wattermark.values.hosts import is_local

HOST = re.compile(r"[A-Za-z0-9._:%-]+")
PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Listen:
    """An address of this machine; port 0 is any that is free."""

    host: str
    port: int

    @property
    def local(self) -> bool:
        """Whether only programs of this machine get there."""
        return is_local(self.host)

    def __str__(self) -> str:
        return f"{_bracketed(self.host)}:{self.port}"


@dataclass(frozen=True, slots=True)
class Upstream:
    """An engine: its scheme, host and port, and the path that stands before every other."""

    scheme: str
    host: str
    port: int
    base: str = ""

    @property
    def local(self) -> bool:
        """Whether it is of this machine."""
        return is_local(self.host)

    @property
    def address(self) -> str:
        """As a request's path is put behind it."""
        return f"{self.scheme}://{_bracketed(self.host)}:{self.port}{self.base}"

    @property
    def host_field(self) -> str:
        """As a request names it."""
        usual = self.port == PORTS[self.scheme]
        return _bracketed(self.host) if usual else f"{_bracketed(self.host)}:{self.port}"


def upstream_of(text: str) -> Upstream:
    """Read ``http://localhost:8000`` or ``https://host/base``.

    Raises
    ------
    UsageError
        If it is no address of a server, or holds a password, a query or a fragment; it is not repeated
        where it may hold a secret.
    """
    parts = _split("--upstream", text)
    if parts.username is not None or parts.password is not None:
        raise UsageError(
            "--upstream holds a name or a password", fix="Leave it out; clients show their own keys"
        )
    if parts.query or parts.fragment:
        raise UsageError("--upstream holds a query or a fragment", fix="Give http://HOST:PORT/PATH alone")
    host = parts.hostname or ""
    if parts.scheme not in PORTS or parts.port == 0 or not HOST.fullmatch(host):
        raise UsageError(f"--upstream {text!r} is no address", fix="Give http://localhost:8000")
    try:
        check_target(parts.path or "/")
    except ValueError as error:
        raise UsageError(f"--upstream {text!r} is no address", fix="Give http://localhost:8000") from error
    port = parts.port or PORTS[parts.scheme]
    return Upstream(parts.scheme, host, port, parts.path.rstrip("/"))


def listen_of(option: str, text: str) -> Listen:
    """Read ``127.0.0.1:8100`` or ``[::1]:8100``.

    Raises
    ------
    UsageError
        If it is no address with a port.
    """
    parts = _split(option, f"//{text}")
    if parts.port is None or not parts.hostname or parts.path or parts.query or "@" in text:
        raise UsageError(f"{option} {text!r} is no address with a port", fix="Give 127.0.0.1:8100")
    return Listen(parts.hostname, parts.port)


def _split(option: str, text: str) -> SplitResult:
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError as error:
        raise UsageError(f"{option} is no address: {error}", fix="Give HOST:PORT") from error
    return parts


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
