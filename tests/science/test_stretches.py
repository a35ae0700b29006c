"""A run's energy along its time adds up to the run's footprint, whatever saw it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from science.build import (
    FACTORS,
    GB,
    HALF_BUSY,
    account,
    best,
    busy_gpu,
    counter,
    cpu,
    dram,
    gpu,
    load,
    recorded,
    sampled_gpu,
    steps,
    wall,
)
from wattermark.science.components import parts_of
from wattermark.science.stretches import best_values, looks_s, stretches_by_part_j, stretches_j
from wattermark.values.kinds import Scope

RISING = load(run=[0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5], busy=[0, 0, 0, 0, 0, 0, 4, 8, 12, 16, 20])
"""Nobody works for five seconds; then all four CPUs do."""
RUNS = {
    "a counter and a sampled GPU": recorded(cpu(counter(100)), sampled_gpu([300_000] * 11), load=HALF_BUSY),
    "a gap in the middle": recorded(
        gpu([v if i not in (4, 5, 6) else None for i, v in enumerate(counter(200, unit=1e3))]),
        sampled_gpu([100_000, *[None] * 9, 400_000], "gpu/1"),
    ),
    "meters that fell silent": recorded(gpu([0, 1000, 3000, *[None] * 8]), cpu(counter(50)), end_s=14.0),
    "nothing but load": recorded(load=RISING, memory_b=8 * GB),
    "load that was seen late": recorded(
        cpu([None] * 11), load=load(run=[None, None, *range(9)], busy=[None, None, *range(9)]), memory_b=GB
    ),
    "a meter of the whole node": recorded(cpu(counter(100)), wall(400), load=HALF_BUSY, memory_b=8 * GB),
    "a GPU that tells only how busy it is": recorded(busy_gpu([0, 50, 100, 0, 0, 0, 0, 9, 9, 9, 9])),
    "a meter that stood still": recorded(dram([5] * 11), cpu(counter(10)), load=HALF_BUSY),
}


def sums_to_the_footprint(run, scope, edges):
    parts = parts_of(run, scope, known_gpus=("NVIDIA X",))
    windows = stretches_j(parts, best_values(parts, FACTORS), edges)
    return windows, best(account(run, scope))


@pytest.mark.parametrize("scope", Scope)
@pytest.mark.parametrize("name", RUNS)
@settings(deadline=None, max_examples=25)
@given(cuts=st.lists(st.floats(0, 1), max_size=8))
def test_windows_sum_to_the_footprint(name, scope, cuts):
    run = RUNS[name]
    end_s = (run.end_mono_ns - run.begin_mono_ns) * 1e-9
    windows, whole = sums_to_the_footprint(run, scope, sorted([0.0, *(c * end_s for c in cuts), end_s]))
    assert windows.min() >= -1e-9
    assert windows.sum() == pytest.approx(whole, rel=1e-12)


@settings(deadline=None, max_examples=50)
@given(rises=st.lists(st.integers(0, 300_000), min_size=10, max_size=10), silent=st.sets(st.integers(0, 10)))
def test_windows_of_any_counter_sum_to_its_footprint(rises, silent):
    if len(silent) > 8:
        return
    shown = [None if i in silent else value for i, value in enumerate(steps(rises))]
    run = recorded(gpu(shown), load=HALF_BUSY, memory_b=GB)
    windows, whole = sums_to_the_footprint(run, Scope.MACHINE, looks_s(run, 1.0))
    assert windows.sum() == pytest.approx(whole, rel=1e-12)


def test_a_metered_part_grows_as_its_meter_rose():
    run = recorded(gpu(steps([100_000] * 5 + [300_000] * 5)))
    parts = parts_of(run, Scope.MACHINE)
    found = stretches_by_part_j(parts, best_values(parts, FACTORS), [0, 5, 7.5, 10])
    assert found["gpu/0"].tolist() == pytest.approx([500, 750, 750])


def test_a_gap_is_filled_where_it_lies():
    """Half a second of it would hold a tenth of what fills all five."""
    run = recorded(gpu([*counter(100, unit=1e3)[:6], *[None] * 5]), end_s=10.0)
    windows, whole = sums_to_the_footprint(run, Scope.MACHINE, [0, 5, 5.5, 10])
    assert whole == pytest.approx(1000)
    assert windows.tolist() == pytest.approx([500, 50, 450])


def test_a_processor_without_a_meter_grows_as_the_machine_worked_and_waited():
    """At rest 4 x 1 W for ten seconds; at work 3 W more for each of four CPUs, in the second half."""
    parts = parts_of(RUNS["nothing but load"], Scope.MACHINE)
    found = stretches_by_part_j(parts, best_values(parts, FACTORS), [0, 5, 10])
    assert found["cpu"].tolist() == pytest.approx([20, 20 + 60])


def test_a_process_is_charged_when_it_worked():
    parts = parts_of(RUNS["nothing but load"], Scope.PROCESS)
    found = stretches_by_part_j(parts, best_values(parts, FACTORS), [0, 5, 10])
    assert found["cpu"].tolist() == pytest.approx([0, 15])


@pytest.mark.parametrize(
    ("at_s", "end_s", "least_s", "edges"),
    [
        pytest.param([0, 1, 2, 3], 3.0, 1.0, [0, 1, 2, 3], id="a look each second"),
        pytest.param([0, 0.2, 0.9, 1.1, 1.3, 2.6], 3.0, 1.0, [0, 1.1, 2.6, 3.0], id="close looks"),
        pytest.param([0, 5, 11], 11.0, 1.0, [0, 5, 11], id="rare looks make long windows"),
        pytest.param([0, 1, 2, 3, 4], 4.0, 2.0, [0, 2, 4], id="wider windows"),
        pytest.param([0], 4.0, 1.0, [0, 4], id="looked at once"),
        pytest.param([0], 0.0, 1.0, [], id="no length"),
    ],
)
def test_windows_lie_between_looks(at_s, end_s, least_s, edges):
    run = recorded(gpu([1000 * i for i in range(len(at_s))]), at_s=at_s, end_s=end_s)
    assert np.allclose(looks_s(run, least_s), edges)
