"""Processes beside each other on a machine: each meter once, every load added, whatever they saw."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from science.build import GB, account, component, counter, cpu, gpu, gpu_programs, recorded, span, steps
from wattermark.science.load import gpu_loads_of, load_of
from wattermark.science.ranks import by_machine, by_part, marks_on, missing_ranks, paused_s, united
from wattermark.science.together import at_once, in_turn
from wattermark.values.footprint import IncompatibleFootprints
from wattermark.values.kinds import Kind, Part, Scope, Status
from wattermark.values.records import Channel

LOAD = {"cpu_busy": (Kind.COUNTER, "ns"), "run_cpu": (Kind.COUNTER, "ns"),
        "memory_used": (Kind.GAUGE, "B"), "run_memory": (Kind.GAUGE, "B"),
        "run_cgroup_cpu": (Kind.COUNTER, "ns")}  # fmt: skip


def load(run_s, busy_s=4, looks=11, start_s=0, group_s=None):
    """A process that takes so much of each second, on a machine that is so busy; and its group."""
    columns = {
        "cpu_busy": [round(busy_s * t * 1e9) for t in range(looks)],
        "run_cpu": [round((start_s + run_s * t) * 1e9) for t in range(looks)],
        "memory_used": [6 * GB] * looks,
        "run_memory": [GB] * looks,
        "run_cgroup_cpu": [None if group_s is None else round((9 + group_s * t) * 1e9) for t in range(looks)],
    }
    return [
        (Channel(name=f"load/{name}", kind=kind, part=Part.LOAD, unit=unit), columns[name])
        for name, (kind, unit) in LOAD.items()
    ]


def rank(number, *meters, machine="m", part=0, of=None, pid=None, **more):
    run = recorded(*meters, memory_b=8 * GB, **more)
    header = replace(
        run.header, rank=number, machine=machine, part=part, world_size=of, pid=pid or number + 1
    )
    return replace(run, header=header)


def pair(**more):
    return [rank(i, cpu(counter(100)), load=load(0.5 + i, start_s=7 * i), **more) for i in range(2)]


def test_a_meter_is_counted_once_and_the_loads_add_up():
    whole = account(united(pair()), Scope.PROCESS)
    alone = [account(one, Scope.PROCESS) for one in pair()]
    (package,) = [one for one in whole.components if one.name == "cpu/package-0"]
    assert package.machine_energy_j == pytest.approx(1000)
    assert package.energy_j.best == pytest.approx(
        sum(component(one, "cpu/package-0").energy_j.best for one in alone)
    )
    assert package.energy_j.best + package.others_energy_j + package.idle_energy_j == pytest.approx(1000)


def test_gpus_are_united_by_uuid():
    ranks = [
        rank(0, gpu(counter(300, unit=1e3), uuid="a"), gpu(counter(200, unit=1e3), "gpu/1", uuid="b")),
        rank(1, gpu(counter(200, unit=1e3), uuid="b")),  # by its own count the first
        rank(2, gpu(counter(50, unit=1e3), "gpu/7", uuid="c")),
    ]
    told = account(united(ranks))
    assert {c.name: c.energy_j.best for c in told.components if c.kind == "gpu"} == {
        "gpu/0": 3000, "gpu/1": 2000, "gpu/7": 500
    }  # fmt: skip


@pytest.mark.parametrize(("ranks", "hidden"), [(1, 2), (2, 1), (3, 0)])
def test_what_another_rank_sees_is_not_hidden(ranks, hidden):
    seen = [rank(i, gpu(counter(300, unit=1e3), f"gpu/{i}", uuid=str(i), hidden=2)) for i in range(ranks)]
    channels = [c for log in united(seen).logs.values() for c in log.channels]
    assert [c.hidden for c in channels] == [hidden] * ranks


def test_gpus_that_each_container_calls_its_first_are_told_apart():
    """What is in doubt of the one is not of the other."""
    ranks = [rank(i, gpu(counter(300 - 100 * i, unit=1e3), uuid=str(i))) for i in range(2)]
    told = account(united(ranks))
    assert {c.name: c.energy_j.best for c in told.components if c.kind == "gpu"} == {
        "gpu/0": 3000, "gpu/0#2": 2000
    }  # fmt: skip


@pytest.mark.parametrize(
    ("held", "share"),
    [
        pytest.param([{"a": 1 / 7}, {"b": 2 / 7}], 3 / 7, id="a slice each: both"),
        pytest.param([{"a": 1 / 7}, {"a": 1 / 7}], 1 / 7, id="the same slice: once"),
        pytest.param([{"a": 0.5}, {"b": 0.5}], 1, id="the two tiles of a card: all of it"),
        pytest.param([{"a": 1 / 7}, {}], 1, id="all of it, by a rank that sees the card"),
    ],
)
def test_of_a_card_that_ranks_hold_slices_of_all_slices_are_the_run_s(held, share):
    """Its energy is counted once, whosever it is."""
    ranks = [
        rank(i, gpu(counter(700, unit=1e3), uuid="a", slices=mine, share=sum(mine.values()) or 1.0))
        for i, mine in enumerate(held)
    ]
    (part,) = [one for one in account(united(ranks)).components if one.kind == "gpu"]
    assert part.energy_j.best == pytest.approx(7000 * share)
    assert part.machine_energy_j == pytest.approx(7000)


def test_devices_of_another_reader_do_not_make_hidden_ones_seen():
    both = [
        rank(
            i,
            gpu(counter(300, unit=1e3), f"gpu/{i}", uuid=str(i), hidden=2),
        )
        for i in range(2)
    ]
    arc = rank(0, gpu(counter(10, unit=1e3), "gpu/arc")).logs["meters"]
    both = [replace(one, logs={**one.logs, "hwmon": arc}) for one in both]
    told = [c for log in united(both).logs.values() for c in log.channels if c.uuid]
    assert [c.hidden for c in told] == [1, 1]


def test_a_load_that_nobody_told_is_unknown():
    """Not nothing: memory that nobody could read must not be told as none."""
    silent = load(0.5)
    silent[2] = (silent[2][0], [None] * 11)
    assert load_of(united([rank(i, load=silent) for i in range(2)])) is None


@pytest.mark.parametrize(("second", "told"), [("GPU-b", True), ("GPU-a", False)], ids=["its own", "the same"])
def test_who_uses_a_gpu_is_told_only_where_one_rank_sees_it(second, told):
    programs = [gpu_programs(run=0.5, others=0.5), gpu_programs(run=0.5, uuid=second)]
    meters = [gpu(counter(300, unit=1e3), uuid="GPU-a"), gpu(counter(300, unit=1e3), uuid=second)]
    run = united([rank(i, meters[i], *programs[i], load=load(0.5)) for i in range(2)])
    assert set(gpu_loads_of(run)) == ({"GPU-a", "GPU-b"} if told else set())
    parts = [c for c in account(run, Scope.PROCESS).components if c.kind == "gpu"]
    assert sum(c.machine_energy_j for c in parts) == pytest.approx(6000 if told else 3000)


def test_a_process_below_another_one_adds_nothing():
    outer, inner = pair()
    inner = replace(inner, header=replace(inner.header, ancestors=("2@5", "1@")))
    assert load_of(united([outer, inner])).run_s.sum() == pytest.approx(0.5 * 10)


@pytest.mark.parametrize(
    ("groups_s", "expected_s"),
    [
        pytest.param([0.7, 0.9], 16, id="a group each: they add up"),
        pytest.param([None, None], 10, id="one group of both: neither is alone in it, so the trees add up"),
        pytest.param([0.7, None], 10, id="one has a group, of the other nothing is known: the trees"),
    ],
)
def test_a_group_that_two_ranks_share_is_not_counted_twice(groups_s, expected_s):
    ranks = [rank(i, load=load(0.5, group_s=group_s)) for i, group_s in enumerate(groups_s)]
    assert load_of(united(ranks)).run_s.sum() == pytest.approx(expected_s)


def test_a_rank_below_another_one_whose_group_holds_both():
    """The launcher's group holds the worker, to whom the launcher is a stranger."""
    outer, inner = rank(0, load=load(0.5, group_s=0.8)), rank(1, load=load(0.3))
    inner = replace(inner, header=replace(inner.header, ancestors=("2@5", "1@")))
    assert load_of(united([outer, inner])).run_s.sum() == pytest.approx(8)


