"""The judges of ``benchmarks/``: they must be able to say no."""

import time

import pytest
from cells import rows_of
from crowd import Seen
from environments import environments

from wattermark.values.kinds import Kind, Part
from wattermark.values.records import Channel

WRAP = 300_000_000
WATTS, PER_J = 100.0, 10**6


class Says:
    """A meter of 100 W that shows its true count, moved by what it is told to."""

    channels = (Channel(name="cpu/package-0", kind=Kind.COUNTER, part=Part.CPU, unit="uJ", wrap=WRAP),)

    def __init__(self, *moved_uj):
        self._moved = list(moved_uj)

    def read(self):
        moved = self._moved.pop(0)
        return [None if moved is None else (int(WATTS * time.monotonic() * PER_J) + moved) % WRAP]


@pytest.mark.parametrize(
    ("moved_uj", "impossible", "unanswered"),
    [
        pytest.param([0, 0, 0], 0, 0, id="the truth"),
        pytest.param([0, None, 0], 0, 1, id="no answer is told, and is not impossible"),
        pytest.param([0, 100_000_000, 0], 1, 0, id="a second ahead"),
        pytest.param([0, -50_000_000, 0], 1, 0, id="half a second behind: it fell"),
        pytest.param([WRAP, 0, 5 * WRAP], 0, 0, id="whole turns do not tell"),
    ],
)
def test_a_number_that_cannot_be_is_seen(moved_uj, impossible, unanswered):
    seen, meter = Seen({"cpu/package-0": (WATTS, 0, PER_J)}), Says(*moved_uj)
    for _ in moved_uj:
        seen.look(meter)
    assert (len(seen.impossible), seen.unanswered, seen.reads) == (impossible, unanswered, len(moved_uj))


def test_a_number_that_falls_within_what_may_be_is_seen():
    """Both lie between the counts of a millisecond ago and of now."""
    seen = Seen({"cpu/package-0": (WATTS, 0, PER_J)})
    seen.look(Says(0))
    seen.last["cpu/package-0"] += 10**9
    seen.look(Says(0))
    assert [fault.split(":")[1].split()[0] for fault in seen.impossible] == ["fell"]


def cell(tool, case, **more):
    usual = {"ratio": {"cpu": 1.0}, "errors": [], "says": [], "guesses": [], "holds": None, "absent": []}
    return {"tool": tool, "case": case, "seconds": 3.0, "fails": False, "modelled": False, **usual, **more}


def test_what_a_tool_does_not_tell_stands_in_its_column():
    cells = [
        cell("ours", "fail", fails=True, says=["gap: cpu"], holds=True),
        cell("theirs", "fail", fails=True, ratio={"cpu": 0.0}),
        cell("others", "fail", ratio={}, errors=["exit code 1 and no answer: ValueError: x"]),
    ]
    (row,) = rows_of(cells, 3.0, {"absent": "not installed: no such thing"})
    assert row == {
        "case": "fail",
        "ours": "cpu 1.000  said, in range",
        "theirs": "cpu 0.000  NOT SAID",
        "others": "no figure: exit code 1 and no answer: ValueError: x",
        "absent": "not installed: no such thing",
    }


@pytest.mark.slow
def test_a_peer_that_cannot_be_installed_stops_no_other(tmp_path, monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    places, missing = environments(["codecarbon"], tmp_path / "envs")
    assert places == {}
    assert missing["codecarbon"].startswith("not installed: ")
