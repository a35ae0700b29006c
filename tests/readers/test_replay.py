"""A recorded run as a meter: the same numbers at the same moments."""

import pytest

from wattermark.errors import ReaderUnavailable
from wattermark.readers.replay import ReplayReader
from wattermark.values.kinds import Kind, Part
from wattermark.values.records import Channel, ReaderLog

CHANNELS = (Channel(name="cpu/package-0", kind=Kind.COUNTER, part=Part.CPU, unit="uJ", wrap=100),)
LOG = ReaderLog(
    channels=CHANNELS,
    mono_ns=[100_000_000_000, 101_000_000_000, 103_000_000_000],
    values=[[5], [None], [9]],
)


@pytest.mark.parametrize(
    ("speed", "after_s", "value"),
    [
        (1, 0.0, 5), (1, 0.9, 5), (1, 1.0, None), (1, 2.9, None), (1, 3.0, 9), (1, 99.0, 9),
        (10, 0.09, 5), (10, 0.1, None), (10, 0.3, 9),
    ],
)  # fmt: skip
def test_it_says_what_the_meter_had_said_by_then(speed, after_s, value):
    clock = iter([7 * 10**9, 7 * 10**9 + round(after_s * 1e9)])
    reader = ReplayReader(LOG, mono_ns=lambda: next(clock), speed=speed)
    assert (reader.channels, list(reader.read()), list(reader.read())) == (CHANNELS, [5], [value])


@pytest.mark.parametrize(("speed", "asked_s", "period_s"), [(1, 60, 1.0), (1, 0.2, 0.2), (10, 60, 0.1)])
def test_it_is_read_as_often_as_it_was_recorded(speed, asked_s, period_s):
    assert ReplayReader(LOG, speed=speed).period_s(asked_s) == pytest.approx(period_s)


def test_two_looks_side_by_side_do_not_make_a_busy_loop():
    """Start and stop look at once, however soon after a beat: that is no rhythm to play by."""
    log = ReaderLog(channels=CHANNELS, mono_ns=[10**9, 2 * 10**9, 2 * 10**9 + 40_000], values=[[1]] * 3)
    assert ReplayReader(log).period_s(1.0) >= 0.01


def test_a_reader_that_never_said_anything_is_unavailable():
    with pytest.raises(ReaderUnavailable, match="never said anything"):
        ReplayReader(ReaderLog(channels=CHANNELS, mono_ns=[], values=[]))
