"""Spans of time as SLURM writes them; that SLURM reads them so is held by the tests with a real one."""

from math import inf

import pytest

from wattermark.levers.slurm_times import limit_s, printed_s, span_s


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        pytest.param("90", 5400, id="minutes"),
        pytest.param("90:30", 5430, id="minutes and seconds"),
        pytest.param("1:30:00", 5400, id="hours"),
        pytest.param("1-2", 93600, id="days and hours"),
        pytest.param("1-2:3", 93780, id="days, hours and minutes"),
        pytest.param("1-2:03:04", 93784, id="to the second"),
        pytest.param("2-", 172800, id="days alone"),
        pytest.param("UNLIMITED", inf, id="no limit"),
        pytest.param("infinite", inf, id="no limit, in small letters"),
        pytest.param("-1", inf, id="no limit, as a number"),
        pytest.param("5m", None, id="a unit that SLURM does not know"),
        pytest.param("", None, id="nothing"),
        pytest.param("-", None, id="a dash"),
        pytest.param("1:2:3:4", None, id="too many parts"),
        pytest.param("\u0661", None, id="a digit of another script"),
    ],
)
def test_what_is_asked_for(text, seconds):
    assert span_s(text) == seconds


@pytest.mark.parametrize(
    ("text", "seconds"), [("0:30", 60), ("90:30", 5460), ("5", 300), ("0", inf), ("x", None)]
)
def test_a_limit_is_whole_minutes_and_none_is_no_limit(text, seconds):
    assert limit_s(text) == seconds


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0:03", 3),
        ("1:05:00", 3900),
        ("1-02:01:03", 93663),
        ("UNLIMITED", inf),
        ("N/A", None),
        ("INVALID", None),
    ],
)
def test_what_squeue_prints(text, seconds):
    assert printed_s(text) == seconds
