"""The desk: notes from anywhere, written soon, and no trouble for whoever notes."""

import gc
import json
import os
import threading
import time

import pytest

from wattermark.ledger.read import read_run
from wattermark.ledger.requests import read_requests, request_files
from wattermark.ledger.runs import spools_in
from wattermark.serving.tap import Tap
from wattermark.values.served import EngineLook, Served
from wattermark.verbs.measure import Run
from wattermark.verbs.serving import desk as desks
from wattermark.verbs.serving.desk import Desk, measured_desk, unmetered_desk
from wattermark.verbs.serving.tenants import tenants_of
from wattermark.wiring.config import load_config


@pytest.fixture
def desk(tmp_path):
    (tmp_path / "run").mkdir()
    desk = Desk(tmp_path / "run", "host-1")
    yield desk
    desk.close()


def noted(folder):
    return [one for path in request_files(folder) for one in read_requests(path).served]


def served(number):
    return Served(begin_ns=number, end_ns=number)


def soon(holds, within_s=2.0):
    until_s = time.monotonic() + within_s
    while not holds() and time.monotonic() < until_s:
        time.sleep(0.005)
    return holds()


def test_a_note_is_on_disk_within_a_tenth_of_a_second_without_a_close(desk):
    desk.note(served(1))
    assert soon(lambda: noted(desk.folder) == [served(1)])
    begin_s = time.monotonic()
    desk.note(served(2))
    assert soon(lambda: len(noted(desk.folder)) == 2)
    assert time.monotonic() - begin_s < 1.0  # 0.1 s is held under load in ledger/test_requests.py


def test_looks_at_engines_are_noted_too(desk):
    look = EngineLook(mono_ns=5, engine="vllm", steps=7.0)
    desk.note(look)
    desk.close()
    (path,) = request_files(desk.folder)
    assert read_requests(path).looks == [look]


