"""The one line that starts it: as a block, a decorator, an object. It changes nothing of the program."""

import asyncio
import gc
import inspect
import json
import logging
import threading
import traceback

import numpy as np
import pytest

import wattermark as wm
from wattermark.ledger.read import read_header, read_spool

pytestmark = pytest.mark.usefixtures("ledger")


def ends(kept):
    return [(run.header.name, run.status, run.detail) for run in kept()]


class Oops(Exception):
    pass


# -- a block ----------------------------------------------------------------


def test_a_block_is_a_run(kept):
    with wm.track(name="train", place="deu", tags={"model": "tiny"}) as run:
        assert run.recording
    (one,) = kept()
    assert (one.header.run, one.header.name, one.header.place) == (run.id, "train", "deu")
    assert (one.header.tags, one.status, run.recording) == ({"model": "tiny"}, "ok", False)
    assert len(one.logs["load"].values) >= 2


def test_a_block_keeps_the_exception_and_where_it_came_from(kept):
    with pytest.raises(Oops, match="mine") as caught, wm.track(name="t"):
        raise Oops("mine")
    assert len(traceback.extract_tb(caught.tb)) == 1
    assert ends(kept) == [("t", "failed", "Oops")]


def test_the_message_of_an_exception_stays_out_of_the_ledger(kept, ledger):
    with pytest.raises(Oops), wm.track(name="t"):
        raise Oops("password=hunter2")
    assert "hunter2" not in "".join(path.read_text() for path in ledger.glob("*/*"))


# -- a decorator ------------------------------------------------------------


def plain(x):
    """Says so."""
    if x is None:
        raise Oops
    return x + 1


def generator(x):
    """Says so."""
    got = yield x + 1
    try:
        got = yield got
    except Oops:
        got = yield "caught"
    return "end"


async def coroutine(x):
    """Says so."""
    await asyncio.sleep(0)
    return plain(x)


async def async_generator(x):
    """Says so."""
    got = yield x + 1
    try:
        got = yield got
    except Oops:
        got = yield "caught"


SHAPES = [plain, generator, coroutine, async_generator]


@pytest.mark.parametrize("function", SHAPES)
def test_a_decorated_function_is_told_apart_as_before(function):
    wrapped = wm.track(function)
    assert (wrapped.__name__, wrapped.__doc__) == (function.__name__, "Says so.")
    assert inspect.signature(wrapped) == inspect.signature(function)
    for kind in (inspect.iscoroutinefunction, inspect.isgeneratorfunction, inspect.isasyncgenfunction):
        assert kind(wrapped) == kind(function)


def test_decorating_alone_records_nothing(kept):
    for function in SHAPES:
        wm.track(function)
    assert kept() == []


def test_a_function_keeps_its_value_and_each_call_is_a_run(kept):
    wrapped = wm.track(plain)
    assert [wrapped(1), wrapped(x=2)] == [2, 3]
    assert ends(kept) == [("plain", "ok", "")] * 2


def test_a_function_keeps_its_exception_and_its_traceback(kept):
    with pytest.raises(Oops) as caught:
        wm.track(name="t")(plain)(None)
    assert traceback.extract_tb(caught.tb)[-1].name == "plain"
    assert ends(kept) == [("t", "failed", "Oops")]


def test_a_generator_takes_what_is_sent_and_thrown_and_gives_its_last_word(kept):
    steps = wm.track(generator)(1)
    assert kept() == []
    assert [next(steps), steps.send("sent"), steps.throw(Oops())] == [2, "sent", "caught"]
    with pytest.raises(StopIteration) as stopped:
        next(steps)
    assert stopped.value.value == "end"
    assert ends(kept) == [("generator", "ok", "")]


def test_a_generator_that_nobody_finishes_is_a_good_end(kept):
    steps = wm.track(generator)(1)
    next(steps)
    steps.close()
    assert ends(kept) == [("generator", "ok", "")]


def test_a_generator_that_fails_says_so(kept):
    steps = wm.track(generator)(1)
    next(steps)
    with pytest.raises(Oops):
        steps.throw(Oops())
    assert ends(kept) == [("generator", "failed", "Oops")]


