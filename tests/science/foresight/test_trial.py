"""Plans tried on forecasts that were made: any steps, any number, with gaps; and on a plain history."""

from dataclasses import replace

import numpy as np
import pytest

from wattermark.science.foresight.chances import USUAL_RECORD
from wattermark.science.foresight.grid_forecast import Issues
from wattermark.science.foresight.trial import (
    MENDED,
    SHORT,
    _crossed,
    _forward,
    _halved,
    issues_of_history,
    record,
    trial,
)

from .real import DAY_S, HOUR_S, steps

BEGIN_S = 1635724800.0  # 2021-11-01, UTC


def made(n=60, hours=48, *, step_s=HOUR_S, noise=0.1, seed=3, every_s=DAY_S):
    """A daily cycle, and forecasts of it that are off by some noise that lasts."""
    rng = np.random.default_rng(seed)
    slots = round(hours * HOUR_S / step_s)
    issued_s = BEGIN_S + np.arange(n) * every_s
    leads_s = np.arange(slots + 1) * step_s
    when = issued_s[:, None] + leads_s[None, :-1] + step_s / 2
    actual = 300 + 120 * np.cos(2 * np.pi * when / DAY_S)
    off = noise * (rng.normal(size=(n, 1)) + rng.normal(size=(n, slots)) * 0.5)
    return Issues(issued_s=issued_s, leads_s=leads_s, actual=actual, forecast=actual * np.exp(off))


def tried(issues, hours=6.0, within=24.0, interruptible=True, **more):
    return trial(issues, job_s=hours * HOUR_S, within_s=within * HOUR_S, interruptible=interruptible, **more)


def test_perfect_forecasts_are_an_oracle():
    found = tried(made(noise=0.0))
    assert found.static.saving == pytest.approx(found.oracle.saving)
    assert found.replanned.saving == pytest.approx(found.oracle.saving)
    assert (found.static.worse, found.mape, found.forward.worth_worse) == (0, 0, 0)
    assert found.forward.worth == 1.0
    assert found.forward.kept == pytest.approx(1.0)


def test_a_constant_signal_is_not_worth_waiting_for():
    issues = made()
    flat = replace(issues, actual=np.full_like(issues.actual, 250), forecast=np.full_like(issues.actual, 250))
    found = tried(flat)
    assert (found.oracle.saving, found.static.saving, found.replanned.saving) == (0, 0, 0)
    assert (found.forward.worth, found.forward.worth_worse) == (0, None)
    assert found.forward.covered == 1.0


def test_noise_alone_is_not_worth_waiting_for():
    """Nothing can be saved, and each plan ends worse or better by chance."""
    issues = made(n=120, noise=0.2)
    flat = replace(issues, actual=np.full_like(issues.actual, 250), forecast=issues.forecast)
    assert tried(flat).forward.worth <= 0.25
    rng = np.random.default_rng(5)
    drift = 250 * np.exp(0.2 * rng.normal(size=issues.actual.shape))
    found = tried(replace(issues, actual=drift, forecast=250 * np.exp(0.2 * rng.normal(size=drift.shape))))
    assert found.static.saving == pytest.approx(0, abs=0.03)
    assert found.forward.worth <= 0.1


def test_the_winners_curse_is_in_what_is_told():
    """Forecasts promise what they do not keep: most of what came lies below the promise, yet in the band."""
    rng = np.random.default_rng(8)
    issues = made(n=200, noise=0.0)
    actual = 250 * np.exp(0.1 * rng.normal(size=issues.actual.shape))
    forecast = actual * np.exp(0.3 * rng.normal(size=actual.shape))
    found = tried(replace(issues, actual=actual, forecast=forecast))
    assert 0.7 <= found.forward.covered <= 0.92
    ask = {"job_s": 6 * HOUR_S, "within_s": DAY_S, "interruptible": True}
    assert record(replace(issues, actual=actual, forecast=forecast), **ask).mid < -0.1


@pytest.mark.parametrize(
    ("step_s", "hours", "every_s"),
    [
        pytest.param(1800.0, 6.25, DAY_S, id="half hours, and a length that is no multiple of them"),
        pytest.param(900.0, 3.0, DAY_S / 2, id="quarters, two issues a day"),
        pytest.param(3 * HOUR_S, 6.0, DAY_S, id="three hours"),
        pytest.param(HOUR_S, 5.0, 6 * HOUR_S, id="four issues a day"),
        pytest.param(HOUR_S, 5.0, 7 * DAY_S, id="one issue a week: nothing is planned anew"),
    ],
)
@pytest.mark.parametrize("interruptible", [True, False], ids=["pauses", "one piece"])
def test_steps_and_issues_of_any_length(step_s, hours, every_s, interruptible):
    found = tried(made(step_s=step_s, every_s=every_s), hours, interruptible=interruptible)
    assert found.jobs == 60
    assert found.oracle.saving >= found.static.saving - 1e-9
    assert found.oracle.saving >= found.replanned.saving - 1e-9
    if every_s > DAY_S:
        assert found.replanned == found.static


