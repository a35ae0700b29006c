"""The token of a proxy that others than this machine's programs can reach."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aiohttp import web

HEADER = "x-wattermark-token"
LEAST = 16
"""Letters of a token; a shorter one could be found by trying."""


def shows(request: web.BaseRequest, token: str) -> bool:
    """Whether the token was shown, once; how long it takes to say so tells nothing of it."""
    return _same(request.headers.getall(HEADER, []), token)


def bears(request: web.BaseRequest, token: str) -> bool:
    """The same, or as ``Authorization: Bearer``, as Prometheus shows it."""
    shown = request.headers.getall("Authorization", [])
    return shows(request, token) or _same(
        [one[7:].strip() for one in shown if one[:7].lower() == "bearer "], token
    )


def _same(shown: list[str], token: str) -> bool:
    return len(shown) == 1 and hmac.compare_digest(
        shown[0].encode("utf-8", "surrogateescape"), token.encode()
    )
