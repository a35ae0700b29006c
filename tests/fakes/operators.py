"""Operators of grids and a weather service on this machine, that answer by their documented formats.

with Operators(Entsoe(mw={"B04": hours(100.0, 24)})) as server:
    fetch(signals.Entsoe(token="...", address=server.address), ask)

``server.faults`` are answered first, one each; ``server.asked`` remembers what was asked.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from fakes.web import Page, Server

BEGIN_S = datetime(2026, 3, 28, tzinfo=UTC).timestamp()
"""The day before Europe's clocks go forward."""
HOUR_S, QUARTER_S = 3600.0, 900.0
GL = "urn:iec62325.351:tc57wg16:451-6:generationloaddocument:3:0"
NOTHING = "No matching data found for Data item AGGREGATED_GENERATION_PER_TYPE_R3 [16.1.B&amp;C]"
Query = Mapping[str, str]
Power = Sequence[float | str | None]


class Operators(Server):
    """A server that gives each request to one fake, or answers a fault that waits."""

    def __init__(self, answer: Callable[[str, Query], Page]) -> None:
        super().__init__()
        self.faults: list[Page] = []
        self.pages = _Asked(self, answer)

    def queries(self) -> list[dict[str, str]]:
        """What was asked, request by request."""
        return [_query(path) for path, _ in self.asked]


class _Asked(dict[str, Page]):
    def __init__(self, server: Operators, answer: Callable[[str, Query], Page]) -> None:
        super().__init__()
        self._server, self._answer = server, answer

    def get(self, path: str, default: Any = None) -> Any:
        if self._server.faults:
            return self._server.faults.pop(0)
        return self._answer(urlsplit(path).path, _query(path))


def _query(path: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(path).query))


# -- ENTSO-E ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Kind:
    """What one type of plant gave, step by step from ``begin_s``; as A03 a repeated value is left out."""

    mw: Power
    begin_s: float = BEGIN_S
    step: str = "PT60M"
    curve: str = "A01"
    takes: bool = False
    unit: str = "MAW"

    @property
    def step_s(self) -> float:
        return float(self.step[2:-1]) * 60.0


@dataclass(frozen=True)
class Entsoe:
    """Answers A75 with ``made``, A69 with ``weather`` and A65 with a load, cut to what is asked for."""

    made: Mapping[str, Kind] = field(default_factory=dict)
    weather: Mapping[str, Kind] = field(default_factory=dict)
    load_was: Kind | None = None
    load_will_be: Kind | None = None
    token: str = "let-me-in"
    nothing_status: int = 200

    def __call__(self, _path: str, query: Query) -> Page:
        if query.get("securityToken") != self.token:
            return Page(acknowledged("Authentication failed"), 401)
        begin, end = _minute(query["periodStart"]), _minute(query["periodEnd"])
        kinds = self._kinds(query["documentType"], query["processType"])
        inside = [xml for word, kind in kinds if (xml := _time_series(word, kind, begin, end))]
        if not inside:
            return Page(acknowledged(NOTHING), self.nothing_status)
        return Page(gl_document(*inside), headers={"Content-Type": "text/xml"})

    def _kinds(self, document: str, process: str) -> list[tuple[str, Kind]]:
        if document == "A75":
            return list(self.made.items())
        if document == "A69":
            return list(self.weather.items())
        load = self.load_was if process == "A16" else self.load_will_be
        return [("", load)] if load else []


def gl_document(*series: str, name: str = "GL_MarketDocument", space: str = GL) -> str:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><{name} xmlns="{space}"><mRID>1</mRID>'
        f"<createdDateTime>2026-03-30T00:00:00Z</createdDateTime>{''.join(series)}</{name}>"
    )


def acknowledged(reason: str) -> str:
    space = "urn:iec62325.351:tc57wg16:451-1:acknowledgementdocument:7:0"
    said = f"<Reason><code>999</code><text>{reason}</text></Reason>"
    return gl_document(said, name="Acknowledgement_MarketDocument", space=space)


def time_series(word: str, kind: Kind, *periods: str) -> str:
    domain = f"{'out' if kind.takes or not word else 'in'}BiddingZone_Domain.mRID"
    plant = f"<MktPSRType><psrType>{word}</psrType></MktPSRType>" if word else ""
    return (
        f"<TimeSeries><mRID>1</mRID><{domain}>10Y</{domain}>"
        f"<quantity_Measure_Unit.name>{kind.unit}</quantity_Measure_Unit.name>"
        f"<curveType>{kind.curve}</curveType>{plant}{''.join(periods)}</TimeSeries>"
    )


