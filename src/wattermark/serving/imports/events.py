"""A record of somebody else as a request of ours, or the reason why it is none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from wattermark.serving.imports.formats import Format
from wattermark.serving.names import printable
from wattermark.values.served import Outcome, Route, Served, Usage
from wattermark.values.units import NS_PER_S

Moment = Callable[[Any], float | None]
"""From a cell to seconds since 1970; None if it is no time."""
MOST_TOKENS = 2**53
MOST_TIME_S = 4e9
"""In the year 2096; a whole number of nanoseconds holds no time beyond 2262. [s]"""
ROUTES = (
    ("embed", Route.EMBEDDINGS),
    ("rerank", Route.RERANK),
    ("responses", Route.RESPONSES),
    ("chat", Route.CHAT),
    ("messages", Route.CHAT),
    ("converse", Route.CHAT),
    ("generatecontent", Route.CHAT),
    ("completion", Route.COMPLETIONS),
    ("invokemodel", Route.COMPLETIONS),
)
BAD = ("error", "fail", "failure", "failed", "2", "status_code_error")


@dataclass(frozen=True, slots=True)
class Passed:
    """A record that is no request: why, in words that many records share."""

    why: str


def event_of(
    fields: Mapping[str, Any], kept: Format, moment: Moment, hashed: Callable[[str], str]
) -> Served | Passed:
    """One request, with times in nanoseconds since 1970.

    Parameters
    ----------
    fields : mapping
        Of a record, flat.
    kept : Format
        Whose words they are.
    moment, hashed : callable
        Understand a time, and hide who asked.
    """
    if kept.only_if and not _is_request(fields, kept):
        return Passed("no request to a model")
    told = {name: _first(fields, names) for name, names in kept.fields.items()}
    begin_s = _possible(moment(told.get("begin")))
    if begin_s is None:
        return Passed("no time that can be meant")
    lasted_s, first_s = _length_s(told, kept, begin_s, moment)
    usage, unknown = _usage(told, kept)
    failed = _failed(told)
    model = _word(told.get("model"))
    return Served(
        begin_ns=_ns(begin_s),
        end_ns=_ns(begin_s + lasted_s),
        first_ns=None if first_s is None else _ns(min(max(first_s, begin_s), begin_s + lasted_s)),
        usage=usage,
        model=model,
        tenant=hashed(_word(told.get("tenant"))) if told.get("tenant") else "",
        route=_route(_word(told.get("route"))),
        provider=_word(told.get("provider")).lower() or kept.provider,
        status=_status(told.get("status")),
        outcome=Outcome.FAILED if failed else Outcome.OK,
        many=max(_count(told.get("many")) or 1, 1),
        unknown=(*unknown, *(() if model else ("model: the export tells none",))),
    )


def _is_request(fields: Mapping[str, Any], kept: Format) -> bool:
    if "operation" in kept.only_if:
        return any(name in fields for name in kept.only_if["operation"])
    kind = _first(fields, kept.only_if["kind"])
    return kind is None or str(kind).upper() in ("GENERATION", "EMBEDDING")


def _first(fields: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    return next((fields[name] for name in names if fields.get(name) not in (None, "")), None)


def _length_s(
    told: Mapping[str, Any], kept: Format, begin_s: float, moment: Moment
) -> tuple[float, float | None]:
    """How long it took, and when its first token came, as far as that is told. [s]"""
    end_s, first_s = _possible(moment(told.get("end"))), moment(told.get("first"))
    if first_s is None and (after := _number(told.get("first_after"))) is not None:
        first_s = begin_s + after * kept.seconds_per
    if end_s is None:
        lasted = _number(told.get("lasted"))
        end_s = None if lasted is None else _possible(begin_s + lasted * kept.seconds_per)
    return (0.0 if end_s is None else max(end_s - begin_s, 0.0)), first_s


def _possible(time_s: float | None) -> float | None:
    """A time, if a request can have been then; not all that is written like one is meant."""
    return time_s if time_s is not None and 0 <= time_s <= MOST_TIME_S else None


def _usage(told: Mapping[str, Any], kept: Format) -> tuple[Usage, tuple[str, ...]]:
    if str(told.get("hit")).lower() in ("true", "1"):
        return Usage(input_tokens=0, output_tokens=0), ("cache hit: the gateway answered, and no model ran",)
    counts = {
        name: _count(told.get(name))
        for name in ("input", "output", "cached", "created", "created_longer", "reasoning")
    }
    read, written = counts["input"], counts["output"]
    if read is not None:
        read += sum(counts[name] or 0 for name in kept.apart)
    if written is not None:
        written += sum(counts[name] or 0 for name in kept.written_apart)
    usage = Usage(
        input_tokens=read,
        output_tokens=written,
        cached_tokens=counts["cached"],
        reasoning_tokens=counts["reasoning"],
    )
    return usage, (() if usage.is_known else ("usage: the export tells none",))


def _failed(told: Mapping[str, Any]) -> bool:
    status = told.get("status")
    number = _status(status)
    return bool(told.get("error")) or str(status).lower() in BAD or (number is not None and number >= 400)


def _status(value: Any) -> int | None:
    number = _count(value)
    return number if number is not None and 100 <= number <= 599 else None


def _route(word: str) -> Route:
    plain = word.lower().replace("_", "")
    return next((route for part, route in ROUTES if part in plain), Route.OTHER if plain else Route.CHAT)


def _word(value: Any) -> str:
    return "" if value is None else printable(str(value))


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if 0 <= number < MOST_TOKENS else None


def _count(value: Any) -> int | None:
    number = None if isinstance(value, bool) else _number(value)
    return int(number) if number is not None and number == int(number) else None


def _ns(time_s: float) -> int:
    return round(time_s * NS_PER_S)
