"""Servers of models on this machine: they answer in the shapes of providers, whole or piece by piece.

with Models() as models:
    OpenAI(base_url=f"{models.address}/v1", api_key="k").chat.completions.create(...)
"""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler
from typing import Any

from fakes.web import Local, Page

INPUT, OUTPUT, CACHED, REASONING = 21, 9, 8, 3
"""What every answer says that it took, in the words of its provider."""
PIECES = ("The ", "answer ", "is ", "[DONE] ", "42.")
TEXT = "".join(PIECES)
Document = dict[str, Any]
Event = tuple[str, Document | str]
"""A name, or none, and what is told."""


class Models(Local):
    """``faults`` are given before the next answers; ``pause_s`` lies between the pieces of a stream.

    A stream ends after ``breaks_after`` pieces, without an end, where that is given. ``packs`` answers that
    are not streamed. ``gone`` is set when a client has left a stream.
    """

    def __init__(self) -> None:
        super().__init__(_handler(self))
        self.faults: list[Page] = []
        self.asked: list[tuple[str, Mapping[str, str], Document]] = []
        self.pause_s = 0.0
        self.breaks_after: int | None = None
        self.packs = False
        self.gone = threading.Event()


def answer(path: str, asked: Document) -> Document:
    """The whole answer at a path."""
    model = asked.get("model", "m")
    return next(made for end, made in ANSWERS if path.endswith(end))(model)


def events(path: str, asked: Document) -> Iterator[Event]:
    """The same, piece by piece."""
    model = asked.get("model", "m")
    if path.endswith("/chat/completions"):
        asks = (asked.get("stream_options") or {}).get("include_usage", False)
        yield from _chat_events(model, asks, model.startswith("mistral"))
    elif path.endswith("/responses"):
        yield from _response_events(model)
    elif path.endswith("/v1/messages"):
        yield from _message_events(model)
    elif path.endswith("/v2/chat"):
        yield from _cohere_events()
    elif path.endswith(":streamGenerateContent"):
        for piece in PIECES[:-1]:
            yield "", _gemini(piece, None, {"promptTokenCount": INPUT, "totalTokenCount": INPUT})
        yield "", _gemini(PIECES[-1], "STOP", _gemini_usage())
    else:
        raise LookupError(path)


def _openai(kind: str, model: str, **more: Any) -> Document:
    return {"id": "c", "object": kind, "created": 1_700_000_000, "model": model, **more}


def _chat(model: str) -> Document:
    choice = {"index": 0, "message": {"role": "assistant", "content": TEXT}, "finish_reason": "stop"}
    return _openai("chat.completion", model, choices=[choice], usage=_openai_usage())


def _text(model: str) -> Document:
    choice = {"index": 0, "text": TEXT, "finish_reason": "stop", "logprobs": None}
    return _openai("text_completion", model, choices=[choice], usage=_openai_usage())


def _embeddings(model: str) -> Document:
    row = {"object": "embedding", "index": 0, "embedding": [0.5, 0.25]}
    usage = {"prompt_tokens": INPUT, "total_tokens": INPUT}
    return {"object": "list", "id": "e", "model": model, "data": [row], "usage": usage}


def _openai_usage() -> Document:
    return {
        "prompt_tokens": INPUT,
        "completion_tokens": OUTPUT,
        "total_tokens": INPUT + OUTPUT,
        "prompt_tokens_details": {"cached_tokens": CACHED},
        "completion_tokens_details": {"reasoning_tokens": REASONING},
    }


def _chat_events(model: str, asks: bool, always: bool) -> Iterator[Event]:
    """OpenAI tells usage in a chunk of its own, if it is asked; Mistral always, in the last one."""

    def chunk(delta: Document, reason: str | None) -> Document:
        choice = {"index": 0, "delta": delta, "finish_reason": reason}
        return _openai("chat.completion.chunk", model, choices=[choice])

    for piece in PIECES:
        yield "", chunk({"role": "assistant", "content": piece}, None)
    yield "", chunk({"content": ""}, "stop") | ({"usage": _openai_usage()} if always else {})
    if asks:
        yield "", _openai("chat.completion.chunk", model, choices=[], usage=_openai_usage())
    yield "", "[DONE]"


def _response(model: str, status: str) -> Document:
    done = status == "completed"
    text = {"type": "output_text", "text": TEXT, "annotations": []}
    said = {"type": "message", "id": "m", "role": "assistant", "status": "completed", "content": [text]}
    usage = {
        "input_tokens": INPUT,
        "input_tokens_details": {"cached_tokens": CACHED},
        "output_tokens": OUTPUT,
        "output_tokens_details": {"reasoning_tokens": REASONING},
        "total_tokens": INPUT + OUTPUT,
    }
    return {
        "id": "r", "object": "response", "created_at": 1_700_000_000, "model": model, "status": status,
        "output": [said] if done else [], "usage": usage if done else None, "tools": [],
        "parallel_tool_calls": True, "tool_choice": "auto",
    }  # fmt: skip


def _response_events(model: str) -> Iterator[Event]:
    def event(kind: str, number: int, **more: Any) -> Event:
        return kind, {"type": kind, "sequence_number": number, **more}

    yield event("response.created", 0, response=_response(model, "in_progress"))
    at = {"item_id": "m", "output_index": 0, "content_index": 0, "logprobs": []}
    for number, piece in enumerate(PIECES, 1):
        yield event("response.output_text.delta", number, delta=piece, **at)
    yield event("response.completed", len(PIECES) + 1, response=_response(model, "completed"))


