"""The web interface of the Green Software Foundation's Carbon Aware SDK, run by the user.

Its interface: https://github.com/Green-Software-Foundation/carbon-aware-sdk. Whether its numbers are of all
plants or of those that answer to one more kWh depends on where it has them from; it does not say so.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Mapping, Sequence

from wattermark.errors import BadSignal, SignalRefused
from wattermark.signals.answers import entries_of, harmless, iso, json_of, moment, number
from wattermark.signals.tidy import About, Point, series_of, with_forecast
from wattermark.values.series import Answer, Ask, Request, Series, Signal

WHO = "Carbon Aware SDK"
MINUTE_S = 60.0
LENGTH = re.compile(r"(?:(\d+)\.)?(\d+):(\d+)(?::(\d+(?:\.\d+)?))?")
OF = {
    "watttime": (Signal.CARBON_MARGINAL, "marginal"),
    "electricity_maps": (Signal.CARBON, "lifecycle"),
    "": (Signal.CARBON, ""),
}
"""What its numbers are, by where it has them from."""
UNKNOWN = "basis-unknown: nobody said where the Carbon Aware SDK has it from; set carbon_aware_sdk_source"
NO_FORECAST = (400, 401, 403, 404, 501)


class CarbonAwareSdk:
    """Asks for what came at a location, and for the current forecast.

    Parameters
    ----------
    address : str
        Where it runs.
    source : str
        Where it has its numbers from: ``watttime``, ``electricity_maps``, or empty.
    """

    name = "carbon_aware_sdk"

    def __init__(self, address: str, *, source: str = "") -> None:
        self._address = address.rstrip("/")
        self._signal, self.basis = OF[source]
        self.signals: Sequence[Signal] = (self._signal,)

    def talk(self, ask: Ask) -> Generator[Request, Answer, Sequence[Series]]:
        past = yield from self._past(ask) if ask.begin_s < ask.now_s else _nothing()
        if ask.end_s <= ask.now_s:
            return [past] if past else []
        try:
            forecast = yield from self._forecast(ask)
        except (SignalRefused, BadSignal) as refusal:
            if past is None or (isinstance(refusal, SignalRefused) and refusal.status not in NO_FORECAST):
                raise
            return [past.flagged(f"no-forecast: {refusal.problem}")]
        return [with_forecast(past, forecast) if past else forecast]

    def _past(self, ask: Ask) -> Generator[Request, Answer, Series | None]:
        span = {"time": iso(ask.begin_s), "toTime": iso(min(ask.end_s, ask.now_s))}
        answer = yield self._request("bylocation", ask, **span)
        entries = _entries(answer)
        if not entries:
            return None  # it knows nothing, or nothing yet
        points = [_point(one, "time", "rating", _length_s(one.get("duration"))) for one in entries]
        return series_of(points, self._about(ask))

    def _forecast(self, ask: Ask) -> Generator[Request, Answer, Series]:
        """All of it: a window that reaches beyond its end would be refused."""
        answer = yield self._request("forecasts/current", ask)
        issues = _entries(answer)
        entries = [point for one in issues for point in _lowered(one.get("forecastdata"))]
        if not entries:
            raise BadSignal(f"{WHO} has no forecast for {ask.zone}", fix="Look at what it is set up with")
        points = [_point(one, "timestamp", "value", _minutes_s(one.get("duration"))) for one in entries]
        return series_of(points, self._about(ask, moment(issues[0].get("generatedat"))))

    def _request(self, what: str, ask: Ask, **params: str) -> Request:
        return Request(url=f"{self._address}/emissions/{what}", params={"location": ask.zone, **params})

    def _about(self, ask: Ask, issued_s: float | None = None) -> About:
        return About(
            signal=self._signal,
            place=ask.place,
            source=f"{WHO}, {harmless(ask.zone, 40)}",
            basis=self.basis,
            issued_s=issued_s,
            fetched_s=ask.now_s,
            flags=() if self.basis else (UNKNOWN,),
        )


def _nothing() -> Generator[Request, Answer, Series | None]:
    yield from ()
    return None


def _entries(answer: Answer) -> Sequence[Mapping[str, object]]:
    """Its lists; an empty answer (204) is an empty one."""
    return _lowered(json_of(answer, WHO)) if answer.body.strip() else ()


def _lowered(found: object) -> list[Mapping[str, object]]:
    """Its versions write ``rating`` or ``Rating``."""
    return [{name.lower(): value for name, value in one.items()} for one in entries_of(found)]


def _point(entry: Mapping[str, object], at: str, value: str, length_s: float | None) -> Point:
    begin_s = moment(entry.get(at))
    end_s = begin_s + length_s if begin_s is not None and length_s else None
    return Point(begin_s, entry.get(value), end_s)


def _minutes_s(found: object) -> float | None:
    minutes = number(found)
    return minutes * MINUTE_S if minutes is not None else None


def _length_s(found: object) -> float | None:
    """``01:00:00``, ``01:00`` or ``1.00:00:00``. [s]"""
    match = LENGTH.fullmatch(found) if isinstance(found, str) else None
    if match is None:
        return None
    days, hours, minutes, seconds = (float(part or 0) for part in match.groups())
    return ((days * 24 + hours) * 60 + minutes) * MINUTE_S + seconds
