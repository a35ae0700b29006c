"""What providers write, read liberally: JSON, numbers and moments of any spelling."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence

from wattermark.errors import BadSignal
from wattermark.values.series import Answer

FIRST_S, LAST_S = 631_152_000.0, 4_102_444_800.0
"""1990 and 2100: no signal is of another time. [s since 1970]"""
MILLISECONDS = 1e11
"""A moment above this many seconds is in milliseconds: in seconds it would be the year 5138."""
MOST_TOLD, MOST_B = 160, 4096
TRY_LATER = "Try again later; what is kept is used until then"


def json_of(answer: Answer, who: str) -> object:
    """The document in an answer, whatever it says its type is.

    Raises
    ------
    BadSignal
        If it is empty, or no JSON.
    """
    if not answer.body.strip():
        raise BadSignal(f"{who} answered nothing", fix=TRY_LATER)
    try:
        document: object = json.loads(answer.body)
    except (ValueError, RecursionError) as error:  # a body that is no UTF-8 raises ValueError, too
        start = harmless(answer.body[:MOST_TOLD].decode(errors="replace"))
        raise BadSignal(f"{who} answered what is no JSON: {start!r}", fix=TRY_LATER) from error
    return document


def mapping_of(found: object, who: str) -> Mapping[str, object]:
    """An object of JSON; a list of one object is taken for it.

    Raises
    ------
    BadSignal
        If it is neither.
    """
    one = found[0] if isinstance(found, list) and len(found) == 1 else found
    if not isinstance(one, dict):
        raise BadSignal(f"{who} answered JSON of an unknown form", fix=TRY_LATER)
    return one


def entries_of(found: object) -> Sequence[Mapping[str, object]]:
    """The objects in a list, or the one that stands for a list of one; none in anything else."""
    if isinstance(found, dict):
        return [found]
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def number(found: object) -> float | None:
    """A finite number, written as one or in quotes; None for all else, so it becomes a gap."""
    if isinstance(found, bool) or not isinstance(found, int | float | str):
        return None
    try:
        value = float(found)
    except (ValueError, OverflowError):
        return None
    return value if math.isfinite(value) else None


def moment(found: object) -> float | None:
    """A moment in any spelling of ISO 8601, in seconds or milliseconds since 1970. [s since 1970]

    One that names no time zone is UTC. None where it is no moment of our time.
    """
    value = number(found)
    if value is None:
        value = _iso(found) if isinstance(found, str) else None
    elif value > MILLISECONDS:
        value /= 1000
    return value if value is not None and FIRST_S <= value <= LAST_S else None


def _iso(text: str) -> float | None:
    from datetime import UTC, datetime

    try:
        found = datetime.fromisoformat(text.strip())
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def retry_after_s(answer: Answer, now_s: float) -> float | None:
    """How long to wait, where an answer says so in seconds or with a date. [s]"""
    text = next((value for name, value in answer.headers.items() if name.lower() == "retry-after"), "")
    seconds = number(text)
    if seconds is None and text:
        from email.utils import parsedate_to_datetime

        try:
            seconds = parsedate_to_datetime(text).timestamp() - now_s
        except (ValueError, TypeError, OverflowError):
            return None
    return None if seconds is None else max(seconds, 0.0)


def said(answer: Answer) -> str:
    """What a provider says about a refusal, in one harmless sentence; empty if it is a page, or nothing.

    They write it in many ways: ``message``, ``reason``, ``detail``, ``error`` with more inside.
    """
    try:
        document = json.loads(answer.body)
    except (ValueError, RecursionError):
        text = answer.body[:MOST_B].decode(errors="replace").strip()
        return "" if text.startswith("<") else harmless(text)
    return harmless(_sentence(document))


def _sentence(document: object) -> str:
    if isinstance(document, dict):
        words = ("message", "reason", "detail", "title", "error_description", "error", "errors")
        told = [_sentence(document[word]) for word in words if document.get(word) not in (None, True, False)]
        return next((one for one in told if one), "")
    if isinstance(document, list):
        return _sentence(document[0]) if document else ""
    return document if isinstance(document, str) else ""


def iso(moment_s: float) -> str:
    """A moment as all of them understand it: ``2024-03-06T19:00:00Z``."""
    from datetime import UTC, datetime

    return datetime.fromtimestamp(moment_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def harmless(text: str, most: int = MOST_TOLD) -> str:
    """A stranger's sentence on one line, cut, without control letters or markup."""
    plain = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    return plain if len(plain) <= most else f"{plain[: most - 3]}..."
