"""The spool file: whole lines after a kill, and a full disk that stops nobody."""

import errno
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from wattermark.ledger.read import read_spool
from wattermark.ledger.spool import MOST_KEPT_B, SpoolFile, line

from .made import HEAD, WHOLE, beat


@pytest.fixture
def spool(tmp_path):
    return SpoolFile(tmp_path / "a.jsonl")


def test_any_tool_that_reads_json_lines_reads_it(spool):
    spool.write(WHOLE)
    spool.close()
    kinds = [json.loads(text)["kind"] for text in spool.path.read_text().splitlines()]
    assert kinds == ["run", "reader", "beat", "beat", "beat", "stop"]


def test_duckdb_reads_it(spool):
    duckdb = pytest.importorskip("duckdb")
    spool.write(WHOLE)
    sql = "SELECT sum(rapl[1]) FROM read_json(?, format='newline_delimited') WHERE kind = 'beat'"
    with duckdb.connect() as base:
        assert base.execute(sql, [str(spool.path)]).fetchone() == (14,)


def test_each_write_is_on_disk_at_once(spool):
    spool.write("a\n")
    assert spool.path.read_text() == "a\n"
    spool.write("b\n")
    assert spool.path.read_text() == "a\nb\n"


def test_closing_twice_is_no_harm_and_writing_afterwards_neither(spool):
    spool.close()
    spool.close()
    spool.write("late\n")
    assert spool.path.read_text() == ""


def test_names_in_any_script_come_back(spool):
    spool.write(line("begin", name="époque 期 \ud800 \n"))
    (text,) = spool.path.read_text().splitlines()
    assert json.loads(text)["name"] == "époque 期 \ud800 \n"