def test_a_coroutine_keeps_its_value_and_its_exception(kept):
    assert asyncio.run(wm.track(coroutine)(1)) == 2
    with pytest.raises(Oops) as caught:
        asyncio.run(wm.track(coroutine)(None))
    assert traceback.extract_tb(caught.tb)[-1].name == "plain"
    assert ends(kept) == [("coroutine", "ok", ""), ("coroutine", "failed", "Oops")]


def test_an_async_generator_takes_what_is_sent_and_thrown(kept):
    async def talk():
        steps = wm.track(async_generator)(1)
        said = [await anext(steps), await steps.asend("sent"), await steps.athrow(Oops())]
        return said + [item async for item in steps]

    assert asyncio.run(talk()) == [2, "sent", "caught"]
    assert ends(kept) == [("async_generator", "ok", "")]


async def left_at_once(steps):
    async for _ in steps:
        break


async def closed(steps):
    await anext(steps)
    await steps.aclose()


@pytest.mark.parametrize("leave", [left_at_once, closed])
def test_an_async_generator_that_nobody_finishes_is_a_good_end(kept, leave):
    async def talk():
        await leave(wm.track(async_generator)(1))
        gc.collect()
        await asyncio.sleep(0.01)  # the loop closes what was left

    asyncio.run(talk())
    assert ends(kept) == [("async_generator", "ok", "")]


def test_an_async_generator_closed_before_its_first_step_is_no_run(kept):
    asyncio.run(wm.track(async_generator)(1).aclose())
    assert kept() == []


def test_a_method_and_a_recursion_are_runs_too(kept):
    class Trainer:
        @wm.track(name="fit")
        def fit(self, depth):
            return self.fit(depth - 1) + 1 if depth else 0

    assert Trainer().fit(2) == 2
    runs = kept()
    assert [run.header.name for run in runs] == ["fit"] * 3
    assert [len(run.header.inside) for run in runs] == [0, 1, 2]


@pytest.mark.parametrize("use", [wm.track, wm.track(place="deu")], ids=["bare", "with arguments"])
def test_a_decorated_function_gives_the_run_its_name(kept, use):
    use(plain)(1)
    assert [run.header.name for run in kept()] == ["plain"]


# -- an object --------------------------------------------------------------


def test_starting_twice_changes_nothing_and_says_so(kept, caplog):
    run = wm.track(name="t")
    first = run.start().id
    assert run.start().id == first
    run.stop()
    assert ends(kept) == [("t", "ok", "")]
    assert "recorded already" in caplog.text


def test_stopping_what_never_started_does_nothing_and_says_so(kept, caplog):
    wm.track(name="t").stop()
    assert kept() == []
    assert "never started" in caplog.text


def test_stopping_twice_is_no_harm(kept):
    run = wm.track(name="t").start()
    run.stop()
    run.stop()
    assert ends(kept) == [("t", "ok", "")]


def test_starting_again_is_a_new_run(kept):
    run = wm.track(name="t")
    ids = []
    for _ in range(2):
        with run:
            ids.append(run.id)
    assert len(set(ids)) == 2
    assert [one.header.run for one in kept()] == ids


def test_a_run_that_never_started_has_no_footprint():
    with pytest.raises(wm.UsageError, match="never started"):
        wm.track(name="t").footprint()


def test_a_run_tells_its_footprint_while_it_goes_on_and_afterwards():
    with wm.track(name="t", place="deu", interval=0.01) as run:
        early = run.footprint()
    late = run.footprint()
    assert 0 <= early.duration_s < late.duration_s
    assert any("running" in flag for flag in early.flags)
    assert not any("running" in flag for flag in late.flags)


def test_two_at_once_know_of_each_other(kept):
    with wm.track(name="outer") as outer, wm.track(name="inner") as inner:
        pass
    headers = [run.header for run in kept()]
    assert [(h.name, h.inside) for h in headers] == [("outer", ()), ("inner", (outer.id,))]
    assert inner.id != outer.id


def test_two_that_overlap_are_both_whole(kept):
    one, other = wm.track(name="one").start(), wm.track(name="other").start()
    one.stop()
    other.stop()
    assert [run.status for run in kept()] == ["ok", "ok"]


# -- spans ------------------------------------------------------------------


