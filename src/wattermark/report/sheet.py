"""A footprint as sections of rows, for whoever paints them: a terminal, a page, a notebook."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wattermark.report.numbers import ENERGY, TIME, WATER, say, say_interval, scale_of
from wattermark.values.factors import Factor
from wattermark.values.footprint import Component, Footprint
from wattermark.values.kinds import Quality

if TYPE_CHECKING:
    from wattermark.values.records import Recorded

LABELS = {
    "it_energy_j": "IT energy",
    "facility_energy_j": "facility energy",
    "carbon_operational_g": "operational, location-based",
    "carbon_embodied_g": "embodied",
    "carbon_g": "carbon in all",
    "carbon_market_g": "operational, market-based",
    "water_onsite_l": "on site",
    "water_offsite_thermal_l": "off site, thermal plants",
    "water_offsite_hydro_l": "off site, hydropower",
    "water_embodied_l": "embodied",
    "water_l": "water in all",
    "water_scarcity_m3eq": "weighted by scarcity",
}
QUALITY = {
    Quality.MEASURED: "measured",
    Quality.MODELLED: "modelled",
    Quality.MISSING: "not seen",
}
MOST_SPANS = 12
_PLAIN_KEYS = ("default", "given", "this run")


@dataclass(frozen=True, slots=True)
class Line:
    """A label, a best value, its interval and a remark; ``strong`` for sums."""

    label: str
    best: str = ""
    interval: str = ""
    note: str = ""
    strong: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """A title over lines, or over plain sentences."""

    title: str
    lines: tuple[Line, ...] = ()
    sentences: tuple[str, ...] = ()


def filled(sections: Iterable[Section]) -> tuple[Section, ...]:
    """Those that hold something: a heading over nothing looks as if something were lost."""
    return tuple(section for section in sections if section.lines or section.sentences)


def title(recorded: Recorded, footprint: Footprint) -> str:
    """The one line over a run."""
    detail = f" ({recorded.detail})" if recorded.detail else ""
    return f"{recorded.header.name}  {recorded.status}{detail}  {say(footprint.duration_s, TIME)}"


def summary(footprint: Footprint) -> Section:
    """What everybody wants to know: energy, carbon, water."""
    names = ("it_energy_j", "carbon_g", "water_l")
    words = {"it_energy_j": "energy", "carbon_g": "carbon", "water_l": "water"}
    lines = [_quantity(footprint, name, label=words[name], strong=True) for name in names]
    return Section("", tuple(lines), sentences=tuple(_short_flags(footprint)))


def sheet(recorded: Recorded, footprint: Footprint) -> tuple[Section, ...]:
    """Everything about a run."""
    return (
        *quantities(footprint),
        *_spans(footprint),
        Section("what makes the intervals wide", sentences=tuple(driver_sentences(footprint))),
        Section("place", sentences=tuple(_place(recorded, footprint))),
        Section("factors", sentences=tuple(factor_sentence(factor) for factor in footprint.factors)),
        Section("to know", sentences=footprint.flags),
    )


def quantities(footprint: Footprint) -> tuple[Section, ...]:
    """Energy by parts, carbon and water."""
    return (
        Section(
            "energy", (*_components(footprint), *_quantities(footprint, "it_energy_j", "facility_energy_j"))
        ),
        Section(
            "carbon (CO2e)",
            tuple(
                _quantities(
                    footprint, "carbon_operational_g", "carbon_embodied_g", "carbon_g", "carbon_market_g"
                )
            ),
        ),
        Section(
            "water (consumed)",
            tuple(
                _quantities(
                    footprint,
                    "water_onsite_l",
                    "water_offsite_thermal_l",
                    "water_offsite_hydro_l",
                    "water_embodied_l",
                    "water_l",
                    "water_scarcity_m3eq",
                )
            ),
        ),
    )


def factor_sentence(factor: Factor) -> str:
    """A factor with its papers: value, interval, year, basis, sources."""
    value = factor.value
    unit = "" if factor.unit == "1" else f" {factor.unit}"
    interval = "" if value.is_exact else f" ({value.low:.3g} - {value.high:.3g})"
    where = "" if factor.key in _PLAIN_KEYS or factor.key in factor.name else f" @ {factor.key}"
    papers = [
        str(factor.year or ""),
        "" if factor.basis == "-" else factor.basis,
        factor.source.replace("+", " + "),
    ]
    return f"{factor.name}{where} = {value.best:.4g}{unit}{interval}; {', '.join(filter(None, papers))}"


def _quantities(footprint: Footprint, *names: str) -> Iterator[Line]:
    for name in names:
        yield _quantity(
            footprint, name, label=LABELS[name], strong=name in ("it_energy_j", "carbon_g", "water_l")
        )


def _quantity(footprint: Footprint, name: str, *, label: str, strong: bool) -> Line:
    value, scale = footprint.quantities()[name], scale_of(name)
    best = say(value.best if value else None, scale)
    return Line(label, best, say_interval(value, scale), _note(footprint, name), strong)


def _note(footprint: Footprint, name: str) -> str:
    if name == "carbon_operational_g":
        return footprint.boundary.ci_basis
    if name == "water_onsite_l":
        basis = next((factor.basis for factor in footprint.factors if factor.name == "wue"), "-")
        return "as withdrawn" if basis == "withdrawal" else ""
    if name == "water_scarcity_m3eq":
        level = next((factor.note for factor in footprint.factors if factor.name == "scarcity_site"), "")
        return level
    return ""


def _components(footprint: Footprint) -> Iterator[Line]:
    for component in footprint.components:
        value = component.energy_j
        best = say(value.best, ENERGY) if value else "-"
        counted = "" if component.counted else ", not added"
        yield Line(component.name, best, say_interval(value, ENERGY), QUALITY[component.quality] + counted)
    yield from _rest(footprint.components)


def _rest(components: Iterable[Component]) -> Iterator[Line]:
    """What the machine took besides, so that nobody thinks it was forgotten."""
    for component in components:
        if component.counted and (component.others_energy_j or component.idle_energy_j):
            yield Line(
                f"  {component.name}: idle",
                say(component.idle_energy_j, ENERGY),
                f"others {say(component.others_energy_j, ENERGY)}",
                "not added",
            )


def _spans(footprint: Footprint) -> Iterator[Section]:
    if not footprint.spans:
        return
    shown = footprint.spans[-MOST_SPANS:]
    lines = [
        Line(
            f"{span.name} {span.label}".strip(),
            say(span.it_energy_j, ENERGY),
            say(span.duration_s, TIME),
            f"water {say(span.water_operational_l, WATER)}"
            if span.water_operational_l is not None
            else span.note,
        )
        for span in shown
    ]
    hidden = len(footprint.spans) - len(shown)
    more = (f"{hidden} earlier spans are in --json",) if hidden else ()
    yield Section("spans (IT energy, time)", tuple(lines), more)


def driver_sentences(footprint: Footprint) -> Iterator[str]:
    """Of each main quantity, the factors that make its interval wide."""
    for name, word in (("it_energy_j", "energy"), ("carbon_g", "carbon"), ("water_l", "water")):
        mine = [driver for driver in footprint.drivers if driver.quantity == name]
        if mine:
            yield f"{word}: " + ", ".join(f"{driver.factor} {driver.share:.0%}" for driver in mine)


def _place(recorded: Recorded, footprint: Footprint) -> Iterator[str]:
    yield " > ".join(footprint.place.steps)
    if footprint.place.asked == recorded.header.place:
        yield f"known from: {recorded.header.place_from}"


def _short_flags(footprint: Footprint) -> Iterator[str]:
    """Flags that a summary must not leave out; the rest is in show."""
    loud = (
        "gap",
        "place-unknown",
        "place-guessed",
        "interrupted",
        "nothing-seen",
        "spool-damaged",
        "beats-lost",
        "fault",
    )
    modelled = [component.name for component in footprint.components if component.quality is Quality.MODELLED]
    if modelled:
        yield f"modelled, not measured: {', '.join(modelled)}"
    for flag in footprint.flags:
        if flag.partition(":")[0] in loud:
            yield flag
