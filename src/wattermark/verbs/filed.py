"""What a file of the user's own tells of a place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from wattermark.factors.places import country_of
from wattermark.science.schedule.hours import days_before
from wattermark.signals.files import read_trace
from wattermark.signals.tidy import between
from wattermark.signals.zones import zone_of
from wattermark.values.factors import Place
from wattermark.values.series import Series, Signal

OLD_DAYS = 7
"""A file that ended longer ago says nothing of the hours to come."""


def filed(
    path: Path, place: Place, signals: Sequence[Signal], begin_s: float, end_s: float, *, at_home: bool
) -> tuple[dict[Signal, Series], dict[Signal, Series], list[str]]:
    """The hours of a place as a file has them: those between two moments, all of them, and what to know.

    A file that ended a little before is taken up where it ended, for whoever continues it. A file without
    zones is of home.

    Raises
    ------
    BadTrace
        If the file cannot be understood.
    """
    trace = read_trace(path, place=place.resolved if at_home else "")
    names = _names(place)
    known = {one.signal: one for one in trace.series if one.signal in signals and one.place.lower() in names}
    told: dict[Signal, Series] = {}
    flags: list[str] = []
    for signal, one in known.items():
        first_s = min(begin_s, days_before(one.end_s, 1))
        found = between(one, first_s, end_s) if one.end_s > days_before(begin_s, OLD_DAYS) else None
        if found is None:
            flags.append(f"file-old: {path.name} tells nothing of these hours of {place.resolved}")
        else:
            told[signal] = replace(found, place=place.resolved)
    if not known:
        hint = "" if at_home else "; one without zones is of home: wattermark config set place"
        flags.append(f"file-silent: {path.name} does not know {place.resolved}{hint}")
    return told, known, flags


def _names(place: Place) -> set[str]:
    """All that a file may call a place, in lower case."""
    zones = (
        zone_of(provider, region=place.region, grid=place.grid, country=country_of(place))
        for provider in ("electricity_maps", "eia")
    )
    return {name.lower() for name in _known(place, *zones)}


def _known(place: Place, *zones: str | None) -> Iterator[str]:
    region = place.region.partition(":")[2]
    yield from filter(None, (place.asked, place.resolved, place.grid, region, *zones))
