"""Counters remember: what is lost where an engine is silent, starts anew, or counts late."""

from dataclasses import replace

import numpy as np
import pytest

from science.sharing.engines import S, looks_of
from wattermark.science.metered import Track
from wattermark.science.sharing.metering import energy_between, energy_told, meters_among
from wattermark.science.sharing.rounds import rounds_of
from wattermark.science.timeline import Timeline
from wattermark.values.kinds import Kind, Part
from wattermark.values.records import Channel
from wattermark.values.served import EngineLook

BUSY = {"prompt_tokens": 100.0, "cached_tokens": 40.0, "generated_tokens": 10.0, "steps": 5.0, "running": 2.0}
LATE = {"running": 2.0, "steps": 5.0}


def only(looks):
    rounds = rounds_of(looks)
    (one,) = rounds.engines
    return rounds, one


def test_computed_tokens_are_those_that_were_not_cached():
    rounds, one = only(looks_of([BUSY, {}, BUSY]))
    assert rounds.length_s.tolist() == [5, 5, 5]
    assert one.read.tolist() == [60, 0, 60] and one.cached.tolist() == [40, 0, 40]
    assert one.busy.tolist() == [True, False, True]


def test_without_a_word_on_the_cache_all_are_read():
    _, one = only(looks_of([BUSY], tells=("prompt_tokens", "generated_tokens", "running")))
    assert one.read.tolist() == [100] and np.isnan(one.cached).all()
    assert set(one.untold) == {"cached_tokens", "steps", "requests", "kv_tokens"}


def test_more_cached_than_read_is_counted_at_two_moments_and_no_token_below_zero():
    _, one = only(looks_of([{**BUSY, "cached_tokens": 150.0}]))
    assert one.read.tolist() == [0]


def test_the_context_is_what_each_request_keeps_times_the_tokens_it_writes():
    _, one = only(looks_of([{"generated_tokens": 10.0, "running": 4.0, "kv_tokens": 800.0}]))
    assert one.context.tolist() == [10 * 200]


def test_a_missed_round_joins_two_windows_and_loses_nothing():
    looks, other = looks_of([BUSY] * 4, upstream="a"), looks_of([BUSY] * 4, upstream="b")
    rounds = rounds_of([one for one in looks if one.mono_ns != 10 * S] + other)
    assert rounds.length_s.tolist() == [5, 10, 5]
    assert rounds.known.all()
    assert [one.written.tolist() for one in rounds.engines] == [[10, 20, 10], [10, 20, 10]]
    assert [one.missed for one in rounds.engines] == [1, 0]


def test_an_engine_that_was_long_away_hides_no_other():
    looks, other = looks_of([BUSY] * 8, upstream="a"), looks_of([BUSY] * 8, upstream="b")
    rounds = rounds_of([one for one in looks if not 5 * S < one.mono_ns < 35 * S] + other)
    assert len(rounds.length_s) == 8
    assert rounds.known.tolist() == [True, *[False] * 6, True]
    assert rounds.engines[1].written.tolist() == [10] * 8


def test_a_restart_is_a_gap_and_no_negative_number_of_tokens():
    first, anew = looks_of([BUSY] * 3), looks_of([BUSY] * 3)
    looks = [*first, *(replace(one, mono_ns=one.mono_ns + 20 * S) for one in anew)]
    _, one = only(looks)
    assert one.restarts == 1
    assert one.known.tolist() == [True, True, True, False, True, True, True]
    assert np.isnan(one.written[3]) and np.nansum(one.written) == 60


def test_an_engine_that_comes_later_had_done_nothing_before():
    later = [replace(one, mono_ns=one.mono_ns + 15 * S) for one in looks_of([BUSY] * 2, upstream="b")]
    rounds = rounds_of([*looks_of([BUSY] * 5, upstream="a"), *later])
    assert rounds.engines[1].written.tolist()[:2] == [0, 0]
    assert rounds.engines[1].known.tolist() == [True, True, False, True, True]


def test_one_that_never_answers_again_is_not_known_to_the_end():
    gone = looks_of([BUSY] * 2, upstream="b")
    rounds = rounds_of([*looks_of([BUSY] * 4, upstream="a"), *gone])
    assert rounds.known.tolist() == [True, True, False, False]


