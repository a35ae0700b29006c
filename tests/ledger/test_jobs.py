"""Who begins the run of a job, and who joins it."""

import itertools
import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from wattermark.ledger.jobs import FOLDER, part_to_write, run_of_job
from wattermark.ledger.read import host_name, process_started
from wattermark.ledger.spool import run_line
from wattermark.values.records import RunHeader

HOLDS = """
import fcntl, os, sys, time
fcntl.flock(os.open(sys.argv[1], os.O_RDWR), fcntl.LOCK_EX)
print(flush=True)
time.sleep(60)
"""


@pytest.fixture
def join(tmp_path):
    numbers = itertools.count()

    def begin():
        run = f"run-{next(numbers)}"
        (tmp_path / run).mkdir()
        return run

    return lambda job, member, of=None: run_of_job(tmp_path, job, member, begin, of=of)


def test_the_first_begins_and_the_others_join(join):
    assert [join("j", rank) for rank in "012"] == [("run-0", True), ("run-0", False), ("run-0", False)]


def test_another_job_is_another_run(join):
    assert join("j", "0")[0] != join("k", "0")[0]


def test_who_was_there_already_begins_the_next_run_and_takes_the_others_along(join):
    assert [join("j", member)[0] for member in "0101"] == ["run-0", "run-0", "run-1", "run-1"]


def test_a_job_of_another_size_is_another_job_of_the_same_name(join):
    assert [join("j", rank, 2)[0] for rank in "01"] == ["run-0", "run-0"]
    assert [join("j", rank, 4)[0] for rank in "2013"] == ["run-1"] * 4


def test_who_is_started_again_joins_whatever_its_size_is_now(join):
    assert [join("j", "0 0", 4), join("j", "0 1")] == [("run-0", True), ("run-0", False)]


@pytest.mark.parametrize("run", ["", ".", "..", ".jobs", "../elsewhere", "{ledger}/../elsewhere", "run-0/."])
def test_a_file_that_was_tampered_with_leads_out_of_no_ledger(join, tmp_path, run):
    (tmp_path / "elsewhere").mkdir()
    join("j", "0")
    (file,) = (tmp_path / FOLDER).iterdir()
    told = {"run": run.format(ledger=tmp_path), "members": []}
    file.write_text(json.dumps(told))
    assert join("j", "1") == ("run-1", True)


@pytest.mark.parametrize(("ago_s", "expected"), [(60, "run-0"), (3600, "run-1")], ids=["late", "another job"])
def test_who_comes_long_after_all_have_ended_is_of_another_job(join, tmp_path, ago_s, expected):
    join("j", "0", of=2)
    (file,) = (tmp_path / FOLDER).iterdir()
    os.utime(file, (time.time() - ago_s,) * 2)
    assert join("j", "1", of=2)[0] == expected


def test_a_run_that_was_thrown_away_is_begun_anew(join, tmp_path):
    join("j", "0")
    (tmp_path / "run-0").rmdir()
    assert join("j", "1") == ("run-1", True)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"run": 1}', '{"run": "run-0", "members": 3}', "\0\0"])
def test_a_file_that_says_nothing_is_written_anew(join, tmp_path, text):
    join("j", "0")
    (file,) = (tmp_path / FOLDER).iterdir()
    file.write_text(text)
    assert join("j", "1") == ("run-1", True)
    assert json.loads(file.read_text())["members"] == ["1"]


def test_of_many_that_come_at_once_one_begins(join):
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda rank: join("j", str(rank)), range(64)))
    assert len({run for run, _ in found}) == 1
    assert sum(begun for _, begun in found) == 1


@pytest.mark.slow
def test_who_holds_the_lock_and_hangs_does_not_hold_the_others_up(join, tmp_path):
    join("j", "0")
    (file,) = (tmp_path / FOLDER).iterdir()
    with subprocess.Popen([sys.executable, "-c", HOLDS, file], stdout=subprocess.PIPE) as other:
        other.stdout.readline()
        assert join("j", "1") == ("run-0", False)
        other.kill()
    assert os.path.exists(file)


GONE, HERE = {"pid": 1, "pid_started": "0"}, {"pid": os.getpid(), "pid_started": process_started(os.getpid())}
TWO = [{"rank": rank, "world_size": 2, "job": "j", **GONE} for rank in (0, 1)]


@pytest.mark.parametrize(
    ("known", "mine", "part"),
    [
        pytest.param([{}], (), 1, id="a run of one process goes on"),
        pytest.param([{}, {"part": 1}], (), 2, id="a second time"),
        pytest.param(TWO, (0, "j", 2), 1, id="the first rank that is started again"),
        pytest.param([*TWO, {**TWO[0], "part": 1, **HERE}], (1, "j", 2), 1, id="the second joins it"),
        pytest.param([*TWO, {**TWO[0], "part": 1}], (1, "j", 2), 1, id="also where it has ended already"),
        pytest.param([*TWO, {**TWO[0], "part": 1, "job": "k"}], (1, "k", 2), 1, id="by a new launcher"),
        pytest.param(TWO, (3, "j", 4), 1, id="a job that goes on with more ranks, a new one first"),
        pytest.param([*TWO, {**TWO[0], "part": 1, "world_size": 4}], (3, "j", 4), 1, id="and a later one"),
        pytest.param(TWO, (), 1, id="a job that goes on as one process"),
        pytest.param([{}], (0, "j", 2), 1, id="one process that goes on as a job"),
        pytest.param([{}, {**TWO[1], "part": 1, **HERE}], (0, "j", 2), 1, id="of which another came first"),
        pytest.param([*TWO, {"part": 1}], (1, "k", 2), 2, id="a job, one process, and a job again"),
        pytest.param([], (), 1, id="nothing that can be read"),
    ],
)
def test_a_part_is_the_next_one_or_that_of_its_fellows(tmp_path, known, mine, part):
    for number, more in enumerate(known):
        plain = {
            "run": "r",
            "name": "n",
            "host": host_name(),
            "started_ns": 0,
            "mono_ns": 0,
            "interval_s": 1.0,
        }
        header = RunHeader(**{**plain, **GONE, **more})
        (tmp_path / f"h-{number}.jsonl").write_text(run_line(header))
    (tmp_path / "h-empty.jsonl").touch()
    assert part_to_write(tmp_path, *mine) == part
