"""The Carbon Intensity API of Great Britain (NESO): half hours, two days ahead, without a key.

Their interface: https://carbon-intensity.github.io/api-definitions (CC BY 4.0). What plants emit when they
run, imports included, of what is used.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import replace

from wattermark.errors import UsageError
from wattermark.signals.answers import entries_of, iso, json_of, mapping_of, moment, number
from wattermark.signals.tidy import About, Point, chunks, series_of
from wattermark.values.series import Answer, Ask, Request, Series, Signal

ADDRESS = "https://api.carbonintensity.org.uk"
WHO = "Carbon Intensity API"
NATIONAL = "national"
REGIONS = 17
HALF_HOUR_S, DAY_S = 1800.0, 86400.0
LONGEST_S = 13 * DAY_S
"""They tell 14 days at most in one answer."""
AHEAD_S = 4 * DAY_S
"""They tell no more than that of the future."""
MODELLED = "modelled: of a region nobody tells what came"
POSTCODE = re.compile(r"[A-Z]{1,2}[0-9][A-Z0-9]?")


class UkCarbonIntensity:
    """The whole of Great Britain, one of its regions (1 to 17), or the one of an outward postcode."""

    name = "uk"
    signals: Sequence[Signal] = (Signal.CARBON,)
    basis = "direct"

    def __init__(self, *, address: str = ADDRESS) -> None:
        self._address = address.rstrip("/")

    def talk(self, ask: Ask) -> Generator[Request, Answer, Sequence[Series]]:
        tail = _tail(ask.zone)
        entries: list[Mapping[str, object]] = []
        last_s = min(ask.end_s, ask.now_s + AHEAD_S)
        for begin_s, end_s in chunks(ask.begin_s, last_s, LONGEST_S):
            span = f"intensity/{_minute(begin_s)}/{_minute(end_s)}"
            path = f"regional/{span}/{tail}" if tail else span
            answer = yield Request(url=f"{self._address}/{path}")
            entries += _entries(json_of(answer, WHO))
        about = About(
            signal=Signal.CARBON,
            place=ask.place,
            source=f"{WHO}, {ask.zone or NATIONAL}",
            basis=self.basis,
            fetched_s=ask.now_s,
        )
        series = series_of(_points(entries), about, step_s=HALF_HOUR_S)
        found = _since(series, entries, ask.now_s)
        return [found.flagged(MODELLED) if tail else found]


def _tail(zone: str) -> str:
    """What is added to the address of a region; nothing for all of them."""
    word = zone.strip().upper().replace(" ", "")
    if word in ("", NATIONAL.upper(), "GB", "UK"):
        return ""
    if word.isascii() and word.isdecimal() and 1 <= int(word) <= REGIONS:
        return f"regionid/{int(word)}"
    if POSTCODE.fullmatch(word):
        return f"postcode/{word}"
    raise UsageError(
        f"{zone!r} is no zone of uk",
        fix=f"Write national, a region from 1 to {REGIONS}, or a postcode as RG10",
    )


def _minute(moment_s: float) -> str:
    """They take no seconds."""
    return f"{iso(moment_s)[:-4]}Z"


def _entries(document: object) -> Iterator[Mapping[str, object]]:
    """Half hours: in ``data``, or in the ``data`` of the region in it, a list or an object."""
    for one in entries_of(mapping_of(document, WHO).get("data")):
        if "intensity" in one:
            yield one
        else:
            yield from (inner for inner in entries_of(one.get("data")) if "intensity" in inner)


def _points(entries: Sequence[Mapping[str, object]]) -> Iterator[Point]:
    """What came, and where that is not known yet, what was forecast."""
    for one in entries:
        told = entries_of(one.get("intensity"))
        values = [number(told[0].get(key)) for key in ("actual", "forecast")] if told else []
        best = next((value for value in values if value is not None), None)
        yield Point(moment(one.get("from")), best, moment(one.get("to")))


def _since(series: Series, entries: Sequence[Mapping[str, object]], now_s: float) -> Series:
    """From when on it is a forecast: after what came last."""
    came = [
        moment(one.get("to"))
        for one in entries
        if any(number(told.get("actual")) is not None for told in entries_of(one.get("intensity")))
    ]
    ends = [end_s for end_s in came if end_s is not None]
    since_s = max(ends, default=now_s)
    return replace(series, forecast_from_s=since_s if since_s < series.end_s else None)