@pytest.mark.parametrize(
    ("late", "expected"),
    [
        pytest.param(counter(100), 1400, id="the same counter: what the other saw before and after is taken"),
        pytest.param(counter(100, start=500), 1000, id="a counter of its own: no reading of it is mixed in"),
    ],
)
def test_who_stays_longer_sees_more(late, expected):
    first = rank(0, cpu(counter(100)))
    second = rank(1, cpu([value + 400_000_000 for value in late]), at_s=range(4, 15))
    told = account(united([first, second]))
    assert told.duration_s == 14
    (package,) = [c for c in told.components if c.name == "cpu/package-0"]
    assert package.energy_j.best == pytest.approx(1400)  # what was not seen is filled at the mean
    assert 100 * (14 - package.unseen_s) == pytest.approx(expected)


@given(
    st.lists(st.lists(st.integers(0, 10**9), min_size=10, max_size=10), min_size=1, max_size=5),
    st.lists(st.integers(0, 3), min_size=5, max_size=5),
)
def test_no_processor_time_is_lost_nor_made(per_second, begins):
    ranks = []
    for i, mine in enumerate(per_second):
        columns = load(0, looks=11)
        columns[1] = (columns[1][0], steps(mine))
        at_s = range(begins[i], begins[i] + 11)
        columns[0] = (columns[0][0], [t * 4 * 10**9 for t in at_s])
        ranks.append(rank(i, cpu(counter(100)), load=columns, at_s=at_s))
    whole = load_of(united(ranks))
    assert whole.run_s.sum() == pytest.approx(sum(map(sum, per_second)) / 1e9, abs=1e-7)
    assert (whole.run_s >= 0).all() and (whole.busy_s >= 0).all()
    assert whole.busy_s.sum() == pytest.approx(4 * whole.seen_s, abs=1e-7)


