"""Open-Meteo: the wet-bulb temperature of a place, past and to come.

JSON by the hour, in UTC; free for what earns nothing, with a key for what does. Data CC BY 4.0.
https://open-meteo.com/en/docs
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from wattermark.errors import BadSignal, SignalUnavailable
from wattermark.signals.answers import TRY_LATER, harmless, json_of, mapping_of, moment, number
from wattermark.signals.tidy import About, Point, joined, series_of
from wattermark.values.series import Answer, Ask, Request, Series, Signal

WHO = "Open-Meteo"
FORECAST, ARCHIVE = "forecast", "archive"
HOSTS: Final = {
    FORECAST: "https://api.open-meteo.com",
    ARCHIVE: "https://archive-api.open-meteo.com",
}
PAID: Final = {
    FORECAST: "https://customer-api.open-meteo.com",
    ARCHIVE: "https://customer-archive-api.open-meteo.com",
}
COLUMNS: Final = {
    "wet_bulb_temperature_2m": Signal.WET_BULB,
    "temperature_2m": Signal.TEMPERATURE,
    "relative_humidity_2m": Signal.HUMIDITY,
}
UNITS: Final = {Signal.WET_BULB: ("°C",), Signal.TEMPERATURE: ("°C",), Signal.HUMIDITY: ("%",)}
DAY_S, HOUR_S = 86400.0, 3600.0
LATE_S = 7 * DAY_S
"""The archive is so far behind; what is newer, the forecast still holds."""
FAR_S = 15 * DAY_S
"""No forecast goes farther."""


class OpenMeteo:
    """Weather at a latitude and longitude; ``key`` is empty for use that is free."""

    name = "open_meteo"
    signals: Sequence[Signal] = (Signal.WET_BULB,)

    def __init__(self, *, key: str | None = None, address: str = "") -> None:
        self._key, self._given = key, address.rstrip("/")

    def talk(self, ask: Ask) -> Generator[Request, Answer, Sequence[Series]]:
        """The wet bulb; temperature and humidity beside it, where it has gaps that they have not."""
        if ask.latitude is None or ask.longitude is None:
            raise SignalUnavailable(f"nobody knows where {ask.place} lies", fix="Name a region of a cloud")
        turn = (ask.now_s - LATE_S) // DAY_S * DAY_S
        stretches = [
            (ARCHIVE, ask.begin_s, min(ask.end_s, turn)),
            (
                FORECAST,
                max(ask.begin_s, turn),
                min(ask.end_s, ask.now_s + FAR_S),
            ),
        ]
        told: dict[Signal, list[Series]] = {}
        for which, begin, end in stretches:
            if begin < end:
                answer = yield self._request(ask, which, begin, end)
                for one in read(answer, ask):
                    told.setdefault(one.signal, []).append(one)
        if not told:
            raise BadSignal(f"{WHO} knows no weather so far from now", fix="Ask for the next two weeks")
        return _enough({signal: joined(several) for signal, several in told.items()})

    def _request(self, ask: Ask, which: str, begin_s: float, end_s: float) -> Request:
        params = {
            "latitude": f"{ask.latitude:.2f}",
            "longitude": f"{ask.longitude:.2f}",
            "hourly": ",".join(COLUMNS),
            "timezone": "GMT",
            "timeformat": "iso8601",
            "temperature_unit": "celsius",
            "start_date": _day(begin_s),
            "end_date": _day(end_s - 1.0),
        }
        host = self._given or (PAID if self._key else HOSTS)[which]
        secret = {"apikey": self._key} if self._key else {}
        return Request(url=f"{host}/v1/{which}", params=params, secret_params=secret)


def read(answer: Answer, ask: Ask) -> list[Series]:
    """The series of an answer that are asked for or help; at least one has values.

    Raises
    ------
    BadSignal
        If it says that it failed, or holds no weather.
    """
    document = mapping_of(json_of(answer, WHO), WHO)
    if document.get("error"):
        raise BadSignal(f"{WHO} refused: {harmless(str(document.get('reason')))}", fix=TRY_LATER)
    hourly = document.get("hourly")
    if not isinstance(hourly, dict) or not isinstance(hourly.get("time"), list):
        raise BadSignal(f"{WHO} answered JSON of an unknown form", fix=TRY_LATER)
    offset = number(document.get("utc_offset_seconds")) or 0.0
    begins = [None if (at := moment(one)) is None else at - offset for one in hourly["time"]]
    found = [
        _series(signal, begins, hourly[column], ask)
        for column, signal in COLUMNS.items()
        if _usable(hourly.get(column), begins) and _unit(document, column) in UNITS[signal]
    ]
    if not any(value is not None for one in found for value in one.values):
        raise BadSignal(f"{WHO} told no weather of {ask.place}", fix=TRY_LATER)
    return found


def _series(signal: Signal, begins_s: Sequence[float | None], values: Sequence[object], ask: Ask) -> Series:
    """What holds at an hour is taken to hold for it; what is after now is a forecast."""
    points = [
        Point(begin, value, None if begin is None else begin + HOUR_S)
        for begin, value in zip(begins_s, values, strict=True)
    ]
    told = series_of(points, About(signal=signal, place=ask.place, source=WHO, fetched_s=ask.now_s))
    return told if told.end_s <= ask.now_s else _foretold(told, ask.now_s)


def _foretold(series: Series, now_s: float) -> Series:
    return replace(series, forecast_from_s=max(series.begin_s, now_s))


def _enough(told: Mapping[Signal, Series]) -> list[Series]:
    """The wet bulb alone, where it is whole, or the others know no more."""
    wet = told.get(Signal.WET_BULB)
    others = [one for signal, one in told.items() if signal is not Signal.WET_BULB]
    if wet is None:
        return others
    more = len(others) == 2 and all(one.values.count(None) < wet.values.count(None) for one in others)
    return [wet, *others] if more else [wet]


def _usable(column: object, begins_s: Sequence[float | None]) -> bool:
    return isinstance(column, list) and len(column) == len(begins_s)


def _unit(document: Mapping[str, object], column: str) -> object:
    """As they say it; degrees Celsius and per cent were asked for."""
    units = document.get("hourly_units")
    usual = UNITS[COLUMNS[column]][0]
    return units.get(column, usual) if isinstance(units, dict) else usual


def _day(moment_s: float) -> str:
    """As they write it: ``2024-01-15``."""
    from datetime import UTC, datetime

    return datetime.fromtimestamp(moment_s, UTC).strftime("%Y-%m-%d")
