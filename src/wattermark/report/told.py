"""What providers told, as rows, sentences and a document."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import pairwise

from wattermark.report.numbers import TIME, digits, say
from wattermark.values.factors import Place
from wattermark.values.series import Series
from wattermark.values.told import LeadError, Told

HEADINGS = ("signal", "by", "now", "age", "ahead", "error by day")
NOBODY = (
    "No provider is set, and nobody is asked: plans do with what is known of the place without a key.",
    "To hear the hours: wattermark config set signals uk (Great Britain, without a key), or entsoe, eia,"
    " electricity_maps, watttime, carbon_aware_sdk, open_meteo. See docs/signals.md",
)
NOTHING_HERE = "None of the providers that are set tells of this place."
NOT_YET = "not known"
LEAST_AGE_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """What is set for a place, and what it said. ``asked`` None is where we are."""

    asked: str | None
    place: Place
    now_s: float
    providers: tuple[str, ...]
    told: tuple[Told, ...]


def told_rows(overview: Overview) -> list[tuple[str, ...]]:
    """A row for each signal of each provider, as of ``HEADINGS``."""
    return [_row(one, overview.now_s) for one in overview.told]


def told_sentences(overview: Overview) -> Iterator[str]:
    """What is to be said beside the rows."""
    if not overview.providers:
        yield from NOBODY
    elif not overview.told:
        yield NOTHING_HERE
    for one in overview.told:
        for flag in (*(one.series.flags if one.series else ()), *one.flags):
            yield f"{one.provider}, {one.signal.value}: {flag}"


def told_document(overview: Overview) -> dict[str, object]:
    """All of it, for programs."""
    return {
        "place": {"asked": overview.asked, "resolved": overview.place.resolved, "name": overview.place.name},
        "now_s": overview.now_s,
        "providers": list(overview.providers),
        "signals": [_document(one, overview.now_s) for one in overview.told],
    }


def _row(one: Told, now_s: float) -> tuple[str, ...]:
    by = f"{one.provider} {one.zone}"
    if one.series is None:
        return (one.signal.value, by, "-", "-", "-", "-")
    value = value_at(one.series, now_s)
    basis = one.series.basis
    return (
        one.signal.value + (f", {basis}" if basis and basis not in one.signal.value else ""),
        by,
        "-" if value is None else f"{digits(value)} {one.series.unit}",
        _short(_age_s(one.series, now_s)),
        _short(max(one.series.end_s - now_s, 0.0)),
        _errors(one.errors),
    )


def _short(length_s: float | None) -> str:
    """A length of time; below a minute is none."""
    return "0 min" if length_s is not None and length_s < LEAST_AGE_S else say(length_s, TIME)


def _errors(errors: tuple[LeadError, ...]) -> str:
    if all(one.error is None for one in errors):
        return NOT_YET
    return ", ".join("-" if one.error is None else f"{digits(100 * one.error)} %" for one in errors)


def _document(one: Told, now_s: float) -> dict[str, object]:
    series = one.series
    found: dict[str, object] = {
        "signal": one.signal.value,
        "provider": one.provider,
        "zone": one.zone,
        "flags": [*(series.flags if series else ()), *one.flags],
        "forecast_errors": [asdict(error) for error in one.errors],
    }
    if series is None:
        return {**found, "source": None, "now": None, "unit": None, "steps": []}
    return {
        **found,
        "source": series.source,
        "basis": series.basis,
        "unit": series.unit,
        "now": value_at(series, now_s),
        "issued_s": series.issued_s,
        "fetched_s": series.fetched_s,
        "age_s": _age_s(series, now_s),
        "begin_s": series.begin_s,
        "end_s": series.end_s,
        "forecast_from_s": series.forecast_from_s,
        "edges_s": list(series.edges_s),
        "values": list(series.values),
    }


def value_at(series: Series, moment_s: float) -> float | None:
    """What it says of a moment; None in a gap, and outside."""
    steps = zip(pairwise(series.edges_s), series.values, strict=True)
    return next((value for (begin_s, end_s), value in steps if begin_s <= moment_s < end_s), None)


def _age_s(series: Series, now_s: float) -> float | None:
    made_s = series.issued_s if series.issued_s is not None else series.fetched_s
    return None if made_s is None else max(now_s - made_s, 0.0)
