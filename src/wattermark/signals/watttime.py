"""WattTime: intensity of the plants that answer to one more kWh, every five minutes, with a forecast.

Their interface: https://docs.watttime.org (version 3). A token holds for half an hour.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator, Mapping, Sequence
from typing import Final

from wattermark.errors import BadSignal, SignalRefused, SignalUnavailable
from wattermark.signals.answers import (
    TRY_LATER,
    entries_of,
    harmless,
    iso,
    json_of,
    mapping_of,
    moment,
    number,
)
from wattermark.signals.tidy import About, Point, chunks, counted, series_of, with_forecast
from wattermark.values.series import Answer, Ask, Request, Series, Signal

ADDRESS = "https://api.watttime.org"
WHO = "WattTime"
KIND = "co2_moer"
SCALES: Final[Mapping[str, float]] = {"lbs_co2_per_mwh": 0.45359237, "lb_co2_per_mwh": 0.45359237}
"""The international pound is 0.45359237 kg; 1 kg/MWh is 1 g/kWh."""
STEP_S, HOUR_S, DAY_S = 300.0, 3600.0, 86400.0
LONGEST_S = 30 * DAY_S
"""They tell 32 days at most in one answer."""
HORIZON_H = 72
TOKEN_S = 25 * 60.0
"""A new one is fetched before the old one ends. [s]"""
UNAUTHORIZED, NOT_FOUND, NOT_ALLOWED = 401, 404, (400, 403, 404)


class WattTime:
    """Logs in with the user's name and password, and again if the token ends in the middle.

    Parameters
    ----------
    user, password : str
        As registered; without a subscription the zone ``CAISO_NORTH`` only is told.
    address : str
        Where it is.
    """

    name = "watttime"
    signals: Sequence[Signal] = (Signal.CARBON_MARGINAL,)
    basis = "marginal"

    def __init__(self, user: str, password: str, *, address: str = ADDRESS) -> None:
        self._door, self._address = (user, password), address.rstrip("/")
        self._token, self._token_until_s = "", 0.0

    def talk(self, ask: Ask) -> Generator[Request, Answer, Sequence[Series]]:
        region = ask.zone or (yield from self._region(ask))
        came = yield from self._came(ask, region)
        if ask.end_s <= ask.now_s:
            return [came] if came else []
        try:
            forecast = yield from self._forecast(ask, region)
        except SignalRefused as refusal:
            if came is None or refusal.status not in NOT_ALLOWED:
                raise
            return [came.flagged(f"no-forecast: {refusal.problem}")]
        return [with_forecast(came, forecast) if came else forecast]

    def _region(self, ask: Ask) -> Generator[Request, Answer, str]:
        """What they call the place, by where it is."""
        if ask.latitude is None or ask.longitude is None:
            raise SignalUnavailable(
                f"it is not known where {ask.place} is", fix="Name its zone: signals = 'watttime=ZONE'"
            )
        where = {"latitude": f"{ask.latitude:g}", "longitude": f"{ask.longitude:g}"}
        try:
            answer = yield from self._ask("v3/region-from-loc", ask, signal_type=KIND, **where)
        except SignalRefused as refusal:
            if refusal.status != NOT_FOUND:
                raise
            raise BadSignal(f"{WHO} covers nothing at {ask.place}", fix="Ask another provider") from refusal
        region = mapping_of(json_of(answer, WHO), WHO).get("region")
        if not isinstance(region, str) or not region:
            raise BadSignal(f"{WHO} names no region for {ask.place}", fix=TRY_LATER)
        return region

    def _came(self, ask: Ask, region: str) -> Generator[Request, Answer, Series | None]:
        """Up to now; their end is inclusive. None where they know nothing of it yet."""
        entries: list[Mapping[str, object]] = []
        meta: Mapping[str, object] = {}
        for begin_s, end_s in chunks(ask.begin_s, min(ask.end_s, ask.now_s), LONGEST_S):
            span = {"start": iso(begin_s), "end": iso(max(begin_s, end_s - STEP_S))}
            answer = yield from self._ask("v3/historical", ask, region=region, signal_type=KIND, **span)
            more, meta = _read(answer)
            entries += more
        return _series(ask, region, entries, meta) if entries else None

    def _forecast(self, ask: Ask, region: str) -> Generator[Request, Answer, Series]:
        hours = min(max(math.ceil((ask.end_s - ask.now_s) / HOUR_S), 1), HORIZON_H)
        answer = yield from self._ask(
            "v3/forecast", ask, region=region, signal_type=KIND, horizon_hours=str(hours)
        )
        return _series(ask, region, *_read(answer))

    def _ask(self, path: str, ask: Ask, **params: str) -> Generator[Request, Answer, Answer]:
        """With a token that holds; a new one if they say that it does not."""
        if ask.now_s >= self._token_until_s:
            yield from self._log_in(ask)
        try:
            answer = yield self._request(path, params)
        except SignalRefused as refusal:
            if refusal.status != UNAUTHORIZED:
                raise
            yield from self._log_in(ask)
            answer = yield self._request(path, params)
        return answer

    def _request(self, path: str, params: Mapping[str, str]) -> Request:
        token = {"Authorization": f"Bearer {self._token}"}
        return Request(url=f"{self._address}/{path}", params=params, secret_headers=token)

    def _log_in(self, ask: Ask) -> Generator[Request, Answer, None]:
        self._token_until_s = 0.0
        answer = yield Request(url=f"{self._address}/login", basic_auth=self._door)
        token = mapping_of(json_of(answer, WHO), WHO).get("token")
        if not isinstance(token, str) or not token:
            raise BadSignal(f"{WHO} gives no token", fix="Check watttime_user and watttime_password")
        self._token, self._token_until_s = token, ask.now_s + TOKEN_S


def _read(answer: Answer) -> tuple[Sequence[Mapping[str, object]], Mapping[str, object]]:
    """Values, and what is said of them."""
    document = mapping_of(json_of(answer, WHO), WHO)
    return entries_of(document.get("data")), mapping_of(document.get("meta") or {}, WHO)


def _series(
    ask: Ask, region: str, entries: Sequence[Mapping[str, object]], meta: Mapping[str, object]
) -> Series:
    unit = str(meta.get("units") or "lbs_co2_per_mwh").lower()
    if unit not in SCALES:
        raise BadSignal(f"{WHO} tells in {harmless(unit, 40)}, which is not known", fix=TRY_LATER)
    about = About(
        signal=Signal.CARBON_MARGINAL,
        place=ask.place,
        source=f"{WHO}, {region}",
        basis="marginal",
        issued_s=moment(meta.get("generated_at")),
        fetched_s=ask.now_s,
        flags=(
            *counted("estimated", entries, "imputed_data_used", "are filled in by the provider"),
            *_warnings(meta.get("warnings")),
        ),
    )
    step_s = number(meta.get("data_point_period_seconds")) or 0.0
    return series_of(_points(entries), about, step_s=step_s if step_s > 0 else None, scale=SCALES[unit])


def _points(entries: Sequence[Mapping[str, object]]) -> Iterator[Point]:
    for one in entries:
        yield Point(
            moment(one.get("point_time")), one.get("value"), revised_s=moment(one.get("last_updated"))
        )


def _warnings(found: object) -> Iterator[str]:
    """They come as texts, or as objects with one."""
    for one in found if isinstance(found, list) else ():
        told = one.get("message") if isinstance(one, dict) else one
        if isinstance(told, str) and told:
            yield f"provider-warns: {harmless(told)}"
