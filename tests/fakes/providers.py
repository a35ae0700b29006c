"""Providers of signals on this machine: they answer as the real ones do, and as badly as they are told to.

with ElectricityMapsStand(NOW) as stand:
    stand.faults = [Page("busy", 429, {"Retry-After": "1"})]    # before the next answers
    stand.mangle = lambda entries, stand: entries[::-1]         # in every answer
"""

from __future__ import annotations

import json
import time
from abc import ABC, abstractmethod
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

from fakes.web import Local, Page

HOUR = 3600.0
Entry = dict[str, Any]


@dataclass(frozen=True)
class Drip(Page):
    """A page that comes a byte at a time."""

    pause_s: float = 0.05


def level(moment_s: float) -> float:
    """The truth: another value in each hour of a day. [g/kWh]"""
    return 100.0 + 10.0 * (moment_s // HOUR % 24)


def when(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def written(moment_s: float, end: str = ":00.000Z") -> str:
    return datetime.fromtimestamp(moment_s, UTC).strftime("%Y-%m-%dT%H:%M") + end


class Stand(Local, ABC):
    """One provider; its clock stands at ``now_s``."""

    step_s = HOUR
    at, value = "datetime", "carbonIntensity"
    horizon_s = 72 * HOUR
    wrapped = False

    def __init__(self, now_s: float) -> None:
        super().__init__(_handler(self))
        self.now_s = now_s
        self.faults: list[Page] = []
        self.mangle: Callable[[list[Entry], Stand], list[Entry]] = lambda entries, _: entries
        self.asked: list[tuple[str, Mapping[str, str], Mapping[str, str]]] = []

    def paths(self) -> list[str]:
        return [path for path, _, _ in self.asked]

    @abstractmethod
    def answer(self, path: str, query: Mapping[str, str], headers: Mapping[str, str]) -> Page:
        """What the provider says to a request that nothing is wrong with."""

    def page(self, path: str, query: Mapping[str, str], headers: Mapping[str, str]) -> Page:
        self.asked.append((path, query, headers))
        return self.faults.pop(0) if self.faults else self.answer(path, query, headers)

    def entry(self, moment_s: float) -> Entry:
        return {self.at: written(moment_s), self.value: level(moment_s)}

    def put(self, entry: Entry, value: object) -> None:
        entry[self.value] = value

    def entries(self, begin_s: float, end_s: float, *, bare: bool = False) -> list[Entry]:
        """Of each step that begins from the one around ``begin_s`` on, before ``end_s``; ``bare`` ones say no
        more than when and what."""
        at = begin_s // self.step_s * self.step_s
        found = []
        while at < end_s:
            told = self.entry(at)
            found.append({name: told[name] for name in (self.at, self.value)} if bare else told)
            at += self.step_s
        return self.mangle(found, self)


class ElectricityMapsStand(Stand):
    key = "em-secret-key"
    plan = ("latest", "history", "past-range", "forecast")
    most_s = 10 * 24 * HOUR

    def entry(self, moment_s: float) -> Entry:
        told = {"updatedAt": written(moment_s), "emissionFactorType": "lifecycle", "isEstimated": False}
        return {"zone": "DE", **super().entry(moment_s), **told}

    def answer(self, path: str, query: Mapping[str, str], headers: Mapping[str, str]) -> Page:  # noqa: PLR0911
        what = path.removeprefix("/carbon-intensity/")
        if headers.get("auth-token") != self.key:
            return said({"status": "error", "message": f"Invalid token {headers.get('auth-token')}"}, 401)
        if what not in self.plan:
            return said({"status": "error", "message": "Not in your plan"}, 403)
        if query.get("zone") != "DE":
            return said({"status": "error", "message": "No data for the zone"}, 404)
        if what == "latest":
            (entry, *_) = self.entries(self.now_s, self.now_s + 1) or [{"zone": "DE"}]
            return said(entry)
        if what == "history":
            return said({"zone": "DE", "history": self.entries(self.now_s - 24 * HOUR + HOUR, self.now_s)})
        if what == "past-range":
            begin_s, end_s = when(query["start"]), when(query["end"])
            if end_s - begin_s > self.most_s:
                return said({"status": "error", "message": "Range too long"}, 400)
            return said({"zone": "DE", "data": self.entries(begin_s, end_s)})
        ahead_s = min(int(query["horizonHours"]) * HOUR, self.horizon_s)
        forecast = self.entries(self.now_s + HOUR, self.now_s + ahead_s, bare=True)
        return said({"zone": "DE", "forecast": forecast, "updatedAt": written(self.now_s)})


class WattTimeStand(Stand):
    """A token holds for so many answers."""

    step_s = 300.0
    at, value = "point_time", "value"
    user, password = "ada", "wt-secret-word"
    answers_per_token = 100
    pound = 0.45359237
    units = "lbs_co2_per_mwh"

    def __init__(self, now_s: float) -> None:
        super().__init__(now_s)
        self.tokens: dict[str, int] = {}

    def entry(self, moment_s: float) -> Entry:
        return {
            self.at: written(moment_s, ":00+00:00"), self.value: level(moment_s) / self.pound,
            "last_updated": written(moment_s, ":00+00:00"), "imputed_data_used": False,
        }  # fmt: skip

    def answer(self, path: str, query: Mapping[str, str], headers: Mapping[str, str]) -> Page:  # noqa: PLR0911
        if path == "/login":
            door = b64encode(f"{self.user}:{self.password}".encode()).decode()
            if headers.get("Authorization") != f"Basic {door}":
                return Page("Not Authorized", 401)
            self.tokens[f"jwt-secret-{len(self.tokens)}"] = self.answers_per_token
            return said({"token": list(self.tokens)[-1]})
        token = headers.get("Authorization", "").removeprefix("Bearer ")
        if self.tokens.get(token, 0) <= 0:
            return Page("Could not verify your access level for that URL.", 401)
        self.tokens[token] -= 1
        if path == "/v3/region-from-loc":
            if query["latitude"] == "0":
                return said({"error": "No coverage available for these coordinates", **query}, 404)
            return said(
                {"region": "CAISO_NORTH", "region_full_name": "California", "signal_type": "co2_moer"}
            )
        if query.get("region") != "CAISO_NORTH":
            return said({"error": "Invalid query parameters", "message": "Invalid scope for region"}, 403)
        meta = {
            "data_point_period_seconds": 300, "region": "CAISO_NORTH", "units": self.units,
            "warnings": ["as a text", {"type": "x", "message": "as an object"}], "signal_type": "co2_moer",
        }  # fmt: skip
        if path == "/v3/historical":
            begin_s, end_s = when(query["start"]), when(query["end"])
            if end_s - begin_s > 32 * 24 * HOUR:
                return said({"error": "Invalid query parameters", "message": "32 days at most"}, 400)
            return said({"data": self.entries(begin_s, end_s + 1), "meta": meta})
        ahead_s = min(int(query["horizon_hours"]) * HOUR, self.horizon_s)
        data = self.entries(self.now_s, self.now_s + ahead_s)
        return said({"data": data, "meta": {**meta, "generated_at": written(self.now_s, ":00+00:00")}})


class UkStand(Stand):
    """``wrapped``: a region's answer as the documents say (a list), or as the server says (an object)."""

    step_s = 1800.0
    at, value = "from", "intensity"
    horizon_s = 48 * HOUR

    def entry(self, moment_s: float) -> Entry:
        over = moment_s + self.step_s <= self.now_s
        told = {"forecast": level(moment_s) + (7 if over else 0), "actual": level(moment_s) if over else None}
        return {"from": written(moment_s, "Z"), "to": written(moment_s + self.step_s, "Z"), "intensity": told}

    def put(self, entry: Entry, value: object) -> None:
        entry["intensity"] = {"forecast": value, "actual": value, "index": "low"}

    def answer(self, path: str, query: Mapping[str, str], headers: Mapping[str, str]) -> Page:
        words = path.strip("/").split("/")
        regional = words[0] == "regional"
        begin, end, *region = words[2 if regional else 1 :]
        begin_s, end_s = when(begin), min(when(end), self.now_s + self.horizon_s)
        if when(end) - begin_s > 14 * 24 * HOUR or not (begin + end).endswith("Z"):
            return said({"error": {"code": "400 Bad Request", "message": "at most 14 days"}}, 400)
        if region == ["postcode", "ZZ99"]:
            return Page("", 400)
        entries = self.entries(begin_s, end_s)
        if not regional:
            return said({"data": entries})
        for one in entries:
            told = one.get("intensity") if isinstance(one, dict) else None
            if isinstance(told, dict):
                told.pop("actual", None)
        found = {"regionid": 13, "shortname": "London", "data": entries}
        return said({"data": [found] if self.wrapped else found})


class CarbonAwareStand(Stand):
    at, value = "time", "rating"
    horizon_s = 24 * HOUR

    def answer(self, path: str, query: Mapping[str, str], headers: Mapping[str, str]) -> Page:
        names = {self.at: "timestamp"} | {self.value: "value"}
        if query.get("location") != "eastus":
            return said(
                {"title": "ArgumentException", "status": 400, "errors": {"location": ["unknown"]}}, 400
            )
        if path == "/emissions/bylocation":
            entries = self.entries(when(query["time"]), when(query["toTime"]))
            told = [_with(one, location="eastus", duration="01:00:00") for one in entries]
            return said(told) if told else Page("", 204)
        data = [
            _with({names.get(key, key): value for key, value in one.items()}, duration=60)
            if isinstance(one, dict)
            else one
            for one in self.entries(self.now_s, self.now_s + self.horizon_s)
        ]
        return said(
            [{"generatedAt": written(self.now_s), "optimalDataPoints": data[:1], "forecastData": data}]
        )


def _with(entry: Any, **more: object) -> Any:
    return {**entry, **more} if isinstance(entry, dict) else entry


def said(document: object, status: int = 200) -> Page:
    return Page(json.dumps(document), status, {"Content-Type": "application/json"})


def _handler(stand: Stand) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
            page = stand.page(parts.path, query, dict(self.headers))
            if page.hangs:
                stand.closing.wait(20)
                return
            body = page.body.encode() if isinstance(page.body, str) else page.body
            self.send_response(page.status)
            for name, value in page.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            try:
                self._write(page, body)
            except OSError:  # who asked had enough
                self.close_connection = True

        def _write(self, page: Page, body: bytes) -> None:
            if not isinstance(page, Drip):
                self.wfile.write(body)
                return
            for i in range(len(body)):
                self.wfile.write(body[i : i + 1])
                self.wfile.flush()
                time.sleep(page.pause_s)
                if stand.closing.is_set():
                    return

        def log_message(self, *_: object) -> None:
            """Silent."""

    return Handler