def test_records_are_sorted_by_part_and_machine():
    records = [rank(3, machine="b"), rank(0, part=1), rank(1), rank(2, machine="b"), rank(0)]
    assert [[one.header.rank for one in part] for part in by_part(records)] == [[0, 1, 2, 3], [0]]
    assert [[one.header.rank for one in ranks] for ranks in by_machine(by_part(records)[0])] == [
        [0, 1],
        [2, 3],
    ]


@pytest.mark.parametrize(
    ("present", "of", "missing"),
    [([0, 1], 2, ()), ([1], 3, (0, 2)), ([0], None, ()), ([0, 0], 2, (1,))],
    ids=["all", "two are missing", "nobody knows how many", "one twice"],
)
def test_ranks_without_a_record_are_named(present, of, missing):
    assert missing_ranks([rank(number, of=of) for number in present]) == missing


def test_spans_are_told_by_the_clock_of_the_other_machine():
    lead = rank(0, spans=[span(1, 2, 4), span(2, 5, None)])
    there = replace(lead, header=replace(lead.header, machine="n", started_ns=10**9, mono_ns=3 * 10**9))
    step_ns = lead.header.booted_ns - there.header.booted_ns
    assert [
        mark.begin_ns - mine.begin_ns for mark, mine in zip(marks_on(lead, there), lead.spans, strict=True)
    ] == [
        step_ns,
        step_ns,
    ]
    assert marks_on(lead, lead) == lead.spans


def test_machines_at_once_add_up_and_take_the_time_of_the_longest():
    one, two = account(rank(0, cpu(counter(100)))), account(rank(1, cpu(counter(50)), end_s=12))
    both = at_once([("a", one), ("b", two)])
    assert both.it_energy_j == one.it_energy_j.plus(two.it_energy_j)
    assert both.duration_s == 12
    assert {"a: cpu/package-0", "b: cpu/package-0"} <= {c.name for c in both.components}


