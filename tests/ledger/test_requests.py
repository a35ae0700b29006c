"""Lines of requests: they come back as they were, and a bad one costs no other."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import fields, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattermark.ledger.columns import UNTOLD, read_columns
from wattermark.ledger.fields import MOST
from wattermark.ledger.requests import (
    BLOCK_B,
    MOST_WHOLE,
    MOST_WORD,
    WHOLE,
    WORDS,
    RequestFile,
    look_line,
    read_requests,
    request_files,
    request_line,
)
from wattermark.ledger.spool import MOST_KEPT_B, line
from wattermark.values.served import EngineLook, Outcome, Route, Served, Usage

COUNT = st.none() | st.integers(0, MOST_WHOLE)
WORD = st.text(max_size=MOST_WORD)
TIMES = st.lists(st.integers(0, MOST_WHOLE), min_size=3, max_size=3).map(sorted)
USAGE = st.builds(Usage, **{field.name: COUNT for field in fields(Usage)})
SERVED = st.builds(
    lambda times, waits, **rest: Served(
        begin_ns=times[0], first_ns=None if waits else times[1], end_ns=times[2], **rest
    ),
    TIMES,
    st.booleans(),
    usage=USAGE,
    **{name: WORD for name in ("model", "tenant", "provider", "upstream", "request")},
    route=st.sampled_from(Route),
    status=st.none() | st.integers(100, 599),
    outcome=st.sampled_from(Outcome),
    streamed=st.booleans(),
    chunks=st.integers(0, MOST_WHOLE),
    unknown=st.lists(WORD, max_size=2).map(tuple),
)
AMOUNT = st.none() | st.floats(0, float(MOST))
LOOK = st.builds(
    EngineLook,
    mono_ns=st.integers(0, MOST_WHOLE),
    **{name: WORD for name in ("engine", "upstream", "model")},
    **{
        field.name: AMOUNT
        for field in fields(EngineLook)
        if field.name not in ("mono_ns", "engine", "upstream", "model")
    },
)
ONE = Served(begin_ns=5, end_ns=9, first_ns=7, usage=Usage(input_tokens=3, output_tokens=4), model="m")


def kept(folder, *lines, name="a"):
    (folder / "requests").mkdir(exist_ok=True)
    path = folder / "requests" / f"{name}.jsonl"
    path.write_bytes(b"".join(text.encode() if isinstance(text, str) else text for text in lines))
    return path


# -- there and back ------------------------------------------------------------------------


@given(st.lists(SERVED | LOOK, max_size=8))
def test_what_was_noted_comes_back(tmp_path_factory, notes):
    folder = tmp_path_factory.mktemp("run")
    file = RequestFile(folder, "host-7")
    file.write("".join(request_line(one) if isinstance(one, Served) else look_line(one) for one in notes))
    file.close()
    (path,) = request_files(folder)
    read = read_requests(path)
    assert read.served == [one for one in notes if isinstance(one, Served)]
    assert read.looks == [one for one in notes if isinstance(one, EngineLook)]
    assert (read.bad_lines, read.torn_bytes, read.lost_lines) == (0, 0, 0)


def test_what_nobody_said_takes_no_room():
    assert json.loads(request_line(Served(begin_ns=1, end_ns=2))) == {
        "kind": "request",
        "begin_ns": 1,
        "end_ns": 2,
    }


def test_a_long_name_is_cut(tmp_path):
    long = replace(ONE, model="m" * 1000, unknown=("u" * 1000,))
    (read,) = read_requests(kept(tmp_path, request_line(long))).served
    assert (read.model, read.unknown) == ("m" * MOST_WORD, ("u" * MOST_WORD,))


def columns_of(path):
    """The records that columns stand for."""
    columns = read_columns([path])
    found = []
    for i in range(len(columns)):
        whole = {name: None if columns.whole[name][i] == UNTOLD else columns.whole[name][i] for name in WHOLE}
        words = {name: columns.words[name].names[columns.words[name].places[i]] for name in WORDS}
        usage = Usage(**{field.name: whole.pop(field.name) for field in fields(Usage)})
        unknown = columns.unknown.names[columns.unknown.places[i]]
        found.append(
            Served(
                **{**whole, **words, "route": Route(words["route"]), "outcome": Outcome(words["outcome"])},
                usage=usage, streamed=bool(columns.streamed[i]), unknown=tuple(filter(None, [unknown])),
            )
        )  # fmt: skip
    return found, columns


@given(st.lists(SERVED, max_size=8))
def test_columns_tell_the_same(tmp_path_factory, notes):
    path = kept(tmp_path_factory.mktemp("run"), *map(request_line, notes))
    found, columns = columns_of(path)
    joined = [replace(one, unknown=tuple(filter(None, ["; ".join(one.unknown)]))) for one in notes]
    assert found == joined
    assert columns.bad_lines == 0


# -- whatever happened to a file -------------------------------------------------------------

BAD = [
    pytest.param(b"\n", id="an empty line"),
    pytest.param(b"\0\0\0\0\n", id="zeros, after the power went"),
    pytest.param(b"\xff\xfe\n", id="no UTF-8"),
    pytest.param(b"[]\n", id="a list"),
    pytest.param(b"null\n", id="null"),
    pytest.param(b"{}\n", id="no kind"),
    pytest.param(b"[" * 5000 + b"\n", id="too deep"),
    pytest.param(b'{"kind":"request","begin_ns":1}\n', id="no end"),
    pytest.param(b'{"kind":"request","begin_ns":1,"end_ns":"9"}\n', id="a text for a number"),
    pytest.param(b'{"kind":"request","begin_ns":1,"end_ns":9.5}\n', id="half a nanosecond"),
    pytest.param(b'{"kind":"request","begin_ns":1,"end_ns":true}\n', id="true for a number"),
    pytest.param(b'{"kind":"request","begin_ns":9,"end_ns":1}\n', id="an end before the beginning"),
    pytest.param(b'{"kind":"request","begin_ns":1,"first_ns":9,"end_ns":5}\n', id="a piece after the end"),
    pytest.param(b'{"kind":"request","begin_ns":-1,"end_ns":1}\n', id="before the clock began"),
    pytest.param(b'{"kind":"request","begin_ns":1,"end_ns":1%b}\n' % (b"0" * 30), id="too late"),
    pytest.param(b'{"kind":"request","begin_ns":1,"end_ns":9,"usage":[]}\n', id="a list for usage"),
    pytest.param(b'{"kind":"request","begin_ns":1,"end_ns":9,"usage":{"passes":-1}}\n', id="fewer than none"),
    pytest.param(b'{"kind":"request","begin_ns":1,"end_ns":9,"usage":{"passes":NaN}}\n', id="NaN"),
    pytest.param(b'{"kind":"request","begin_ns":1,"end_ns":9,"model":7}\n', id="a number for a name"),
    pytest.param(b'{"kind":"request","begin_ns":1,"end_ns":9,"route":"x"}\n', id="another route"),
    pytest.param(b'{"kind":"request","begin_ns":1,"end_ns":9,"outcome":[]}\n', id="a list for an outcome"),
    pytest.param(b'{"kind":"request","begin_ns":1,"end_ns":9,"unknown":[7]}\n', id="a number for a reason"),
    pytest.param(b'{"kind":"engine","mono_ns":1,"engine":"x","steps":-1}\n', id="a counter below zero"),
    pytest.param(b'{"kind":"engine","mono_ns":1,"engine":"x","steps":1e999}\n', id="a counter without end"),
    pytest.param(b'{"kind":"lost","lines":-1}\n', id="fewer than none lost"),
    pytest.param(b'{"kind":"requests","schema":99}\n', id="a newer version"),
    pytest.param(b'{"kind":"requ{"kind":"request","begin_ns":1,"end_ns":2}\n', id="two writers met"),
    pytest.param(b'{"kind":"request","begin_ns":1,"end_ns":2},{"kind":"request"}\n', id="two in one line"),
]  # fmt: skip


@pytest.mark.parametrize("bad", BAD)
def test_a_bad_line_costs_no_other(tmp_path, bad):
    path = kept(tmp_path, request_line(ONE), bad, request_line(ONE))
    read = read_requests(path)
    assert (read.served, read.bad_lines, read.torn_bytes) == ([ONE, ONE], 1, 0)
    found, columns = columns_of(path)
    assert (found, columns.bad_lines) == ([ONE, ONE], 1)


@pytest.mark.parametrize(
    ("text", "kind"),
    [('{"kind":"request","begin_ns":5,"end_ns":9,"mood":"fine"}', "request"), ('{"kind":"mood"}', "mood")],
)
def test_what_a_newer_version_adds_is_passed_over(tmp_path, text, kind):
    read = read_requests(kept(tmp_path, text + "\n"))
    assert (len(read.served), read.bad_lines) == (kind == "request", 0)


@given(st.integers(0, 400))
def test_a_torn_end_costs_one_request(tmp_path_factory, at):
    whole = (request_line(ONE) * 3).encode()
    at = min(at, len(whole))
    read = read_requests(kept(tmp_path_factory.mktemp("run"), whole[:at]))
    assert len(read.served) == whole[:at].count(b"\n")
    assert read.torn_bytes == at - (whole[:at].rfind(b"\n") + 1)
    assert read.bad_lines == 0


@given(st.lists(st.tuples(st.integers(0, 10**6), st.binary(max_size=4)), max_size=6))
def test_no_change_to_a_file_is_a_crash_and_both_readers_agree(tmp_path_factory, changes):
    data = bytearray(
        (request_line(ONE) + look_line(EngineLook(mono_ns=1, engine="x", steps=2.0))) * 4, "ascii"
    )
    for at, new in changes:
        data[at % len(data) : at % len(data) + len(new)] = new
    path = kept(tmp_path_factory.mktemp("run"), bytes(data))
    read, columns = read_requests(path), read_columns([path])
    assert len(columns) == len(read.served)
    assert (columns.looks, columns.bad_lines, columns.torn_bytes) == (
        read.looks,
        read.bad_lines,
        read.torn_bytes,
    )
    assert [told.requests for told in columns.files] == [len(columns)]


def test_lines_are_read_across_blocks(tmp_path):
    notes = [replace(ONE, begin_ns=i, first_ns=i, end_ns=i + 1, model=f"m-{i}" * 20) for i in range(9000)]
    path = kept(tmp_path, *map(request_line, notes))
    assert path.stat().st_size > 1.5 * BLOCK_B
    assert read_requests(path).served == notes


def test_numpy_takes_columns_as_they_are(tmp_path):
    np = pytest.importorskip("numpy")
    columns = read_columns([kept(tmp_path, request_line(ONE), request_line(replace(ONE, first_ns=None)))])
    assert np.asarray(columns.whole["first_ns"]).tolist() == [7, UNTOLD]
    assert np.asarray(columns.words["model"].places).dtype == np.int64


# -- files that grow, and a disk that is full -------------------------------------------------


def test_a_large_file_is_followed_by_another(tmp_path):
    file = RequestFile(tmp_path, "host-7", most_b=1000)
    for number in range(100):
        file.write(request_line(replace(ONE, begin_ns=0, end_ns=number + 10)))
    file.close()
    paths = request_files(tmp_path)
    assert len(paths) > 5
    assert all(path.stat().st_size < 1300 for path in paths)
    ends = sorted(one.end_ns for path in paths for one in read_requests(path).served)
    assert ends == [number + 10 for number in range(100)]


def test_a_file_of_somebody_with_our_number_is_left_alone(tmp_path):
    """In another container a process may have the same number."""
    kept(tmp_path, request_line(ONE), name="host-7")
    file = RequestFile(tmp_path, "host-7")
    file.write(request_line(ONE))
    assert file.path.name == "host-7.1.jsonl"


FULL = """
import resource, sys
from pathlib import Path
from wattermark.ledger.requests import RequestFile, request_line
from wattermark.ledger.spool import MOST_KEPT_B
from wattermark.values.served import Served
def disk(size_b):
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most if size_b is None else size_b, most))
import signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
file = RequestFile(Path("."), "a", most_b=10_000)
disk(5000)
for thousand in range(MOST_KEPT_B * 3 // 2 // 50_000):
    file.write("".join(request_line(Served(begin_ns=1000 * thousand + n, end_ns=10**8)) for n in range(1000)))
assert file.trouble is not None
lost = file.lost_lines
disk(None)
file.write(request_line(Served(begin_ns=10**9, end_ns=10**9)))
file.close()
print(lost, 1000 * thousand + 1001)
"""


@pytest.mark.skipif(os.name != "posix", reason="needs RLIMIT_FSIZE")
@pytest.mark.slow
def test_a_full_disk_loses_the_oldest_requests_and_counts_them(program, tmp_path):
    done = program(FULL)
    assert done.returncode == 0, done.stderr
    lost, noted = map(int, done.stdout.split())
    found = [read_requests(path) for path in request_files(tmp_path)]
    begins = [one.begin_ns for read in found for one in read.served]
    assert lost > 0
    assert sum(read.lost_lines for read in found) == lost
    assert len(begins) == noted - lost
    assert begins[-1] == 10**9
    assert sum(read.bad_lines + read.torn_bytes for read in found) == 0


def test_what_never_came_to_the_file_is_counted_in_it(tmp_path):
    file = RequestFile(tmp_path, "a")
    file.lose(5)
    file.lose(2)
    file.close()
    assert read_requests(file.path).lost_lines == file.lost_lines == 7


def test_a_spool_drops_requests_before_spans():
    from wattermark.ledger.spool import _BEAT, _REQUEST

    assert request_line(ONE).encode().startswith(_REQUEST)
    assert not line("requests", schema=1).encode().startswith(_REQUEST + _BEAT)
    assert MOST_KEPT_B > 1_000_000


# -- very many ----------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")
def test_a_quarter_of_a_million_takes_seconds_and_little_room(tmp_path):
    lines = "".join(
        request_line(replace(ONE, begin_ns=i, first_ns=i, end_ns=i + 1, tenant=f"t-{i % 50}"))
        for i in range(10_000)
    )
    path = kept(tmp_path, *[lines] * 25)
    code = (
        "import sys; from pathlib import Path; from wattermark.ledger.columns import read_columns;"
        "print(len(read_columns([Path(sys.argv[1])])));"
        "print(*(text.split()[1] for text in open('/proc/self/status') if text.startswith('VmHWM')))"
    )
    begin_s = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], check=True, capture_output=True, text=True,
        env={"PYTHONPATH": str(Path(__file__).parents[2] / "src"), "PATH": os.environ["PATH"]},
    )  # fmt: skip
    many, most_kb = map(int, done.stdout.split())
    assert many == 250_000
    assert most_kb < 150_000
    assert time.monotonic() - begin_s < 60


# -- kill -9 -------------------------------------------------------------------------------------

BUSY = """
import sys, time
from pathlib import Path
from wattermark.values.served import Served, Usage
from wattermark.verbs.serving.desk import Desk
desk = Desk(Path(sys.argv[1]), "busy")
ahead = open(sys.argv[2], "ab", buffering=0)
begin_s, number = time.monotonic(), 0
while True:
    while number < 2000 * (time.monotonic() - begin_s):
        desk.note(Served(begin_ns=number, end_ns=time.monotonic_ns(), usage=Usage(input_tokens=number)))
        number += 1
    ahead.write(b"%d %d\\n" % (number, time.monotonic_ns()))
    time.sleep(0.002)
"""
"""Notes 2,000 a second, and after each few says in a file of its own how far it is, and when."""


@pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")
@pytest.mark.parametrize("lives_s", [0.35, 0.62, 0.9])
def test_kill_9_under_load_tears_nothing_and_loses_a_tenth_of_a_second(home, tmp_path, lives_s):
    run = tmp_path / "run"
    run.mkdir()
    child = subprocess.Popen([sys.executable, "-c", BUSY, str(run), str(tmp_path / "ahead")], env=home)
    while not (tmp_path / "ahead").exists() or not (tmp_path / "ahead").stat().st_size:
        time.sleep(0.005)
    time.sleep(lives_s)
    child.send_signal(signal.SIGKILL)
    child.wait()
    (path,) = request_files(run)
    read = read_requests(path)
    assert read.bad_lines == 0
    numbers = [one.begin_ns for one in read.served]
    assert numbers == list(range(len(numbers))), "no gap and no order but that of the notes"
    told = [tuple(map(int, text.split())) for text in (tmp_path / "ahead").read_bytes().splitlines()]
    last_ns = told[-1][1]
    must_be_there = max((number for number, at_ns in told if at_ns <= last_ns - 100_000_000), default=0)
    assert must_be_there > 0
    assert len(numbers) >= must_be_there
