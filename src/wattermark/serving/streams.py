"""Answers that come in pieces: server-sent events and lines of JSON, split anywhere."""

from __future__ import annotations

import re
from dataclasses import dataclass

MOST_EVENT_B = 4_000_000
"""Of one event: the last one of the Responses API holds the whole answer."""


_MARK = b"\xef\xbb\xbfdata:"
"""A byte order mark may stand before the first line."""


LINE_B = 64
"""What a line takes beside its bytes."""


class Lines:
    """Lines that end with LF, CR or both, of bytes that are split anywhere.

    One that is too long is dropped, and counted in ``too_long``.
    """

    __slots__ = ("_after_cr", "_most_b", "_over", "_rest", "too_long")

    def __init__(self, most_b: int = MOST_EVENT_B) -> None:
        self._most_b = most_b
        self._rest = bytearray()
        self._over = self._after_cr = False
        self.too_long = 0

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that these bytes end, without their ends."""
        if self._after_cr and data:
            self._after_cr = False
            data = data.removeprefix(b"\n")
        if b"\n" not in data and b"\r" not in data:
            self._keep(data)
            return []
        self._after_cr = data.endswith(b"\r")
        lines = data.splitlines()
        rest = b"" if data.endswith((b"\n", b"\r")) else lines.pop()
        if self._rest or self._over:
            self._keep(lines[0])
            lines[:1] = self.end()
        if rest:
            self._keep(rest)
        if len(data) > self._most_b:
            lines = [line for line in lines if self._fits(line)]
        return lines

    def end(self) -> list[bytes]:
        """The line that has not ended, if there is one."""
        found = [bytes(self._rest)] if self._rest and not self._over else []
        self._rest.clear()
        self.too_long += self._over
        self._over = False
        return found

    def _keep(self, data: bytes) -> None:
        if self._over or len(self._rest) + len(data) > self._most_b:
            self._over = True
            self._rest.clear()
        else:
            self._rest += data

    def _fits(self, line: bytes) -> bool:
        self.too_long += len(line) > self._most_b
        return len(line) <= self._most_b


class Events:
    """The data of server-sent events, as the WHATWG's HTML standard reads them; their names are not needed.

    A last event that no empty line ended counts too: some servers leave it out.
    """

    __slots__ = ("_data", "_data_b", "_lines", "_most_b")

    def __init__(self, most_b: int = MOST_EVENT_B) -> None:
        self._lines = Lines(most_b)
        self._most_b = most_b
        self._data: list[bytes] = []
        self._data_b = 0

    @property
    def too_long(self) -> int:
        return self._lines.too_long

    def feed(self, data: bytes) -> list[bytes]:
        """The events that these bytes end."""
        return self._take(self._lines.feed(data))

    def end(self) -> list[bytes]:
        """The event that has not ended, if there is one."""
        return self._take([*self._lines.end(), b""])

    def _take(self, lines: list[bytes]) -> list[bytes]:
        found = []
        for line in lines:
            if not line:
                if self._data:
                    found.append(self._data[0] if len(self._data) == 1 else b"\n".join(self._data))
                    self._data, self._data_b = [], 0
            elif line.startswith(b"data:"):
                self._add(line[6:] if line[5:6] == b" " else line[5:])
            elif line.startswith(_MARK):
                self._add(line[8:].lstrip(b" "))
        return found

    def _add(self, text: bytes) -> None:
        self._data_b += len(text) + LINE_B
        if self._data_b > self._most_b:
            self._lines.too_long += 1
            self._data, self._data_b = [], 0
        else:
            self._data.append(text)


class JsonLines:
    """Ollama's: a line each."""

    __slots__ = ("_lines",)

    def __init__(self, most_b: int = MOST_EVENT_B) -> None:
        self._lines = Lines(most_b)

    @property
    def too_long(self) -> int:
        return self._lines.too_long

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that these bytes end."""
        return [line for line in self._lines.feed(data) if line]

    def end(self) -> list[bytes]:
        """The line that has not ended, if there is one."""
        return self._lines.end()


@dataclass(frozen=True, slots=True)
class Dialect:
    """What to look for in a piece of a stream before it is worth to be parsed.

    ``told`` stands in those that speak of tokens, ``carries`` in those that carry some. A quote inside a
    text is escaped in JSON, so what a user or a model writes looks like neither.
    """

    told: re.Pattern[bytes]
    carries: re.Pattern[bytes]


def _key(*names: str, value: str) -> re.Pattern[bytes]:
    return re.compile(rf'"(?:{"|".join(names)})"\s*:\s*{value}'.encode())


_TEXT, _OBJECT, _NUMBER = r'"[^"]', r"\{", r"\d"
_OPENAI = Dialect(
    told=_key("usage", "timings", value=_OBJECT),
    carries=_key("content", "reasoning_content", "reasoning", "text", "arguments", "refusal", value=_TEXT),
)
_DIALECTS = {
    "responses": Dialect(_key("usage", value=_OBJECT), _key("delta", value=_TEXT)),
    "anthropic": Dialect(
        _key("usage", value=_OBJECT), _key("text", "thinking", "partial_json", value=_TEXT)
    ),
    "ollama": Dialect(
        _key("prompt_eval_count", "eval_count", value=_NUMBER),
        re.compile(rb'"(?:content|response|thinking)"\s*:\s*"[^"]|"tool_calls"\s*:\s*\[\s*\{'),
    ),
    "google": Dialect(
        _key("usageMetadata", value=_OBJECT),
        re.compile(rb'"text"\s*:\s*"[^"]|"(?:functionCall|executableCode)"\s*:\s*\{'),
    ),
    "cohere": Dialect(
        _key("usage", "meta", value=_OBJECT),
        re.compile(rb'"(?:type|event_type)"\s*:\s*"(?:content-delta|tool-plan-delta|tool-call-delta|text-generation)"'),
    ),
    "llamacpp": Dialect(
        re.compile(rb'"tokens_evaluated"\s*:\s*\d|"timings"\s*:\s*\{'), _key("content", value=_TEXT)
    ),
    "generate": Dialect(
        _key("details", "meta_info", value=_OBJECT), re.compile(rb'"token"\s*:\s*\{|"text"\s*:\s*"[^"]')
    ),
}  # fmt: skip


def dialect(words: str) -> Dialect:
    """What to look for in streams of some words; OpenAI's where nobody knows better."""
    return _DIALECTS.get(words, _OPENAI)


_LAST = re.compile(
    rb'\s*\[DONE\]\s*$|.*"(?:type|event)"\s*:\s*"(?:message_stop|message-end|response\.completed)"'
    rb'|.*"(?:done|stop)"\s*:\s*true',
    re.DOTALL,
)


def is_last(text: bytes) -> bool:
    """Whether a piece of a stream ends the answer: who has it may hang up before the stream itself ends."""
    return _LAST.match(text) is not None


_FAULT = re.compile(rb'\s*\{\s*"(?:error"\s*:\s*["{]|(?:type|object)"\s*:\s*"(?:error|response\.failed)")')


def is_fault(text: bytes) -> bool:
    """Whether a piece of a stream says that the answer failed, though its head said 200."""
    return _FAULT.match(text) is not None
