"""Lengths of time as people write them."""

import argparse

import pytest

from wattermark.cli.options import duration_s
from wattermark.values.durations import seconds_of


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        pytest.param("24", 86400, id="a bare number is hours"),
        pytest.param("0.5", 1800, id="half an hour"),
        pytest.param(".5", 1800, id="half an hour, short"),
        pytest.param("24h", 86400, id="hours"),
        pytest.param("90m", 5400, id="minutes, not months"),
        pytest.param("90 min", 5400, id="minutes in a word"),
        pytest.param("2d", 172800, id="days"),
        pytest.param("1w", 604800, id="a week"),
        pytest.param("30s", 30, id="seconds"),
        pytest.param("1d12h", 129600, id="several"),
        pytest.param(" 1.5 Hours ", 5400, id="spaces and capitals"),
        pytest.param("1 day 6 hours", 108000, id="words"),
        pytest.param("0", 0, id="nothing"),
    ],
)
def test_what_people_write(text, seconds):
    assert seconds_of(text) == seconds
    assert duration_s(text) == seconds


@pytest.mark.parametrize(
    "text",
    ["", "  ", "h", "-1h", "-2", "24x", "2d and a half", "1e3", "nan", "inf", "1,5h", "24 h 7", "1d-2h"],
)
def test_what_is_no_length_of_time(text):
    with pytest.raises(ValueError, match="no length of time"):
        seconds_of(text)
    with pytest.raises(argparse.ArgumentTypeError, match="write 24h"):
        duration_s(text)
