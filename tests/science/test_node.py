"""A meter of the whole node tells the rest of the machine: it is never added to the parts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from science.build import (
    FACTORS,
    GB,
    HALF_BUSY,
    account,
    best,
    component,
    counter,
    cpu,
    dram,
    gpu,
    load,
    psys,
    recorded,
    sampled_gpu,
    span,
    wall,
)
from wattermark.science.components import parts_of
from wattermark.science.footprint import spans_of
from wattermark.values.footprint import IncompatibleFootprints
from wattermark.values.kinds import Kind, Node, Part, Quality, Scope
from wattermark.values.records import Channel

PACKAGE = cpu(counter(100))
"""100 W for ten seconds: a kilojoule."""
GPU = gpu(counter(300, unit=1e3))
REST = "rest of the machine"


def wall_counter(power_w, name="platform/redfish-energy", step_j=1, **more):
    """The node's energy, in mJ, in steps as coarse as its controller's."""
    channel = Channel(
        name=name, kind=Kind.COUNTER, part=Part.PLATFORM, unit="mJ", counted=False, power_max_w=20_000,
        node=Node.INPUT, refresh_s=1.0, **more,
    )  # fmt: skip
    shown_j = [
        power_w * second + 7 * (second % 2) for second in range(11)
    ]  # no look comes at the same moment
    return channel, [int(one / step_j) * step_j * 1000 for one in shown_j]


# -- how much --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("meters", "rest_j"),
    [
        pytest.param([PACKAGE, wall(250)], 1500, id="all that no part took"),
        pytest.param([PACKAGE, dram(counter(20)), GPU, wall(600)], 1800, id="less each part"),
        pytest.param([PACKAGE, wall_counter(250)], 1500, id="by its energy"),
        pytest.param([wall(250)], 2500, id="no part was seen: it is all rest"),
        pytest.param([PACKAGE, psys(counter(150)), wall(250)], 1500, id="what holds a part is no part"),
        pytest.param([PACKAGE, wall(100)], 0, id="nothing is left"),
        pytest.param([PACKAGE, wall([250] * 8 + [None] * 3)], 1500, id="its last sample holds"),
    ],
)
def test_the_rest_is_what_the_node_took_besides_the_parts(meters, rest_j):
    footprint = account(recorded(*meters))
    rest = component(footprint, REST)
    assert (rest.quality, rest.counted) == (Quality.MEASURED, True)
    assert rest.energy_j.best == pytest.approx(rest_j, abs=1e-6)
    assert best(footprint) == pytest.approx(
        sum(c.energy_j.best for c in footprint.components if c.counted and c.energy_j)
    )
    assert "other" in footprint.boundary.parts


@pytest.mark.parametrize(
    ("meters", "why"),
    [
        pytest.param([PACKAGE], "have no meter here", id="no meter of the node"),
        pytest.param(
            [PACKAGE, psys(counter(150))], "have no meter here", id="psys is none: supplies lie outside"
        ),
        pytest.param(
            [PACKAGE, wall(250, node=Node.NO)], "have no meter here", id="a sensor of an APU is none"
        ),
        pytest.param([PACKAGE, wall([None] * 11)], "saw enough of the run", id="a silent one"),
        pytest.param(
            [PACKAGE, wall([None] * 6 + [250] * 5)], "saw enough of the run", id="one that saw less than half"
        ),
    ],
)
def test_without_a_meter_of_the_node_the_rest_is_missing_and_never_zero(meters, why):
    footprint = account(recorded(*meters))
    rest = component(footprint, REST)
    assert (rest.quality, rest.energy_j) == (Quality.MISSING, None)
    assert why in rest.how
    assert best(footprint) == pytest.approx(1000)
    assert footprint.boundary.parts == ("cpu",)


def test_a_node_with_a_rest_does_not_add_up_with_one_without():
    with_rest, without = account(recorded(PACKAGE, wall(250))), account(recorded(PACKAGE))
    with pytest.raises(IncompatibleFootprints):
        _ = with_rest + without


# -- which -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("meters", "by"),
    [
        pytest.param(
            [wall(300), wall_counter(250)], "platform/redfish-energy", id="energy before samples of power"
        ),
        pytest.param(
            [wall(300, "platform/ipmi", Node.INSIDE), wall(250, "platform/x")], "platform/x",
            id="what the supplies take, before what they may give",
        ),
        pytest.param(
            [wall([None] * 2 + [300] * 9, "platform/a"), wall(250, "platform/b")], "platform/b",
            id="the one that saw more",
        ),
        pytest.param(
            [wall(300, "platform/a", refresh_s=60), wall(250, "platform/b")], "platform/b",
            id="the one that is renewed more often",
        ),
    ],
)  # fmt: skip
@pytest.mark.parametrize("turned", [False, True])
def test_of_several_meters_of_the_node_the_best_one_is_taken_and_the_others_told(meters, by, turned):
    footprint = account(recorded(PACKAGE, *(meters[::-1] if turned else meters)))
    assert f"what {by} saw" in component(footprint, REST).how
    said = [flag for flag in footprint.flags if flag.startswith("whole-node")]
    assert by in said[0] and len(said) == 2 and "is not used" in said[1]


@pytest.mark.parametrize("step_j", [500, 36_000], ids=["five steps", "none at all"])
def test_an_energy_in_few_steps_says_nothing_of_a_short_run(step_j):
    coarse = wall_counter(250, step_j=step_j)
    assert "platform/redfish-power" in component(account(recorded(PACKAGE, coarse, wall(300))), REST).how
    alone = account(recorded(PACKAGE, coarse))
    assert {component(alone, name).quality for name in (REST, "platform/redfish-energy")} == {Quality.MISSING}


def test_one_that_told_nothing_is_not_named_where_another_spoke():
    silent = wall_counter(250)[0], [None] * 11
    footprint = account(recorded(PACKAGE, silent, wall(250)))
    assert not any("redfish-energy" in flag for flag in footprint.flags)
    assert "gap: platform/redfish-energy" in " ".join(account(recorded(PACKAGE, silent)).flags)


def test_a_node_that_saw_less_than_its_parts_is_told():
    footprint = account(recorded(PACKAGE, GPU, wall(250)))
    assert best(footprint) == pytest.approx(4000)
    assert "disagree: platform/redfish-power saw 2500 J, less than the 4000 J of the parts" in " ".join(
        footprint.flags
    )
    assert not any(flag.startswith("disagree") for flag in account(recorded(PACKAGE, wall(250))).flags)


# -- whose -----------------------------------------------------------------------------


def test_a_process_is_charged_with_the_rest_as_it_is_with_the_parts():
    """Of the CPU's kilojoule a third is its own: so is a third of the rest."""
    rest = component(account(recorded(PACKAGE, wall(250), load=HALF_BUSY), Scope.PROCESS), REST)
    assert [rest.energy_j.best, rest.others_energy_j, rest.idle_energy_j] == pytest.approx([500, 500, 500])