def _message(model: str, content: list[Document], reason: str | None, usage: Document) -> Document:
    return {
        "id": "msg", "type": "message", "role": "assistant", "model": model, "content": content,
        "stop_reason": reason, "stop_sequence": None, "usage": usage,
    }  # fmt: skip


def _said() -> Document:
    return {"type": "text", "text": TEXT}


def _anthropic_usage() -> Document:
    """Anthropic tells the tokens that were read from its cache apart."""
    return {"input_tokens": INPUT - CACHED, "cache_read_input_tokens": CACHED, "output_tokens": OUTPUT}


def _message_events(model: str) -> Iterator[Event]:
    def event(kind: str, **more: Any) -> Event:
        return kind, {"type": kind, **more}

    yield event("message_start", message=_message(model, [], None, _anthropic_usage() | {"output_tokens": 1}))
    yield event("content_block_start", index=0, content_block={"type": "text", "text": ""})
    for piece in PIECES:
        yield event("content_block_delta", index=0, delta={"type": "text_delta", "text": piece})
    yield event("content_block_stop", index=0)
    end = {"stop_reason": "end_turn", "stop_sequence": None}
    yield event("message_delta", delta=end, usage={"output_tokens": OUTPUT})
    yield event("message_stop")


def _cohere_usage() -> Document:
    tokens = {"input_tokens": INPUT, "output_tokens": OUTPUT}
    return {"billed_units": {"input_tokens": 2, "output_tokens": OUTPUT}, "tokens": tokens}


def _cohere() -> Document:
    said = {"role": "assistant", "content": [_said()]}
    return {"id": "c", "finish_reason": "COMPLETE", "message": said, "usage": _cohere_usage()}


def _cohere_events() -> Iterator[Event]:
    said = {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []}
    yield "message-start", {"type": "message-start", "id": "c", "delta": {"message": said}}
    for piece in PIECES:
        delta = {"message": {"content": {"text": piece}}}
        yield "content-delta", {"type": "content-delta", "index": 0, "delta": delta}
    end = {"finish_reason": "COMPLETE", "usage": _cohere_usage()}
    yield "message-end", {"type": "message-end", "delta": end}


def _gemini(text: str, reason: str | None, usage: Document) -> Document:
    candidate = {"content": {"role": "model", "parts": [{"text": text}]}, "index": 0}
    if reason:
        candidate["finishReason"] = reason
    return {"candidates": [candidate], "usageMetadata": usage, "modelVersion": "gemini-9-flash"}


def _gemini_usage() -> Document:
    """Google tells the tokens of thoughts apart."""
    return {
        "promptTokenCount": INPUT, "cachedContentTokenCount": CACHED, "totalTokenCount": INPUT + OUTPUT,
        "candidatesTokenCount": OUTPUT - REASONING, "thoughtsTokenCount": REASONING,
    }  # fmt: skip


ANSWERS: tuple[tuple[str, Callable[[str], Document]], ...] = (
    ("/chat/completions", _chat),
    ("/completions", _text),
    ("/embeddings", _embeddings),
    ("/responses", lambda model: _response(model, "completed")),
    ("/v1/messages", lambda model: _message(model, [_said()], "end_turn", _anthropic_usage())),
    ("/v2/chat", lambda _: _cohere()),
    (":generateContent", lambda _: _gemini(TEXT, "STOP", _gemini_usage())),
)


def _handler(models: Models) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_one_request(self) -> None:
            try:
                super().handle_one_request()
            except ConnectionError:  # who asked has gone
                self.close_connection = True

        def do_POST(self) -> None:
            asked = self._asked()
            path = self.path.partition("?")[0]
            models.asked.append((self.path, dict(self.headers), asked))
            if models.faults:
                page = models.faults.pop(0)
                if page.hangs:
                    models.closing.wait(20)
                    self.close_connection = True
                    return
                self._whole(page.status, str(page.body).encode(), page.headers)
            elif asked.get("stream") or path.endswith(":streamGenerateContent"):
                self._stream(path, asked)
            else:
                models.closing.wait(models.pause_s)
                self._document(answer(path, asked))

        def _asked(self) -> Document:
            if self.headers.get("Transfer-Encoding") == "chunked":
                body = b""
                while size := int(self.rfile.readline(), 16):
                    body += self.rfile.read(size)
                    self.rfile.readline()
                self.rfile.readline()
            else:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            try:
                return dict(json.loads(body))
            except ValueError:
                return {}

        def _document(self, told: Document) -> None:
            body = json.dumps(told).encode()
            packed = models.packs and "gzip" in self.headers.get("Accept-Encoding", "")
            headers = {"Content-Type": "application/json"} | ({"Content-Encoding": "gzip"} if packed else {})
            self._whole(200, gzip.compress(body, mtime=0) if packed else body, headers)

        def _whole(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
            self.send_response(status)
            for name, value in (*headers.items(), ("Content-Length", str(len(body)))):
                self.send_header(name, value)
            self.end_headers()
            self._say(body)

        def _stream(self, path: str, asked: Document) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for number, (name, told) in enumerate(events(path, asked)):
                if number == models.breaks_after:
                    self.close_connection = True
                    return
                text = told if isinstance(told, str) else json.dumps(told)
                event = (f"event: {name}\n" if name else "") + f"data: {text}\n\n"
                if not self._say(b"%x\r\n%s\r\n" % (len(event.encode()), event.encode())):
                    return
                models.closing.wait(models.pause_s)
            self._say(b"0\r\n\r\n")

        def _say(self, data: bytes) -> bool:
            try:
                self.wfile.write(data)
            except OSError:  # who asked had enough
                models.gone.set()
                self.close_connection = True
                return False
            return True

        def log_message(self, *_: object) -> None:
            """Silent."""

    return Handler
