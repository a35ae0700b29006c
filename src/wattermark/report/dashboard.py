"""A Grafana dashboard of what requests take: queries and words only, nothing of any request.

References: Grafana, "Dashboard JSON model" (schema version 39: Grafana 11 and later read it, and bring it up
to date themselves); Grafana, "Variables", for ``$__rate_interval`` and the value of all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

UID: Final = "wattermark-serving"
SCHEMA: Final = 39
SOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}
COLUMNS, HEIGHT = 24, 8
CHOSEN: Final = 'model=~"$model",tenant=~"$tenant"'
NAME: Final = "wattermark_serving_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One picture: queries with what each line is called, and the unit that Grafana knows."""

    title: str
    says: str
    unit: str
    queries: Sequence[tuple[str, str]]
    kind: str = "timeseries"
    stacked: bool = False
    width: int = 12
    more: Mapping[str, Any] = field(default_factory=dict)


def _rate(counter: str, labels: str = "") -> str:
    return f"rate({NAME}{counter}{{{','.join(filter(None, (labels, CHOSEN)))}}}[$__rate_interval])"


def _quantile(part: float) -> str:
    buckets = f'rate({NAME}request_energy_joules_bucket{{model=~"$model"}}[$__rate_interval])'
    return f"histogram_quantile({part}, sum by (le) ({buckets}))"


def _hourly(counter: str) -> str:
    summed = f"3600 * sum by (model) ({_rate(counter)})"
    return f'label_replace({summed}, "model", "nobody (idle)", "model", "")'


def _one_number(title: str, says: str, called: str, *, metric: str, unit: str = "short") -> Panel:
    """A gauge or a counter of the whole, as it stands."""
    queries = ((f"sum({NAME}{metric})", called),)
    return Panel(title=title, says=says, unit=unit, kind="stat", width=8, queries=queries)


BUSY: Final = 'ledger=~"dynamic|undivided"'
ACTIVE: Final = 'ledger="active_idle"'
PROVISIONED: Final = 'ledger="provisioned_idle"'
IDLE: Final = 'ledger=~"active_idle|provisioned_idle"'
METERED: Final = 'quality!="estimated"'
WHOLE: Final = 'type=~"input|output"'
OF_REQUESTS: Final = 'ledger!="provisioned_idle"'
PANELS: Final = (
    Panel(
        title="Power by model, idle apart",
        says="All ledgers together are what the meters saw; requests that were not metered are estimates.",
        unit="watt",
        stacked=True,
        width=24,
        queries=(
            (f"sum by (model) ({_rate('energy_joules_total', BUSY)})", "{{model}}"),
            (f"sum({_rate('energy_joules_total', ACTIVE)})", "active idle"),
            (f"sum({_rate('energy_joules_total', PROVISIONED)})", "provisioned idle"),
        ),
    ),
    Panel(
        title="Energy of 1,000 tokens",
        says="Of requests, active idle included; cached and reasoning tokens are counted once.",
        unit="joule",
        queries=(
            (
                f"1000 * sum by (model) ({_rate('energy_joules_total', OF_REQUESTS)})"
                f" / sum by (model) ({_rate('tokens_total', WHOLE)})",
                "{{model}}",
            ),
        ),
    ),
    Panel(
        title="Energy of a request",
        says="Once it is settled; both of its ledgers.",
        unit="joule",
        queries=((_quantile(0.5), "p50"), (_quantile(0.99), "p99")),
    ),
    Panel(
        title="Carbon per hour",
        says="CO2e, embodied included.",
        unit="massg",
        stacked=True,
        queries=((_hourly("carbon_grams_total"), "{{model}}"),),
    ),
    Panel(
        title="Water per hour",
        says="Consumed on site, for electricity, and for making the hardware.",
        unit="litre",
        stacked=True,
        queries=((_hourly("water_liters_total"), "{{model}}"),),
    ),
    Panel(
        title="Requests by outcome",
        says="Those that the engine refused, or that could not reach it, did no work.",
        unit="reqps",
        stacked=True,
        queries=((f"sum by (outcome) ({_rate('requests_total')})", "{{outcome}}"),),
    ),
    Panel(
        title="Tenants that take the most",
        says="Tenants are salted hashes of keys.",
        unit="watt",
        kind="bargauge",
        queries=(
            (
                f"topk(10, sum by (tenant) ({_rate('energy_joules_total', OF_REQUESTS)}))",
                "{{tenant}}",
            ),
        ),
    ),
    Panel(
        title="Idle share",
        says="Of what the meters saw: held for requests that ran, and for nobody.",
        unit="percentunit",
        queries=(
            (
                f"sum({_rate('energy_joules_total', IDLE)}) / sum({_rate('energy_joules_total', METERED)})",
                "idle",
            ),
        ),
        more={"min": 0, "max": 1},
    ),
    Panel(
        title="How it is known",
        says="Measured by meters, modelled from how busy the machine was, or estimated from tokens.",
        unit="watt",
        stacked=True,
        queries=((f"sum by (quality) ({_rate('energy_joules_total')})", "{{quality}}"),),
    ),
    _one_number(
        "Open requests",
        "Their windows wait for them, for a minute at most.",
        "open",
        metric="open_requests",
    ),
    _one_number(
        "Not settled yet",
        "Seen by the meters, and not shared yet.",
        "waiting",
        metric="unsettled_energy_joules",
        unit="joule",
    ),
    _one_number(
        "Requests of unknown energy",
        "Nobody metered them, and the model or its tokens are not known.",
        "unknown",
        metric="unaccounted_requests_total",
    ),
)


