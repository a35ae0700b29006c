"""An estimate as sections of rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from wattermark.report.numbers import (
    ENERGY,
    TIME,
    Scale,
    bare,
    bare_interval,
    digits,
    one_unit,
    say,
    say_interval,
    scale_of,
)
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
    "accelerator_energy_per_token_j": ("accelerators, an output token", ENERGY),
    "accelerator_energy_per_item_j": ("accelerators, each", ENERGY),
    "energy_per_request_j": ("facility, a request", ENERGY),
    "busy_time_per_request_s": ("its share of replica time", TIME),
    "busy_time_per_item_s": ("its time on all accelerators", TIME),
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


Named = tuple[str, Estimate]
COMPARED = {"facility_energy_j": "energy", "carbon_g": "carbon", "water_l": "water"}
TIMES = ("wall_time_s", "busy_time_per_request_s", "busy_time_per_item_s")


def sorted_by(by: str, rows: Iterable[Named]) -> list[Named]:
    """Estimates, the least carbon, water or energy first."""
    return sorted(rows, key=lambda row: _best(row[1], SORTS[by]))


def compared(rows: Sequence[Named]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Headings and rows of a table; each quantity in one unit, so that its rows can be compared."""
    headings, columns = ["what if"], [[name for name, _ in rows]]
    for name, word in COMPARED.items():
        values = [one.footprint.quantities()[name] for _, one in rows]
        scale = one_unit(scale_of(name), [value.best for value in values if value])
        headings += [f"{word} {scale[0][1]}", "90 %"]
        columns.append([bare(value.best, scale) if value else "not known" for value in values])
        columns.append([bare_interval(value, scale) for value in values])
    times = [_time(one) for _, one in rows]
    if any(times):
        headings, columns = [*headings, "time"], [*columns, times]
    return tuple(headings), list(zip(*columns, strict=True))


def notes_of(rows: Sequence[Named]) -> Section:
    """What was assumed of all, and of single rows, so that a table leaves nothing out."""
    every = dict.fromkeys(note for _, one in rows for note in one.assumptions)
    told = []
    for note in every:
        of = [name for name, one in rows if note in one.assumptions]
        told.append(note if len(of) == len(rows) else f"{' / '.join(of)}: {note}")
    return Section("assumed", sentences=tuple(told))


def refusals(refused: Mapping[str, Exception]) -> Iterator[Section]:
    """The rows that cannot be, and why."""
    if refused:
        told = tuple(f"{name}: {error}" for name, error in refused.items())
        yield Section("not possible", sentences=told)


def _time(one: Estimate) -> str:
    time = next((one.amounts[name] for name in TIMES if name in one.amounts), None)
    return say(time.best, TIME) if time else ""


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
    return digits(value.best), f"{digits(value.low)} - {digits(value.high)}"


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