def test_what_is_said_of_a_meter_names_its_machine():
    """Two machines have a package 0 each."""
    again = cpu(counter(200), "cpu/again", counted=False)
    apart = account(rank(0, cpu(counter(100)), (replace(again[0], covers="cpu/package-0"), again[1])))
    told = at_once([("a", apart), ("b", account(rank(1, cpu(counter(50)))))])
    assert [flag.split(": ")[:3] for flag in told.flags if flag.startswith("disagree")] == [
        ["disagree", "a", "cpu/package-0"]
    ]


def test_a_machine_that_saw_other_hardware_is_added_and_told():
    one = account(rank(0, cpu(counter(100))))
    two = account(rank(1, cpu(counter(50)), gpu(counter(300, unit=1e3))))
    both = at_once([("a", one), ("b", two)])
    assert both.it_energy_j.best == pytest.approx(one.it_energy_j.best + two.it_energy_j.best)
    assert "parts-differ: not all of the run saw the same hardware: cpu; cpu, gpu" in both.flags


def on(scope=Scope.PROCESS, basis="lifecycle"):
    found = account(rank(0, cpu(counter(100))))
    return replace(found, boundary=replace(found.boundary, scope=scope, ci_basis=basis))


@pytest.mark.parametrize("order", [(Scope.PROCESS, Scope.MACHINE), (Scope.MACHINE, Scope.PROCESS)])
def test_parts_of_two_scopes_are_added_and_told(order):
    whole = in_turn([(float(i), on(scope)) for i, scope in enumerate(order)])
    assert whole.it_energy_j.best == pytest.approx(2 * on().it_energy_j.best)
    assert whole.boundary.scope is Scope.MACHINE
    assert [flag.partition(":")[0] for flag in whole.flags if "differ" in flag] == ["scopes-differ"]


@pytest.mark.parametrize(
    ("bases", "whole"),
    [
        pytest.param(("lifecycle", "lifecycle_estimated"), "lifecycle_estimated", id="the less sure holds"),
        pytest.param(("lifecycle_estimated", "lifecycle"), "lifecycle_estimated", id="whichever came first"),
        pytest.param(("-", "lifecycle"), "lifecycle", id="one that saw nothing has no basis"),
        pytest.param(("direct", "direct"), "direct", id="the same"),
    ],
)
def test_parts_at_places_of_two_life_cycle_bases_are_added(bases, whole):
    found = in_turn([(float(i), on(basis=basis)) for i, basis in enumerate(bases)])
    assert found.boundary.ci_basis == whole


def test_direct_and_life_cycle_carbon_are_never_mixed():
    with pytest.raises(IncompatibleFootprints):
        in_turn([(0.0, on(basis="direct")), (1.0, on(basis="lifecycle"))])


def test_parts_in_turn_add_up_with_their_spans_and_without_the_time_between():
    first = rank(0, cpu(counter(100)), spans=[span(1, 0, 5)])
    found = [(0.0, account_spans(first)), (3600.0, account_spans(first))]
    whole = in_turn(found)
    assert whole.duration_s == 20
    assert [(one.number, one.begin_s) for one in whole.spans] == [(1, 0.0), (2, 3600.0)]
    (package,) = [c for c in whole.components if c.name == "cpu/package-0"]
    assert package.energy_j.best == pytest.approx(2000)


def account_spans(run):
    from science.build import FACTORS
    from wattermark.science.components import parts_of
    from wattermark.science.footprint import spans_of

    parts = parts_of(run, Scope.MACHINE)
    spans = spans_of(run.spans, parts, FACTORS, begin_ns=run.begin_mono_ns, end_ns=run.end_mono_ns)
    return replace(account(run), spans=spans)


def test_the_time_between_two_parts_is_told():
    first = rank(0, cpu(counter(1)))
    later = replace(first, header=replace(first.header, started_ns=100 * 10**9, part=1))
    assert paused_s([[first], [later]]) == pytest.approx(90)
    assert paused_s([[first]]) == 0


def test_the_worst_end_of_a_rank_is_that_of_all():
    ranks = [
        replace(one, status=status) for one, status in zip(pair(), (Status.OK, Status.FAILED), strict=True)
    ]
    assert united(ranks).status is Status.FAILED
