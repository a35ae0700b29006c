"""A counter beside the power of the same hardware: which of the two is believed, and what is said."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from science.build import SECONDS, account, best, component, counter, gpu, recorded, sampled_gpu
from wattermark.science.metered import tracks_of
from wattermark.science.witness import agree, mean_powers_w

W = 1000  # milliwatts
LOOKS = SECONDS + 1


def witness(watts, name="gpu/0", **more):
    """What another reader says of the power of the same hardware; it is not added."""
    values = [None if w is None else round(w * W) for w in watts]
    channel, values = sampled_gpu(values, name, **more)
    return replace(channel, counted=False, name=f"{name}, too", note="metered by another reader"), values


def counted(power_w, **more):
    return gpu(counter(power_w, start=5000, unit=1000), **more)


STEADY = [300.0] * LOOKS
FROZEN = [7_000_000] * LOOKS
HALF = [300.0 if second % 2 else 100.0 for second in range(LOOKS)]
BACKWARDS = [9_000_000 - 200_000 * (second % 2) - second for second in range(LOOKS)]


@pytest.mark.parametrize(
    ("meter", "watts", "energy_j", "doubt"),
    [
        pytest.param(counted(300), STEADY, 3000, None, id="they agree"),
        pytest.param(counted(200), HALF, 2000, None, id="a power that is sampled may miss much"),
        pytest.param(counted(120), STEADY, 1200, None, id="a board and its chip differ"),
        pytest.param(gpu(FROZEN), STEADY, 3000, "says 0 W on average, where its power is 300 W", id="frozen"),
        pytest.param(counted(0.3), STEADY, 3000, "says 0.3 W on average", id="a thousandth"),
        pytest.param(counted(950), STEADY, 3000, "says 950 W", id="three times too much"),
        pytest.param(
            gpu([None] * LOOKS), STEADY, 3000, "tells nothing that can be believed; its power", id="no answer"
        ),
        pytest.param(
            gpu(BACKWARDS),
            STEADY,
            3000,
            "tells nothing that can be believed of 5 s, and its power does",
            id="it goes up and down",
        ),
        pytest.param(
            gpu([5_000_000, *([0] * 4), *(300_000 * s for s in range(6))]),
            STEADY,
            3000,
            "tells nothing that can be believed of 1 s, and its power does",
            id="reset, and more",
        ),
        pytest.param(
            gpu([0, 300_000, 600_000, *([None] * 3), *(300_000 * s + 10**9 for s in range(6, LOOKS))]),
            [*([None] * 9), 300.0, 300.0],
            3000,
            None,
            id="a witness that saw less is not asked",
        ),
        pytest.param(counted(300), [0.0] * LOOKS, 3000, None, id="a power of none says nothing"),
        pytest.param(counted(300), [None] * LOOKS, 3000, None, id="a witness that is lost says nothing"),
        pytest.param(gpu(FROZEN), [None] * LOOKS, 0, None, id="none says that it drew anything"),
    ],
)
def test_who_is_believed(meter, watts, energy_j, doubt):
    footprint = account(recorded(meter, witness(watts), memory_b=0))
    assert best(footprint) == pytest.approx(energy_j)
    assert [one.name for one in footprint.components if one.kind == "gpu"] == ["gpu/0"]
    flags = [flag for flag in footprint.flags if flag.startswith("counter-doubted")]
    assert [f"counter-doubted: gpu/0: its energy counter {doubt}" in flag for flag in flags] == (
        [True] if doubt else []
    )
    assert component(footprint, "gpu/0").how.startswith("power samples" if doubt else "energy counter")


def test_a_power_that_is_told_every_half_minute_may_lag_by_that():
    """A GPU that idled, and works since just before the run: its exporter says so half a minute late."""
    late = [50.0] * 31 + [500.0] * 10
    meter = gpu(counter(500, unit=1000, looks=41))
    assert "counter-doubted" in " ".join(account(recorded(meter, witness(late), memory_b=0)).flags)
    told = account(recorded(meter, witness(late, refresh_s=30.0), memory_b=0))
    assert best(told) == pytest.approx(20_000)


def test_the_power_takes_the_place_of_the_counter():
    """Its name, its device and the part of it that is ours; another card stays as it is."""
    slice_of = gpu(FROZEN, share=0.25, note="a partition")
    footprint = account(recorded(slice_of, counted(100, name="gpu/1"), witness(STEADY), memory_b=0))
    assert component(footprint, "gpu/0").energy_j.best == pytest.approx(750)
    assert component(footprint, "gpu/0").device == "NVIDIA X"
    assert component(footprint, "gpu/1").energy_j.best == pytest.approx(1000)
    assert "note: gpu/0: a partition" in footprint.flags


def test_only_the_time_that_both_saw_is_compared():
    """The counter was back at the fourth second, the power was lost for the last two."""
    watts = [10.0] * 4 + [600.0] * 5
    values = [None] * 4 + [600_000 * second for second in range(4, LOOKS)]
    run = recorded(gpu(values), sampled_gpu([*(round(w * W) for w in watts), None, None]))
    (_, by_counter), (_, by_power) = tracks_of(run)
    cut = replace(by_power, known=by_power.edge_s[:-1] < 8)
    assert mean_powers_w(by_counter, cut) == pytest.approx((600, 600))
    assert mean_powers_w(cut, by_counter) == pytest.approx((600, 600))
    assert mean_powers_w(by_counter, replace(cut, known=cut.edge_s[:-1] < 4)) is None


def test_what_is_shown_and_covers_nothing_is_no_witness():
    """The meter of the whole node stays in sight."""
    node, values = witness([900.0] * LOOKS, "platform/node")
    footprint = account(recorded(counted(300), (replace(node, covers=""), values), memory_b=0))
    assert component(footprint, "platform/node, too").counted is False


@given(st.floats(1, 3000), st.floats(1, 3000), st.floats(0.01, 1e6))
def test_neither_of_two_meters_is_the_better_judge(one_w, other_w, seen_s):
    assert agree(one_w, other_w, seen_s) == agree(other_w, one_w, seen_s)
    assert agree(one_w, 1.9 * one_w, seen_s)


@pytest.mark.parametrize(("seen_s", "fits"), [(0.5, True), (1, True), (2, False), (60, False)])
def test_a_short_run_may_catch_a_power_meter_that_lags(seen_s, fits):
    """600 W by the counter, where the meter still tells a fraction of it."""
    assert agree(600, 600 / 11, seen_s) is fits
