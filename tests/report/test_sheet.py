"""What a sheet must not leave out."""

from dataclasses import replace

import pytest

from wattermark.report.document import footprint_document
from wattermark.report.explain import TOPICS, explain
from wattermark.report.sheet import sheet, summary
from wattermark.values.kinds import Status
from wattermark.values.records import Recorded, RunHeader
from wattermark.verbs.account import account


def recorded(place="deu", **more) -> Recorded:
    header = RunHeader(
        run="r",
        name="n",
        host="h",
        pid=1,
        started_ns=0,
        mono_ns=0,
        interval_s=1.0,
        place=place,
        memory_b=8 * 10**9,
    )
    blank = Recorded(
        header=header,
        logs={},
        skipped={},
        spans=(),
        status=Status.OK,
        detail="",
        begin_mono_ns=0,
        end_mono_ns=10**10,
    )
    return replace(blank, **more)


def words(sections) -> str:
    return "\n".join(
        text
        for one in sections
        for text in (one.title, *(f"{x.label} {x.best} {x.note}" for x in one.lines), *one.sentences)
    )


def test_a_run_that_nobody_saw_is_unknown_and_never_zero():
    run = recorded()
    footprint = account(run)
    document = footprint_document(footprint)
    assert set(document["footprint"].values()) == {None}
    assert "nothing-seen" in words([summary(footprint)])
    assert "not known" in words(sheet(run, footprint))
    assert all("nothing to explain" in explain(footprint, topic)[0] for topic in TOPICS)


@pytest.mark.parametrize(
    ("more", "says"),
    [
        pytest.param({"status": Status.INTERRUPTED}, "interrupted", id="a run that was killed"),
        pytest.param({"status": Status.RUNNING}, "running", id="a run that goes on"),
        pytest.param({"torn_bytes": 7}, "7 bytes of a torn one", id="a torn tail"),
        pytest.param({"bad_lines": 2}, "2 unreadable lines", id="broken lines"),
        pytest.param({"lost_beats": 3}, "3 lines could not be written", id="a full disk"),
        pytest.param({"wall_step_s": 3600.0}, "jumped by +3600 s", id="a clock that jumps"),
        pytest.param({"faults": ("x: Boom",)}, "fault: x: Boom", id="a fault of ours"),
    ],
)
def test_what_went_wrong_is_told(more, says):
    run = recorded(**more)
    assert says in words(sheet(run, account(run)))


def test_the_place_and_how_it_was_known_are_told():
    run = recorded()
    told = words(sheet(run, account(run)))
    assert "country DEU (Germany)" in told
    assert "known from" in told
