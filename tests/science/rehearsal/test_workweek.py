"""By when a result is wanted: Let's Wait Awhile's deadlines."""

from datetime import UTC, datetime

import pytest

from wattermark.science.rehearsal.workweek import next_workday, semi_weekly


def seconds(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("finish", "workday", "twice_a_week"),
    [
        # 2020-01-06 was a Monday; a Friday's evening must not end on Saturday
        pytest.param("2020-01-06T08:30", "2020-01-06T09:00", "2020-01-06T09:00", id="Monday, before work"),
        pytest.param("2020-01-06T09:00", "2020-01-06T09:00", "2020-01-06T09:00", id="Monday at nine"),
        pytest.param("2020-01-06T09:30", "2020-01-06T09:30", "2020-01-09T09:00", id="Monday, at work"),
        pytest.param("2020-01-07T17:00", "2020-01-07T17:00", "2020-01-09T09:00", id="as work ends"),
        pytest.param("2020-01-07T17:30", "2020-01-08T09:00", "2020-01-09T09:00", id="Tuesday evening"),
        pytest.param("2020-01-08T02:00", "2020-01-08T09:00", "2020-01-09T09:00", id="in the night"),
        pytest.param("2020-01-09T09:00", "2020-01-09T09:00", "2020-01-09T09:00", id="Thursday at nine"),
        pytest.param("2020-01-09T10:00", "2020-01-09T10:00", "2020-01-13T09:00", id="Thursday, later"),
        pytest.param("2020-01-10T18:00", "2020-01-13T09:00", "2020-01-13T09:00", id="their Saturday"),
        pytest.param("2020-01-11T12:00", "2020-01-13T09:00", "2020-01-13T09:00", id="Saturday"),
        pytest.param("2020-01-11T20:00", "2020-01-13T09:00", "2020-01-13T09:00", id="Saturday evening"),
        pytest.param("2020-01-12T23:30", "2020-01-13T09:00", "2020-01-13T09:00", id="Sunday night"),
        pytest.param("2020-02-28T20:00", "2020-03-02T09:00", "2020-03-02T09:00", id="over a leap day"),
    ],
)
def test_deadlines(finish, workday, twice_a_week):
    assert next_workday(seconds(finish)) == seconds(workday)
    assert semi_weekly(seconds(finish)) == seconds(twice_a_week)


def test_the_clock_there_counts():
    """17:30 in Berlin in winter is 16:30 UTC: work has ended, and begins at 08:00 UTC."""
    assert next_workday(seconds("2020-01-07T16:30"), 3600) == seconds("2020-01-08T08:00")