def test_accelerators_that_the_run_may_not_see_leave_the_rest_unknown_to_a_process():
    """Else it would be charged with those of its neighbours."""
    gpus = [gpu(counter(300, unit=1e3), hidden=7), gpu(counter(10, unit=1e3), "gpu/integrated")]
    meters = [PACKAGE, *gpus, wall(4000)]
    footprint = account(recorded(*meters, load=HALF_BUSY), Scope.PROCESS)
    assert component(footprint, REST).energy_j is None
    assert "7 accelerators or more that the run may not see" in " ".join(footprint.flags)
    assert component(account(recorded(*meters)), REST).energy_j.best == pytest.approx(35_900)


watts = st.floats(1, 2000)
seconds = st.lists(st.tuples(st.floats(0, 1), st.floats(0, 3)), min_size=10, max_size=10)


powers = st.tuples(watts, st.none() | watts, st.none() | watts, st.floats(0, 6000))


@given(powers, seconds, st.sampled_from(Scope), st.data())
def test_run_others_and_idle_of_all_parts_are_what_the_node_took(power_w, load_s, scope, data):
    """Whatever was seen, whatever the load, wherever there were gaps: no joule is lost or counted twice."""
    cpu_w, gpu_w, dram_w, more_w = power_w
    gone = data.draw(st.integers(0, 2))
    meters = [cpu([*counter(cpu_w)[: 11 - gone], *[None] * gone])]
    meters += [gpu(counter(gpu_w, unit=1e3), share=data.draw(st.sampled_from([1, 2 / 7])))] if gpu_w else []
    meters += [dram(counter(dram_w))] if dram_w else []
    run_s, other_s = zip(*load_s, strict=True)
    used = [sum(run_s[:i]) for i in range(11)]
    busy = [sum(run_s[:i]) + sum(other_s[:i]) for i in range(11)]
    node_w = cpu_w + (gpu_w or 0) + (dram_w or 0) + more_w + 10
    run = recorded(*meters, wall(node_w), load=load(run=used, busy=busy), memory_b=8 * GB if dram_w else 0)
    footprint = account(run, scope)
    node_j = component(footprint, "platform/redfish-power").machine_energy_j
    counted = [one for one in footprint.components if one.counted and one.energy_j is not None]
    if any(flag.startswith("disagree") for flag in footprint.flags):
        assert component(footprint, REST).energy_j.best == 0
    else:
        whole_j = sum(one.energy_j.best + one.others_energy_j + one.idle_energy_j for one in counted)
        assert whole_j == pytest.approx(node_j, rel=1e-9)
    if scope is Scope.MACHINE and not (gpu_w and meters[1][0].share < 1):
        assert best(footprint) >= node_j * (1 - 1e-9)
    assert all(one.energy_j.low >= 0 for one in counted)


