"""Whatever is seen together on one machine: no joule is lost or counted twice, and no end of an interval."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from science.build import (
    FACTORS,
    GB,
    SECONDS,
    account,
    counter,
    cpu,
    dram,
    gpu,
    gpu_programs,
    load,
    recorded,
    sampled_gpu,
    span,
    wall,
)
from wattermark.science.components import parts_of
from wattermark.science.footprint import best_only, spans_of
from wattermark.science.node import REST
from wattermark.science.ranks import united
from wattermark.values.kinds import Part, Scope

LOOKS = SECONDS + 1
WATTS = st.floats(1, 900)  # less than any meter may tell
REFRESHES_S = st.sampled_from([0.0, 0.1, 2.0, 30.0])


@st.composite
def silences(draw):
    """Looks at which a meter gives no answer; two of those that it gives are left."""
    begin = draw(st.integers(0, SECONDS - 2))
    return range(begin, begin + draw(st.integers(0, 3)))


def silenced(meter, silent):
    channel, values = meter
    return channel, [None if i in silent else value for i, value in enumerate(values)]


def again(meter, factor):
    """A second meter of the same part, that counts differently."""
    channel, values = meter
    told = [None if value is None else round(value * factor) for value in values]
    return replace(channel, counted=False, name=f"{channel.name} again"), told


@st.composite
def machines(draw):
    """The meters of a machine, the load of one of its programs, and its container."""
    refreshed = {"refresh_s": draw(REFRESHES_S)}
    parts = []
    if draw(st.booleans()):
        parts.append(cpu(counter(draw(WATTS)), **refreshed))
    if draw(st.booleans()):
        parts.append(dram(counter(draw(WATTS))))
    share = draw(st.sampled_from([1.0, 2 / 7]))
    kind = draw(st.sampled_from([gpu, sampled_gpu, None]))
    programs = []
    if kind is not None:
        watts = draw(WATTS)
        shown = counter(watts, unit=1e3) if kind is gpu else [round(watts * 1e3)] * LOOKS
        parts.append(kind(shown, uuid="GPU-a", share=share, **refreshed))
        if share == 1 and draw(st.booleans()):
            programs = gpu_programs(run=draw(st.floats(0, 1)), others=draw(st.floats(0, 1)))
    parts = [silenced(part, draw(silences())) for part in parts]
    if draw(st.booleans()):
        parts += [silenced(again(part, draw(st.floats(0, 3))), draw(silences())) for part in parts]
    if draw(st.booleans()):
        parts.append(silenced(wall(draw(st.floats(0, 9000)), "platform/node"), draw(silences())))
    run_s, other_s = draw(st.floats(0, 1)), draw(st.floats(0, 3))
    used = load(
        run=[run_s * i for i in range(LOOKS)],
        busy=[(run_s + other_s) * i for i in range(LOOKS)],
        group=draw(st.sampled_from([None, [run_s * i for i in range(LOOKS)]])),
    )
    used = [silenced(one, silent) for silent in [draw(silences())] for one in used]
    limits = draw(st.sampled_from([{}, {"cpu_limit": 1.5, "memory_limit_b": 3 * GB}]))
    return recorded(*parts, *programs, load=used, memory_b=8 * GB, **limits)


def wholes_j(found):
    """What the run, others and idle took of each part that counts, and what the machine took."""
    counted = [one for one in found.components if one.counted and one.energy_j is not None]
    return {
        one.name: (one.energy_j.best + one.others_energy_j + one.idle_energy_j, one.machine_energy_j)
        for one in counted
    }


def flags(found, word):
    return [flag for flag in found.flags if flag.startswith(f"{word}:")]


@given(machines(), st.sampled_from(Scope))
def test_run_others_and_idle_of_each_part_are_what_the_machine_took(run, scope):
    found = account(run, scope)
    wholes = wholes_j(found)
    for whole_j, machine_j in wholes.values():
        assert whole_j == pytest.approx(machine_j, rel=1e-9, abs=1e-9)
    if REST in wholes and wholes[REST][1] > 0:
        (node_j,) = [one.machine_energy_j for one in found.components if one.name == "platform/node"]
        assert sum(whole_j for whole_j, _ in wholes.values()) == pytest.approx(node_j)


@given(machines(), st.sampled_from(Scope))
def test_what_is_only_less_certain_moves_no_best_value(run, scope):
    """The same run without renewals, and without any second meter that was not needed."""
    found = account(run, scope)
    sharp = account(
        replace(
            run,
            logs={
                name: replace(
                    log, channels=tuple(replace(channel, refresh_s=0.0) for channel in log.channels)
                )
                for name, log in run.logs.items()
            },
        ),
        scope,
    )
    if not flags(found, "disagree") and not flags(sharp, "disagree"):
        told, wanted = wholes_j(found), wholes_j(sharp)
        assert told.keys() == wanted.keys()
        for name, pair in told.items():
            assert pair == pytest.approx(wanted[name], rel=1e-9, abs=1e-9)
        if found.it_energy_j:
            assert _width_j(found) >= 0.95 * _width_j(sharp)  # to the noise of the draws


def _width_j(found):
    return found.it_energy_j.high - found.it_energy_j.low


@given(machines(), st.sampled_from(Scope))
def test_the_live_line_is_the_summary_at_its_best_values(run, scope):
    parts, found = parts_of(run, scope, known_gpus=("NVIDIA X",)), account(run, scope)
    assert best_only(parts, FACTORS, ()).it_energy_j == pytest.approx(
        found.it_energy_j.best if found.it_energy_j else 0.0
    )


@given(machines(), st.sampled_from(Scope), st.integers(1, SECONDS - 1))
def test_spans_that_follow_each_other_are_the_run_where_nothing_was_missed(run, scope, cut):
    parts, found = parts_of(run, scope, known_gpus=("NVIDIA X",)), account(run, scope)
    if flags(found, "gap") or flags(found, "nothing-seen"):
        return
    told = spans_of(
        [span(1, 0, cut), span(2, cut, SECONDS)], parts, FACTORS,
        begin_ns=run.begin_mono_ns, end_ns=run.end_mono_ns,
    )  # fmt: skip
    assert sum(one.it_energy_j for one in told) == pytest.approx(found.it_energy_j.best, rel=0.02)


@given(machines(), st.sampled_from(Scope))
def test_two_ranks_that_see_one_machine_are_one_machine(run, scope):
    """One that works and one that only looks on: what both see is counted once."""
    idle = replace(
        run,
        header=replace(run.header, rank=1, pid=2),
        logs={name: log for name, log in run.logs.items() if name != "load"},
    )
    alone = account(replace(run, logs={**run.logs, "meters": _no_programs(run)}), scope)
    both = account(united([run, idle]), scope)
    told, wanted = wholes_j(both), wholes_j(alone)
    assert {name: pair[1] for name, pair in told.items()} == pytest.approx(
        {name: pair[1] for name, pair in wanted.items()}
    )


def _no_programs(run):
    log = run.logs.get("meters")
    if log is None:
        return run.logs["load"]
    kept = [i for i, channel in enumerate(log.channels) if channel.part is not Part.LOAD]
    return replace(
        log,
        channels=tuple(log.channels[i] for i in kept),
        values=[[row[i] for i in kept] for row in log.values],
    )


@given(st.lists(st.floats(0, 3), min_size=2, max_size=2), st.floats(10, 500))
def test_the_interval_reaches_from_one_meter_to_the_other(factors, power_w):
    """However the second meter differs, and wherever both have gaps."""
    first = cpu(counter(power_w))
    found = account(recorded(first, again(first, factors[0])))
    if any("the interval reaches" in flag for flag in found.flags):
        (part,) = [one for one in found.components if one.name == "cpu/package-0"]
        first_j, other_j = power_w * SECONDS, power_w * SECONDS * factors[0]
        nearly_j = 0.03 * max(first_j, other_j) + 2  # the meter errs, too, and the draws are finite
        assert part.energy_j.low <= other_j + nearly_j
        assert other_j - nearly_j <= part.energy_j.high


@given(st.lists(WATTS, min_size=4, max_size=4), st.floats(0, 1), st.floats(0, 1), silences(), silences())
def test_ranks_that_each_see_a_gpu_are_the_run_that_sees_both(watts, first_s, second_s, cpu_silent, silent):
    """With the rest of the machine, gaps and the load: each meter once, and nobody's GPU is hidden."""

    def rank(number, names, run_s, hidden, run_b=2 * GB):
        gpus = [
            silenced(
                gpu(counter(watts[name], unit=1e3), f"gpu/{name}", uuid=str(name), hidden=hidden),
                silent if name else (),
            )
            for name in names
        ]
        package = silenced(cpu(counter(watts[2])), cpu_silent)
        busy = [3.0 * i for i in range(LOOKS)]
        used = load(run=[run_s * i for i in range(LOOKS)], busy=busy, run_b=run_b)
        run = recorded(package, *gpus, wall(watts[3] * 4), load=used, memory_b=8 * GB)
        return replace(run, header=replace(run.header, rank=number, pid=number + 1))

    whole = rank(0, (0, 1), first_s + second_s, 0, run_b=4 * GB)
    ranks = united([rank(0, (0,), first_s, 1), rank(1, (1,), second_s, 1)])
    mine, wanted = (
        {one.name: _numbers(one) for one in account(run, Scope.PROCESS).components} for run in (ranks, whole)
    )
    assert mine.keys() == wanted.keys()
    for name, numbers in mine.items():
        assert numbers == pytest.approx(wanted[name], rel=1e-6, abs=1e-3)


def _numbers(part):
    best_j = part.energy_j and part.energy_j.best
    return best_j, part.others_energy_j, part.idle_energy_j, part.machine_energy_j
