"""The oracle tables of EuroSys 2024, computed again from the hours of 2022: tests/data/em2022/README.md."""

import numpy as np
import pytest

from science.rehearsal.histories import group, hours, published, zones
from wattermark.science.rehearsal.sweep import at_once, in_pieces, one_piece

JOBS = (1, 6, 12, 24, 48, 96, 168)
GROUPS = ("Asia", "Americas", "Global", "Europe", "Oceania")
MISSING = "SE-SE1"
"""The zone that the published run of job 168, slack 24 lacks."""
TO_3_DECIMALS = 5e-4


def costs(job, slack):
    """At once, in one piece, in pieces: mean g/kWh of each start and zone, starts as published."""
    to_the_end = slack == 8760
    values, reach = hours(), np.inf if to_the_end else slack
    every = at_once(values, job), one_piece(values, job, reach).cost, in_pieces(values, job, reach)
    return [(one if to_the_end else one[:-1]) / job for one in every]


def columns(job, slack, name="Global"):
    lacking = zones().index(MISSING) if (job, slack) == (168, 24) else None
    return [at for at in group(name) if at != lacking]


@pytest.mark.slow
@pytest.mark.parametrize("slack", [24, 8760])
@pytest.mark.parametrize("job", JOBS)
def test_what_deferring_and_then_pausing_save(job, slack):
    """Shares of all zones, and grams of each continent."""
    every = costs(job, slack)
    shares = {row: cells[str(job)] for row, cells in published()[f"combined_pct_slack_{slack}"].items()}
    now, whole, pieces = (one[:, columns(job, slack)].mean(1) for one in every)
    assert 100 * ((now - whole) / now).mean() == pytest.approx(shares["defer"], abs=TO_3_DECIMALS)
    assert 100 * ((whole - pieces) / now).mean() == pytest.approx(shares["interrupt"], abs=TO_3_DECIMALS)
    now, whole, pieces = (one.mean(0) for one in every)
    for name in GROUPS:
        at = columns(job, slack, name)
        deferred = published()[f"defer_abs_slack_{slack}"][str(job)][name]
        paused = published()[f"interrupt_abs_slack_{slack}"][str(job)][name]
        assert (now - whole)[at].mean() == pytest.approx(deferred, abs=TO_3_DECIMALS), name
        assert (whole - pieces)[at].mean() == pytest.approx(paused, abs=TO_3_DECIMALS), name


@pytest.mark.slow
@pytest.mark.parametrize("slack", [24, 168, 480, 720, 8760])
@pytest.mark.parametrize("name", ["Asia", "Oceania"])
def test_grams_by_slack(name, slack):
    """All that pausing saves, as a mean over the jobs; benchmarks/planner.py does all continents."""
    values, reach = hours()[:, group(name)], np.inf if slack == 8760 else slack
    saved = []
    for job in JOBS:
        starts = slice(None if slack == 8760 else -1)
        less = at_once(values, job)[starts] - in_pieces(values, job, reach)[starts]
        saved.append(less.mean() / job)
    assert np.mean(saved) == pytest.approx(published()["vary_slack"][str(slack)][name], abs=TO_3_DECIMALS)


@pytest.mark.parametrize(
    ("zone", "job", "slack"), [("FR", 12, 24), ("US-CAL-CISO", 6, 168), ("AU-SA", 168, 8760)]
)
def test_every_start_of_a_zone(zone, job, slack):
    column = hours()[:, zones().index(zone)]
    reach = np.inf if slack == 8760 else slack
    theirs = hours(f"{zone}_job{job}_slack{slack}")
    ours = at_once(column, job), one_piece(column, job, reach).cost, in_pieces(column, job, reach)
    for one, other in zip(ours, theirs.T, strict=True):
        assert one[: len(other)] == pytest.approx(other, abs=1e-6)
        assert len(one) - len(other) == (0 if slack == 8760 else 1)


def test_means_and_daily_swings():
    days = hours().reshape(365, 24, -1)
    swing = (days.std(1, ddof=1) / days.mean(1)).mean(0)
    for at, zone in enumerate(zones()):
        row = published()["mean_and_cv_2022"][zone]
        assert hours()[:, at].mean() == pytest.approx(row["mean"], abs=1e-9)
        assert swing[at] == pytest.approx(row["cv"], abs=1e-12)


@pytest.mark.parametrize("name", GROUPS)
def test_the_best_region_once_and_at_every_hour(name):
    values = hours()[:, group(name)]
    table = published()["spatial_one_inf"]
    assert values.mean() - values.mean(0).min() == pytest.approx(table["one"][name], abs=1e-9)
    assert values.mean() - values.min(1).mean() == pytest.approx(table["inf"][name], abs=1e-9)
