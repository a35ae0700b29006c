"""Who may be asked, and what must not be told of it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from html import escape
from typing import Any
from urllib.parse import quote, quote_plus, urljoin, urlsplit

from wattermark.errors import SignalRefused, SignalUnavailable
from wattermark.signals.answers import harmless
from wattermark.values.hosts import is_local
from wattermark.values.series import Request

HIDDEN = "***"
LEAST_SECRET = 4
"""A shorter one would be found in any sentence."""


def checked_host(url: str, name: str) -> str:
    """The host of an address that may be asked.

    Raises
    ------
    SignalUnavailable
        If it is no address, holds a name or a password, or would be asked in the clear elsewhere.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host or parts.scheme not in ("http", "https"):
        raise SignalUnavailable(
            f"the address of {name} is none of the web", fix="Give one such as https://host"
        )
    if "@" in parts.netloc:
        raise SignalUnavailable(
            f"the address of {name} holds a name or a password", fix="Give the address without them"
        )
    if parts.scheme == "http" and not is_local(host):
        raise SignalUnavailable(
            f"{name} at {host} would be asked in the clear",
            fix="Give an https:// address, or one of this machine",
        )
    return host


def next_address(url: str, to: str, name: str) -> str:
    """Where a redirect leads to.

    Raises
    ------
    SignalRefused
        If that is another host, as what is secret would go there.
    """
    try:
        found = urljoin(url, to)
        old, new = urlsplit(url), urlsplit(found)
    except ValueError:
        raise SignalRefused(f"{name} points nowhere", fix="Check the address that is set for it") from None
    if (old.scheme, old.netloc) != (new.scheme, new.netloc):
        raise SignalRefused(
            f"{name} points to another host ({harmless(new.netloc, 60)}), which is not followed",
            fix="Check the address that is set for it",
        )
    return found


def secrets_of(request: Request) -> tuple[str, ...]:
    """What must not be told of a request, the longest first; each word of it, too, and as others write it."""
    found = [*request.secret_params.values(), *request.secret_headers.values(), *(request.basic_auth or ())]
    words = {*found, *(word for text in found for word in text.split())}
    words = {word for word in words if len(word) >= LEAST_SECRET}
    written = {write(word) for word in words for write in (quote, _in_address, quote_plus, _in_json, escape)}
    return tuple(sorted(words | written, key=len, reverse=True))


def _in_address(text: str) -> str:
    return quote(text, safe="")


def _in_json(text: str) -> str:
    return json.dumps(text)[1:-1]


def hidden(text: str, secrets: Iterable[str]) -> str:
    """A sentence without them."""
    for secret in secrets:
        text = text.replace(secret, HIDDEN)
    return text


@contextmanager
def quiet_logs() -> Iterator[None]:
    """Drops what is logged of this thread's requests: addresses, with what is secret in them.

    The retries that stamina would log are ours to tell.
    """
    import logging

    thread = threading.get_ident()

    def keeps(record: Any) -> bool:
        return bool(record.thread != thread)

    loggers = [logging.getLogger(name) for name in ("httpx", "stamina")]
    for logger in loggers:
        logger.addFilter(keeps)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeFilter(keeps)
