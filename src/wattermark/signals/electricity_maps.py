"""Electricity Maps: average intensity of what is used in a zone, with a forecast for who pays for one.

Their interface: https://portal.electricitymaps.com/docs/api (version 4; version 3 answers alike).
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence

from wattermark.errors import BadSignal, SignalRefused
from wattermark.signals.answers import TRY_LATER, entries_of, harmless, iso, json_of, mapping_of, moment
from wattermark.signals.tidy import About, Point, chunks, counted, series_of, with_forecast
from wattermark.values.series import Answer, Ask, Request, Series, Signal

ADDRESS = "https://api.electricitymaps.com/v4"
WHO = "Electricity Maps"
HORIZONS_H = (6, 24, 48, 72)
HOUR_S, DAY_S = 3600.0, 86400.0
STEPS_S = {"5_minutes": 300.0, "15_minutes": 900.0, "hourly": HOUR_S}
LONGEST_S = 5 * DAY_S
"""They tell ten days at most in one answer."""
NOT_IN_PLAN = (400, 401, 402, 403, 404)

Asking = Generator[Request, Answer, Series]


class ElectricityMaps:
    """Asks for what came and for what will; without a forecast in the plan, for what came only.

    Parameters
    ----------
    key : str
        The user's own.
    basis : str
        ``lifecycle`` or ``direct``.
    address : str
        With the version.
    """

    name = "electricity_maps"
    signals: Sequence[Signal] = (Signal.CARBON,)

    def __init__(self, key: str, *, basis: str = "lifecycle", address: str = ADDRESS) -> None:
        self._key, self.basis, self._address = key, basis, address.rstrip("/")

    def talk(self, ask: Ask) -> Generator[Request, Answer, Sequence[Series]]:
        past = yield from self._past(ask)
        if ask.end_s <= ask.now_s:
            return [past]
        try:
            forecast = yield from self._forecast(ask)
        except SignalRefused as refusal:
            if refusal.status not in NOT_IN_PLAN:
                raise
            return [past.flagged(f"no-forecast: {refusal.problem}")]
        except BadSignal as nonsense:
            return [past.flagged(f"no-forecast: {nonsense.problem}")]
        return [with_forecast(past, forecast)]

    def _past(self, ask: Ask) -> Asking:
        """Up to now: the latest value alone, the last day, or all days since then."""
        if ask.begin_s >= ask.now_s - HOUR_S:
            answer = yield self._request("latest", ask)
            document = _document(answer, ask)
            return self._series(ask, [document], document)
        if ask.begin_s >= ask.now_s - DAY_S:
            return (yield from self._history(ask))
        try:
            return (yield from self._range(ask))
        except SignalRefused as refusal:
            if refusal.status not in NOT_IN_PLAN or ask.end_s <= ask.now_s - DAY_S:
                raise
            last_day = yield from self._history(ask)
            return last_day.flagged(f"no-history: {refusal.problem}")

    def _history(self, ask: Ask) -> Asking:
        answer = yield self._request("history", ask)
        return self._told(ask, answer, "history")

    def _range(self, ask: Ask) -> Asking:
        """Their end is exclusive."""
        entries: list[Mapping[str, object]] = []
        document: Mapping[str, object] = {}
        for begin_s, end_s in chunks(ask.begin_s, min(ask.end_s, ask.now_s), LONGEST_S):
            answer = yield self._request("past-range", ask, start=iso(begin_s), end=iso(end_s))
            document = _document(answer, ask)
            entries += entries_of(document.get("data"))
        return self._series(ask, entries, document)

    def _forecast(self, ask: Ask) -> Asking:
        hours = (ask.end_s - ask.now_s) / HOUR_S
        horizon = next((one for one in HORIZONS_H if one >= hours), HORIZONS_H[-1])
        answer = yield self._request("forecast", ask, horizonHours=str(horizon))
        return self._told(ask, answer, "forecast")

    def _request(self, what: str, ask: Ask, **params: str) -> Request:
        return Request(
            url=f"{self._address}/carbon-intensity/{what}",
            params={"zone": ask.zone, "emissionFactorType": self.basis, **params},
            secret_headers={"auth-token": self._key},
        )

    def _told(self, ask: Ask, answer: Answer, key: str) -> Series:
        document = _document(answer, ask)
        return self._series(ask, list(entries_of(document.get(key))), document)

    def _series(
        self, ask: Ask, entries: Sequence[Mapping[str, object]], document: Mapping[str, object]
    ) -> Series:
        told = {str(one["emissionFactorType"]) for one in entries if one.get("emissionFactorType")}
        about = About(
            signal=Signal.CARBON,
            place=ask.place,
            source=f"{WHO}, {ask.zone}",
            basis=told.pop() if len(told) == 1 else self.basis,
            issued_s=moment(document.get("updatedAt")) if "forecast" in document else None,
            fetched_s=ask.now_s,
            flags=counted("estimated", entries, "isEstimated", "are estimates of the provider"),
        )
        return series_of(
            _points(entries), about, step_s=STEPS_S.get(str(document.get("temporalGranularity")))
        )


def _document(answer: Answer, ask: Ask) -> Mapping[str, object]:
    """What is said, if it is about the zone that was asked for."""
    document = mapping_of(json_of(answer, WHO), WHO)
    if document.get("status") in ("error", "no-data"):
        told = harmless(str(document.get("message") or "there are no data"))
        raise BadSignal(f"{WHO} says of {ask.zone}: {told}", fix=TRY_LATER)
    zone = document.get("zone")
    if isinstance(zone, str) and zone.upper() != ask.zone.upper():
        raise BadSignal(f"{WHO} tells of {harmless(zone, 40)}, not of {ask.zone}", fix="Check the zone")
    return document


def _points(entries: Sequence[Mapping[str, object]]) -> Iterator[Point]:
    for one in entries:
        yield Point(
            moment(one.get("datetime")), one.get("carbonIntensity"), revised_s=moment(one.get("updatedAt"))
        )
