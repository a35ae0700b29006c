"""The dashboard keeps to Grafana's model of one, asks only for what is told, and holds nothing of anybody."""

import json
import re

import pytest

from wattermark.cli.main import main
from wattermark.report.dashboard import COLUMNS, UID, dashboard
from wattermark.report.exposition import SERVING

KINDS = {"timeseries", "stat", "bargauge"}
UNITS = {"watt", "joule", "massg", "litre", "reqps", "percentunit", "short"}
PANELS = dashboard()["panels"]
QUERIES = [target["expr"] for panel in PANELS for target in panel["targets"]]


def test_it_can_be_imported_as_it_is_printed(capsys):
    assert main(["serving", "dashboard"]) == 0
    board = json.loads(capsys.readouterr().out)
    assert board == dashboard()
    assert re.fullmatch(r"[a-zA-Z0-9_-]{1,40}", board["uid"]) and board["uid"] == UID
    assert isinstance(board["schemaVersion"], int) and board["schemaVersion"] >= 36
    assert "id" not in board and "__inputs" not in board


def test_panels_are_told_apart_and_lie_beside_each_other():
    assert len({panel["id"] for panel in PANELS}) == len({panel["title"] for panel in PANELS}) == len(PANELS)
    taken = [
        (x, y)
        for at in (panel["gridPos"] for panel in PANELS)
        for x in range(at["x"], at["x"] + at["w"])
        for y in range(at["y"], at["y"] + at["h"])
    ]
    assert len(taken) == len(set(taken)) and max(x for x, _ in taken) < COLUMNS


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel["title"])
def test_every_panel_has_a_kind_a_unit_and_a_source(panel):
    assert panel["type"] in KINDS and panel["fieldConfig"]["defaults"]["unit"] in UNITS
    assert panel["description"] and panel["targets"]
    assert {target["datasource"]["uid"] for target in (panel, *panel["targets"])} == {"${datasource}"}
    assert [target["refId"] for target in panel["targets"]] == list("ABC")[: len(panel["targets"])]


def test_variables_are_asked_for_and_are_there():
    names = [one["name"] for one in dashboard()["templating"]["list"]]
    assert names == ["datasource", "model", "tenant"]
    used = set(re.findall(r"\$\{?(\w+)\}?", json.dumps(PANELS))) - {"__rate_interval"}
    assert used == set(names)


@pytest.mark.parametrize("query", QUERIES)
def test_queries_ask_only_for_what_is_told(query):
    asked = set(re.findall(r"wattermark_\w+", query))
    assert asked and {re.sub(r"_bucket$", "", name) for name in asked} <= set(SERVING)


@pytest.mark.parametrize(
    "sought",
    ["energy_joules_total", "carbon_grams_total", "water_liters_total", "tokens_total", "requests_total"],
)
def test_what_is_told_is_shown(sought):
    assert any(f"wattermark_serving_{sought}" in query for query in QUERIES)
