"""Moments and tokens as engines tell them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattermark.science.engine_stats import LATEST_S, earlier_ns, kept_tokens, stamped_ns

NOW_NS, WALL_S = 5_000_000_000_000, 1_700_000_000.0


@pytest.mark.parametrize(
    ("stamp_s", "age_s"),
    [
        pytest.param(WALL_S - 0.25, 0.25, id="a moment ago"),
        pytest.param(WALL_S, 0.0, id="now"),
        pytest.param(None, 0.0, id="nobody stamped it"),
        pytest.param(WALL_S + 3600, 0.0, id="the wall clock was set back since"),
        pytest.param(WALL_S - LATEST_S - 1, 0.0, id="or forward"),
        pytest.param(WALL_S - LATEST_S, LATEST_S, id="the oldest that is believed"),
    ],
)
def test_a_stamp_of_the_wall_clock_on_the_steady_one(stamp_s, age_s):
    assert (NOW_NS - stamped_ns(NOW_NS, WALL_S, stamp_s)) / 1e9 == age_s


@given(st.integers(0, 2**62), st.floats(-1e6, 1e6))
def test_a_duration_never_leads_into_the_future(mono_ns, duration_s):
    assert earlier_ns(mono_ns, duration_s) <= mono_ns


@pytest.mark.parametrize(
    ("part", "blocks", "block_tokens", "kept"),
    [
        (0.25, 100, 16, 400),
        (0.0, 100, 16, 0),
        (None, 100, 16, None),
        (0.5, None, 16, None),
        (0.5, 100, None, None),
        (0.5, 0, 16, None),
    ],
)
def test_tokens_that_are_kept(part, blocks, block_tokens, kept):
    assert kept_tokens(part, blocks, block_tokens) == kept
