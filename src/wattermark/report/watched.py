"""A watch over engines as lines for people and as a document: what is left unexplained stands beside."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from wattermark.report.numbers import CARBON, COUNT, ENERGY, POWER, TIME, WATER, digits, say, say_interval
from wattermark.report.sheet import Line, Section, filled
from wattermark.values.kinds import Quality
from wattermark.values.range import Range
from wattermark.values.units import NS_PER_S
from wattermark.values.watched import Coefficient, Watched, WatchedEngine, WatchedWindow

if TYPE_CHECKING:
    from wattermark.values.footprint import Footprint

PER = 1000
"""Tokens are told by the thousand, where carbon and water of one would be too small to read."""
HARD = 30.0
"""Columns whose condition is larger can hardly be told apart. [1]"""
SAID = {Quality.MODELLED: "estimated", Quality.MISSING: "no meter"}
NO_METER = (
    "no meter saw the engine, and either its model or its accelerator is not known: tokens only."
    " Give --model and --gpu for an estimate, or see: wattermark doctor"
)


COLUMNS = (
    ("power", 8),
    ("in/s", 8),
    ("out/s", 8),
    ("J a token in", 13),
    ("and out", 9),
    ("idle", 7),
    ("residual", 9),
    ("R2", 6),
)
"""What a line of a window tells, and how wide. [letters]"""


def window_heading() -> str:
    """What stands over the lines of windows."""
    return "".join(name.rjust(width) for name, width in COLUMNS)


def window_line(found: Watched) -> str:
    """The last window: power, tokens, joules by token, idle, and how well all windows are explained."""
    if not found.windows:
        return "no window yet"
    window = found.windows[-1]
    length_s = (window.end_ns - window.begin_ns) / NS_PER_S
    cells = (
        "-" if window.energy_j is None else say(window.energy_j / length_s, POWER),
        _rate(window.read_tokens, length_s),
        _rate(window.written_tokens, length_s),
        _each(window.input_j, window.read_tokens, window),
        _each(window.output_j, window.written_tokens, window),
        _part(window.active_idle_j + window.provisioned_idle_j, window.energy_j),
        _part(window.residual_j, window.energy_j, sign=True),
        _r2(found.r2),
    )
    line = "".join(cell.rjust(width) for cell, (_, width) in zip(cells, COLUMNS, strict=True))
    return line if found.quality is Quality.MEASURED else f"{line}  {SAID[found.quality]}"


def window_document(found: Watched) -> dict[str, Any]:
    """The last window, and the coefficients as they stand, in the words of the outside."""
    return {
        "window": asdict(found.windows[-1]) if found.windows else None,
        "quality": found.quality.value,
        "r2": found.r2,
        "residual_j": found.residual_j,
        "coefficients": [_told(one) for one in found.coefficients],
    }


def watched_document(found: Watched, footprint: Footprint | None = None) -> dict[str, Any]:
    """All of a watch; windows are its whole ledger."""
    told = asdict(found)
    told["coefficients"] = [_told(one) for one in found.coefficients]
    thousand = _thousand(found, footprint)
    told["per_1000_output_tokens"] = thousand and {
        name: None if one is None else asdict(one) for name, one in thousand.items()
    }
    return told


def watched_sections(found: Watched, footprint: Footprint | None = None) -> tuple[Section, ...]:
    """A watch for people."""
    return filled(
        (
            Section("Energy", tuple(_energy(found))),
            Section("Tokens", tuple(line for one in found.engines for line in _engine(one, found))),
            Section("Fit", tuple(_fit(found))),
            Section("Of the machine, by these shares", tuple(_footprint(found, footprint))),
            Section("Notes", sentences=tuple(_notes(found))),
        )
    )


def _told(one: Coefficient) -> dict[str, Any]:
    return {**asdict(one), "from": "data" if one.is_the_datas else "prior"}


def _energy(found: Watched) -> Iterator[Line]:
    if found.energy_j is None:
        yield Line("seen by a meter", say(None, ENERGY))
        return
    how = f"measured: {found.meter}" if found.quality is Quality.MEASURED else "estimated; no meter saw it"
    yield Line("of all windows", say(found.energy_j, ENERGY), note=how, strong=True)
    for label, part_j in (
        ("input", found.input_j),
        ("output", found.output_j),
        ("idle while requests ran", found.active_idle_j),
        ("idle, no request ran", found.provisioned_idle_j),
        ("of nobody", found.unattributed_j),
    ):
        if part_j or label != "of nobody":
            yield Line(label, say(part_j, ENERGY), note=_part(part_j, found.energy_j))
    if found.unseen_s:
        yield Line("not seen", say(found.unseen_s, TIME), note="windows without the meter, in none of these")


def _engine(one: WatchedEngine, found: Watched) -> Iterator[Line]:
    name = " ".join(part for part in (one.engine, one.upstream, one.model) if part)
    tokens = (("input, computed", one.read_tokens), ("input, cached", one.cached_tokens))
    told = ((label, value) for label, value in (*tokens, ("output", one.written_tokens)))
    yield Line(name, note=f"requests: {say(one.requests, COUNT).strip()}", strong=True)
    known = found.energy_j is not None
    energy = {"input, computed": one.input_j, "output": one.output_j}
    for label, value in told:
        each = f"{_over(energy[label], value)} each" if known and label in energy and value else ""
        yield Line(label, say(value, COUNT).strip(), note=each)
    if one.requests and known:
        yield Line("a request", _over(one.input_j + one.output_j, one.requests), note="without what idles")


def _fit(found: Watched) -> Iterator[Line]:
    for one in found.coefficients:
        whose = f" ({one.upstream or one.engine})" if one.engine and len(found.engines) > 1 else ""
        source = "data" if one.is_the_datas else "prior: data did not tell it"
        source = f"{source} ({one.told:.0%})" if found.quality is Quality.MEASURED else "prior"
        ends = f"{digits(one.low)} - {digits(one.high)}"
        yield Line(f"{one.name}{whose}", f"{digits(one.value)} {one.unit}", ends, note=source)
    if found.residual_j is not None:
        unexplained = _part(found.residual_j, found.energy_j)
        yield Line("residual", say(found.residual_j, ENERGY), note=f"{unexplained} of the energy")
        yield Line("R2", _r2(found.r2), note="" if found.r2 is not None else "windows do not differ")


def _footprint(found: Watched, footprint: Footprint | None) -> Iterator[Line]:
    thousand = _thousand(found, footprint)
    if thousand is None:
        return
    for key, label, scale in (
        ("it_energy_j", "IT energy", ENERGY),
        ("carbon_g", "carbon", CARBON),
        ("water_l", "water", WATER),
    ):
        one = thousand[key]
        best, ends = say(one.best if one else None, scale), say_interval(one, scale)
        yield Line(label, best, ends, "per 1,000 output tokens")


def _thousand(found: Watched, footprint: Footprint | None) -> dict[str, Range | None] | None:
    """All that the machine took, by output tokens: its input and idle are theirs to bear."""
    tokens = sum(one.written_tokens or 0.0 for one in found.engines)
    if footprint is None or not tokens or found.quality is not Quality.MEASURED:
        return None
    amounts = {name: getattr(footprint, name) for name in ("it_energy_j", "carbon_g", "water_l")}
    return {
        name: None if one is None else Range(*(end * PER / tokens for end in one.ends))
        for name, one in amounts.items()
    }


def _notes(found: Watched) -> Iterator[str]:
    if not found.windows:
        yield "no window was closed: watch for longer"
    elif found.quality is Quality.MISSING:
        yield NO_METER
    if found.quality is Quality.MODELLED:
        yield "estimated by the model's and the accelerator's costs; no joule of it was measured"
    if found.condition is not None and found.condition > HARD:
        yield (
            f"windows are much alike (condition {digits(found.condition)}): what a token costs and what "
            "idles can hardly be told apart; watch at changing load, and once without any"
        )
    for one in found.engines:
        if one.untold:
            yield f"{one.engine} {one.model or one.upstream} does not tell: {'; '.join(one.untold)}"
    yield from found.flags


def _rate(tokens: float | None, length_s: float) -> str:
    return digits(tokens / length_s) if tokens is not None and length_s > 0 else "-"


def _each(energy_j: float, tokens: float | None, window: WatchedWindow) -> str:
    return _over(energy_j, tokens) if window.energy_j is not None and tokens else "-"


def _over(energy_j: float, count: float | None) -> str:
    return say(energy_j / count, ENERGY) if count else "-"


def _part(part_j: float | None, whole_j: float | None, *, sign: bool = False) -> str:
    if part_j is None or not whole_j:
        return "-"
    return f"{part_j / whole_j:+.1%}" if sign else f"{part_j / whole_j:.1%}"


def _r2(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
