"""One request as it passes: its bytes are looked at, and none is kept or changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from wattermark.serving.encodings import BadEncoding, Unpacker
from wattermark.serving.kept import MOST_ANSWER_B, Kept, document_of
from wattermark.serving.names import printable
from wattermark.serving.routes import Asked, asked_by
from wattermark.serving.streams import Events, JsonLines, dialect, is_fault, is_last
from wattermark.serving.usage import read_usage, told_of
from wattermark.values.served import Outcome, Route, Served, Usage

MOST_REQUEST_B = 16_000_000
"""Of a longer request neither the model nor the options are looked for."""
MOST_UNPACKED_B = 16_000_000
"""Of a stream that comes packed."""
LOOKS_FOR_MODEL = 3
"""Pieces of a stream that are searched for a model's name, where the request has none."""

_STREAMS: Mapping[str, Callable[[], Events | JsonLines]] = {
    "text/event-stream": Events,
    "application/x-ndjson": JsonLines,
    "application/ndjson": JsonLines,
    "application/jsonl": JsonLines,
    "application/x-jsonlines": JsonLines,
    "application/stream+json": JsonLines,
}
_NO_USAGE = {
    Outcome.LEFT: "usage: the client left before it was told",
    Outcome.REFUSED: "usage: the request was refused",
    Outcome.FAILED: "usage: the answer failed before it was told",
    Outcome.UNREACHED: "usage: nobody answered",
    Outcome.TIMEOUT: "usage: nobody answered in time",
}


