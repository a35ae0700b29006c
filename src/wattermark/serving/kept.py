"""An answer that is not streamed, kept until it is whole and no longer; and JSON that may be none."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

MOST_ANSWER_B = 16_000_000
"""Of an answer that is not streamed; of a longer one the usage is not looked for."""
END_B = 32_768
"""Kept of either end of a list of embeddings: what is told of its tokens stands there."""


class Kept:
    """An answer that is not streamed, until it is whole; of a list of embeddings only both ends."""

    __slots__ = ("_data", "_ends_only", "_head")

    def __init__(self, ends_only: bool) -> None:
        self._data = bytearray()
        self._head: bytes | None = None
        self._ends_only = ends_only

    def keep(self, data: bytes) -> bool:
        """False where it is too long."""
        self._data += data
        if self._ends_only and len(self._data) > 4 * END_B:
            self._head = self._head if self._head is not None else bytes(self._data[:END_B])
            del self._data[:-END_B]
        return len(self._data) <= MOST_ANSWER_B

    def documents(self) -> list[Mapping[str, Any]]:
        """What it says, in order: one document, all those of a list, or what stands at both ends."""
        if self._head is None:
            found = _parsed(self._data)
            listed = found if isinstance(found, list) else [found]
            return [one for one in listed if isinstance(one, dict)]
        return [_keys_in(self._head), _keys_in(bytes(self._data[-END_B:]))]


def _keys_in(text: bytes) -> dict[str, Any]:
    """What stands behind some keys in a part of a document, where a list of numbers is the rest."""
    found = {}
    for key in _AT_ENDS:
        at = text.rfind(key)
        if at >= 0:
            value = _value_at(text, at + len(key))
            if value is not None:
                found[key.decode().strip('"')] = value
    return found


def _value_at(text: bytes, at: int) -> Any:
    rest = text[at:].decode("utf-8", "replace").lstrip()
    if not rest.startswith(":"):
        return None
    try:
        return _DECODER.raw_decode(rest[1:].lstrip())[0]
    except (ValueError, RecursionError):
        return None


_DECODER = json.JSONDecoder()
_AT_ENDS = (b'"model"', b'"usage"', b'"meta"', b'"usageMetadata"', b'"prompt_eval_count"')


def document_of(text: bytes) -> Mapping[str, Any]:
    """What a text says; nothing where it is no JSON, or no object."""
    found = _parsed(text)
    return found if isinstance(found, dict) else {}


def _parsed(text: bytes | bytearray) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
