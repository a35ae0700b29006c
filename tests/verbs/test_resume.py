"""A training that was interrupted and goes on is one run, with a gap that is told."""

import signal
import sys
import time

import pytest

import wattermark as wm
from wattermark.cli.main import main
from wattermark.ledger.runs import runs
from wattermark.ledger.spool import line

FIRST = """
import os, sys, time
import wattermark as wm
run = wm.track(name="train", tags={"lr": "3e-4"}, place="deu", interval=0.05).start()
for epoch in range(3):
    with run.span("epoch", epoch):
        time.sleep(0.1)
time.sleep(0.2)
print(flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def killed(begin, home, ledger):
    """The ledger of a training that was killed after three epochs."""
    child = begin(FIRST, env=home)
    child.send_signal(signal.SIGKILL)
    child.wait()
    return ledger


def test_both_parts_are_one_run(killed):
    before = wm.account("last")
    with wm.track(resume="train", place="deu", interval=0.05) as run:
        assert run.name == "train" and run.tags == {"lr": "3e-4"}
        for epoch in (3, 4):
            with run.span("epoch", epoch):
                time.sleep(0.1)
        during = run.forecast(total_steps=10)
    whole = run.footprint()
    assert [place.run for place in runs(killed)] == [run.id]
    assert during.done_steps == 5
    assert [span.label for span in whole.spans] == list("01234")
    assert whole.it_energy_j.best > before.it_energy_j.best
    assert whole.duration_s > before.duration_s
    (flag,) = [flag for flag in whole.flags if flag.startswith("resumed")]
    assert "2 parts" in flag
    assert not [flag for flag in whole.flags if flag.startswith("interrupted")]
    assert wm.account("last").it_energy_j == whole.it_energy_j


def test_a_third_part_follows_the_second(killed):
    for _ in range(2):
        with wm.track(resume="last", place="deu", interval=0.05):
            pass
    assert len(next(runs(killed)).spools) == 3
    assert any("3 parts" in flag for flag in wm.account("last").flags)


def test_a_part_of_another_scope_elsewhere_is_added_and_told(killed, capsys):
    with wm.track(resume="train", place="US-CAMX", scope="machine", interval=0.05):
        time.sleep(0.1)
    told = {flag.partition(":")[0] for flag in wm.account("last").flags}
    assert {"several-places", "scopes-differ", "resumed"} <= told
    assert main(["show", "last", "--scope", "machine"]) == 0
    assert "scopes-differ" not in capsys.readouterr().out


@pytest.mark.parametrize(
    "words", [("show", "last", "--explain", "carbon"), ("report", "methods", "last")], ids=["show", "methods"]
)
def test_of_two_places_no_formula_tells_but_one(killed, capsys, words):
    with wm.track(resume="train", place="US-CAMX", interval=0.05):
        pass
    assert main(list(words)) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "DEU" in told and "US-CAMX" in told
    assert "x that of each place" in told or "(DEU and US-CAMX)" in told


INSIDE = "import time, wattermark as wm\nwith wm.track(name='inside', interval=0.05): time.sleep(0.1)"


def test_a_run_inside_a_later_part_is_told(killed, capsys):
    assert main(["run", "--resume", "train", "--quiet", "--", sys.executable, "-c", INSIDE]) == 0
    (flag,) = [flag for flag in wm.account("inside").flags if flag.startswith("inside")]
    assert wm.account("train") and "-train-" in flag
    main(["runs"])
    assert "lies inside another run" in capsys.readouterr().out


def test_a_command_goes_on_with_a_run(killed, capsys):
    assert main(["run", "--resume", "train", "--quiet", "--", "true"]) == 0
    assert len(list(runs(killed))) == 1
    main(["show", "last"])
    assert "2 parts" in capsys.readouterr().out


@pytest.mark.parametrize("wanted", ["nothing", "20990101", pytest.param("", id="an unset variable"), " "])
def test_there_must_be_such_a_run(killed, wanted):
    with pytest.raises(wm.UsageError, match="no run"):
        wm.track(resume=wanted)


@pytest.mark.parametrize("wanted", [3, b"train", True, ["train"]])
def test_a_run_is_named_by_text(killed, wanted):
    with pytest.raises(wm.UsageError, match="not a name"):
        wm.track(resume=wanted)


def test_a_command_does_not_begin_where_the_run_to_resume_is_not_named(killed, capfd):
    assert main(["run", "--resume", "", "--", "echo", "began"]) == 2
    out, err = capfd.readouterr()
    assert not out and "no run is named" in err
    assert len(next(runs(killed)).spools) == 1


def test_a_run_that_lasts_is_not_resumed(ledger):
    with wm.track(name="train"), pytest.raises(wm.UsageError, match="is being recorded now"):
        wm.track(resume="train")


def test_a_part_that_was_killed_before_its_first_look_spoils_nothing(killed):
    (spool,) = next(runs(killed)).spools
    head = spool.read_text().split("\n")[0]
    (spool.parent / "h-1.jsonl").write_text(head.replace('"part":0', '"part":1') + "\n" + line("begin"))
    before = wm.account(spool)
    assert wm.account("last").it_energy_j == before.it_energy_j