def spans_of(run):
    """Label of each span, and of the one above it."""
    marks = {mark.number: mark for mark in read_spool(run.spool).spans}
    assert all(mark.end_ns is not None and mark.end_ns >= mark.begin_ns for mark in marks.values())
    return {mark.label: marks[mark.parent].label if mark.parent else None for mark in marks.values()}


def test_spans_nest():
    with wm.track() as run:
        with run.span("epoch", "a"):
            with run.span("step", "b"), run.span("step", "c"):
                pass
            with run.span("step", "d"):
                pass
        with run.span("epoch", "e"):
            pass
    assert spans_of(run) == {"a": None, "b": "a", "c": "b", "d": "a", "e": None}


def test_a_span_ends_where_its_block_fails():
    with pytest.raises(Oops), wm.track() as run, run.span("epoch", "a"):
        raise Oops
    assert spans_of(run) == {"a": None}


def test_spans_of_threads_nest_in_their_own_thread():
    def work(run, name):
        with run.span("outer", name), run.span("inner", name + "'"):
            barrier.wait()

    barrier = threading.Barrier(4)
    with wm.track() as run:
        workers = [threading.Thread(target=work, args=(run, name)) for name in "abcd"]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    assert spans_of(run) == {name + "'": name for name in "abcd"} | dict.fromkeys("abcd")


def test_spans_of_asyncio_tasks_nest_in_the_span_that_began_them():
    async def work(run, name):
        with run.span("task", name):
            await asyncio.sleep(0.001)
            with run.span("inner", name + "'"):
                await asyncio.sleep(0.001)

    async def program(run):
        with run.span("all", "a"):
            await asyncio.gather(*(work(run, name) for name in "bcd"))

    with wm.track() as run:
        asyncio.run(program(run))
    assert spans_of(run) == {"a": None} | dict.fromkeys("bcd", "a") | {name + "'": name for name in "bcd"}


def test_a_span_left_in_another_task_is_no_harm():
    async def steps(run):
        with run.span("epoch", "a"):
            yield 1
            yield 2

    async def program(run):
        items = steps(run)
        await asyncio.create_task(anext(items))
        await asyncio.create_task(items.aclose())
        with run.span("epoch", "b"):
            pass

    with wm.track() as run:
        asyncio.run(program(run))
    assert spans_of(run)["a"] is None


def test_spans_of_two_runs_do_not_mix():
    one, other = wm.track().start(), wm.track().start()
    with one.span("x", "a"), other.span("x", "b"), one.span("x", "c"):
        pass
    one.stop()
    other.stop()
    assert spans_of(other) == {"b": None}
    assert spans_of(one) == {"a": None, "c": "a"}


@pytest.mark.parametrize("of", [3, 3.0, np.int64(3), np.float32(3)])
def test_spans_are_one_of_so_many(kept, of):
    with wm.track(name="t") as run, run.span("epoch", 1, of=of):
        pass
    assert [span.of for span in kept()[0].spans] == [3]


@pytest.mark.parametrize("of", [0, -1, 2.5, "3", float("nan"), float("inf"), 10**30, object(), np.arange(2)])
def test_what_cannot_be_a_number_of_spans_is_told_once_and_costs_no_span(kept, caplog, of):
    with wm.track(name="t") as run:
        for label in (1, 2):
            with run.span("epoch", label, of=of):
                pass
    (one,) = kept()
    assert [(span.label, span.of) for span in one.spans] == [("1", None), ("2", None)]
    assert one.bad_lines == 0
    assert [record.message.count("at least 1") for record in caplog.records] == [1]


def test_spans_outside_of_a_run_are_silent():
    run = wm.track()
    with run.span("epoch", 1):
        pass
    with run:
        pass
    with run.span("epoch", 2):
        pass
    assert spans_of(run) == {}


