"""Where a place's weather is asked for: every place but the world lies somewhere, and its parts near it."""

import math

import pytest

from wattermark.factors.places import coordinates, resolve
from wattermark.factors.table import table

FAR_KM = 1300
"""As far as a region of a cloud is from the city that stands for its grid."""


def apart_km(one, other):
    (a, b), (c, d) = (tuple(map(math.radians, each)) for each in (one, other))
    half = math.sin((c - a) / 2) ** 2 + math.cos(a) * math.cos(c) * math.sin((d - b) / 2) ** 2
    return 2 * 6371 * math.asin(math.sqrt(half))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        pytest.param("aws:eu-north-1", (59.4, 16.5), id="a region of a cloud has its own"),
        pytest.param("deu", (50.1, 8.7), id="a country is where its data centres are"),
        pytest.param("US-ERCT", (32.8, -96.8), id="a part of a country"),
    ],
)
def test_a_place_lies_somewhere(name, expected):
    assert apart_km(coordinates(resolve(name)), expected) < 60


def test_the_world_lies_nowhere():
    assert coordinates(resolve(None)) is None


def test_every_grid_has_a_city_on_this_globe():
    cities = {row["key"]: coordinates(resolve(row["key"])) for row in table("grids") if row["key"] != "WORLD"}
    assert None not in cities.values()
    assert all(-60 < latitude < 70 and -180 <= longitude <= 180 for latitude, longitude in cities.values())


def test_every_region_of_a_cloud_is_near_the_city_of_its_grid():
    for row in table("cloud_regions"):
        place = resolve(f"{row['provider']}:{row['region']}")
        assert apart_km(coordinates(place), coordinates(resolve(row["grid"]))) < FAR_KM, place.resolved
