"""How good forecasts have been, by how far ahead they looked."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattermark.science.foresight_error import errors_by_lead, mean_error
from wattermark.values.series import Series, Signal

HOUR = 3600.0


def issue(at_h, came, expected, *, issued=True):
    """What was told at an hour: values of the hours before it, and of those from it on."""
    first = at_h - len(came)
    edges = tuple((first + i) * HOUR for i in range(len(came) + len(expected) + 1))
    return Series(
        signal=Signal.CARBON, place="x", source="them", edges_s=edges, values=(*came, *expected),
        forecast_from_s=at_h * HOUR, issued_s=at_h * HOUR if issued else None, fetched_s=at_h * HOUR + 60,
    )  # fmt: skip


def truth(hour):
    return 100.0 + hour % 24


def daily(days, wrong, *, ahead=48, every=24):
    """An issue a day at midnight, which is wrong by a factor that depends on the hours ahead."""
    found = []
    for at in range(24, 24 * days + 1, every):
        came = [truth(hour) for hour in range(at - 24, at)]
        found.append(issue(at, came, [truth(at + i) * (1 + wrong(i)) for i in range(ahead)]))
    return found


@pytest.mark.parametrize(
    ("issues", "errors"),
    [
        pytest.param([], [], id="nothing was ever said"),
        pytest.param([issue(24, [1.0] * 24, [])], [], id="no forecast"),
        pytest.param(daily(1, lambda i: 0.1), [None, None], id="nothing came since"),
        pytest.param(daily(3, lambda i: 0.1), [None, None], id="too few to know"),
        pytest.param(daily(9, lambda i: 0.0), [0.0, 0.0], id="always right"),
        pytest.param(daily(9, lambda i: 0.1), [0.1, 0.1], id="always a tenth too much"),
        pytest.param(daily(9, lambda i: -0.1), [0.1, 0.1], id="always a tenth too little"),
        pytest.param(daily(9, lambda i: 0.1 if i < 24 else 0.3), [0.1, 0.3], id="worse on the second day"),
        pytest.param(daily(9, lambda i: 0.2, ahead=6), [0.2], id="of a few hours only"),
    ],
)
def test_the_error_by_day_of_lead(issues, errors):
    found = errors_by_lead(issues)
    assert [one.day for one in found] == list(range(1, len(errors) + 1))
    assert [one.error for one in found] == [None if e is None else pytest.approx(e) for e in errors]


def test_how_much_was_compared_is_told():
    first, second = errors_by_lead(daily(5, lambda i: 0.1))
    assert (first.issues, first.compared_s) == (4, 4 * 24 * HOUR)
    assert (second.issues, second.compared_s) == (3, 3 * 24 * HOUR)


def test_a_revision_of_what_came_counts():
    issues = daily(9, lambda i: 0.1)
    late = issue(24 * 9 + 24, [truth(hour) * 1.1 for hour in range(0, 24 * 10)], [])
    assert errors_by_lead([*issues, late])[0].error == pytest.approx(0.0)


def test_gaps_are_compared_with_nothing():
    issues = daily(9, lambda i: 0.1)
    holed = [
        issue(
            24 * (i + 1),
            [None if hour % 2 else truth(hour) for hour in range(24)],
            [None] * 12 + [110.0] * 12,
        )
        for i in range(9)
    ]
    assert errors_by_lead(holed)[0].compared_s == 8 * 6 * HOUR
    assert errors_by_lead(issues)[0].compared_s == 8 * 24 * HOUR


def test_one_issue_that_was_fetched_twice_counts_once():
    issues = daily(9, lambda i: 0.1)
    assert errors_by_lead(sorted(issues * 2, key=lambda one: one.issued_s)) == errors_by_lead(issues)


def test_one_that_does_not_say_when_it_was_made_was_made_when_it_was_fetched():
    issues = [
        issue(24 * i, [truth(h) for h in range(24)], [truth(h) for h in range(24)], issued=False)
        for i in range(1, 9)
    ]
    assert errors_by_lead(issues)[0].error == 0


def test_the_mean_over_all_days_weighs_as_much_as_was_compared():
    errors = errors_by_lead(daily(9, lambda i: 0.1 if i < 24 else 0.3))
    weights = [one.compared_s for one in errors]
    assert mean_error(errors) == pytest.approx((0.1 * weights[0] + 0.3 * weights[1]) / sum(weights))
    assert mean_error(errors_by_lead(daily(2, lambda i: 0.1))) is None
    assert mean_error(()) is None


@given(st.floats(0.0, 2.0), st.integers(5, 9))
def test_who_is_always_off_by_so_much_is_told_so(wrong, days):
    for one in errors_by_lead(daily(days, lambda i: wrong, ahead=24)):
        assert one.error == pytest.approx(wrong)