class Tap:
    """Told what passes, in order, by whoever stands in the way: relay, middleware or transport.

    It never raises, whatever passes. ``model`` is the model that was asked for; ``asks_stream`` says
    whether the caller wants the answer in pieces, ``asks_usage`` whether it wants its tokens told there;
    ``streamed`` is true once the head of an answer that comes in pieces was seen.

    Parameters
    ----------
    path : str
        Of the request, without its query.
    body : bytes
        Of the request.
    begin_ns : int
        When it came, by the steady clock. [ns]
    tenant, upstream, provider, request : str
        As in ``Served``.
    method : str
        Of HTTP.
    """

    def __init__(
        self,
        path: str,
        body: bytes,
        begin_ns: int,
        *,
        tenant: str = "",
        upstream: str = "",
        provider: str = "",
        request: str = "",
        method: str = "POST",
    ) -> None:
        self.asked: Asked = asked_by(path, method)
        self._begin_ns = begin_ns
        self._first_ns: int | None = None
        self._labels: dict[str, Any] = {
            "tenant": tenant, "upstream": upstream, "provider": provider, "request": request,
        }  # fmt: skip
        asked = {} if self.asked.route is Route.OTHER or len(body) > MOST_REQUEST_B else document_of(body)
        self.model = _name(asked) or self.asked.model
        self.asks_stream = self.asked.streams or bool(asked.get("stream", self.asked.words == "ollama"))
        options = asked.get("stream_options")
        self.asks_usage = isinstance(options, dict) and options.get("include_usage") is True
        self.streamed = False
        self._status: int | None = None
        self._told: dict[str, Any] = {}
        self._from_head = Usage()
        self._why_not = ""
        self._dialect = dialect(self.asked.words)
        self._unpacker: Unpacker | None = None
        self._unpacked_b = 0
        self._body: Kept | Events | JsonLines | None = None
        self._chunks, self._looks = 0, LOOKS_FOR_MODEL
        self._fault = False
        self._last = b""

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
        kind = told.get("content-type", "").partition(";")[0].strip().lower()
        stream = _STREAMS.get(kind)
        self.streamed = stream is not None or (self.asked.streams and status < 400)
        if self.asked.route is Route.OTHER:
            return
        self._from_head = _of_head(told)
        self._body = stream() if stream else Kept(self.asked.route is Route.EMBEDDINGS)
        if encoding := told.get("content-encoding", ""):
            self._unpack(encoding)

    def piece(self, data: bytes, mono_ns: int) -> None:
        """Some bytes of the answer's body, in order."""
        if self._first_ns is None and data:
            self._first_ns = mono_ns
        if self._body is None or self._why_not:
            return
        if self._unpacker is None:
            self._feed(data)
            return
        try:
            for part in self._unpacker.unpack(data):
                self._unpacked_b += len(part)
                self._feed(part)
                if self._unpacked_b > MOST_UNPACKED_B:
                    self._give_up(f"the answer unpacks to more than {MOST_UNPACKED_B} bytes")
                if self._why_not:
                    return
        except BadEncoding as error:
            self._give_up(str(error))

    def served(self, end_ns: int, outcome: Outcome = Outcome.OK) -> Served:
        """What there is to note, once it is over.

        Parameters
        ----------
        end_ns : int
            By the steady clock. [ns]
        outcome : Outcome
            As whoever stands in the way saw it; what status and answer say of a good one is found here.
        """
        self._finish()
        outcome = self._judged(outcome)
        usage = self._usage()
        return Served(
            begin_ns=self._begin_ns,
            first_ns=self._first_ns,
            end_ns=end_ns,
            usage=usage or Usage(),
            model=self.model,
            route=self.asked.route,
            status=self._status,
            outcome=outcome,
            streamed=self.streamed,
            chunks=self._chunks,
            unknown=self._unknown(usage, outcome),
            **self._labels,
        )

    def _unpack(self, encoding: str) -> None:
        try:
            self._unpacker = Unpacker(encoding)
        except BadEncoding as error:
            self._give_up(str(error))

    def _give_up(self, why: str) -> None:
        self._why_not = self._why_not or why
        self._body = None

    def _feed(self, data: bytes) -> None:
        if isinstance(self._body, Kept):
            if not self._body.keep(data):
                self._give_up(f"the answer is longer than {MOST_ANSWER_B} bytes")
        elif self._body is not None:
            for event in self._body.feed(data):
                self._event(event)

    def _event(self, text: bytes) -> None:
        self._chunks += self._dialect.carries.search(text) is not None
        if self._dialect.told.search(text) or (not self.model and self._looks > 0):
            self._looks -= 1
            self._look(document_of(text))
        self._fault = self._fault or is_fault(text)
        self._last = text

    def _finish(self) -> None:
        body, self._body = self._body, None
        if isinstance(body, Kept):
            for document in body.documents():
                self._look(document)
        elif body is not None:
            for event in body.end():
                self._event(event)
            if body.too_long and not self._told:
                self._why_not = "a piece of the answer is too long to be looked at"

    def _look(self, document: Mapping[str, Any]) -> None:
        told = told_of(document, self.asked.words)
        if told:
            self._told.update((name, value) for name, value in told.items() if value is not None)
        self.model = self.model or _name_in(document)

    def _usage(self) -> Usage | None:
        found = read_usage(self._told, self.asked.words, self.asked.route) if self._told else None
        return found or (self._from_head if self._from_head.is_known else None)

    def _judged(self, outcome: Outcome) -> Outcome:
        if outcome is Outcome.LEFT and is_last(self._last):
            outcome = Outcome.OK  # its client had all of it, and did not wait for the line to end
        if outcome is not Outcome.OK:
            return outcome
        if self._fault or (self._status or 0) >= 500:
            return Outcome.FAILED
        return Outcome.REFUSED if (self._status or 0) >= 400 else outcome

    def _unknown(self, usage: Usage | None, outcome: Outcome) -> tuple[str, ...]:
        if self.asked.route is Route.OTHER:
            return ()
        found = () if self.model else ("model: nobody named it",)
        if usage is None:
            return (*found, f"usage: {self._why_not}" if self._why_not else self._why_none(outcome))
        missing = [name for name in ("input", "output") if getattr(usage, f"{name}_tokens") is None]
        return (*found, *(f"{name} tokens: the answer told none" for name in missing))

    def _why_none(self, outcome: Outcome) -> str:
        if outcome is not Outcome.OK:
            return _NO_USAGE[outcome]
        could_ask = self.streamed and self.asked.words == "openai" and not self.asks_usage
        return _NOT_ASKED if could_ask else _NEVER_TOLD


_NEVER_TOLD = "usage: the answer told none"
_NOT_ASKED = "usage: the stream told none; clients ask for it with stream_options.include_usage"


def _of_head(headers: Mapping[str, str]) -> Usage:
    """What TGI tells in the head of an answer, even where its body tells nothing."""
    given, written = headers.get("x-prompt-tokens", ""), headers.get("x-generated-tokens", "")
    return Usage(input_tokens=_digits(given), output_tokens=_digits(written))


def _digits(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 18 else None


def _name(document: Mapping[str, Any], key: str = "model") -> str:
    told = document.get(key)
    return printable(told) if isinstance(told, str) else ""


def _name_in(document: Mapping[str, Any]) -> str:
    """The name of a model in an answer, or in the event that begins it."""
    for place in (document, document.get("message"), document.get("response")):
        if isinstance(place, dict) and (name := _name(place)):
            return name
    return _name(document, "modelVersion")  # Gemini's
