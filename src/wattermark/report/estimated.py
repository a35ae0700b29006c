"""An estimate as sections of rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from wattermark.report.numbers import ENERGY, TIME, Scale, digits, say, say_interval, scale_of
from wattermark.report.sheet import LABELS, Line, Section, driver_sentences, factor_sentence, quantities
from wattermark.values.estimate import Estimate
from wattermark.values.range import Range

AMOUNTS: Mapping[str, tuple[str, Scale | None]] = {
    "flops": ("work [FLOP]", None),
    "implied_mfu": ("utilisation of the peak", None),
    "accelerator_hours": ("accelerator hours", None),
    "experiment_hours": ("and of experiments", None),
    "wall_time_s": ("wall time", TIME),
    "accelerator_energy_per_request_j": ("accelerators, a request", ENERGY),
    "accelerator_energy_per_item_j": ("accelerators, one of them", ENERGY),
    "energy_per_request_j": ("facility, a request", ENERGY),
    "busy_time_per_request_s": ("replica time, a request", TIME),
    "busy_time_per_item_s": ("busy time, one of them", TIME),
    "replicas_busy": ("replicas, if never idle", None),
}
SORTS = {"carbon": "carbon_g", "water": "water_l", "energy": "facility_energy_j"}


def estimated(estimate: Estimate) -> tuple[Section, ...]:
    """Everything about an estimate."""
    return (
        Section("", tuple(_amounts(estimate))),
        *quantities(estimate.footprint),
        *(_unit(unit, ranges) for unit, ranges in estimate.per_unit.items() if estimate.units[unit] != 1),
        Section("what makes the intervals wide", sentences=tuple(driver_sentences(estimate.footprint))),
        Section("assumed", sentences=estimate.assumptions),
        Section("place", sentences=(" > ".join(estimate.footprint.place.steps),)),
        Section("factors", sentences=tuple(factor_sentence(one) for one in estimate.footprint.factors)),
        Section("to know", sentences=_flags(estimate)),
    )


def estimate_title(estimate: Estimate) -> str:
    """The one line over an estimate."""
    return f"estimate of {estimate.question.subject}"


def compared(rows: Iterable[tuple[str, Estimate]], *, by: str) -> list[tuple[str, ...]]:
    """Estimates as rows of a table, the least first."""
    quantity = SORTS[by]
    ordered = sorted(rows, key=lambda row: _best(row[1], quantity))
    return [(name, *_row(one)) for name, one in ordered]


HEADINGS = ("what if", "energy", "carbon", "90 %", "water", "90 %", "time")


def _row(one: Estimate) -> Iterator[str]:
    for name in ("facility_energy_j", "carbon_g", "water_l"):
        value = one.footprint.quantities()[name]
        yield say(value.best if value else None, scale_of(name))
        if name != "facility_energy_j":
            yield say_interval(value, scale_of(name))
    time = one.amounts.get("wall_time_s") or one.amounts.get("busy_time_per_request_s")
    yield say(time.best, TIME) if time else ""


def _best(estimate: Estimate, quantity: str) -> float:
    value = estimate.footprint.quantities()[quantity]
    return value.best if value else float("inf")


def _amounts(estimate: Estimate) -> Iterator[Line]:
    for name, (label, scale) in AMOUNTS.items():
        value = estimate.amounts.get(name)
        if value is not None:
            best, interval = _said(value, scale)
            yield Line(label, best, "" if value.is_exact else interval)


def _said(value: Range, scale: Scale | None) -> tuple[str, str]:
    if scale is not None:
        return say(value.best, scale), say_interval(value, scale)
    return _count(value.best), f"{_count(value.low)} - {_count(value.high)}"


def _count(value: float) -> str:
    return digits(value) if value < 1e7 else f"{value:.3g}"


def _unit(unit: str, ranges: Mapping[str, Range]) -> Section:
    lines = [
        Line(
            {"facility_energy_j": "facility energy", "carbon_g": "carbon", "water_l": "water"}.get(
                name, LABELS[name]
            ),
            say(value.best, scale_of(name)),
            say_interval(value, scale_of(name)),
        )
        for name, value in ranges.items()
    ]
    return Section(f"for one {unit}", tuple(lines))


def _flags(estimate: Estimate) -> tuple[str, ...]:
    return tuple(flag for flag in estimate.footprint.flags if not flag.startswith("assumed"))