def period(begin_s: float, end_s: float, step: str, points: Mapping[int, object]) -> str:
    told = "".join(
        f"<Point><position>{at}</position><quantity>{'' if mw is None else mw}</quantity></Point>"
        for at, mw in points.items()
    )
    start, end = (f"{datetime.fromtimestamp(one, UTC):%Y-%m-%dT%H:%MZ}" for one in (begin_s, end_s))
    interval = f"<timeInterval><start>{start}</start><end>{end}</end></timeInterval>"
    return f"<Period>{interval}<resolution>{step}</resolution>{told}</Period>"


def _time_series(word: str, kind: Kind, begin_s: float, end_s: float) -> str:
    first = max(int((begin_s - kind.begin_s) // kind.step_s), 0)
    last = min(int(-(-(end_s - kind.begin_s) // kind.step_s)), len(kind.mw))
    if last <= first:
        return ""
    points = {i - first + 1: kind.mw[i] for i in range(first, last)}
    if kind.curve == "A03":
        points = {at: mw for at, mw in points.items() if at == 1 or mw != points[at - 1]}
    begin = kind.begin_s + first * kind.step_s
    end = kind.begin_s + last * kind.step_s
    return time_series(word.partition(" ")[0], kind, period(begin, end, kind.step, points))


def _minute(text: str) -> float:
    return datetime.strptime(f"{text}+0000", "%Y%m%d%H%M%z").timestamp()


# -- EIA -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Eia:
    """Answers with rows of ``made`` by fuel and of ``region`` by type: hour by hour from ``begin_s``."""

    made: Mapping[str, Power]
    region: Mapping[str, Power] = field(default_factory=dict)
    begin_s: float = BEGIN_S
    key: str = "let-me-in"
    zone: str = "CISO"
    page: int = 5000
    order: Callable[[list[dict[str, Any]]], list[dict[str, Any]]] = list
    total: Callable[[int], Any] = str

    def __call__(self, path: str, query: Query) -> Page:
        if query.get("api_key") != self.key:
            return _json(
                {"error": {"code": "API_KEY_INVALID", "message": "An invalid api_key was supplied."}}, 403
            )
        table = path.split("/")[-3]
        word, told = ("fueltype", self.made) if table == "fuel-type-data" else ("type", self.region)
        rows = [row for one, mw in told.items() for row in self._rows(word, one, mw)]
        rows = [row for row in rows if query["start"] <= row["period"] <= query["end"]]
        rows = self.order(rows if query["facets[respondent][]"] == self.zone else [])
        first = int(query["offset"])
        page = rows[first : first + min(int(query["length"]), self.page)]
        response = {"total": self.total(len(rows)), "frequency": "hourly", "data": page}
        if first + len(page) < len(rows):
            response["warnings"] = [{"warning": "incomplete return", "description": "The API can only ..."}]
        return _json({"response": response, "request": {}, "apiVersion": "2.1.8"})

    def _rows(self, word: str, one: str, mw: Power) -> list[dict[str, Any]]:
        """An hour is told by its end."""
        ends = (datetime.fromtimestamp(self.begin_s + (i + 1) * HOUR_S, UTC) for i in range(len(mw)))
        return [
            {
                "period": f"{end:%Y-%m-%dT%H}",
                "respondent": self.zone,
                word: one,
                "value": value,
                "value-units": "megawatthours",
            }
            for end, value in zip(ends, mw, strict=True)
        ]


# -- Open-Meteo ------------------------------------------------------------------------


@dataclass(frozen=True)
class Meteo:
    """Answers whole days of each column: what ``columns[name]`` says of an hour since 1970."""

    columns: Mapping[str, Callable[[int], float | None]]
    as_list: bool = False
    units: Mapping[str, str] = field(default_factory=dict)

    def __call__(self, _path: str, query: Query) -> Page:
        first, last = (datetime.fromisoformat(f"{query[one]}T00:00Z") for one in ("start_date", "end_date"))
        if last < first:
            return _json({"error": True, "reason": "End-date must be larger or equals than start-date"}, 400)
        hours = range(int(first.timestamp() // HOUR_S), int(last.timestamp() // HOUR_S) + 24)
        told = {name: value for name, value in self.columns.items() if name in query["hourly"].split(",")}
        document = {
            "latitude": 52.52,
            "longitude": 13.419998,
            "utc_offset_seconds": 0,
            "timezone": "GMT",
            "hourly_units": {
                "time": "iso8601",
                **dict.fromkeys(told, "°C"),
                "relative_humidity_2m": "%",
                **self.units,
            },
            "hourly": {
                "time": [f"{datetime.fromtimestamp(hour * HOUR_S, UTC):%Y-%m-%dT%H:%M}" for hour in hours],
                **{name: [value(hour) for hour in hours] for name, value in told.items()},
            },
        }
        return _json([document] if self.as_list else document)


def _json(document: object, status: int = 200) -> Page:
    return Page(json.dumps(document), status, headers={"Content-Type": "application/json"})
