"""What operators call our places: each a place of ours, each a code that can be one of theirs."""

import csv
from importlib import resources

import pytest

from wattermark.factors.places import resolve

ROWS = {
    name: list(
        csv.DictReader(
            (resources.files("wattermark.signals") / "tables" / f"{name}.csv").read_text().splitlines()
        )
    )
    for name in ("entsoe", "eia")
}
LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-"


def check_letter(code):
    """The last letter of an EIC, by the other fifteen."""
    total = sum(LETTERS.index(letter) * (16 - i) for i, letter in enumerate(code[:15]))
    return LETTERS[36 - (total - 1) % 37]


@pytest.mark.parametrize("name", ROWS)
def test_each_row_is_a_place_of_ours_told_once_with_its_source(name):
    keys = [row["key"] for row in ROWS[name]]
    assert len(keys) == len(set(keys)) > 30
    assert all(resolve(key).resolved == key for key in keys)
    assert all(row["zone"] and row["name"] and row["source"] for row in ROWS[name])


@pytest.mark.parametrize("row", ROWS["entsoe"], ids=lambda row: row["key"])
def test_each_eic_has_its_check_letter(row):
    assert len(row["zone"]) == 16 and check_letter(row["zone"]) == row["zone"][15]


def test_a_mistyped_eic_is_seen():
    assert check_letter("10YFR-RTE------C") == "C" != check_letter("10YFR-RTF------C")


def test_every_grid_and_region_of_the_contiguous_states_has_a_respondent():
    from wattermark.factors.table import table

    known = {row["key"] for row in ROWS["eia"]}
    beyond = ("US-AK", "US-HI", "US-PR")
    grids = [row["key"] for row in table("grids") if row["iso3"] == "USA"]
    assert {key for key in grids if not key.startswith(beyond)} <= known
    regions = [row for row in table("cloud_regions") if row["iso3"] == "USA"]
    assert all(f"{row['provider']}:{row['region']}" in known or row["grid"] in known for row in regions)
