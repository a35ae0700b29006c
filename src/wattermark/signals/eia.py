"""The EIA's hourly grid monitor: which plants ran in a balancing area of the USA, and the load to come.

Rows of JSON, 5,000 at a time; a period is the hour that ends at it, in UTC; a value is a number, a text or
null, in MWh of that hour. https://www.eia.gov/opendata/documentation.php; form EIA-930 has the fuels.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from typing import Final

from wattermark.errors import BadSignal
from wattermark.signals.answers import TRY_LATER, entries_of, harmless, json_of, mapping_of, moment, number
from wattermark.signals.mixes import TOLD_BY_A_MIX, Teller, mix_of, since
from wattermark.signals.tidy import Point
from wattermark.values.mix import Fuel, Mix
from wattermark.values.series import Answer, Ask, Request, Signal

WHO = "EIA"
ADDRESS = "https://api.eia.gov/v2/electricity/rto"
FUELS: Final = {
    "COL": Fuel.COAL,
    "NG": Fuel.GAS,
    "OIL": Fuel.OIL,
    "NUC": Fuel.NUCLEAR,
    "WAT": Fuel.HYDRO,
    "WND": Fuel.WIND,
    "WNB": Fuel.WIND,  # with a battery beside it
    "SUN": Fuel.SOLAR,
    "SNB": Fuel.SOLAR,  # with a battery beside it
    "GEO": Fuel.GEOTHERMAL,
    "PS": Fuel.STORAGE,
    "BAT": Fuel.STORAGE,
    "OES": Fuel.STORAGE,
    "UES": Fuel.STORAGE,
    "OTH": Fuel.OTHER,
    "UNK": Fuel.OTHER,
}
LOAD, LOAD_FORECAST, GOES_OUT = "D", "DF", "TI"
PAGE, MOST_PAGES = 5000, 100
HOUR_S = 3600.0
NOTHING_THERE = "Ask for another zone or time"
Told = dict[str, list[Point]]


class Eia:
    """Which plants ran; ``zone`` is the respondent: ``CISO``, ``PJM``, or a region such as ``NW``.

    ``basis`` is that of the carbon which is made of it.
    """

    name = "eia"
    signals: Sequence[Signal] = TOLD_BY_A_MIX

    def __init__(self, key: str, *, basis: str = "lifecycle", address: str = ADDRESS) -> None:
        self.basis = basis
        self._key, self._address = key, address.rstrip("/")

    def talk(self, ask: Ask) -> Generator[Request, Answer, Sequence[Mix]]:
        """What was until now, what came from elsewhere, and the load to come where they forecast it."""
        found: list[Mix] = []
        begin, now = since(ask), min(ask.end_s, ask.now_s)
        region = yield from self._told(ask, "region-data", "type", begin, ask.end_s)
        if begin < now:
            made = yield from self._told(ask, "fuel-type-data", "fueltype", begin, now)
            found.append(self._was(ask, made, region, now))
        if ask.end_s > ask.now_s:
            found.extend(self._outlook(ask, region.get(LOAD_FORECAST, ())))
        if not found:
            raise BadSignal(f"{WHO} told nothing of {ask.zone!r}", fix=NOTHING_THERE)
        return found

    def _was(self, ask: Ask, made: Told, region: Told, now_s: float) -> Mix:
        if not made:
            raise BadSignal(f"{WHO} has no plants of {ask.zone!r} then", fix=NOTHING_THERE)
        told = {**made, GOES_OUT: [_turned(point) for point in region.get(GOES_OUT, ())]}
        teller = Teller(place=ask.place, source=f"{WHO}, {ask.zone}", fetched_s=ask.now_s)
        load = [point for point in region.get(LOAD, ()) if _begins(point) < now_s]
        return mix_of(told, {**FUELS, GOES_OUT: Fuel.IMPORTS}, teller, load=load)

    def _outlook(self, ask: Ask, load: Sequence[Point]) -> list[Mix]:
        ahead = [point for point in load if _begins(point) > ask.now_s - HOUR_S]
        if not ahead:
            return []
        teller = Teller(
            place=ask.place, source=f"{WHO}, {ask.zone}", fetched_s=ask.now_s,
            forecast_from_s=min(map(_begins, ahead)), flags=("ahead: load alone",),
        )  # fmt: skip
        return [mix_of({}, FUELS, teller, load=ahead)]

    def _told(
        self, ask: Ask, table: str, word: str, begin_s: float, end_s: float
    ) -> Generator[Request, Answer, Told]:
        """All pages of a table, by the word in a column."""
        told: Told = {}
        seen, total = 0, 0.0
        for _ in range(MOST_PAGES):
            answer = yield self._request(ask.zone, table, begin_s, end_s, seen)
            rows, total = _rows(answer)
            for row in rows:
                if str(row.get("respondent")) != ask.zone:
                    raise BadSignal(f"{WHO} answered for another zone than {ask.zone!r}", fix=TRY_LATER)
                told.setdefault(str(row.get(word)), []).append(_point(row))
            seen += len(rows)
            if not rows or seen >= total:
                break
        if seen < total:
            raise BadSignal(f"{WHO} told {seen} of {total:g} rows and no more", fix="Ask for a shorter time")
        return told

    def _request(self, zone: str, table: str, begin_s: float, end_s: float, offset: int) -> Request:
        params = {
            "frequency": "hourly",
            "data[0]": "value",
            "facets[respondent][]": zone,
            "start": _hour(begin_s // HOUR_S * HOUR_S + HOUR_S),
            "end": _hour(-(-end_s // HOUR_S) * HOUR_S),
            "sort[0][column]": "period",
            "sort[0][direction]": "asc",
            "offset": str(offset),
            "length": str(PAGE),
        }
        url = f"{self._address}/{table}/data/"
        return Request(url=url, params=params, secret_params={"api_key": self._key})


def _rows(answer: Answer) -> tuple[Sequence[Mapping[str, object]], float]:
    """The rows of a page, and how many there are in all."""
    document = mapping_of(json_of(answer, WHO), WHO)
    if "error" in document:
        raise BadSignal(f"{WHO} refused: {_error(document)}", fix="Check the key and the zone")
    response = document.get("response")
    if not isinstance(response, dict) or not isinstance(response.get("data"), list):
        raise BadSignal(f"{WHO} answered JSON of an unknown form", fix=TRY_LATER)
    rows = entries_of(response["data"])
    total = number(response.get("total"))
    return rows, float(len(rows)) if total is None else total


def _error(document: Mapping[str, object]) -> str:
    error = document["error"]
    return harmless(str(error.get("message") if isinstance(error, dict) else error))


def _point(row: Mapping[str, object]) -> Point:
    """The hour before the period that is told."""
    end = moment(f"{row.get('period')}:00Z")
    return Point(None if end is None else end - HOUR_S, row.get("value"), end)


def _turned(point: Point) -> Point:
    """What goes out, as what comes in."""
    value = number(point.value)
    return Point(point.begin_s, None if value is None else -value, point.end_s)


def _begins(point: Point) -> float:
    """An unreadable moment is before all."""
    return float("-inf") if point.begin_s is None else point.begin_s


def _hour(moment_s: float) -> str:
    """As they write it: ``2024-01-01T05``."""
    from datetime import UTC, datetime

    return datetime.fromtimestamp(moment_s, UTC).strftime("%Y-%m-%dT%H")
