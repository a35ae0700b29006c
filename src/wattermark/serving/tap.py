"""One request as it passes: its bytes are looked at, and none is kept or changed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from wattermark.serving.routes import Asked, asked_by
from wattermark.serving.usage import usage_of
from wattermark.values.served import Outcome, Served, Usage

MOST_ANSWER_B = 16_000_000
"""Of an answer that is not streamed; of a longer one the usage is not looked for."""
MOST_LINE_B = 1_000_000


class Tap:
    """Told what passes, in order, by whoever stands in the way: relay, middleware or transport.

    Parameters
    ----------
    path : str
        Of the request, without its query.
    body : bytes
        Of the request.
    begin_ns : int
        When it came, by the steady clock. [ns]
    """

    def __init__(
        self, path: str, body: bytes, begin_ns: int, *, tenant: str = "", upstream: str = ""
    ) -> None:
        self.asked: Asked = asked_by(path)
        self._begin_ns = begin_ns
        self._first_ns: int | None = None
        self._tenant, self._upstream = tenant, upstream
        self.model = _name(_document(body))
        self.streamed = False
        self._status: int | None = None
        self._usage: Usage | None = None
        self._kept = bytearray()
        self._chunks = 0

    def answered(self, status: int, headers: Mapping[str, str]) -> None:
        """The head of the answer.

        Parameters
        ----------
        status : int
            Of HTTP.
        headers : mapping
            Names in any case.
        """
        told = {name.lower(): value for name, value in headers.items()}
        self._status = status
        self.streamed = told.get("content-type", "").startswith(("text/event-stream", "application/x-ndjson"))

    def piece(self, data: bytes, mono_ns: int) -> None:
        """Some bytes of the answer's body, in order."""
        if self._first_ns is None:
            self._first_ns = mono_ns
        if not self.streamed:
            if len(self._kept) + len(data) <= MOST_ANSWER_B:
                self._kept += data
            return
        self._kept += data
        *lines, rest = self._kept.split(b"\n")
        self._kept = bytearray(rest[-MOST_LINE_B:])
        for line in lines:
            self._line(bytes(line))

    def served(self, end_ns: int, outcome: Outcome = Outcome.OK) -> Served:
        """What there is to note, once it is over."""
        if not self.streamed and self._kept:
            self._look(_document(bytes(self._kept)))
        return Served(
            begin_ns=self._begin_ns,
            first_ns=self._first_ns,
            end_ns=end_ns,
            usage=self._usage or Usage(),
            model=self.model,
            tenant=self._tenant,
            route=self.asked.route,
            upstream=self._upstream,
            status=self._status,
            outcome=outcome,
            streamed=self.streamed,
            chunks=self._chunks,
            unknown=() if self._usage else ("usage: the answer told none",),
        )

    def _line(self, line: bytes) -> None:
        text = line.removeprefix(b"data:").strip()
        if text.startswith(b"{"):
            self._chunks += 1
            if b'"usage"' in text:
                self._look(_document(text))

    def _look(self, document: Mapping[str, Any]) -> None:
        self._usage = usage_of(document, self.asked.words) or self._usage
        self.model = self.model or _name(document)


def _name(document: Mapping[str, Any]) -> str:
    told = document.get("model")
    return told if isinstance(told, str) else ""


def _document(text: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