def test_gaps_leave_out_the_jobs_that_meet_them():
    issues = made()
    actual = issues.actual.copy()
    actual[10, 0] = actual[20, :20] = np.nan  # "now" is not known; nearly nothing is
    forecast = issues.forecast.copy()
    forecast[30, 3:5] = np.nan  # never a good hour
    forecast[40] = np.nan
    found = tried(replace(issues, actual=actual, forecast=forecast))
    assert (found.jobs, found.left_out) == (57, 3)
    assert 0 < found.static.saving < 1


@pytest.mark.parametrize(
    ("job_h", "within_h", "says"),
    [
        pytest.param(30, 24, "30 h does not fit into 24 h", id="longer than its deadline"),
        pytest.param(60, 96, "60 h does not fit into 48 h", id="longer than the forecasts"),
        pytest.param(0, 24, "0 h does not fit", id="no job"),
    ],
)
def test_what_does_not_fit_is_said(job_h, within_h, says):
    with pytest.raises(ValueError, match=says):
        tried(made(), job_h, within_h)


@pytest.mark.parametrize("n", [0, 2], ids=["no issues", "only gaps"])
def test_nothing_to_try_is_said(n):
    issues = made(n=n)
    with pytest.raises(ValueError, match="no issue has what a job needs"):
        tried(replace(issues, actual=np.full_like(issues.actual, np.nan)))


def test_a_deadline_beyond_the_forecasts_is_moved_and_said():
    assert tried(made(), 6, 96).flags == (SHORT,)


def test_times_that_repeat_and_jump_are_mended_and_said():
    issues = made()
    labels = issues.issued_s.copy()
    labels[30] = labels[29]
    found, right = tried(replace(issues, issued_s=labels)), tried(issues)
    assert found.flags == (MENDED,)
    assert found.replanned == right.replanned


def test_times_in_no_order_are_refused():
    issues = made()
    with pytest.raises(ValueError, match="not in the order"):
        tried(replace(issues, issued_s=issues.issued_s[::-1]))


def test_too_few_issues_are_priced_and_not_judged():
    found = tried(made(n=12))
    assert found.jobs == 12
    assert (found.forward.plans, found.forward.covered, found.forward.worth) == (0, None, None)


def test_the_record_is_the_trials_own():
    issues = made()
    ask = {"job_s": 6 * HOUR_S, "within_s": DAY_S, "interruptible": True}
    assert record(issues, **ask).plans == 60
    assert record(made(n=5), **ask) == USUAL_RECORD


@pytest.mark.parametrize("fold", [_forward, _halved, _crossed])
@pytest.mark.parametrize("every_s", [DAY_S, DAY_S / 4, 3 * DAY_S])
def test_no_issue_is_judged_by_one_that_overlaps_it(fold, every_s):
    """And by what was known at each moment, none that was not over then."""
    issued_s, within_s = BEGIN_S + np.arange(100) * every_s, 4 * DAY_S
    judged = []
    for known, of in fold(issued_s, within_s):
        judged += of.tolist()
        apart = np.abs(issued_s[known][:, None] - issued_s[of][None, :])
        assert (apart >= within_s).all()
        if fold is not _crossed:
            assert (issued_s[known][:, None] + within_s <= issued_s[of][None, :]).all()
    assert judged == list(range(50 if fold is _halved else 0, 100))


# -- a plain history -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("every_s", "gap_s"),
    [
        pytest.param(DAY_S, DAY_S, id="daily"),
        pytest.param(DAY_S / 4, DAY_S / 4, id="every six hours"),
        pytest.param(2 * DAY_S, 2 * DAY_S, id="every second day"),
    ],
)
def test_a_history_makes_its_own_issues(every_s, gap_s):
    hours = np.arange(60 * 24)
    rng = np.random.default_rng(2)
    values = 300 + 120 * np.cos(2 * np.pi * hours / 24) + np.cumsum(rng.normal(0, 2, len(hours)))
    history = steps(values, BEGIN_S)
    issues = issues_of_history(history, history.edges_s[-1], within_s=36 * HOUR_S, every_s=every_s)
    assert set(np.diff(issues.issued_s)) == {gap_s}
    found = tried(issues, 8, 36)
    assert 0 < found.static.saving <= found.oracle.saving
    assert found.error_by_day[0] < 0.2


def test_a_history_of_nothing_has_nothing_to_try():
    history = steps([100.0] * 30, BEGIN_S)
    issues = issues_of_history(history, history.edges_s[-1], within_s=DAY_S)
    assert issues.many == 0