def test_where_a_part_is_modelled_the_node_makes_the_whole_more_certain():
    modelled = account(recorded(load=HALF_BUSY))
    with_node = account(recorded(wall(250), load=HALF_BUSY))
    assert best(with_node) == pytest.approx(2500)
    part = modelled.it_energy_j
    assert (part.high - part.low) / part.best > (
        with_node.it_energy_j.high - with_node.it_energy_j.low
    ) / 2500
    assert (with_node.it_energy_j.low, with_node.it_energy_j.high) == (
        pytest.approx(2250, rel=0.05),
        pytest.approx(2750, rel=0.05),
    )


def test_the_meter_of_the_node_errs_apart_from_those_of_its_parts():
    amd = gpu(counter(200, unit=1e3), "hpu/0")  # read by a meter that nobody tested
    names = {one.name for one in account(recorded(PACKAGE, amd, wall(900))).factors}
    assert {"meter_node", "meter_other", "meter_rapl_cpu"} <= names


def test_spans_add_up_with_the_rest():
    marks = [span(1, 0, 4), span(2, 4, 10)]
    run = recorded(PACKAGE, wall(250), load=HALF_BUSY, spans=marks)
    told = spans_of(
        marks, parts_of(run, Scope.PROCESS), FACTORS, begin_ns=run.begin_mono_ns, end_ns=run.end_mono_ns
    )
    whole = best(account(run, Scope.PROCESS))
    assert sum(one.it_energy_j for one in told) == pytest.approx(whole)
    assert told[0].it_energy_j == pytest.approx(0.4 * whole)


def test_a_sampled_gpu_and_a_node_of_draws_alone_keep_the_interval_above_zero():
    footprint = account(recorded(PACKAGE, sampled_gpu([300_000] * 11), wall(405)))
    assert component(footprint, REST).energy_j.low == 0
    assert component(footprint, REST).energy_j.best == pytest.approx(50)
