"""ENTSO-E's Transparency Platform: which plants ran, and how much wind, sun and load are expected.

Actual generation per type (A75), wind and solar forecast (A69) and load (A65) as XML, in UTC.
https://transparency.entsoe.eu, "Restful API user guide".
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Sequence
from itertools import islice
from typing import Final
from xml.etree.ElementTree import Element

from wattermark.errors import BadSignal, SignalRefused
from wattermark.signals.answers import TRY_LATER, harmless, moment, number
from wattermark.signals.documents import children, name_of, text_of, xml_of
from wattermark.signals.mixes import TOLD_BY_A_MIX, Teller, mix_of, since
from wattermark.signals.tidy import Point, chunks
from wattermark.values.mix import Fuel, Mix
from wattermark.values.series import Answer, Ask, Request, Signal

WHO = "ENTSO-E"
ADDRESS = "https://web-api.tp.entsoe.eu/api"
FUELS: Final = {
    "B01": Fuel.BIOENERGY,
    "B02": Fuel.COAL,  # lignite
    "B03": Fuel.COAL,  # gas made of coal
    "B04": Fuel.GAS,
    "B05": Fuel.COAL,  # hard coal
    "B06": Fuel.OIL,
    "B07": Fuel.COAL,  # oil shale
    "B08": Fuel.COAL,  # peat
    "B09": Fuel.GEOTHERMAL,
    "B10": Fuel.STORAGE,  # pumped
    "B11": Fuel.HYDRO,  # rivers
    "B12": Fuel.HYDRO,  # reservoirs
    "B13": Fuel.OCEAN,
    "B14": Fuel.NUCLEAR,
    "B15": Fuel.OTHER,  # other renewable
    "B16": Fuel.SOLAR,
    "B17": Fuel.WASTE,
    "B18": Fuel.WIND_OFFSHORE,
    "B19": Fuel.WIND,
    "B20": Fuel.OTHER,
    "B25": Fuel.STORAGE,
}
TAKES = "taken by "
"""Before the word of a plant that takes: pumps, and what a plant uses itself."""
LOAD = "load"
HOUR_S, MOST_SPAN_S = 3600.0, 90 * 86400.0
"""They allow a year in one answer; a quarter of it, by the quarter of an hour, is 15 MB already."""
MINUTES = re.compile(r"PT(?:(\d{1,2})H)?(?:(\d{1,4})M)?")
MOST_POINTS = 500_000
"""In one document: what every type tells, in both directions, in as long as is asked for. More is refused
before it fills the memory: a curve that repeats itself can be a life of minutes in one line."""
LONGEST_POSITION = 7
NOT_THERE = 400
PER_MW: Final = {"": 1.0, "MAW": 1.0, "KWT": 1e3}
"""How many of a unit of power are a megawatt, by UN/CEFACT's words."""
EVERY: Final = {**FUELS, **{f"{TAKES}{word}": fuel for word, fuel in FUELS.items()}}
Told = dict[str, list[Point]]


