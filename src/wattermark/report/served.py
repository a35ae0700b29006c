"""What requests took, as a document, as a table, as sections and as CSV."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from typing import Any, Final

from wattermark.report.numbers import COUNT, ENERGY, say, say_interval, scale_of
from wattermark.report.sheet import Line, Section
from wattermark.values.range import Range
from wattermark.values.served import Outcome
from wattermark.values.serving_report import (
    Basis,
    Ledgers,
    ServedRow,
    ServedSide,
    ServedWhatIf,
    ServingReport,
)

SERVING_SCHEMA: Final = 1
Document = dict[str, Any]
Moment = Callable[[float], str]
"""From seconds since 1970 to a text."""
HEADINGS = ("", "requests", "in", "out", "energy", "carbon", "water", "a request", "1000 tokens", "idle")
SPREAD_HEADINGS = ("IT energy of a request", "p50", "p90", "p99", "cached", "reasoning", "quality")
RIGHT, SPREAD_RIGHT = range(1, 10), range(1, 6)
MAIN = {"it_energy_j": "energy", "carbon_g": "carbon", "water_l": "water"}
EQUAL: Final = 1e-9
"""What two sums of the same joules may differ by, over either."""
CSV_QUANTITIES = ("it_energy_j", "facility_energy_j", "carbon_g", "carbon_market_g", "water_l")


def serving_document(report: ServingReport, moment: Moment) -> Document:
    """All of a report; what is unknown is null."""
    return {
        "schema": SERVING_SCHEMA,
        "serving": {
            "by": report.by.value,
            "idle": report.idle.value,
            "active_idle": report.active_idle.value,
            **{basis.value: None for basis in Basis},
            **{side.basis.value: _side(side, moment) for side in report.sides},
            "what_if": [_what_if_document(one) for one in report.what_if],
            "flags": list(report.flags),
        },
    }


def _side(side: ServedSide, moment: Moment) -> Document:
    return {
        "runs": list(side.runs),
        "place": side.place,
        "rows": [_row_document(row) for row in side.rows],
        "idle": None if side.idle is None else _row_document(side.idle),
        "total": _row_document(side.total),
        "meter_j": side.meter_j,
        "sum_j": sum_j(side),
        "hours": [
            {"begin": moment(hour.begin_s), "energy_j": dict(hour.by_row_j), "idle_energy_j": hour.idle_j}
            for hour in side.hours
        ],
        "flags": list(side.flags),
    }


def sum_j(side: ServedSide) -> float | None:
    """IT energy of all rows together, to be seen beside what the meters saw; None where none is known."""
    known = [value.best for row in side.every_row if (value := row.quantities.get("it_energy_j"))]
    return sum(known) if known else None


def _row_document(row: ServedRow) -> Document:
    return {
        "name": row.name,
        "outcome": row.outcome.value if row.outcome else None,
        **asdict(row.tally),
        "footprint": {name: _range(value) for name, value in row.quantities.items()},
        "per": {unit: {name: _range(value) for name, value in of.items()} for unit, of in row.per.items()},
        "ledgers": asdict(row.ledgers) if row.ledgers else None,
        "idle_share": idle_share(row.ledgers),
        "energy_per_request_j": asdict(row.spread) if row.spread else None,
        "quality": row.quality,
    }


def _what_if_document(one: ServedWhatIf) -> Document:
    return {
        "basis": one.basis.value,
        "asked": dict(one.asked),
        "now": {name: _range(value) for name, value in one.now.items()},
        "then": {name: _range(value) for name, value in one.then.items()},
        "flags": list(one.flags),
    }


def _range(value: Range | None) -> Document | None:
    return None if value is None else {"low": value.low, "best": value.best, "high": value.high}


def idle_share(ledgers: Ledgers | None) -> dict[str, float] | None:
    """What parts of an energy are rest, while somebody ran and while nobody did. [1]"""
    if ledgers is None:
        return None
    whole_j = ledgers.dynamic_j + ledgers.active_idle_j + ledgers.provisioned_idle_j
    if not whole_j > 0:
        return None
    return {"active": ledgers.active_idle_j / whole_j, "provisioned": ledgers.provisioned_idle_j / whole_j}


def serving_rows(side: ServedSide) -> list[tuple[str, ...]]:
    """The main table of a side, under ``HEADINGS``; the whole last."""
    return [_cells(row) for row in (*side.every_row, side.total)]


def spread_rows(side: ServedSide) -> list[tuple[str, ...]]:
    """Percentiles of a side, under ``SPREAD_HEADINGS``."""
    return [_spread_cells(row) for row in (*side.rows, side.total) if row.spread is not None]


def named(row: ServedRow) -> str:
    """A row's name, with how its requests ended where that was not well."""
    return row.name if row.outcome in (None, Outcome.OK) else f"{row.name} ({row.outcome})"


