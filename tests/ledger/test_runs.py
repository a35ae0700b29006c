"""The folder of runs, and how one is named."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattermark.errors import BadSpool, UsageError
from wattermark.ledger.runs import default_ledger, find_run, header_of_run, new_run_id, runs, safe
from wattermark.ledger.spool import run_line
from wattermark.values.records import RunHeader

OLD, TWIN, NEW = (
    "20260101-000000-train-ab12ab12",
    "20260102-000000-train-cd34cd34",
    "20260103-120000-eval-big-ef56ef56",
)


@pytest.fixture
def ledger(tmp_path):
    for run in (NEW, OLD, TWIN):
        (tmp_path / run).mkdir()
        (tmp_path / run / "host-1.jsonl").touch()
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").touch()
    return tmp_path


def test_the_newest_comes_first_and_strangers_are_passed_over(ledger):
    assert [place.run for place in runs(ledger)] == [NEW, TWIN, OLD]
    assert next(runs(ledger)).spool == ledger / NEW / "host-1.jsonl"


@pytest.mark.parametrize(
    ("wanted", "run"),
    [
        pytest.param("last", NEW, id="the last one"),
        pytest.param(OLD, OLD, id="a whole id"),
        pytest.param("20260102", TWIN, id="the beginning of an id"),
        pytest.param("eval-big", NEW, id="a name with a dash in it"),
    ],
)
def test_a_run_is_found(ledger, wanted, run):
    assert find_run(ledger, wanted).run == run


def test_the_number_of_a_job_wins_over_ids_that_begin_so(ledger):
    """All ids begin with the year."""
    header = RunHeader(
        run=OLD, name="x", host="h", pid=2, started_ns=0, mono_ns=0, interval_s=1, job="slurm:20"
    )
    (ledger / OLD / "host-1.jsonl").write_text(run_line(header))
    assert find_run(ledger, "20").run == OLD


@pytest.mark.parametrize("wanted", ["a name", "slurm:77.0", "77"])
def test_a_damaged_file_of_one_rank_hides_no_name(tmp_path, wanted):
    (tmp_path / OLD).mkdir()
    header = RunHeader(
        run=OLD, name="a name", host="h", pid=2, started_ns=0, mono_ns=0, interval_s=1, job="slurm:77.0"
    )
    (tmp_path / OLD / "h-1.jsonl").write_bytes(b"\0\xff{")
    (tmp_path / OLD / "h-2.jsonl").write_text(run_line(header))
    (tmp_path / OLD / "h-3.jsonl").touch()
    place = find_run(tmp_path, wanted)
    assert header_of_run(place) == header


def test_of_a_run_without_a_file_that_can_be_read_nothing_is_known(ledger):
    with pytest.raises(BadSpool):
        header_of_run(find_run(ledger, OLD))


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        pytest.param("train", f"2 runs fit 'train'. Say which: {TWIN}, {OLD}", id="a name of two"),
        pytest.param("2026", f"3 runs fit '2026'. Say which: {NEW}", id="a beginning of three"),
        pytest.param("tra", "no run 'tra'", id="a part of a name"),
        pytest.param("../../etc", "no run", id="a path"),
    ],
)
def test_a_run_that_is_not_meant_clearly_is_refused(ledger, wanted, says):
    with pytest.raises(UsageError, match=says):
        find_run(ledger, wanted)


@pytest.mark.parametrize("wanted", ["last", "train"])
def test_an_empty_ledger_says_how_to_fill_it(tmp_path, wanted):
    with pytest.raises(UsageError, match="wattermark run -- python"):
        find_run(tmp_path / "nowhere", wanted)


def test_a_ledger_that_is_a_file_says_what_to_name(ledger):
    with pytest.raises(UsageError, match="WATTERMARK_LEDGER"):
        list(runs(ledger / "notes.txt"))


@given(st.text())
def test_any_name_makes_an_id_that_is_one_folder(name):
    run = new_run_id(name)
    assert Path(run).name == run == safe(run)
    assert len(run) < 80


@given(
    st.text(alphabet=st.characters(categories=["Lu", "Ll", "Nd"], max_codepoint=127), min_size=1, max_size=20)
)
def test_a_run_is_found_by_the_name_it_was_given(tmp_path_factory, name):
    ledger = tmp_path_factory.mktemp("ledger")
    run = new_run_id(name)
    (ledger / run).mkdir()
    (ledger / run / "host-1.jsonl").touch()
    assert find_run(ledger, name).run == run


def test_ids_are_not_given_twice():
    assert len({new_run_id("train") for _ in range(20)}) >= 19


@pytest.mark.parametrize(
    ("variables", "folder"),
    [
        pytest.param({"WATTERMARK_LEDGER": "/data/runs"}, "/data/runs", id="named"),
        pytest.param({"WATTERMARK_LEDGER": "~/runs"}, "/home/me/runs", id="named from home"),
        pytest.param({"XDG_DATA_HOME": "/data"}, "/data/wattermark/runs", id="XDG"),
        pytest.param({}, "/home/me/.local/share/wattermark/runs", id="nothing said"),
    ],
)
def test_the_ledger_is_where_the_platform_keeps_data(monkeypatch, variables, folder):
    for name in ("WATTERMARK_LEDGER", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"HOME": "/home/me", **variables}.items():
        monkeypatch.setenv(name, value)
    assert str(default_ledger()) == folder