class Entsoe:
    """Which plants ran in a country or bidding zone of Europe; ``zone`` is its EIC.

    ``basis`` is that of the carbon which is made of it.
    """

    name = "entsoe"
    signals: Sequence[Signal] = TOLD_BY_A_MIX

    def __init__(self, key: str, *, basis: str = "lifecycle", address: str = ADDRESS) -> None:
        self.basis = basis
        self._key, self._address = key, address

    def talk(self, ask: Ask) -> Generator[Request, Answer, Sequence[Mix]]:
        """What was until now, and after it the forecast of wind, sun and load, where there is one."""
        found: list[Mix] = []
        begin = since(ask) // HOUR_S * HOUR_S
        # the hour under way is not whole yet: it is foretold
        now = ask.end_s if ask.end_s <= ask.now_s else ask.now_s // HOUR_S * HOUR_S
        if begin < now:
            told = yield from self._told(ask, begin, now, documentType="A75", processType="A16")
            used: Told = {}
            if ask.end_s > ask.now_s:
                used = yield from self._maybe(ask, begin, now, **_LOAD_WAS)
            teller = Teller(place=ask.place, source=_source(ask), fetched_s=ask.now_s)
            found.append(mix_of(told, EVERY, teller, load=used.get(LOAD, ())))
        if ask.end_s > ask.now_s:
            found.extend((yield from self._outlook(ask, max(ask.begin_s, ask.now_s) // HOUR_S * HOUR_S)))
        if not found:
            raise BadSignal(f"{WHO} told nothing of {ask.place}", fix=TRY_LATER)
        return found

    def _outlook(self, ask: Ask, begin_s: float) -> Generator[Request, Answer, list[Mix]]:
        """Wind, sun and load to come; none where the operators do not tell them."""
        weather = yield from self._maybe(ask, begin_s, ask.end_s, documentType="A69", processType="A01")
        load = yield from self._maybe(ask, begin_s, ask.end_s, **_LOAD_WILL_BE)
        if not weather and not load:
            return []
        teller = Teller(
            place=ask.place, source=_source(ask), fetched_s=ask.now_s, forecast_from_s=begin_s,
            flags=("ahead: wind, sun and load alone",),
        )  # fmt: skip
        return [mix_of(weather, EVERY, teller, load=load.get(LOAD, ()))]

    def _maybe(self, ask: Ask, begin_s: float, end_s: float, **what: str) -> Generator[Request, Answer, Told]:
        """What is told, or nothing where that is what is said: not every operator forecasts."""
        try:
            return (yield from self._told(ask, begin_s, end_s, **what))
        except NothingTold:
            return {}

    def _told(self, ask: Ask, begin_s: float, end_s: float, **what: str) -> Generator[Request, Answer, Told]:
        """All documents of one kind, each of a stretch that is not too long."""
        told: Told = {}
        nothing: NothingTold | None = None
        for first, last in chunks(begin_s, end_s, MOST_SPAN_S):
            try:
                body = yield from _body(self._request(ask.zone, first, last, what))
                for word, points in read(body).items():
                    told.setdefault(word, []).extend(points)
            except NothingTold as error:
                nothing = error
        if not told:
            raise nothing or NothingTold(f"{WHO} told nothing of {ask.place}", fix=TRY_LATER)
        return told

    def _request(self, zone: str, begin_s: float, end_s: float, what: dict[str, str]) -> Request:
        domain = "outBiddingZone_Domain" if what["documentType"] == "A65" else "in_Domain"
        span = {"periodStart": _minute(begin_s), "periodEnd": _minute(end_s)}
        return Request(
            url=self._address,
            params={**what, domain: zone, **span},
            headers={"Accept": "application/xml"},
            secret_params={"securityToken": self._key},
        )


_LOAD_WAS: Final = {"documentType": "A65", "processType": "A16"}
_LOAD_WILL_BE: Final = {"documentType": "A65", "processType": "A01"}


class NothingTold(BadSignal):
    """They answered that there is nothing of it."""


def _source(ask: Ask) -> str:
    return f"{WHO}, {ask.zone}"


def _body(request: Request) -> Generator[Request, Answer, bytes]:
    """What came back; that there is nothing is said with status 200 or with 400."""
    try:
        answer = yield request
    except SignalRefused as refusal:
        if refusal.status != NOT_THERE or b"Acknowledgement_MarketDocument" not in refusal.body:
            raise
        return refusal.body
    return answer.body


def read(body: bytes) -> Told:
    """The points of a document, by type of plant; ``load`` where it names none.

    Raises
    ------
    NothingTold
        If it says that there is nothing.
    BadSignal
        If it is none of theirs, or contradicts itself.
    """
    root = xml_of(body, WHO)
    if name_of(root) == "Acknowledgement_MarketDocument":
        raise _refusal(text_of(root, "Reason", "text"))
    if name_of(root) != "GL_MarketDocument":
        raise BadSignal(f"{WHO} answered a {harmless(name_of(root), 40)}", fix=TRY_LATER)
    told: Told = {}
    revised = moment(text_of(root, "createdDateTime"))
    for series in children(root, "TimeSeries"):
        word = text_of(series, "MktPSRType", "psrType") or LOAD
        takes = bool(text_of(series, "outBiddingZone_Domain.mRID")) and word != LOAD
        points = told.setdefault(f"{TAKES}{word}" if takes else word, [])
        left = MOST_POINTS - sum(map(len, told.values()))
        points.extend(islice(_points(series, -1.0 if takes else 1.0, revised), left + 1))
        if sum(map(len, told.values())) > MOST_POINTS:
            raise _too_much()
    if not any(told.values()):
        raise NothingTold(f"{WHO} answered a document without values", fix=TRY_LATER)
    return told


def _too_much() -> BadSignal:
    return BadSignal(f"{WHO} answered more than {MOST_POINTS} values", fix="Ask for a shorter time")


def _refusal(reason: str) -> BadSignal:
    said = harmless(reason) or "no reason"
    if "no matching data" in reason.lower():
        return NothingTold(f"{WHO} has nothing of that: {said}", fix="Ask for another place or time")
    return BadSignal(f"{WHO} refused: {said}", fix="Ask for less, or another place")


def _points(series: Element, sign: float, revised_s: float | None) -> Iterator[Point]:
    unit = text_of(series, "quantity_Measure_Unit.name")
    if unit not in PER_MW:
        raise BadSignal(f"{WHO} answered in {harmless(unit, 20)!r}, no unit of power", fix=TRY_LATER)
    holds = text_of(series, "curveType") == "A03"
    for period in children(series, "Period"):
        begin, end = (moment(text_of(period, "timeInterval", name)) for name in ("start", "end"))
        step = _step_s(text_of(period, "resolution"))
        if begin is None or end is None or step is None or end <= begin or (end - begin) % step:
            raise BadSignal(f"{WHO} answered a period that is none", fix=TRY_LATER)
        steps = round((end - begin) / step)
        if steps > MOST_POINTS:
            raise _too_much()
        told = _positions(period, steps)
        value: float | None = None
        for i in range(steps):
            if i + 1 in told:
                value = told[i + 1]
            elif not holds:
                value = None
            power = None if value is None else sign * value / PER_MW[unit]
            yield Point(begin + i * step, power, begin + (i + 1) * step, revised_s)


def _positions(period: Element, most: int) -> dict[int, float | None]:
    """What stands at each position, from 1; of two at one position, the later."""
    told: dict[int, float | None] = {}
    for point in children(period, "Point"):
        at = text_of(point, "position")
        plain = at.isascii() and at.isdecimal() and len(at) <= LONGEST_POSITION
        if not plain or not 1 <= int(at) <= most:
            raise BadSignal(f"{WHO} answered a point outside of its period", fix=TRY_LATER)
        told[int(at)] = number(text_of(point, "quantity"))
    return told


def _step_s(resolution: str) -> float | None:
    """``PT15M`` and its like, at least a minute; None for all else. [s]"""
    found = MINUTES.fullmatch(resolution)
    if found is None:
        return None
    return (int(found[1] or 0) * 60 + int(found[2] or 0)) * 60.0 or None


def _minute(moment_s: float) -> str:
    """As they write it, rounded up to the hour: ``202601072200``."""
    from datetime import UTC, datetime

    whole = -(-moment_s // HOUR_S) * HOUR_S
    return datetime.fromtimestamp(whole, UTC).strftime("%Y%m%d%H%M")