def test_eight_threads_note_at_once(desk):
    def note(first):
        for number in range(first, first + 1000):
            desk.note(served(number))

    threads = [threading.Thread(target=note, args=(1000 * i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    desk.close()
    assert sorted(one.begin_ns for one in noted(desk.folder)) == list(range(8000))
    assert desk.lost == 0


def test_closing_twice_is_no_harm_and_noting_afterwards_neither(desk):
    desk.note(served(1))
    desk.close()
    desk.close()
    desk.note(served(2))
    assert noted(desk.folder) == [served(1)]


def test_closing_in_two_threads_at_once_ends_the_run_once(tmp_path):
    ended = []
    (tmp_path / "run").mkdir()
    desk = Desk(tmp_path / "run", "a", close=lambda: ended.append(1))
    threads = [threading.Thread(target=desk.close) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ended == [1]


def test_a_note_that_cannot_be_told_costs_no_other(desk):
    desk.note(served(1))
    desk.note(Served(begin_ns=2, end_ns=2, model=b"no text"))  # type: ignore[arg-type]
    desk.note(served(3))
    desk.close()
    (path,) = request_files(desk.folder)
    read = read_requests(path)
    assert ([one.begin_ns for one in read.served], read.lost_lines, desk.lost) == ([1, 3], 1, 1)


def test_a_disk_that_does_not_answer_costs_no_memory_and_no_time(desk, monkeypatch):
    """Writing hangs, as on a network disk whose server went; notes that find no room are counted."""
    monkeypatch.setattr(desks, "MOST_NOTES", 100)
    answers = threading.Event()
    write = desk._file.write
    monkeypatch.setattr(desk._file, "write", lambda lines: (answers.wait(), write(lines)))
    begin_s = time.monotonic()
    desk.note(served(0))
    assert soon(lambda: not desk._notes)  # the writer has it, and hangs
    for number in range(1, 1000):
        desk.note(served(number))
    assert time.monotonic() - begin_s < 2
    answers.set()
    desk.close()
    (path,) = request_files(desk.folder)
    read = read_requests(path)
    assert (len(read.served), read.lost_lines) == (101, 899)


def test_a_cause_is_told_once(desk, caplog):
    for _ in range(3):
        desk.warn("usage", "the engine tells no usage")
        desk.warn("model", "nobody named the model")
    assert [one.getMessage() for one in caplog.records] == [
        "wattermark: the engine tells no usage",
        "wattermark: nobody named the model",
    ]


def test_a_folder_that_cannot_be_written_is_told_and_stops_nobody(tmp_path, caplog):
    (tmp_path / "run").touch()
    desk = Desk(tmp_path / "run", "a")
    desk.note(served(1))
    desk.close()
    assert "cannot be noted" in caplog.text


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_is_silent(program, tmp_path):
    done = program(
        """
import os, sys, time
from pathlib import Path
from wattermark.values.served import Served
from wattermark.verbs.serving.desk import Desk
Path("run").mkdir()
desk = Desk(Path("run"), "a")
desk.note(Served(begin_ns=1, end_ns=1))
child = os.fork()
if not child:
    waiting = len(desk._notes)
    for number in range(100):
        desk.note(Served(begin_ns=2, end_ns=2))
    desk.close()
    sys.exit(len(desk._notes) - waiting)  # nobody would ever write them: they must not pile up
_, status = os.waitpid(child, 0)
assert status == 0
desk.note(Served(begin_ns=3, end_ns=3))
desk.close()
"""
    )
    assert done.returncode == 0, done.stderr
    assert [one.begin_ns for one in noted(tmp_path / "run")] == [1, 3]


def test_a_program_that_ends_without_a_close_loses_nothing(program, tmp_path):
    done = program(
        """
from pathlib import Path
from wattermark.values.served import Served
from wattermark.verbs.serving.desk import Desk
Path("run").mkdir()
desk = Desk(Path("run"), "a")
for number in range(500):
    desk.note(Served(begin_ns=number, end_ns=number))
"""
    )
    assert done.returncode == 0, done.stderr
    assert len(noted(tmp_path / "run")) == 500


def test_a_closed_desk_is_forgotten(tmp_path):
    """Whoever opens many does not keep them all until the program ends."""
    import weakref

    (tmp_path / "run").mkdir()
    desk = Desk(tmp_path / "run", "a")
    desk.close()
    gone = weakref.ref(desk)
    del desk
    gc.collect()
    assert gone() is None


def test_an_unmetered_desk_is_a_run_that_ended(ledger):
    desk = unmetered_desk(load_config({}), "proxy", {"upstream": "u"})
    desk.note(served(1))
    desk.close()
    (spool,) = spools_in(desk.folder)
    (run,) = read_run([spool])
    assert (run.status, run.header.name, run.header.tags) == ("ok", "proxy", {"upstream": "u"})
    (path,) = request_files(desk.folder)
    assert path.stem == spool.stem
    head = json.loads(path.read_text(encoding="utf-8").splitlines()[0])
    assert (head["kind"], head["run"]) == ("requests", desk.run)


def test_a_measured_desk_ends_its_run(ledger):
    run = Run(load_config({}), name="engine").start()
    desk = measured_desk(run)
    desk.note(served(1))
    desk.close()
    assert not run.recording
    assert noted(desk.folder) == [served(1)]
    (read,) = read_run(spools_in(desk.folder))
    assert read.status == "ok"


def test_a_run_that_nobody_started_has_no_desk(ledger):
    assert measured_desk(Run(load_config({}), name="engine")) is None


def test_nothing_that_anybody_wrote_and_no_key_reaches_the_ledger(ledger):
    """From the request to the bytes on disk, with a secret wherever one can stand."""
    secrets = [f"secret-{where}" for where in ("key", "prompt", "answer", "user", "tool", "id", "query")]
    key, prompt, answer, user, tool, name, query = secrets
    tenants = tenants_of(ledger)
    desk = unmetered_desk(load_config({}), "proxy")
    asked = {
        "model": "m",
        "messages": [{"role": "user", "content": prompt}],
        "user": user,
        "tools": [{"name": tool}],
    }
    told = {
        "id": name,
        "model": "m",
        "choices": [{"message": {"content": answer}}],
        "usage": {"prompt_tokens": 3},
    }
    for fields, asked_query in (({"Authorization": f"Bearer {key}"}, ""), ({}, f"key={query}")):
        tenant = tenants.of(fields, asked_query)
        for kind, body in (
            ("application/json", json.dumps(told)),
            ("text/event-stream", f"data: {json.dumps(told)}\n\n"),
        ):
            tap = Tap("/v1/chat/completions", json.dumps(asked).encode(), 1, tenant=tenant)
            tap.answered(200, {"Content-Type": kind, "X-Id": name, "Set-Cookie": key})
            tap.piece(body.encode(), 2)
            desk.note(tap.served(3))
    desk.close()
    kept = b"".join(path.read_bytes() for path in ledger.rglob("*") if path.is_file())
    assert tenants.named(key).encode() in kept and b'"input_tokens":3' in kept
    assert b"secret" not in kept
