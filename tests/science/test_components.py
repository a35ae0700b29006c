"""From what the meters said to the energy of each part: measured, modelled or missing; never zero."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from science.build import (
    ALONE,
    FACTORS,
    GB,
    HALF_BUSY,
    SECONDS,
    account,
    best,
    busy_gpu,
    component,
    counter,
    cpu,
    dram,
    factor,
    gpu,
    gpu_programs,
    load,
    psys,
    recorded,
    sampled_gpu,
    span,
    steps,
    wall,
)
from wattermark.science.components import parts_of
from wattermark.science.footprint import spans_of
from wattermark.science.hardware import host_time_s
from wattermark.values.kinds import Quality, Scope
from wattermark.values.range import Range

PACKAGE = cpu(counter(100))
"""100 W for ten seconds: a kilojoule."""
DENIED = [None] * 11


# -- whose energy --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scope", "run_j"),
    [
        pytest.param(Scope.MACHINE, 1000, id="the machine is charged with all of it"),
        pytest.param(
            Scope.PROCESS, 1000 / 3, id="half of what is not idle: a third is, at a fifth of full power"
        ),
    ],
)
def test_a_measured_cpu(scope, run_j):
    footprint = account(recorded(PACKAGE, load=HALF_BUSY), scope)
    assert best(footprint) == pytest.approx(run_j)
    assert component(footprint, "cpu/package-0").quality is Quality.MEASURED
    assert footprint.boundary.scope is scope


@pytest.mark.parametrize(
    ("part", "run_j", "others_j", "idle_j"),
    [
        ("cpu/package-0", 1000 / 3, 1000 / 3, 1000 / 3),
        ("dram/package-0", 50, 50, 100),
        ("gpu/0", 3000, 0, 0),
    ],
)
def test_the_rest_of_the_machine_stands_beside_the_run(part, run_j, others_j, idle_j):
    run = recorded(PACKAGE, dram(counter(20)), gpu(counter(300, unit=1e3)), load=HALF_BUSY, memory_b=8 * GB)
    one = component(account(run, Scope.PROCESS), part)
    assert one.energy_j.best == pytest.approx(run_j)
    assert (one.others_energy_j, one.idle_energy_j) == (pytest.approx(others_j), pytest.approx(idle_j))


LIMITS = st.fixed_dictionaries(
    {
        "cpu_limit": st.none() | st.floats(0.01, 8),
        "memory_limit_b": st.none() | st.integers(1, 16 * GB),
        "logical_cpus": st.integers(1, 8),
    }
)


@given(
    st.lists(
        st.tuples(st.integers(0, 10**8), st.floats(0, 4), st.floats(0, 4), st.integers(0, 100)),
        min_size=1,
        max_size=12,
    ),
    st.sampled_from(Scope),
    st.booleans(),
    st.booleans(),
    LIMITS,
)
def test_others_idle_and_run_are_the_machine(beats, scope, metered, alone, limits):
    """Measured or modelled, for the process or the machine, in any container: no joule is lost or doubled."""
    meters = [cpu(steps([beat[0] for beat in beats]))] if metered else []
    mine, other = (steps([round(beat[i] * 1e9) for beat in beats]) for i in (1, 2))
    busy = [(m + o) / 1e9 for m, o in zip(mine, other, strict=True)]
    run_s = [m / 1e9 for m in mine]
    seen = load(run=run_s, busy=busy, group=[2 * s for s in run_s] if alone else None)
    half = busy_gpu([0, *(beat[3] for beat in beats)], share=0.5)
    for one in account(recorded(*meters, half, load=seen, memory_b=8 * GB, **limits), scope).components:
        if one.energy_j is not None:
            parts_j = one.energy_j.best + one.others_energy_j + one.idle_energy_j
            assert parts_j == pytest.approx(one.machine_energy_j, abs=1e-9)


SLOT = st.tuples(st.integers(0, 10**6), *[st.floats(0, 2)] * 2, st.floats(0, 1))


@given(st.lists(SLOT, min_size=1, max_size=12), st.sampled_from(Scope), st.sets(st.integers(0, 12)))
def test_on_a_gpu_too_others_idle_and_run_are_the_machine(slots, scope, silent):
    energy_mj, run_s, others_s, held = zip(*slots, strict=True)
    sm = [0.0, *np.cumsum(run_s)], [0.0, *(np.cumsum(run_s) + np.cumsum(others_s))]
    programs = gpu_programs(looks=sm, held=[0.0, *np.cumsum(held)], silent=silent)
    looks = len(slots) + 1
    idle = load(run=[0.0] * looks, busy=[0.0] * looks)
    run = recorded(gpu(steps(energy_mj), uuid="GPU-a"), *programs, load=idle)
    one = component(account(run, scope), "gpu/0")
    parts_j = (one.energy_j.best, one.others_energy_j, one.idle_energy_j)
    assert sum(parts_j) == pytest.approx(one.machine_energy_j, abs=1e-9)
    assert min(parts_j) >= -1e-9


# -- each part once --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("meters", "total_j"),
    [
        pytest.param([PACKAGE], 1000, id="a package"),
        pytest.param([PACKAGE, dram(counter(50))], 1500, id="dram is added"),
        pytest.param(
            [PACKAGE, cpu(counter(100), "cpu/package-1"),
             *(dram(counter(50), f"dram/package-{socket}") for socket in (0, 1))], 3000,
            id="that of each of two sockets",
        ),
        pytest.param([PACKAGE, psys(counter(150))], 1000, id="psys holds the package: it is not added"),
        pytest.param([PACKAGE, cpu(counter(60), "cpu/package-1")], 1600, id="two sockets"),
        pytest.param(
            [cpu(counter(100)), cpu(counter(100, start=0.5), "cpu/package-1")], 2000,
            id="two genuine sockets that stand half a joule apart",
        ),
        pytest.param(
            [cpu(counter(100), f"cpu/package-0-die-{die}") for die in (0, 1)], 1000,
            id="two dies that show one register",
        ),
        pytest.param(
            [cpu(counter(100, start=900 * die), f"cpu/package-0-die-{die}") for die in (0, 1)], 2000,
            id="two dies with a counter each",
        ),
        pytest.param(
            [cpu(counter(100), f"cpu/package-0-die-{die}", wrap=None) for die in (0, 1)], 2000,
            id="two dies whose counts begin at zero: that they stand alike says nothing",
        ),
        pytest.param(
            [cpu([*counter(100, looks=10), round(1e6 * last)], f"cpu/package-0-die-{die}")
             for die, last in ((0, 1000), (1, 1020))], 2020,
            id="two dies that stood alike until the last look",
        ),
        pytest.param(
            [cpu(counter(100), f"cpu/package-{socket}-die-0") for socket in (0, 1)], 2000,
            id="dies of two sockets are no mirrors",
        ),
        pytest.param([PACKAGE, gpu(counter(300, unit=1e3))], 4000, id="a GPU by its counter"),
        pytest.param([PACKAGE, sampled_gpu([300_000] * 11)], 4000, id="the same GPU by its power"),
        pytest.param(
            [PACKAGE, *(gpu(counter(300, unit=1e3), f"gpu/{i}") for i in range(8))], 25_000, id="eight sum"
        ),
    ],
)  # fmt: skip
def test_each_part_counts_once(meters, total_j):
    assert best(account(recorded(*meters))) == pytest.approx(total_j)


@pytest.mark.parametrize(
    ("meter", "how"),
    [
        pytest.param(gpu(counter(300, unit=1e3)), "energy counter", id="a counter"),
        pytest.param(sampled_gpu([300_000] * 11), "power samples, each held until the next", id="power"),
    ],
)
def test_a_part_says_whether_its_energy_was_counted_or_sampled(meter, how):
    one = component(account(recorded(PACKAGE, meter)), "gpu/0")
    assert (one.how, one.energy_j.best) == (how, pytest.approx(3000))


def test_memory_that_a_counter_tells_is_not_modelled_as_well():
    run = recorded(PACKAGE, dram(counter(50)), load=HALF_BUSY, memory_b=8 * GB)
    told = {c.name: c.quality for c in account(run, Scope.PROCESS).components if c.kind == "dram"}
    assert told == {"dram/package-0": Quality.MEASURED}


def test_psys_is_shown_all_the_same():
    shown = component(account(recorded(PACKAGE, psys(counter(150)))), "platform/psys")
    assert (shown.counted, shown.energy_j.best) == (False, pytest.approx(1500))


# -- two meters of one part ------------------------------------------------------------


def again(values, name="cpu/package-0", **more):
    """A second meter of a part: read, and not added."""
    return cpu(values, name, counted=False, **more)


WHOLE = {"cpu/package-0": 1000}


@pytest.mark.parametrize(
    ("meters", "parts"),
    [
        pytest.param([PACKAGE, again(counter(100))], WHOLE, id="they agree"),
        pytest.param([PACKAGE, again(counter(100, start=9e4))], WHOLE, id="they began at other moments"),
        pytest.param([PACKAGE, again([*counter(100, looks=10), 1_005_000_000])], WHOLE,
                     id="the second was looked at a moment later at last"),
        pytest.param([PACKAGE, again(DENIED)], WHOLE, id="the second may not be read"),
        pytest.param([PACKAGE, again([0, *[None] * 10])], WHOLE, id="the second was read once"),
        pytest.param([PACKAGE, again([None] * 5 + counter(50)[5:])], {"cpu/package-0": 1000},
                     id="the second saw half of it, in which they differ by half"),
        pytest.param([PACKAGE, *(again(counter(100), f"cpu/package-0-die-{die}") for die in (0, 1))],
                     WHOLE, id="dies of a socket that is counted"),
        pytest.param([PACKAGE, dram(counter(20)), again(counter(100))], {**WHOLE, "dram/package-0": 200},
                     id="what the first one does not meter is added"),
        pytest.param([PACKAGE, psys(counter(150)), psys(counter(150))], {**WHOLE, "platform/psys": 1500},
                     id="two of the board: it is shown once"),
        pytest.param([again(counter(100)), PACKAGE], WHOLE, id="the second one stands first"),
    ],
)  # fmt: skip
def test_a_part_of_two_meters_is_told_once(meters, parts):
    footprint = account(recorded(*meters))
    assert {c.name: pytest.approx(c.energy_j.best) for c in footprint.components if c.energy_j} == parts
    half = any(None in values and values[5] is not None and values[6] is not None for _, values in meters)
    assert any(flag.startswith("disagree") for flag in footprint.flags) is half


@pytest.mark.parametrize(("other_w", "low_j", "high_j"), [(150, 1000, 1500), (50, 500, 1000)])
def test_where_two_meters_of_a_part_differ_the_interval_holds_both(other_w, low_j, high_j):
    exact = [factor(f.name, f.value.best, f.value.best, f.value.best) for f in FACTORS]
    footprint = account(recorded(PACKAGE, again(counter(other_w))), factors=exact)
    told = component(footprint, "cpu/package-0").energy_j
    assert told.best == pytest.approx(1000)
    assert (told.low, told.high) == (pytest.approx(low_j, rel=0.06), pytest.approx(high_j, rel=0.06))
    assert footprint.it_energy_j == told
    (flag,) = [flag for flag in footprint.flags if flag.startswith("disagree: cpu/package-0: its two meters")]
    assert f"1000 J and {other_w * 10} J" in flag


@pytest.mark.parametrize(
    ("first", "says"),
    [
        pytest.param(DENIED, "told nothing", id="it was denied"),
        pytest.param([5, *DENIED[1:]], "told nothing", id="it answered once"),
        pytest.param([5] * 11, "told nothing", id="it stood still"),
        pytest.param([*counter(100)[:6], *[None] * 5], "has gaps", id="it was lost half way"),
    ],
)
def test_a_first_meter_that_fails_gives_way_to_the_second(first, says):
    footprint = account(recorded(cpu(first), again(counter(100))))
    one = component(footprint, "cpu/package-0")
    assert (one.energy_j.best, one.unseen_s, one.counted) == (pytest.approx(1000), 0, True)
    assert [says in flag for flag in footprint.flags if flag.startswith("disagree: cpu/package-0")] == [True]


def test_spans_of_a_doubted_part_add_up_to_the_run():
    run = recorded(PACKAGE, again(counter(150)), spans=[span(1, 0, 4), span(2, 4, 10)])
    window = {"begin_ns": run.begin_mono_ns, "end_ns": run.end_mono_ns}
    told = spans_of(run.spans, parts_of(run, Scope.MACHINE), FACTORS, **window)
    assert [one.it_energy_j for one in told] == [pytest.approx(400), pytest.approx(600)]


@given(st.lists(st.integers(1, 10**9), min_size=1, max_size=12), st.integers(0, 2**40), st.booleans())
def test_two_looks_at_one_register_never_differ(beats, start, wraps):
    """Whatever was used, wherever each began to count, and whether the second one wraps."""
    shown = steps(beats)
    wrap = 262_143_328_851
    second = [(start + v) % wrap for v in shown] if wraps else [start + v for v in shown]
    footprint = account(recorded(cpu(shown, wrap=None), again(second) if wraps else again(second, wrap=None)))
    assert best(footprint) == pytest.approx(sum(beats) * 1e-6)
    assert not any(flag.startswith("disagree") for flag in footprint.flags)


def test_mirrors_are_told():
    run = recorded(*(cpu(counter(100), f"cpu/package-0-die-{die}") for die in (0, 1)))
    assert "mirrored: cpu/package-0-die-1 show" in " ".join(account(run).flags)


def test_a_mirror_that_is_read_across_a_wrap_is_a_mirror_still():
    """One die is read just before the register wraps, its twin just after: a joule apart, not 262 kJ."""
    wrap = 262_143_328_851
    one = [wrap - 1_200_000 + i * 500_000 for i in range(11)]
    dies = [[(shown + late) % wrap for shown in one] for late in (0, 300_000)]
    run = recorded(*(cpu(shown, f"cpu/package-0-die-{die}") for die, shown in enumerate(dies)))
    assert best(account(run)) == pytest.approx(5)


@pytest.mark.parametrize("scope", Scope)
def test_a_mig_slice_takes_its_share_and_leaves_the_rest_to_others(scope):
    run = recorded(PACKAGE, gpu(counter(700, unit=1e3), share=2 / 7, note="a MIG slice"), load=HALF_BUSY)
    footprint = account(run, scope)
    one = component(footprint, "gpu/0")
    assert (one.energy_j.best, one.others_energy_j) == (pytest.approx(2000), pytest.approx(5000))
    assert 1000 < one.energy_j.low < 1300 and 3000 < one.energy_j.high < 3300
    assert "note: gpu/0: a MIG slice" in footprint.flags


# -- a GPU among programs --------------------------------------------------------------


GPU_300W = gpu(counter(300, unit=1e3), uuid="GPU-a")
"""300 W for ten seconds: three kilojoules."""


@pytest.mark.parametrize(
    ("programs", "shares"),
    [
        pytest.param(ALONE, (3000, 0, 0), id="the run alone: all of it, its pauses too"),
        pytest.param(gpu_programs(), (3000, 0, 0), id="nobody, and nobody else holds it"),
        pytest.param(gpu_programs(run=0.2, others=0.4), (1000, 2000, 0), id="a third of all SM time"),
        pytest.param(gpu_programs(run=0.5, others=0.0, held=1.0), (3000, 0, 0), id="others hold it and rest"),
        pytest.param(gpu_programs(others=0.3, held=1.0), (0, 3000, 0), id="others only"),
        pytest.param(gpu_programs(held=1.0), (0, 0, 3000), id="several hold it, and nobody computes: idle"),
        pytest.param(gpu_programs(held=0.25), (2250, 0, 750), id="for a quarter of the time others held it"),
        pytest.param(gpu_programs(run=0.8, others=0.8), (1500, 1500, 0), id="both at once, all the time"),
        pytest.param(
            gpu_programs(run=0.2, others=0.4, silent=(3, 4, 5)), (1000, 2000, 0), id="looks without an answer"
        ),
    ],
)  # fmt: skip
def test_a_gpu_is_shared_by_sm_time(programs, shares):
    one = component(account(recorded(GPU_300W, *programs, load=HALF_BUSY), Scope.PROCESS), "gpu/0")
    got = (one.energy_j.best, one.others_energy_j, one.idle_energy_j)
    assert got == tuple(pytest.approx(share) for share in shares)
    assert one.machine_energy_j == pytest.approx(3000)


def test_energy_follows_the_slots_in_which_it_was_drawn():
    """The run computes in the first five seconds, at 500 W; another in the last, at 100 W."""
    drawn = gpu([500_000 * min(i, 5) + 100_000 * max(i - 5, 0) for i in range(11)], uuid="GPU-a")
    sm = [min(i, 5) / 2 for i in range(11)], [i / 2 for i in range(11)]
    one = component(account(recorded(drawn, *gpu_programs(looks=sm), load=HALF_BUSY), Scope.PROCESS), "gpu/0")
    assert (one.energy_j.best, one.others_energy_j) == (pytest.approx(2500), pytest.approx(500))


def test_nobody_knows_what_a_second_of_sm_time_takes():
    """Two programs of the same SM time: one may draw twice as much as the other."""
    run = recorded(GPU_300W, *gpu_programs(run=0.3, others=0.3), load=HALF_BUSY)
    one = component(account(run, Scope.PROCESS), "gpu/0").energy_j
    assert (one.low, one.high) == (pytest.approx(1000, rel=0.04), pytest.approx(2000, rel=0.04))


@pytest.mark.parametrize(
    ("programs", "scope", "flagged"),
    [
        pytest.param([], Scope.PROCESS, True, id="nothing tells of programs"),
        pytest.param(gpu_programs(silent=range(11)), Scope.PROCESS, True, id="it never answered"),
        pytest.param(gpu_programs(silent=range(1, 11)), Scope.PROCESS, True, id="it answered once"),
        pytest.param(gpu_programs(uuid="GPU-b"), Scope.PROCESS, True, id="another GPU tells"),
        pytest.param(ALONE, Scope.PROCESS, False, id="it tells that the run was alone"),
        pytest.param([], Scope.MACHINE, False, id="the machine is asked for"),
    ],
)
def test_a_gpu_of_which_nobody_tells_the_programs_is_charged_whole_and_that_is_told(programs, scope, flagged):
    footprint = account(recorded(GPU_300W, *programs, load=HALF_BUSY), scope)
    assert component(footprint, "gpu/0").energy_j.best == pytest.approx(3000)
    assert any(flag.startswith("whole: gpu/0") for flag in footprint.flags) is flagged


def test_a_gpu_without_a_name_is_not_taken_for_another_without_one():
    nameless = gpu(counter(300, unit=1e3)), *gpu_programs(run=0.2, others=0.4, uuid="")
    footprint = account(recorded(*nameless, load=HALF_BUSY), Scope.PROCESS)
    assert component(footprint, "gpu/0").energy_j.best == pytest.approx(3000)


@pytest.mark.parametrize("scope", Scope)
def test_for_the_machine_nothing_is_shared(scope):
    run = recorded(GPU_300W, *gpu_programs(run=0.2, others=0.4), load=HALF_BUSY)
    assert best(account(run, scope)) == pytest.approx({Scope.MACHINE: 3100, Scope.PROCESS: 1030}[scope])


# -- what was not seen -----------------------------------------------------------------


def test_a_failed_look_loses_nothing():
    values = counter(100)
    values[5] = None
    footprint = account(recorded(cpu(values)))
    assert best(footprint) == pytest.approx(1000)
    assert component(footprint, "cpu/package-0").unseen_s == 0


@pytest.mark.parametrize(
    "meter",
    [
        pytest.param(gpu([None] * 5 + counter(100, unit=1e3)[5:]), id="its counter answered late"),
        pytest.param(gpu(counter(100, unit=1e3)[:6] + [None] * 5), id="its counter was lost on the way"),
        pytest.param(gpu([*counter(100, unit=1e3)[:6], *[None] * 4, 1]), id="its counter was reset"),
        pytest.param(sampled_gpu([None] * 5 + [100_000] * 6), id="its power was told late"),
    ],
)
def test_a_gap_is_told_filled_at_the_mean_power_and_makes_the_interval_wide(meter):
    """A GPU of 100 W, seen for half of the run: it may have rested then, or drawn twice as much."""
    footprint = account(recorded(PACKAGE, meter))
    one = component(footprint, "gpu/0")
    assert (one.energy_j.best, one.unseen_s) == (pytest.approx(1000), pytest.approx(5))
    assert 450 <= one.energy_j.low <= 550 and 1450 <= one.energy_j.high <= 1550
    assert any(flag.startswith("gap: gpu/0 was not seen for 5 s (50%)") for flag in footprint.flags)


def test_a_processor_whose_counter_begins_anew_has_a_gap_and_no_giant():
    """From a tenth of its range to zero: as a wrap, it would be 236 kJ in a second."""
    values = [*counter(100, start=26_214, looks=6), *counter(100, looks=5)]
    one = account(recorded(cpu(values)))
    assert best(one) == pytest.approx(1000)
    assert component(one, "cpu/package-0").unseen_s == pytest.approx(1)
    assert any(flag.startswith("gap: cpu/package-0 was not seen for 1 s") for flag in one.flags)


def test_an_unseen_moment_is_not_worth_a_flag():
    footprint = account(recorded(PACKAGE, end_s=10.01))
    assert component(footprint, "cpu/package-0").unseen_s == pytest.approx(0.01)
    assert not any(flag.startswith("gap") for flag in footprint.flags)


@pytest.mark.parametrize(
    ("meters", "silent"),
    [
        pytest.param(
            [PACKAGE, cpu(DENIED, "cpu/package-1")], "cpu/package-1", id="a socket that may not be read"
        ),
        pytest.param([PACKAGE, gpu(DENIED)], "gpu/0", id="a GPU that was lost"),
        pytest.param([PACKAGE, gpu([7, *DENIED[1:]])], "gpu/0", id="a GPU that answered once"),
    ],
)
def test_a_meter_that_never_answers_is_missing_and_told(meters, silent):
    """Half a machine must not look like a whole one."""
    footprint = account(recorded(*meters))
    assert best(footprint) == pytest.approx(1000)
    assert [c.quality for c in footprint.components if c.name.startswith(silent)] == [Quality.MISSING]
    assert any(silent in flag for flag in footprint.flags)


@pytest.mark.parametrize(
    "meter",
    [
        pytest.param(
            gpu([9_000_000, *DENIED[:9], 5]), id="the driver was loaded anew between the only two looks"
        ),
        pytest.param(gpu([0, *DENIED[:9], 10**9]), id="it leapt by more than the device can draw"),
    ],
)
def test_a_meter_of_which_nothing_is_known_is_never_zero(meter):
    footprint = account(recorded(PACKAGE, meter))
    assert component(footprint, "gpu/0").energy_j is None
    assert any("gpu/0" in flag for flag in footprint.flags)


@pytest.mark.parametrize("meter", [cpu([5] * 11), dram([5] * 11)])
def test_a_processor_that_would_have_drawn_nothing_was_not_seen(meter):
    """Some virtual machines show counters that never move."""
    footprint = account(recorded(meter, load=HALF_BUSY, memory_b=8 * GB), Scope.PROCESS)
    assert component(footprint, meter[0].name).energy_j is None
    assert best(footprint) == pytest.approx(30 + 8)
    assert any(flag.startswith(f"gap: {meter[0].name}") for flag in footprint.flags)


def test_two_looks_so_far_apart_that_a_wrap_could_hide_are_never_zero():
    """A laptop that slept: all that is known of its CPU is that nothing is known."""
    footprint = account(recorded(cpu([0, 5_000_000]), at_s=[0, 4000]))
    assert footprint.it_energy_j is None


def test_a_run_shorter_than_a_refresh_says_so():
    run = recorded(gpu([0, 20_000], refresh_s=0.1), at_s=[0, 0.02])
    assert any(flag.startswith("short: gpu/0 is renewed every 0.1 s") for flag in account(run).flags)


@pytest.mark.parametrize(
    ("shown_mj", "end_s", "low_j", "high_j"),
    [
        pytest.param([0, 20_000], 0.02, 0, 120, id="a fifth of a renewal: what 1000 W give in one, or none"),
        pytest.param([7, 7], 0.02, 0, 100, id="it did not move: as much as the device can draw in one"),
        pytest.param([0, 50_000], 0.5, 40, 60, id="five renewals: one more or less"),
        pytest.param([0, 300_000], 3.0, 285, 315, id="thirty: what the meter may be wrong by"),
    ],
)  # fmt: skip
def test_a_short_run_is_known_to_one_renewal(shown_mj, end_s, low_j, high_j):
    one = component(account(recorded(gpu(shown_mj, refresh_s=0.1), at_s=[0, end_s])), "gpu/0").energy_j
    assert one.best == pytest.approx((shown_mj[-1] - shown_mj[0]) / 1e3)
    assert (one.low, one.high) == (pytest.approx(low_j, rel=0.06), pytest.approx(high_j, rel=0.06))


# -- where no meter is -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("scope", "run_j"),
    [
        pytest.param(Scope.PROCESS, 30, id="ten CPU seconds, 3 W above idle"),
        pytest.param(Scope.MACHINE, 100, id="twenty of them, and four CPUs at rest for ten seconds"),
    ],
)
def test_without_a_counter_the_cpu_is_modelled_from_its_load(scope, run_j):
    footprint = account(recorded(load=HALF_BUSY), scope)
    one = component(footprint, "cpu")
    assert (one.quality, one.energy_j.best) == (Quality.MODELLED, pytest.approx(run_j))
    assert one.energy_j.low < 0.7 * run_j and one.energy_j.high > 1.5 * run_j
    assert any(flag.startswith("modelled: cpu has no meter") for flag in footprint.flags)


@pytest.mark.parametrize(("scope", "run_j"), [(Scope.PROCESS, 8), (Scope.MACHINE, 32)])
def test_memory_is_modelled_by_its_size_and_shared_by_what_is_held(scope, run_j):
    footprint = account(recorded(load=HALF_BUSY, memory_b=8 * GB), scope)
    assert component(footprint, "dram").energy_j.best == pytest.approx(run_j)


def test_a_counter_that_may_not_be_read_gives_way_to_the_model():
    footprint = account(recorded(cpu(DENIED), dram(DENIED), load=HALF_BUSY, memory_b=8 * GB), Scope.PROCESS)
    assert {component(footprint, name).quality for name in ("cpu", "dram")} == {Quality.MODELLED}
    assert best(footprint) == pytest.approx(30 + 8)


def test_a_gpu_alone_does_not_hide_that_the_cpu_was_not_seen():
    footprint = account(recorded(gpu(counter(300, unit=1e3))))
    assert best(footprint) == pytest.approx(3000)
    assert component(footprint, "cpu").quality is Quality.MISSING
    assert footprint.boundary.parts == ("gpu",)


@pytest.mark.parametrize(
    "meters",
    [
        pytest.param([], id="no meter"),
        pytest.param([gpu(DENIED)], id="a mute one"),
        pytest.param([cpu([5, *DENIED[1:]])], id="a single look"),
        pytest.param([psys(counter(150))], id="psys alone: it is shown, never added"),
    ],
)
def test_nothing_at_all_is_none_and_never_zero(meters):
    footprint = account(recorded(*meters))
    assert set(footprint.quantities().values()) == {None}
    assert any(flag.startswith("nothing-seen") for flag in footprint.flags)


def test_without_load_the_whole_machine_is_charged_and_the_boundary_says_so():
    """Else it would add up with footprints of processes, which are something else."""
    footprint = account(recorded(PACKAGE), Scope.PROCESS)
    assert best(footprint) == pytest.approx(1000)
    assert any(flag.startswith("load-unknown") for flag in footprint.flags)
    assert footprint.boundary.scope is Scope.MACHINE


def test_load_that_was_seen_for_half_of_the_run_is_a_gap():
    """Where the model has no load to go by, it knows no more than a meter that was lost."""
    half = [None] * 5 + [float(s) for s in range(5, 11)]
    footprint = account(recorded(load=load(run=half, busy=half)), Scope.PROCESS)
    assert component(footprint, "cpu").unseen_s == pytest.approx(5)
    assert any(flag.startswith("gap: cpu was not seen for 5 s") for flag in footprint.flags)


def test_a_counter_seen_only_outside_the_load_s_slots_is_not_shared_as_nothing():
    """Two seconds of counter, then three of load: nobody knows whose those joules were."""
    load_late = load(run=[*[None] * 3, 0.0, 1.0, 2.0], busy=[*[None] * 3, 0.0, 2.0, 4.0])
    footprint = account(recorded(cpu([*counter(100, looks=3), *[None] * 3]), load=load_late), Scope.PROCESS)
    one = component(footprint, "cpu/package-0")
    assert one.energy_j is None or one.energy_j.high > 0


def test_dram_of_an_unknown_size_is_not_all_ours():
    run = recorded(dram(counter(20)), load=HALF_BUSY, memory_b=0)
    assert component(account(run, Scope.PROCESS), "dram/package-0").energy_j.best < 200


# -- how busy a GPU is -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("percent", "joules"),
    [
        pytest.param([0] * 11, 400, id="at rest: a tenth of its 400 W, for ten seconds"),
        pytest.param([100] * 11, 2800, id="at work: seven tenths"),
        pytest.param([50] * 11, 1600, id="half of the time at work"),
        pytest.param([100] * 5 + [0] * 6, 1600, id="at work for half of the time"),
    ],
)
@pytest.mark.parametrize("scope", Scope)
def test_a_gpu_that_tells_only_how_busy_it_is_is_modelled(percent, joules, scope):
    footprint = account(recorded(PACKAGE, busy_gpu(percent), load=HALF_BUSY), scope)
    one = component(footprint, "gpu/0")
    assert (one.quality, one.energy_j.best) == (Quality.MODELLED, pytest.approx(joules))
    assert one.machine_energy_j == pytest.approx(joules)
    assert one.energy_j.low < 0.7 * joules and one.energy_j.high > 1.3 * joules, "wide"
    assert any(flag.startswith("modelled: gpu/0 has no meter") for flag in footprint.flags)
    assert {"accelerator_tdp_w (NVIDIA X)", "gpu_idle_fraction", "gpu_busy_fraction"} <= {
        factor.name for factor in footprint.factors
    }


def test_a_gpu_without_a_meter_whose_tdp_nobody_knows_is_missing_and_told():
    footprint = account(recorded(PACKAGE, busy_gpu([50] * 11)), known_gpus=())
    assert component(footprint, "gpu/0").energy_j is None
    assert any("not-seen: gpu/0: it tells only how busy it is" in flag for flag in footprint.flags)
    assert best(footprint) == pytest.approx(1000)


def test_a_gpu_that_was_busy_but_lost_on_the_way_has_a_gap():
    footprint = account(recorded(PACKAGE, busy_gpu([None] * 5 + [100] * 6)))
    assert component(footprint, "gpu/0").unseen_s == pytest.approx(5)
    assert component(footprint, "gpu/0").energy_j.best == pytest.approx(2800), "filled as the rest"
    missing = account(recorded(PACKAGE, busy_gpu(DENIED)))
    assert any(flag.startswith("gap: gpu/0: it gave no answer") for flag in missing.flags)


def test_a_slice_of_a_gpu_without_a_meter_takes_its_share():
    one = component(account(recorded(PACKAGE, busy_gpu([100] * 11, share=0.25))), "gpu/0")
    assert (one.energy_j.best, one.others_energy_j) == (pytest.approx(700), pytest.approx(2100))


# -- containers ------------------------------------------------------------------------

STEADY = [float(s) for s in range(SECONDS + 1)]
FULL_HOST = load(run=STEADY, busy=[4 * s for s in STEADY])
"""The run keeps one of four CPUs busy, and others the rest."""
ALONE = load(run=STEADY, busy=[4 * s for s in STEADY], group=STEADY)


@pytest.mark.parametrize(
    ("limits", "seen", "cpu_j", "memory_j"),
    [
        pytest.param({}, FULL_HOST, 160, 32, id="no limits: four CPUs at 4 W and 8 GB at 0.4 W, 10 s"),
        pytest.param({"cpu_limit": 2}, FULL_HOST, 80, 32, id="two of four CPUs: at most two are busy"),
        pytest.param({"cpu_limit": 0.5}, HALF_BUSY, 35, 32, id="a run that goes beyond its limit is not cut"),
        pytest.param({"cpu_limit": 2}, ALONE, 50, 32, id="alone in it: one is busy, and two are there"),
        pytest.param({"memory_limit_b": 4 * GB}, FULL_HOST, 160, 16, id="half of the memory"),
        pytest.param(
            {"cpu_limit": 64, "memory_limit_b": 64 * GB}, FULL_HOST, 160, 32, id="more than there is"
        ),
    ],
)
def test_of_a_machine_without_meters_a_container_is_its_limits(limits, seen, cpu_j, memory_j):
    """The host has 4 CPUs and 8 GB."""
    footprint = account(recorded(load=seen, memory_b=8 * GB, **limits), Scope.MACHINE)
    assert component(footprint, "cpu").energy_j.best == pytest.approx(cpu_j)
    assert component(footprint, "dram").energy_j.best == pytest.approx(memory_j)


@pytest.mark.parametrize("limits", [{}, {"cpu_limit": 1.5, "memory_limit_b": 3 * GB}], ids=["none", "some"])
def test_a_process_is_charged_with_what_it_does_and_holds_and_no_minimum(limits):
    """No limit and no machine makes it more; one that sleeps and holds nothing takes nothing."""
    run = recorded(load=HALF_BUSY, memory_b=8 * GB, **limits)
    assert best(account(run, Scope.PROCESS)) == pytest.approx(30 + 8)
    asleep = load(run=[0.0] * 11, busy=STEADY, run_b=0)
    assert best(account(recorded(load=asleep, memory_b=8 * GB, **limits), Scope.PROCESS)) == 0


@pytest.mark.parametrize("scope", Scope)
def test_where_meters_are_the_machine_is_the_host_whatever_the_container(scope):
    meters = (PACKAGE, dram(counter(20)))
    plain = account(recorded(*meters, load=HALF_BUSY, memory_b=8 * GB), scope)
    limited = recorded(*meters, load=HALF_BUSY, memory_b=8 * GB, cpu_limit=0.5, memory_limit_b=2 * GB)
    assert account(limited, scope).components == plain.components


@pytest.mark.parametrize("scope", Scope)
@pytest.mark.parametrize("limits", [{}, {"cpu_limit": 1.0}], ids=["no limit", "a limit"])
def test_a_constant_load_is_linear_in_time_and_flagged_and_has_an_interval(scope, limits):
    def told(seconds):
        ends = [0.0, float(seconds)]
        seen = load(run=[0.5 * s for s in ends], busy=[2 * s for s in ends])
        return account(recorded(load=seen, memory_b=8 * GB, at_s=ends, **limits), scope)

    second = told(1)
    assert second.it_energy_j.low < second.it_energy_j.best < second.it_energy_j.high
    assert sum(flag.startswith("modelled: ") for flag in second.flags) == 2
    for seconds in (2, 60, 3600):
        longer = told(seconds).it_energy_j
        assert longer.ends == pytest.approx([seconds * end for end in second.it_energy_j.ends])


@pytest.mark.parametrize("scope", Scope)
def test_beside_a_meter_of_the_node_the_machine_is_the_node_whatever_the_container(scope):
    """Else what others do outside of it would be taken for the rest, and charged to the run."""
    limited = recorded(wall(250), load=FULL_HOST, memory_b=8 * GB, cpu_limit=0.5, memory_limit_b=2 * GB)
    plain = recorded(wall(250), load=FULL_HOST, memory_b=8 * GB)
    assert account(limited, scope).components == account(plain, scope).components


@pytest.mark.parametrize(
    ("meters", "cpus"), [((), 0.5), ((wall(250),), 4)], ids=["none: the container", "the node's: all CPUs"]
)
def test_the_machine_that_was_held_is_the_one_whose_energy_is_told(meters, cpus):
    """Its making is shared as its energy is. The host has 4 CPUs, the container half of one."""
    parts = parts_of(recorded(*meters, load=FULL_HOST, cpu_limit=0.5), Scope.MACHINE)
    assert host_time_s(parts, 4, 0.5) == pytest.approx(cpus * SECONDS)


def test_a_modelled_processor_idles_no_longer_than_the_run():
    """The load was seen for half of it; of the rest it is the mean, and not twice the idle power."""
    lost = load(run=[*STEADY[:6], *[None] * 5], busy=[*STEADY[:6], *[None] * 5])
    seen, whole = (
        component(account(recorded(load=one, end_s=10)), "cpu").energy_j.best
        for one in (lost, load(run=STEADY, busy=STEADY))
    )
    assert seen == pytest.approx(whole)


# -- the run's control group -----------------------------------------------------------


@pytest.mark.parametrize(
    ("group", "run_j"),
    [
        pytest.param([3 * s for s in STEADY], 90, id="alone in it at each look: it knows of the unseen dead"),
        pytest.param([*STEADY[:-1], None], 30, id="not alone at the last look: the tree's"),
        pytest.param([None] * 11, 30, id="never alone: the tree's"),
    ],
)
def test_the_run_s_processor_time_is_its_group_s_where_that_is_its_own(group, run_j):
    """The tree saw ten seconds; the group may have seen thirty. 3 W above idle."""
    seen = load(run=STEADY, busy=[4 * s for s in STEADY], group=group)
    one = component(account(recorded(load=seen), Scope.PROCESS), "cpu")
    assert one.energy_j.best == pytest.approx(run_j)


# -- factors of the meters -------------------------------------------------------------


def test_an_exact_meter_on_an_exact_machine_has_no_width():
    exact = [factor(f.name, f.value.best, f.value.best, f.value.best) for f in FACTORS]
    footprint = account(recorded(PACKAGE), factors=exact)
    assert footprint.it_energy_j == Range.exact(1000.0)
    assert footprint.carbon_g.is_exact and footprint.drivers == ()
