"""Heads of requests and answers, for whoever passes them on: what is refused, and what stays behind.

After RFC 9110 (7.6.1: what belongs to one connection) and RFC 9112 (6: how long a body is). Two servers that
read one head in two ways is what request smuggling lives on, so whatever can be read in two ways is refused.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

Fields = Iterable[tuple[str, str]]

HOP_BY_HOP = frozenset(
    {
        *("connection", "keep-alive", "proxy-connection", "proxy-authenticate", "proxy-authorization"),
        *("te", "trailer", "transfer-encoding", "upgrade", "http2-settings", "expect"),
    }
)
"""Of one connection, whatever it says of itself."""
FRAMING = frozenset({"host", "content-length", "transfer-encoding"})
"""Must never be called a matter of one connection."""
MOST_TARGET = 8192

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_BAD_VALUE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_TARGET = re.compile(r"/[!-\"$-\[\]-~]*")  # what can be seen of ASCII, but neither '#' nor a backslash
_HOST = re.compile(r"[A-Za-z0-9._~\[\]:%-]*")
_DOTS = re.compile(
    r"(?:\.|%2e){1,2}(?:(?:;|%3b).*)?", re.IGNORECASE
)  # behind ';' some servers see parameters
_SLASH = re.compile(r"/|%2f", re.IGNORECASE)
_HIDDEN = re.compile(r"%(?:[01][0-9a-f]|7f|5c)", re.IGNORECASE)
_HALF = re.compile(r"%(?![0-9a-fA-F]{2})")


class BadHead(ValueError):
    """A head that could be read in two ways, or asks for what is not done here.

    ``status`` is the one of HTTP to refuse it with. What the head held is not in the message.
    """

    def __init__(self, problem: str, status: int = 400) -> None:
        super().__init__(problem)
        self.status = status


def check_request(method: str, target: str, fields: Fields) -> None:
    """Refuse a request that must not be passed on.

    Parameters
    ----------
    method : str
        Of HTTP.
    target : str
        Path and query, as they stood in the first line.
    fields : iterable of (name, value)
        All of them, in order, repeated ones too.

    Raises
    ------
    BadHead
        If it could be read in two ways.
    """
    if not _TOKEN.fullmatch(method) or method.upper() in ("CONNECT", "TRACE"):
        raise BadHead("this method is not passed on", 405)
    check_target(target)
    told = _named(fields)
    _check_length(told)
    if len(hosts := told.get("host", ())) > 1 or not all(map(_HOST.fullmatch, hosts)):
        raise BadHead("a request has one Host")
    if len(told.get("authorization", ())) > 1:
        raise BadHead("a request has one Authorization")
    if "upgrade" in told or "http2-settings" in told:
        raise BadHead("connections are not upgraded here", 501)
    if FRAMING & connection_names(told.get("connection", ())):
        raise BadHead("Connection names what frames the request")


def check_target(target: str) -> None:
    """Refuse a path that a server may read as another one, and whatever is not a path.

    Raises
    ------
    BadHead
        If it is.
    """
    if len(target) > MOST_TARGET:
        raise BadHead("the path is too long", 414)
    if not _TARGET.fullmatch(target):
        raise BadHead("a path begins with '/' and has no blanks, backslashes or control characters")
    path = target.partition("?")[0]
    if "//" in path or any(map(_DOTS.fullmatch, _SLASH.split(path))):
        raise BadHead("a path has no empty parts, '.' or '..'")
    if _HIDDEN.search(path) or _HALF.search(path):
        raise BadHead("a path hides no control characters or backslashes")


def forwarded(fields: Fields, host: str = "", drop: Collection[str] = ()) -> list[tuple[str, str]]:
    """The fields that go on, in order and as they are: without those of the connection.

    Parameters
    ----------
    fields : iterable of (name, value)
        Of a request or an answer.
    host : str
        Of a request: the upstream's, by configuration; whatever Host it came with stays behind.
    drop : collection of str
        Others that stay behind, in small letters.
    """
    given = list(fields)
    named = connection_names(value for name, value in given if name.lower() == "connection") - FRAMING
    behind = HOP_BY_HOP | named | set(drop) | ({"host"} if host else set())
    kept = [(name, value) for name, value in given if name.lower() not in behind]
    return [("Host", host), *kept] if host else kept


def upstream_url(base: str, target: str) -> str:
    """Where a request goes: the upstream's address with path and query behind it, byte for byte.

    Parameters
    ----------
    base : str
        By configuration: ``http://localhost:8000``, also with a path.
    target : str
        That ``check_target`` let pass.
    """
    return base.rstrip("/") + target


def connection_names(values: Iterable[str]) -> frozenset[str]:
    """The fields that a head calls a matter of one connection, in small letters."""
    return frozenset(name.strip().lower() for value in values for name in value.split(",")) - {""}


def _named(fields: Fields) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in fields:
        if not _TOKEN.fullmatch(name):
            raise BadHead("a field's name has letters that it must not have")
        if _BAD_VALUE.search(value):
            raise BadHead("a field's value holds control characters, or goes on in another line")
        found.setdefault(name.lower(), []).append(value.strip(" \t"))
    return found


def _check_length(told: dict[str, list[str]]) -> None:
    lengths, codings = told.get("content-length", []), told.get("transfer-encoding", [])
    if lengths and codings:
        raise BadHead("a request has Content-Length or Transfer-Encoding, not both")
    if len(lengths) > 1 or any(not (length.isascii() and length.isdigit()) for length in lengths):
        raise BadHead("Content-Length is one number")
    if codings and [coding.lower() for coding in codings] != ["chunked"]:
        raise BadHead("no Transfer-Encoding but 'chunked' is understood here", 501)