def dashboard() -> dict[str, Any]:
    """The dashboard, as Grafana imports it."""
    return {
        "uid": UID,
        "title": "wattermark: what requests take",
        "description": "Energy, carbon and water of requests to models, adding up to what the meter saw.",
        "tags": ["wattermark", "energy", "carbon", "water", "llm"],
        "schemaVersion": SCHEMA,
        "version": 1,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "timezone": "browser",
        "templating": {"list": list(_variables())},
        "annotations": {"list": []},
        "links": [],
        "panels": [_panel(n, one, at) for n, (one, at) in enumerate(_placed(PANELS), 1)],
    }


def _variables() -> Iterable[dict[str, Any]]:
    yield {
        "name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus",
        "hide": 0, "includeAll": False, "multi": False, "refresh": 1, "regex": "",
    }  # fmt: skip
    for name in ("model", "tenant"):
        query = f"label_values({NAME}requests_total, {name})"
        yield {
            "name": name, "label": name.title(), "type": "query", "datasource": SOURCE,
            "query": {"query": query, "refId": name}, "definition": query, "allValue": ".*",
            "current": {"text": "All", "value": "$__all"}, "hide": 0, "includeAll": True, "multi": True,
            "refresh": 2, "regex": "", "sort": 1,
        }  # fmt: skip


def _placed(panels: Iterable[Panel]) -> Iterable[tuple[Panel, dict[str, int]]]:
    """From left to right, and a new row where there is no more room."""
    x, y = 0, 0
    for one in panels:
        if x + one.width > COLUMNS:
            x, y = 0, y + HEIGHT
        yield one, {"x": x, "y": y, "w": one.width, "h": HEIGHT}
        x += one.width


def _panel(number: int, one: Panel, at: Mapping[str, int]) -> dict[str, Any]:
    return {
        "id": number,
        "type": one.kind,
        "title": one.title,
        "description": one.says,
        "datasource": SOURCE,
        "gridPos": dict(at),
        "fieldConfig": {"defaults": {"unit": one.unit, **one.more, **_drawn(one)}, "overrides": []},
        "options": _options(one.kind),
        "targets": [
            {
                "refId": chr(ord("A") + place), "datasource": SOURCE, "editorMode": "code",
                "expr": expr, "legendFormat": legend, "range": one.kind == "timeseries",
                "instant": one.kind != "timeseries",
            }
            for place, (expr, legend) in enumerate(one.queries)
        ],
    }  # fmt: skip


def _drawn(one: Panel) -> dict[str, Any]:
    if one.kind != "timeseries":
        return {}
    stacking = {"group": "A", "mode": "normal" if one.stacked else "none"}
    return {"custom": {"drawStyle": "line", "fillOpacity": 20 if one.stacked else 0, "stacking": stacking}}


def _options(kind: str) -> dict[str, Any]:
    if kind == "timeseries":
        return {
            "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
            "tooltip": {"mode": "multi", "sort": "desc"},
        }
    shown = {"calcs": ["lastNotNull"], "fields": "", "values": False}
    return {"reduceOptions": shown, "orientation": "horizontal" if kind == "bargauge" else "auto"}
