"""Carbon against water at ten real sites: the front that was told before, from what is kept of the traces."""

import csv
from pathlib import Path

import numpy as np
import pytest
from schedule_cases import LAMBDAS, TEN_SITES, Site, changes, hourly

from wattermark.science.schedule.pareto import front, knee

KEPT = Path(__file__).parents[2] / "data" / "traces" / "ten_sites.csv"


@pytest.fixture(scope="module")
def sites():
    lines = (line for line in KEPT.read_text(encoding="utf-8").splitlines() if not line.startswith("#"))
    header, *rows = csv.reader(lines)
    columns = dict(zip(header, np.array(rows, float).T, strict=True))
    names = [name.removesuffix("_carbon") for name in header if name.endswith("_carbon")]
    return [
        Site(name, *(hourly(columns[f"{name}_{what}"]) for what in ("carbon", "water"))) for name in names
    ]


@pytest.mark.slow
@pytest.mark.parametrize("mode", TEN_SITES)
def test_the_front_is_as_told(sites, mode):
    """Within a tenth of a point (one is asked for); whole grams and centilitres are kept of the traces."""
    for weight, told in zip(LAMBDAS, TEN_SITES[mode], strict=True):
        assert changes(sites, mode, weight) == pytest.approx(told, abs=0.1)


def test_weights_in_between_lie_on_a_front_with_a_knee():
    points = np.array(TEN_SITES["both"])
    assert front(points).tolist() == [0, 1, 2, 3, 4]
    assert knee(points) == 3
