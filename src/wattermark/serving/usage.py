"""What an answer says of its tokens, in one set of words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wattermark.values.served import Usage


def usage_of(document: Mapping[str, Any], words: str) -> Usage | None:
    """The tokens of an answer, or of the piece of a stream that tells them; None where it tells none.

    Parameters
    ----------
    document : mapping
        JSON as it came.
    words : str
        Whose: ``openai``, ``anthropic``, ``ollama`` ...
    """
    told = document.get("usage")
    if not isinstance(told, Mapping):
        return None
    details = told.get("prompt_tokens_details") or told.get("input_tokens_details") or {}
    made = told.get("completion_tokens_details") or told.get("output_tokens_details") or {}
    return Usage(
        input_tokens=_count(told.get("prompt_tokens", told.get("input_tokens"))),
        output_tokens=_count(told.get("completion_tokens", told.get("output_tokens", 0))),
        cached_tokens=_count(details.get("cached_tokens")),
        reasoning_tokens=_count(made.get("reasoning_tokens")),
    )


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