@pytest.mark.parametrize(
    ("windows", "written"),
    [
        pytest.param([LATE, LATE, BUSY], [10 / 3] * 3, id="counted when the request ends"),
        pytest.param([{}, LATE, BUSY], [0, 5, 5], id="it began after an idle window"),
        pytest.param([LATE, LATE, {}], [0, 0, 0], id="it ended without a token: it was left"),
        pytest.param([BUSY, LATE, BUSY], [10, 5, 5], id="each stretch by itself"),
        pytest.param([LATE, BUSY, BUSY], [5, 5, 10], id="what is counted in time stays where it is"),
    ],
)
def test_what_is_counted_late_goes_back_to_where_it_was_worked_on(windows, written):
    _, one = only(looks_of(windows))
    assert one.written.tolist() == pytest.approx(written)
    assert one.written.sum() == pytest.approx(sum(w.get("generated_tokens", 0) for w in windows))


def test_looks_of_nobody_are_no_rounds():
    rounds = rounds_of([])
    assert len(rounds.edge_ns) == 0 and rounds.engines == () and not rounds.known.size


def channel(name, part=Part.GPU, **more):
    return Channel(name=name, kind=Kind.COUNTER, part=part, unit="uJ", **more)


def track(edge_s, energy_j, known=None):
    known = np.ones(len(energy_j), bool) if known is None else np.array(known)
    return Timeline(np.array(edge_s, float), np.array(energy_j, float), known, float(np.sum(energy_j)))


@pytest.mark.parametrize(
    ("tracks", "energy_j"),
    [
        pytest.param([track([0, 20], [200])], [50, 50], id="even in between"),
        pytest.param([track([0, 20], [200]), track([0, 20], [20])], [55, 55], id="two meters together"),
        pytest.param(
            [track([0, 4, 20], [0, 160], [False, True])], [None, 50], id="a gap spoils what it touches"
        ),
        pytest.param([track([0, 7], [70])], [50, None], id="the meter ended before the window"),
        pytest.param([None], [None, None], id="a meter that said nothing"),
        pytest.param([], [None, None], id="no meter"),
    ],
)
def test_energy_between_moments(tracks, energy_j):
    found: list[Track] = [(channel(f"gpu/{i}"), one) for i, one in enumerate(tracks)]
    told = energy_between(found, np.array([100, 105, 110]) * S, 100 * S)
    assert [None if np.isnan(one) else one for one in told] == pytest.approx(energy_j)


def test_a_slice_of_a_gpu_is_charged_with_its_share():
    told = energy_between([(channel("gpu/0", share=0.25), track([0, 10], [100]))], np.array([0, 10]) * S, 0)
    assert told.tolist() == [25]


@pytest.mark.parametrize(
    ("names", "wanted", "found"),
    [
        pytest.param(
            ("gpu/0", "gpu/1", "cpu/package-0"), (), "gpu/0, gpu/1", id="accelerators where there are any"
        ),
        pytest.param(("cpu/package-0", "dram/0"), (), "cpu/package-0, dram/0", id="else all that is counted"),
        pytest.param(("gpu/0", "gpu/1"), ("gpu/1",), "gpu/1", id="the one that was named"),
        pytest.param(("gpu/0",), ("gpu/7",), "", id="one that is not there"),
        pytest.param((), (), "", id="none"),
    ],
)
def test_which_meters_see_the_engine(names, wanted, found):
    parts = {"gpu": Part.GPU, "cpu": Part.CPU, "dram": Part.DRAM}
    tracks = [(channel(name, parts[name.partition("/")[0]]), track([0, 1], [1])) for name in names]
    assert meters_among(tracks, wanted)[1] == found


def told(ns, energy_j, upstream="a"):
    return EngineLook(mono_ns=ns * S, engine="trtllm", upstream=upstream, energy_j=energy_j)


@pytest.mark.parametrize(
    ("looks", "energy_j"),
    [
        pytest.param([told(0, 10), told(5, 40), told(10, 90)], [30, 50], id="its counter"),
        pytest.param([told(0, 10), told(5, 40), told(10, 5)], [30, None], id="it started anew"),
        pytest.param([told(0, 10), told(10, 90)], [None, None], id="it was silent"),
        pytest.param(
            [told(0, 0), told(5, 1), told(10, 2), *(told(ns, min(2 * ns, 9), "b") for ns in (0, 5, 10))],
            [10, 1],
            id="two of them",
        ),
        pytest.param([], [None, None], id="it tells none"),
    ],
)  # fmt: skip
def test_what_engines_say_of_their_own_energy(looks, energy_j):
    found = energy_told(looks, np.array([0, 5, 10]) * S)
    assert [None if np.isnan(one) else one for one in found] == pytest.approx(energy_j)