def test_two_threads_never_mix_their_lines(spool):
    def write(who):
        for _ in range(3000):
            spool.write(who * 50 + "\n")

    writers = [threading.Thread(target=write, args=(who,)) for who in "ab"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    lines = spool.path.read_text().splitlines()
    assert sorted(lines) == ["a" * 50] * 3000 + ["b" * 50] * 3000


APPENDS = """
import sys
from pathlib import Path
from wattermark.ledger.spool import SpoolFile
spool = SpoolFile(Path(sys.argv[1]))
for _ in range(3000): spool.write(sys.argv[2] * 50 + "\\n")
"""


def test_two_processes_never_mix_their_lines(home, tmp_path):
    """Ranks have a file each; should two ever meet in one, each write is appended whole."""
    words = [sys.executable, "-S", "-c", APPENDS, str(tmp_path / "one.jsonl")]
    writers = [subprocess.Popen([*words, who], env=home) for who in "ab"]
    assert [writer.wait() for writer in writers] == [0, 0]
    lines = (tmp_path / "one.jsonl").read_text().splitlines()
    assert sorted(lines) == ["a" * 50] * 3000 + ["b" * 50] * 3000


# -- kill -9 ----------------------------------------------------------------

WRITERS = """
import os, random, signal, sys, time
from pathlib import Path
from wattermark.ledger.spool import SpoolFile
from ledger.made import HEAD, beat
folder, rounds = Path(sys.argv[1]), int(sys.argv[2])
chance, (told, tell) = random.Random(rounds), os.pipe()
for i in range(rounds):
    child = os.fork()
    if not child:
        spool = SpoolFile(folder / f"{i}.jsonl")
        spool.write(HEAD)
        os.write(tell, b".")
        for second in range(10**9):
            spool.write(beat(second, second % 1000) * (1 + second % 3))
    os.read(told, 1)
    time.sleep(chance.uniform(0, 0.005))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
"""
"""Writers without end, one after the other; each is killed at another moment."""


@pytest.mark.parametrize("rounds", [20, pytest.param(200, marks=pytest.mark.slow)])
def test_a_spool_is_whole_after_kill_9_at_any_moment(home, tmp_path, rounds):
    """A regular file's one write is whole or, at the very end, torn: never a broken line before it."""
    subprocess.run([sys.executable, "-S", "-c", WRITERS, str(tmp_path), str(rounds)], env=home, check=True)
    lengths = set()
    for i in range(rounds):
        run = read_spool(tmp_path / f"{i}.jsonl")
        seconds = sorted({at_ns // 10**9 for at_ns in run.logs["rapl"].mono_ns})
        assert seconds == list(range(len(seconds)))
        assert run.bad_lines == 0
        assert run.status == "interrupted" or run.header.host == "elsewhere"
        lengths.add(len(seconds))
    assert len(lengths) > rounds / 4  # they were killed in the middle of their work


# -- a full disk ------------------------------------------------------------


class Disk:
    """How large a file of this process may grow: a full disk that needs no root. Only in a child."""

    CODE = """
import resource
from pathlib import Path
from wattermark.ledger.spool import SpoolFile, MOST_KEPT_B, line
from ledger.made import HEAD, WHOLE, beat, stop
def disk(size_b):
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most if size_b is None else size_b, most))
spool = SpoolFile(Path("a.jsonl"))
"""


def on_a_full_disk(program, tmp_path, code):
    done = program(Disk.CODE + code)
    assert done.returncode == 0, done.stderr
    return done.stdout, tmp_path / "a.jsonl"


@pytest.mark.parametrize(
    "room_b",
    [
        pytest.param(0, id="full from the first line on"),
        pytest.param(len(HEAD), id="full between two lines"),
        pytest.param(len(HEAD) + 7, id="full in the middle of a line"),
    ],
)
def test_lines_wait_for_room_and_are_written_then(program, tmp_path, room_b):
    code = f"""
disk({room_b})
for text in WHOLE.splitlines(True)[:-1]: spool.write(text)
print(spool.trouble.strerror, spool.lost_lines)
disk(None)
spool.write(WHOLE.splitlines(True)[-1])
"""
    said, path = on_a_full_disk(program, tmp_path, code)
    assert said == f"{os.strerror(errno.EFBIG)} 0\n"
    assert path.read_text() == WHOLE


def test_lines_that_wait_are_written_when_it_is_closed(program, tmp_path):
    _, path = on_a_full_disk(program, tmp_path, "disk(5)\nspool.write(WHOLE)\ndisk(None)\nspool.close()")
    assert path.read_text() == WHOLE


TOO_MUCH = """
{before}
for batch in range(150): spool.write("".join(beat(1000 * batch + i, 5) for i in range(1000)))
print(spool.lost_lines)
disk(None)
spool.write(stop(150_000))
"""


@pytest.mark.parametrize(
    "before",
    [
        pytest.param("spool.write(HEAD)\ndisk(5)", id="full after the header"),
        pytest.param(
            f"disk({len(HEAD) + 7})\nspool.write(HEAD)\nspool.write(line('fault', error='x'))",
            id="a line is torn",
        ),
        pytest.param("disk(0)\nspool.write(HEAD)", id="full from the first line on"),
        pytest.param("disk(9)\nspool.write(HEAD)", id="the header itself is torn"),
    ],
)
def test_when_too_much_waits_the_oldest_beats_go_and_are_counted(program, tmp_path, before):
    said, path = on_a_full_disk(program, tmp_path, TOO_MUCH.format(before=before))
    run = read_spool(path)
    assert path.stat().st_size < MOST_KEPT_B + 1000
    assert run.lost_beats == int(said) > 0
    assert run.lost_beats + len(run.logs["rapl"].values) == pytest.approx(150_000, abs=20)
    assert (run.bad_lines, run.status) == (0, "ok")


def test_what_is_lost_is_counted_exactly(program, tmp_path):
    """Also when it happens again and again: the note of an earlier loss is no lost line."""
    said, path = on_a_full_disk(program, tmp_path, TOO_MUCH.format(before="spool.write(HEAD)\ndisk(5)"))
    assert int(said) + len(read_spool(path).logs["rapl"].values) == 150_000


MANY_MARKS = """
import time
disk(0)
spool.write(HEAD)
start_s = time.process_time()
for number in range(40):
    marks = (line("begin", span=number, name="step", label="x" * 99, parent=0, mono_ns=1) for _ in "x" * 2000)
    spool.write("".join(marks))
print(time.process_time() - start_s < 5)
disk(None)
spool.write(stop(9))
"""


def test_spans_on_a_full_disk_do_not_pile_up_without_end(program, tmp_path):
    """12 MB of marks: beats are not all that may go, or the training runs out of memory."""
    said, path = on_a_full_disk(program, tmp_path, MANY_MARKS)
    assert said == "True\n"
    assert path.stat().st_size < 2 * MOST_KEPT_B
    assert read_spool(path).status == "ok"


def test_a_device_without_room_raises_nothing():
    spool = SpoolFile(Path("/dev/full"))
    for _ in range(3):
        spool.write(HEAD + beat(1, 5))
    assert spool.trouble.errno == errno.ENOSPC
    spool.close()
