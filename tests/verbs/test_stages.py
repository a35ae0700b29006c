"""A run for hooks: spans that are opened here and closed there, and costs that cost next to nothing."""

import copy
import time

import pytest

from wattermark.verbs.stages import OFTEN_S, Stages
from wattermark.verbs.tell import harmless

pytestmark = pytest.mark.usefixtures("ledger")


def burn(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


def test_what_is_left_open_is_closed_from_the_inside(kept):
    stages = Stages({})
    stages.begin("train", {"model": "tiny", "unknown": None})
    for name, label in (("epoch", 0), ("validation", 0), ("epoch", 1)):
        stages.enter(name, label)
    stages.leave("nothing of that name")
    stages.end(KeyError("secret"))
    (run,) = kept()
    assert [(span.name, span.label, span.parent) for span in run.spans] == [
        ("epoch", "0", None),
        ("validation", "0", 1),
        ("epoch", "1", None),
    ]
    assert all(span.end_ns for span in run.spans)
    assert (run.status, run.detail, run.header.tags) == ("failed", "KeyError", {"model": "tiny"})


def test_a_run_that_was_left_open_ends_when_the_next_begins(kept):
    stages = Stages({})
    stages.begin("one", {})
    stages.begin("two", {})
    stages.end()
    assert [(run.header.name, run.status) for run in kept()] == [("one", "ok"), ("two", "ok")]


def test_before_a_run_nothing_is_marked_and_nothing_costs(kept):
    stages = Stages({})
    stages.enter("epoch")
    stages.leave("epoch")
    stages.end()
    assert stages.costs() == stages.costs_of("epoch") == stages.last_costs() == {}
    assert kept() == []


def test_costs_asked_for_again_are_those_of_a_moment_ago():
    stages = Stages({"interval": 0.1})
    stages.begin("train", {})
    stages.enter("epoch")
    burn(0.3)
    first, began_s = stages.costs(), time.process_time()
    for _ in range(1000):
        assert stages.costs() == first
    assert time.process_time() - began_s < 0.2 and first["it_energy_j"] > 0
    burn(0.1)
    assert stages.last_costs()["it_energy_j"] > first["it_energy_j"]
    stages.end()


@pytest.mark.slow
def test_epochs_that_come_too_fast_wait_and_are_told_as_their_mean():
    stages, told, end_s = Stages({"interval": 0.1}), [], time.monotonic() + 2 * OFTEN_S
    stages.begin("train", {})
    while time.monotonic() < end_s:
        stages.enter("epoch")
        burn(0.1)
        stages.leave("epoch")
        told.append(stages.costs_of("epoch"))
    stages.end()
    counted = [i for i, costs in enumerate(told) if "it_energy_j_per_epoch" in costs]
    assert 1 <= len(counted) <= 4 < len(told)
    sizes = [after - before for before, after in zip([-1, *counted], counted, strict=False)]
    whole_j = sum(told[i]["it_energy_j_per_epoch"] * size for i, size in zip(counted, sizes, strict=True))
    assert whole_j == pytest.approx(told[counted[-1]]["it_energy_j"])


def test_a_copy_has_its_own_runs():
    stages = Stages({"name": "mine"})
    stages.begin("train", {})
    other = copy.deepcopy(stages)
    assert other.run is None and other.options == stages.options and stages.open
    stages.end()


def test_a_harmless_hook_tells_its_fault_once(caplog):
    @harmless
    def hook():
        raise LookupError("gone")

    hook()
    hook()
    assert [record.getMessage() for record in caplog.records] == [
        "wattermark: hook: LookupError: gone; your program goes on"
    ]
