"""What providers call our places: every row names a place that we know, and nobody is guessed at."""

import re

import pytest

from wattermark.factors.places import all_places, country_of, resolve
from wattermark.signals.zones import zone_of, zones

KEYS = {row.get("key") or f"{row['provider']}:{row['region']}" for row in all_places()}
FORM = re.compile(r"[A-Z]{2}(-[A-Z0-9]{2,4}){0,2}")


def called(provider, name):
    place = resolve(name)
    return zone_of(provider, region=place.region, grid=place.grid, country=country_of(place))


@pytest.mark.parametrize("provider", ["electricity_maps", "uk"])
def test_every_row_is_of_a_place_that_we_know(provider):
    assert set(zones(provider)) <= KEYS


def test_zones_of_electricity_maps_have_their_form():
    assert [zone for zone in zones("electricity_maps").values() if not FORM.fullmatch(zone)] == []


def test_a_state_lies_in_its_own_country():
    for key, zone in zones("electricity_maps").items():
        if key[:3] in ("US-", "CA-"):
            assert zone[:2] in (key[:2], "PR")


@pytest.mark.parametrize(
    ("provider", "place", "zone"),
    [
        pytest.param("electricity_maps", "deu", "DE", id="a country"),
        pytest.param("electricity_maps", "gbr", "GB", id="one whose letters people get wrong"),
        pytest.param("electricity_maps", "US-CAMX", "US-CAL-CISO", id="a subregion"),
        pytest.param("electricity_maps", "US-VA", "US-MIDA-PJM", id="a state"),
        pytest.param("electricity_maps", "CA-QC", "CA-QC", id="a province"),
        pytest.param("electricity_maps", "CN-BJ", "CN", id="a province without a zone of its own"),
        pytest.param("electricity_maps", "aws:us-east-1", "US-MIDA-PJM", id="not as its subregion (SRVC) is"),
        pytest.param("electricity_maps", "aws:eu-central-1", "DE", id="a region, by its country"),
        pytest.param("electricity_maps", "azure:norwayeast", "NO-NO1", id="a part of a country"),
        pytest.param("electricity_maps", "WORLD", None, id="the world has none"),
        pytest.param("uk", "aws:eu-west-2", "national", id="London"),
        pytest.param("uk", "irl", None, id="Ireland is not of it"),
        pytest.param("carbon_aware_sdk", "azure:eastus", "eastus", id="a cloud's own name"),
        pytest.param("carbon_aware_sdk", "deu", None, id="no cloud"),
        pytest.param("watttime", "deu", "", id="by where it is"),
        pytest.param("strange", "deu", "DEU", id="a stranger's, by our name of a grid"),
        pytest.param("strange", "aws:eu-west-2", "aws:eu-west-2", id="a stranger's, by our name of a region"),
    ],
)
def test_what_a_place_is_called(provider, place, zone):
    assert called(provider, place) == zone
