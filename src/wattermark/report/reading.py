"""From the JSON of a run or of an estimate back to what a report is about. Strict: it comes from outside."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from wattermark.errors import UsageError
from wattermark.values.estimate import Estimate, Question
from wattermark.values.factors import Factor, Place
from wattermark.values.footprint import QUANTITIES, SCHEMA, Boundary, Component, Driver, Footprint
from wattermark.values.kinds import Quality, Scope
from wattermark.values.range import Range
from wattermark.values.subject import Subject

T = TypeVar("T")
KINDS = ("training", "inference", "embedding", "image", "video", "api")
MOST = 1e40
FIX = "Make it with: wattermark estimate ... --json, or wattermark show RUN --json"


def subject_from(document: object) -> Subject:
    """A document of ``estimate --json`` or ``show --json`` as the subject of a report.

    Parameters
    ----------
    document : object
        What a JSON parser made of it.

    Raises
    ------
    UsageError
        If it is not one of ours; it names the key.
    """
    whole = _mapping(document, "the document")
    if whole.get("schema") != SCHEMA:
        raise _bad(f"its schema is {whole.get('schema')!r}, not {SCHEMA}")
    footprint = _footprint(whole)
    if "estimate" in whole:
        return Subject.of_estimate(_estimate(_mapping(whole["estimate"], "estimate"), footprint))
    run = _mapping(_get(whole, "run"), "run")
    return Subject.of_run(_text(run, "name"), footprint)


def _estimate(told: Mapping[str, Any], footprint: Footprint) -> Estimate:
    """An estimate as far as reports need it."""
    flops = None if told.get("flops") is None else Range.exact(_number(told, "flops"))
    amounts = {"flops": flops, "wall_time_s": _range(told.get("wall_time_s"), "estimate.wall_time_s")}
    units = _mapping(_get(told, "units"), "units")
    question = Question(
        kind=_kind(told),
        subject=_text(told, "subject"),
        hardware=_text(told, "hardware"),
        job=_mapping(_get(told, "job"), "job"),
        units={unit: _many(units, unit) for unit in units},
        assumptions=_texts(told, "assumptions"),
    )
    return Estimate(
        question=question,
        footprint=footprint,
        amounts={name: value for name, value in amounts.items() if value is not None},
        per_unit={},
    )


def _kind(told: Mapping[str, Any]) -> str:
    kind = _text(told, "kind")
    if kind not in KINDS:
        raise _bad(f"kind is {kind!r:.40}")
    return kind


def _footprint(whole: Mapping[str, Any]) -> Footprint:
    told = _mapping(_get(whole, "footprint"), "footprint")
    quantities: dict[str, Any] = {name: _range(_get(told, name), f"footprint.{name}") for name in QUANTITIES}
    boundary = _mapping(_get(whole, "boundary"), "boundary")
    return Footprint(
        **quantities,
        duration_s=_number(whole, "duration_s"),
        boundary=Boundary(
            _word(boundary, "scope", Scope), _texts(boundary, "parts"), _text(boundary, "ci_basis")
        ),
        components=_each(whole, "components", _component),
        place=_place(_mapping(_get(whole, "place"), "place")),
        factors=_each(whole, "factors", _factor),
        drivers=_each(whole, "drivers", _driver),
        flags=_texts(whole, "flags"),
    )


def _component(told: Mapping[str, Any]) -> Component:
    return Component(
        name=_text(told, "name"),
        kind=_text(told, "kind"),
        quality=_word(told, "quality", Quality),
        energy_j=_range(_get(told, "energy_j"), "energy_j of a component"),
        counted=told.get("counted") is not False,
        device=_text(told, "device"),
    )


def _place(told: Mapping[str, Any]) -> Place:
    asked = told.get("asked")
    return Place(
        asked=asked if isinstance(asked, str) else None,
        resolved=_text(told, "resolved"),
        name=_text(told, "name"),
        steps=_texts(told, "steps"),
        grid=_text(told, "grid"),
        scarcity_site=_text(told, "scarcity_site"),
        scarcity_grid=_text(told, "scarcity_grid"),
        flags=_texts(told, "flags"),
    )


def _factor(told: Mapping[str, Any]) -> Factor:
    value = _range(_get(told, "value"), "value of a factor")
    if value is None:
        raise _bad("a factor has no value")
    year = told.get("year")
    return Factor(
        name=_text(told, "name"),
        value=value,
        unit=_text(told, "unit"),
        key=_text(told, "key"),
        year=year if isinstance(year, int) else 0,
        basis=_text(told, "basis"),
        source=_text(told, "source"),
    )


def _driver(told: Mapping[str, Any]) -> Driver:
    share = _number(told, "share")
    return Driver(quantity=_text(told, "quantity"), factor=_text(told, "factor"), share=share)


# -- one value -------------------------------------------------------------------------


def _bad(why: str) -> UsageError:
    return UsageError(f"this is no footprint of ours: {why}", fix=FIX)


def _get(told: Mapping[str, Any], key: str) -> Any:
    if key not in told:
        raise _bad(f"{key!r} is missing")
    return told[key]


def _mapping(value: object, name: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise _bad(f"{name} is no object")
    return value


def _text(told: Mapping[str, Any], key: str) -> str:
    value = _get(told, key)
    if not isinstance(value, str):
        raise _bad(f"{key} is {value!r:.40}, not a text")
    return " ".join(value.split())


def _texts(told: Mapping[str, Any], key: str) -> tuple[str, ...]:
    value = _get(told, key)
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise _bad(f"{key} is no list of texts")
    return tuple(value)


def _number(told: Mapping[str, Any], key: str) -> float:
    value = _get(told, key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= MOST:
        raise _bad(f"{key} is {value!r:.40}, not a number that can be")
    return float(value)


def _many(told: Mapping[str, Any], key: str) -> float:
    value = _number(told, key)
    if not value > 0:
        raise _bad(f"{key} is {value:g}, not above 0")
    return value


def _range(value: object, name: str) -> Range | None:
    if value is None:
        return None
    ends = [_number(_mapping(value, name), end) for end in ("low", "best", "high")]
    if min(ends) < 0:
        raise _bad(f"{name} is below 0")
    try:
        return Range(*ends)
    except ValueError as error:
        raise _bad(f"{name}: {error}") from error


def _word(told: Mapping[str, Any], key: str, words: Callable[[str], T]) -> T:
    text = _text(told, key)
    try:
        return words(text)
    except ValueError as error:
        raise _bad(f"{key} is {text!r:.40}") from error


def _each(whole: Mapping[str, Any], key: str, read: Callable[[Mapping[str, Any]], T]) -> tuple[T, ...]:
    value = _get(whole, key)
    if not isinstance(value, list):
        raise _bad(f"{key} is no list")
    return tuple(read(_mapping(one, f"one of {key}")) for one in value)
