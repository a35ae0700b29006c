"""Two meters of one part: how far apart they may be, and when they cannot be held against each other."""

from dataclasses import replace

import pytest

from science.build import SECONDS, account, component, counter, cpu, gpu, recorded
from wattermark.science.agreement import checked
from wattermark.science.metered import tracks_of

FIRST = counter(100)
"""A kilojoule in ten seconds."""


def verdict(first, second, *, looks=SECONDS + 1, **more):
    meters = (cpu(first), cpu(second, counted=False, **more))
    return checked(tracks_of(recorded(*meters, at_s=range(looks))))


def late(extra_j):
    """A second meter whose last look comes later by so much energy."""
    return [*FIRST[:-1], FIRST[-1] + round(extra_j * 1e6)]


@pytest.mark.parametrize(
    ("first", "second", "apart"),
    [
        pytest.param(FIRST, FIRST, False, id="one register"),
        pytest.param(FIRST, late(18), False, id="a tenth of a second of its power, and a hundredth, later"),
        pytest.param(FIRST, late(25), True, id="more than that"),
        pytest.param(FIRST, late(-25), True, id="less than that"),
        pytest.param(counter(0.2), counter(0.29), False, id="a step of the register"),
        pytest.param(counter(0.2), counter(0.5), True, id="three steps"),
        pytest.param(FIRST, [*FIRST[:6], *FIRST[:5]], False, id="the second was reset half way"),
        pytest.param(
            FIRST, [*FIRST[:6], *counter(200)[:5]], True, id="the second was reset, and counts double since"
        ),
        pytest.param(FIRST, [*FIRST[:6], *[None] * 5], False, id="the second was lost half way"),
        pytest.param(
            FIRST, [*[None] * 5, *counter(200)[5:]], True, id="the second came late, and counts double"
        ),
        pytest.param(FIRST, [*[None] * 10, 5], False, id="the second was looked at once"),
    ],
)
def test_how_far_two_meters_may_be_apart(first, second, apart):
    told = verdict(first, second)
    assert [channel.name for channel, _ in told.tracks] == ["cpu/package-0"]
    assert bool(told.flags) is apart
    assert list(told.doubts) == (["cpu/package-0"] if apart else [])
    assert told.tracks[0][1].total_j == pytest.approx((first[-1] - first[0]) * 1e-6)


def test_a_first_meter_that_stood_still_gives_way():
    """A processor's would be dead; a GPU's is not, as one that sleeps may draw next to nothing."""
    first, second = gpu([5] * 11), gpu(counter(100, unit=1e3), "gpu/again", counted=False)
    told = checked(tracks_of(recorded(first, (replace(second[0], covers="gpu/0"), second[1]))))
    assert told.tracks[0][1].total_j == pytest.approx(1000)
    assert "stood still" in told.flags[0] and not told.doubts


def test_a_second_meter_that_takes_over_is_as_late_as_it_is():
    """An exporter renews its counter every half minute: what it told of ten seconds is hardly known."""
    late = counter(50)
    told = verdict([None] * 11, late, refresh_s=30.0)
    assert told.tracks[0][0].refresh_s == 30
    run = recorded(cpu([None] * 11), cpu(late, counted=False, refresh_s=30.0))
    part = component(account(run), "cpu/package-0").energy_j
    assert (part.low, part.best) == (0, pytest.approx(500))
    assert part.high > 1900


def test_two_meters_that_differ_beside_gaps_are_told():
    """One gap hides no half of the energy."""
    told = verdict([*FIRST[:4], None, *FIRST[5:]], counter(150))
    assert "the interval reaches" in told.flags[0]
    assert told.doubts["cpu/package-0"].value.high == pytest.approx(0.5)


def test_a_second_meter_that_is_counted_for_its_fewer_gaps_is_doubted_by_the_first():
    reset = verdict([*FIRST[:6], *FIRST[:5]], counter(50), looks=11)
    assert reset.tracks[0][1].total_j == pytest.approx(500)
    assert reset.doubts["cpu/package-0"].value.high == pytest.approx(1.0)


def test_an_exporter_that_is_late_where_the_power_changes_agrees():
    """It tells of the last half minute only when the run is over."""
    looks = [min(second, 270) * 50 + max(0, second - 270) * 700 for second in range(301)]
    late_by = [looks[second // 30 * 30 - 30] if second >= 30 else 0 for second in range(301)]
    told = verdict(
        [round(j * 1e6) for j in looks], [round(j * 1e6) for j in late_by], looks=301, refresh_s=60.0
    )
    assert not told.flags


def test_looks_that_are_close_together_tell_nothing_of_each_other():
    """In a twentieth of a second the two looks of a beat may be as far apart as the beats."""
    first, second = cpu([0, 5_000_000]), cpu([0, 9_000_000], counted=False)
    assert not checked(tracks_of(recorded(first, second, at_s=[0, 0.05]))).flags


def test_two_that_are_both_counted_are_not_held_against_each_other():
    """The caller brought them, and knows why."""
    told = checked(tracks_of(recorded(cpu(FIRST), cpu(counter(300)))))
    assert [track.total_j for _, track in told.tracks] == [pytest.approx(1000), pytest.approx(3000)]
    assert not told.flags
