"""The year's hours of every grid, and how published forecasts have erred."""

import numpy as np
import pytest

from wattermark.factors.shapes_of_grids import shape_of, usual_errors
from wattermark.factors.table import table

GRIDS = sorted(row["key"] for row in table("grids"))


@pytest.mark.parametrize(
    ("grid", "key", "flag"),
    [
        pytest.param("DEU", "DE", "", id="a country of one zone"),
        pytest.param("US-CAMX", "US-CAL-CISO", "", id="a subregion"),
        pytest.param("US-VA", "US-MIDA-PJM", "", id="a state"),
        pytest.param("US-AK", "US-MIDA-PJM+", "told by those of USA", id="a state that nobody tells"),
        pytest.param("CA-AB", "", "shape-flat", id="a province in a country that nobody tells"),
        pytest.param("WORLD", "", "shape-flat", id="the world"),
    ],
)
def test_whose_hours_a_grid_has(grid, key, flag):
    shape = shape_of(grid)
    assert shape.key.startswith(key)
    assert flag in " ".join(shape.flags)
    assert bool(shape.flags) is bool(flag)


def test_every_grid_has_a_shape_or_is_said_to_be_flat():
    assert all(bool(shape_of(grid).hours) or shape_of(grid).flags for grid in GRIDS)
    assert sum(bool(shape_of(grid).hours) for grid in GRIDS) > 120


@pytest.mark.parametrize("grid", sorted(row["grid"] for row in table("shape_of_grids")))
def test_a_shape_is_one(grid):
    """Around its mean, with some spread, in a year of twelve months of 24 hours."""
    shape = shape_of(grid)
    hours = np.array(shape.hours)
    assert hours.shape == (12, 24)
    assert hours.mean() == pytest.approx(1, abs=0.02)
    assert hours.min() > 0
    assert all(0.3 < ratio < 1.5 for ratio in shape.weekend)  # least in Ontario: gas follows work
    assert all(0 <= spread < 1.5 for spread in shape.spread)
    assert 0 <= shape.alike <= 1
    assert (shape.source, shape.basis, shape.year) == ("em2022", "lifecycle", 2022)


def test_california_is_cleanest_at_noon_and_knows_summer():
    june = np.array(shape_of("US-CAMX").hours)[5]
    assert 17 <= june.argmin() <= 23  # UTC: from ten to four there
    assert june.min() < 0.75 * june.max()


def test_errors_of_published_forecasts_grow_with_the_lead():
    told = usual_errors()
    off = np.abs(np.array(told.relative))
    assert off.shape == (len(told.zones), 32)
    assert len(set(told.zones)) == 9
    assert off[:, :8].mean() < 0.7 * off[:, 24:].mean()
    assert min(told.variability) > 0