# -- arguments --------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"pue": -1}, "pue is -1"), ({"pue": 0.5}, "pue is 0.5"), ({"pue": float("nan")}, "pue is nan"),
        ({"pue": "abc"}, "pue is 'abc'"), ({"wue": -3}, "wue is -3"), ({"interval": 0}, "interval is 0"),
        ({"interval": -1}, "interval is -1"), ({"interval": float("nan")}, "interval is nan"),
        ({"interval": "banana"}, "interval is 'banana'"), ({"scope": "x"}, "scope is 'x'"),
        ({"place": "atlantis"}, "'atlantis'"), ({"place": ""}, "place is ''"), ({"place": 7}, "place is 7"),
        ({"market_intensity": -5}, "market_intensity is -5"), ({"ledger": 7}, "ledger is 7"),
    ],
)  # fmt: skip
def test_an_argument_that_cannot_be_meant_is_refused_at_once(arguments, says):
    with pytest.raises(wm.UsageError, match=says):
        wm.track(**arguments)


@pytest.mark.parametrize("call", [lambda: wm.track(poe=1.2), lambda: wm.track("train"), lambda: wm.track(3)])
def test_a_call_that_python_would_refuse_is_a_type_error(call):
    with pytest.raises(TypeError, match="track"):
        call()


@pytest.mark.parametrize("given", [{"name": 5}, {"tags": {"lr": 0.1, 3: object}}])
def test_names_and_tags_of_any_kind_are_taken_as_text(kept, given):
    with wm.track(**given):
        pass
    assert all(isinstance(value, str) for value in [kept()[0].header.name, *kept()[0].header.tags.values()])


def test_a_path_names_the_ledger(tmp_path):
    with wm.track(ledger=tmp_path / "mine" / "deep") as run:
        pass
    assert run.spool.is_relative_to(tmp_path / "mine" / "deep" / run.id)


def test_a_broken_variable_is_told_and_does_not_stop_the_program(kept, monkeypatch, caplog):
    monkeypatch.setenv("WATTERMARK_PUE", "banana")
    with wm.track(name="t", wue=1.5):
        pass
    header = kept()[0].header
    assert (header.pue, header.wue_l_per_kwh) == (None, 1.5)
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "WATTERMARK_PUE is 'banana'" in caplog.text


def test_what_the_header_says_of_the_program_and_no_more(kept, monkeypatch):
    monkeypatch.setattr("sys.argv", ["/home/me/train.py", "--token", "secret"])
    with wm.track() as run:
        pass
    assert (read_header(run.spool).command, read_header(run.spool).name) == ("train.py", "train.py")
    assert "secret" not in run.spool.read_text()


# -- own readers ------------------------------------------------------------


def test_a_recorded_run_can_be_measured_again(tmp_path):
    """Two runs with one saved meter tell the same, whatever this machine has."""
    from wattermark.ledger.spool import line, reader_line, run_line
    from wattermark.values.kinds import Kind, Part
    from wattermark.values.records import Channel, RunHeader

    header = RunHeader(run="r", name="n", host="h", pid=1, started_ns=0, mono_ns=0, interval_s=1)
    channel = Channel(
        name="cpu/package-0", kind=Kind.COUNTER, part=Part.CPU, unit="uJ", covers="cpu/package-0"
    )
    beats = [line("beat", mono_ns=10**7 * i, time_ns=0, rapl=[10**6 * i]) for i in range(100)]
    path = tmp_path / "saved.jsonl"
    path.write_text(run_line(header) + reader_line("rapl", [channel]) + "".join(beats))
    with wm.track(scope="machine", interval=0.01, readers={"rapl": wm.replay(path, "rapl")}) as run:
        threading.Event().wait(0.1)
    log = read_spool(run.spool).logs["rapl"]
    assert log.channels == (channel,)
    moved_s = (log.mono_ns[-1] - log.mono_ns[0]) * 1e-9
    assert (log.values[-1][0] - log.values[0][0]) * 1e-6 == pytest.approx(100 * moved_s, abs=1.1)


def test_replay_names_the_readers_there_are(tmp_path):
    with wm.track() as run:
        pass
    with pytest.raises(wm.WattermarkError, match=r"nothing of a reader 'nvml'\. Choose from: load"):
        wm.replay(run.spool, "nvml")


def test_every_line_of_a_run_is_plain_json():
    with wm.track(name="t") as run, run.span("epoch", 1):
        pass
    kinds = [json.loads(text)["kind"] for text in run.spool.read_text().splitlines()]
    assert kinds[0] == "run" and kinds[-1] == "stop"
    assert {"reader", "beat", "begin", "end"} <= set(kinds)