def _cells(row: ServedRow) -> tuple[str, ...]:
    tally, idle = row.tally, idle_share(row.ledgers)
    is_idle = row.outcome is None and not tally.requests
    many = (
        f"{tally.requests:,}" if tally.known == tally.requests else f"{tally.known:,} of {tally.requests:,}"
    )
    return (
        named(row),
        "" if is_idle else many,
        "" if is_idle else _count(tally.input_tokens),
        "" if is_idle else _count(tally.output_tokens),
        _said(row.quantities, "it_energy_j"),
        _said(row.quantities, "carbon_g"),
        _said(row.quantities, "water_l"),
        _said(row.per.get("request", {}), "it_energy_j") if row.per else "",
        _said(row.per.get("1000 tokens", {}), "it_energy_j") if "1000 tokens" in row.per else "",
        "" if idle is None else f"{idle['active']:.0%} + {idle['provisioned']:.0%}",
    )


def _said(quantities: Mapping[str, Range | None], name: str) -> str:
    value = quantities.get(name)
    return say(value.best if value else None, scale_of(name))


def _count(tokens: float) -> str:
    return say(tokens, COUNT).strip()


def _spread_cells(row: ServedRow) -> tuple[str, ...]:
    assert row.spread is not None
    return (
        named(row),
        *(say(value, ENERGY) for value in (row.spread.p50_j, row.spread.p90_j, row.spread.p99_j)),
        _count(row.tally.cached_tokens),
        _count(row.tally.reasoning_tokens),
        row.quality,
    )


def side_title(side: ServedSide) -> str:
    """The one line over a side."""
    runs = side.runs[0] if len(side.runs) == 1 else f"{len(side.runs)} runs"
    return f"{side.basis.value}: {runs}"


def side_sections(side: ServedSide) -> tuple[Section, ...]:
    """What stands under the tables of a side: its sums with intervals, and what there is to know."""
    return (
        Section("in all, for one request, and for 1,000 tokens", tuple(_sums(side))),
        Section("who it adds up to", sentences=tuple(_adds_up(side))),
        Section("place", sentences=(side.place,) if side.place else ()),
        Section("to know", sentences=side.flags),
    )


def _sums(side: ServedSide) -> Iterator[Line]:
    total = side.total
    for name, word in MAIN.items():
        yield _line(word, total.quantities.get(name), name, strong=True)
    for unit, of in total.per.items():
        for name, word in MAIN.items():
            yield _line(f"{word}, {_unit(unit)}", of.get(name), name)


def _unit(unit: str) -> str:
    return {"request": "a request"}.get(unit, unit.replace("1000", "1,000"))


def _line(label: str, value: Range | None, name: str, *, strong: bool = False) -> Line:
    scale = scale_of(name)
    return Line(label, say(value.best if value else None, scale), say_interval(value, scale), strong=strong)


def _adds_up(side: ServedSide) -> Iterator[str]:
    summed_j = sum_j(side)
    if side.meter_j is None or summed_j is None:
        return
    rows, meters = say(summed_j, ENERGY), say(side.meter_j, ENERGY)
    if abs(summed_j - side.meter_j) <= EQUAL * max(summed_j, side.meter_j):
        yield f"all rows together take {rows} of IT energy, which is what the meters saw: {meters}"
    else:
        yield f"all rows together take {rows} of IT energy, but the meters saw {meters}: please report this"


def what_if_section(one: ServedWhatIf) -> Section:
    """What would change, and by what that is known."""
    asked = ", ".join(f"{word} = {value}" for word, value in one.asked.items())
    lines = tuple(_changed(one, name, word) for name, word in MAIN.items())
    return Section(f"what if {asked} ({one.basis.value})", lines, sentences=one.flags)


def _changed(one: ServedWhatIf, name: str, word: str) -> Line:
    then, now = one.then.get(name), one.now.get(name)
    if then is None or now is None or not now.best > 0:
        return _line(word, then, name)
    change = then.best / now.best - 1
    scale = scale_of(name)
    note = f"{change:+.0%}; now {say(now.best, scale)}"
    return Line(word, say(then.best, scale), say_interval(then, scale), note)


def serving_csv(report: ServingReport) -> list[tuple[object, ...]]:
    """Heads and rows for a spreadsheet: a line a row of each side, empty where something is unknown."""
    tally = tuple(asdict(report.sides[0].total.tally)) if report.sides else ()
    heads: list[object] = ["basis", "name", "outcome", *tally]
    heads += [f"{name}_{end}" for name in CSV_QUANTITIES for end in ("low", "best", "high")]
    heads += ["dynamic_j", "active_idle_j", "provisioned_idle_j", "p50_j", "p90_j", "p99_j", "quality"]
    return [tuple(heads), *(_csv_row(side.basis, row) for side in report.sides for row in side.every_row)]


def _csv_row(basis: Basis, row: ServedRow) -> tuple[object, ...]:
    ends = [value.ends if (value := row.quantities.get(name)) else ("", "", "") for name in CSV_QUANTITIES]
    return (
        basis.value,
        row.name,
        row.outcome.value if row.outcome else "",
        *asdict(row.tally).values(),
        *(end for three in ends for end in three),
        *(asdict(row.ledgers).values() if row.ledgers else ("", "", "")),
        *(asdict(row.spread).values() if row.spread else ("", "", "")),
        row.quality,
    )
