"""What is known of the hours to come: a file of one's own, a usual year, and what does not compare."""

import math

import pytest

from wattermark.errors import BadTrace
from wattermark.science.foresight.expected import USUAL_YEAR
from wattermark.values.plan import PlannedJob
from wattermark.values.series import Signal
from wattermark.verbs.moments import iso
from wattermark.verbs.outlook import expected
from wattermark.verbs.planning import plan_job
from wattermark.wiring.config import Config

HOUR, DAY = 3600.0, 86400.0
NOW_S = 1_764_547_200.0  # 2025-12-01T00:00Z


def csv(tmp_path, *, until_h, since_h=-28 * 24, zones=("DE",), header="datetime_utc", swing=100):
    """A clean daily cycle, the same at all zones but for its level."""
    lines = [",".join((header, *zones))]
    for h in range(since_h, until_h):
        level = 300 + swing * math.cos(2 * math.pi * h / 24)
        values = [f"{level / (i + 1):.2f}" for i, _ in enumerate(zones)]
        lines.append(",".join((iso(NOW_S + h * HOUR), *values)))
    path = tmp_path / "mine.csv"
    path.write_text("\n".join(lines), encoding="utf-8")
    return Config(place="deu", signals_file=str(path))


def seen(config, place="deu", hours=24):
    return expected(place, NOW_S, NOW_S + hours * HOUR, config=config, now_s=NOW_S)


def test_without_anybody_it_is_the_hours_of_a_usual_year():
    found = seen(Config(place="deu"))
    carbon = found.outlook.series[Signal.CARBON]
    assert carbon.source == USUAL_YEAR
    assert len(set(carbon.values)) > 12
    heard = next(one for one in found.outlook.heard if one.signal is Signal.CARBON)
    assert not heard.told
    assert found.doubts[Signal.CARBON].errors.many > 20


def test_a_file_tells_its_own_place_and_no_other(tmp_path):
    config = csv(tmp_path, until_h=48, zones=("DE", "FR"))
    assert seen(config).outlook.series[Signal.CARBON].source == "mine.csv"
    other = seen(config, "swe").outlook
    assert other.series[Signal.CARBON].source == USUAL_YEAR
    assert any("file-silent" in flag for flag in other.flags)


def test_a_file_that_ends_today_is_continued_and_that_is_told(tmp_path):
    found = seen(csv(tmp_path, until_h=0), hours=48)
    carbon = found.outlook.series[Signal.CARBON]
    assert carbon.end_s >= NOW_S + 48 * HOUR
    at_noon = carbon.values[[edge for edge in carbon.edges_s].index(NOW_S + 12 * HOUR)]
    assert at_noon == pytest.approx(200, abs=5)
    assert any(flag.startswith("own forecast") for flag in carbon.flags)


def test_a_file_of_last_year_says_nothing_of_now(tmp_path):
    found = seen(csv(tmp_path, since_h=-400 * 24, until_h=-390 * 24)).outlook
    assert found.series[Signal.CARBON].source == USUAL_YEAR
    assert any("file-old" in flag for flag in found.flags)


def test_a_file_without_a_history_tells_as_far_as_it_reaches(tmp_path):
    found = seen(csv(tmp_path, since_h=0, until_h=6), hours=48).outlook
    assert found.series[Signal.CARBON].end_s == NOW_S + 6 * HOUR


def test_a_file_of_one_day_that_is_over_leaves_the_usual_year(tmp_path):
    found = seen(csv(tmp_path, since_h=-24, until_h=0), hours=48).outlook
    assert found.series[Signal.CARBON].source == USUAL_YEAR
    assert any(flag.startswith("file-short: mine.csv") for flag in found.flags)
    assert plan(csv(tmp_path, since_h=-24, until_h=0), "deu").now.carbon_g > 0


def test_no_file_is_one_sentence():
    with pytest.raises(BadTrace, match="no file"):
        seen(Config(place="deu", signals_file="/nowhere.csv"))


def plan(config, *places, **more):
    job = PlannedJob(
        it_energy_j=3.6e6, duration_s=6 * HOUR, earliest_s=NOW_S, deadline_s=NOW_S + 48 * HOUR, **more
    )
    return plan_job(job, places, config=config, now_s=NOW_S)


def test_a_clean_cycle_is_worth_waiting_for(tmp_path):
    found = plan(csv(tmp_path, until_h=72), "deu")
    assert found.worth_it
    assert found.best.begin_s == NOW_S + 9 * HOUR
    assert found.savings[0].planned == pytest.approx(1 - found.best.carbon_g / found.now.carbon_g)


def test_what_is_not_worth_waiting_for_is_started_now(tmp_path):
    """The forecast promises a little less carbon, within its errors: that is considered, and not done."""
    found = plan(csv(tmp_path, until_h=72, swing=1), "deu")
    assert not found.worth_it and found.considered.carbon_g < found.now.carbon_g
    assert found.best == found.now


def test_a_plan_that_reaches_beyond_what_is_known_says_so(tmp_path):
    found = plan(csv(tmp_path, since_h=0, until_h=20), "deu")
    assert any(flag.startswith("horizon: at deu nothing is known of the last 28 h") for flag in found.flags)
    assert found.considered.finish_s <= NOW_S + 20 * HOUR


@pytest.mark.parametrize(
    ("column", "flag"),
    [("carbon_intensity_direct", "left-out: fra"), ("carbon_intensity", "basis-unknown")],
    ids=["direct here, lifecycle there", "nobody says what the file's is"],
)
def test_bases_are_not_mixed(tmp_path, column, flag):
    config = csv(tmp_path, until_h=72, zones=(column,))
    found = plan(config, "deu", "fra")
    assert any(one.startswith(flag) for one in found.flags), found.flags
    assert (found.best.place == "deu") is flag.startswith("left-out")
