"""Answers of the relay's own, in the shape that clients of engines understand."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aiohttp import web

SERVER = "wattermark"
"""Who answers, where the engine does not say who it is."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request does not go on, or why nothing came back."""

    status: int
    code: str
    message: str

    @property
    def body(self) -> bytes:
        """As OpenAI's clients read it."""
        kind = "invalid_request_error" if self.status < 500 else "upstream_error"
        error = {"message": self.message, "type": kind, "param": None, "code": self.code}
        return json.dumps({"error": error}).encode()


TOO_LONG = Refusal(413, "body_too_large", "The body of the request is longer than the proxy lets through.")
TOO_SLOW = Refusal(408, "body_too_slow", "The body of the request stopped to come before it was whole.")
NO_TOKEN = Refusal(401, "no_token", "The proxy wants its token in the header x-wattermark-token.")
MALFORMED = Refusal(400, "malformed_request", "The proxy does not pass this request on.")
UNREACHED = Refusal(502, "upstream_unreachable", "The upstream server could not be reached.")
FAILED = Refusal(502, "upstream_failed", "The upstream server broke off before its answer was whole.")
FAULT = Refusal(500, "proxy_fault", "The proxy has a fault of its own.")
SILENT = Refusal(504, "upstream_timeout", "The upstream server said nothing for too long.")


def refused(refusal: Refusal, *, closes: bool = False) -> web.Response:
    """The answer that says so; ``closes`` where what else the client sends is not read."""
    from aiohttp import web

    answer = web.Response(
        status=refusal.status, body=refusal.body, content_type="application/json", headers={"Server": SERVER}
    )
    if closes:
        answer.force_close()
    return answer
