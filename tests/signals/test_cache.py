"""What was told is kept, whoever uses it at once; and whatever happens to the file, nobody is stopped."""

import json
import os
import sqlite3
import threading
import time
from dataclasses import replace

import pytest

from wattermark.signals.cache import KEPT_S, Cache, Key, cache_file, fresh_s
from wattermark.values.series import Ask, Series, Signal

HOUR = 3600.0
NOW = 1_711_880_400.0
KEY = Key(provider="them", zone="DE", signal=Signal.CARBON)


def issue(begin_h, *values, basis="lifecycle", flags=(), signal=Signal.CARBON):
    edges = tuple(NOW + (begin_h + i) * HOUR for i in range(len(values) + 1))
    return Series(
        signal=signal, place="deu", source="them", edges_s=edges, values=values, basis=basis,
        forecast_from_s=NOW, flags=flags, issued_s=NOW - 60,
    )  # fmt: skip


def ask(now_h=0.0, begin_h=0.0, end_h=24.0, zone="DE"):
    return Ask(
        signals=(Signal.CARBON,), place="deu", zone=zone, begin_s=NOW + begin_h * HOUR,
        end_s=NOW + end_h * HOUR, now_s=NOW + now_h * HOUR,
    )  # fmt: skip


@pytest.fixture
def cache(tmp_path):
    return Cache(tmp_path / "deep" / "signals.sqlite")


def read(cache, begin_h=0.0, end_h=24.0, key=KEY):
    return cache.read(key, NOW + begin_h * HOUR, NOW + end_h * HOUR)


def test_what_is_kept_is_read_as_it_was(cache):
    told = issue(0, 1.0, None, 3.25, flags=("a: b", "c"))
    cache.keep([KEY], ask(), [told])
    assert read(cache) == Series(
        signal=told.signal, place="deu", source="them", edges_s=told.edges_s, values=told.values,
        basis="lifecycle", issued_s=NOW - 60, fetched_s=NOW, forecast_from_s=NOW,
        flags=told.flags,
    )  # fmt: skip
    assert cache.flags == ()


def test_nothing_is_known_at_first(cache):
    assert (read(cache), cache.issues(KEY), cache.asked_lately(KEY, ask())) == (None, [], False)


@pytest.mark.parametrize(
    ("key", "there"),
    [
        pytest.param(KEY, True, id="the same"),
        pytest.param(Key(provider="others", zone="DE", signal=Signal.CARBON), False, id="another provider"),
        pytest.param(Key(provider="them", zone="FR", signal=Signal.CARBON), False, id="another zone"),
        pytest.param(Key(provider="them", zone="DE", signal=Signal.PRICE), False, id="another signal"),
        pytest.param(
            Key(provider="them", zone="DE", signal=Signal.CARBON, basis="lifecycle"), True, id="its basis"
        ),
        pytest.param(
            Key(provider="them", zone="DE", signal=Signal.CARBON, basis="direct"), False, id="another basis"
        ),
    ],
)
def test_nobody_hears_what_was_said_of_something_else(cache, key, there):
    cache.keep([KEY], ask(), [issue(0, 1.0)])
    assert (read(cache, key=key) is not None) is there


def test_the_latest_word_stands_and_all_are_kept(cache):
    cache.keep([KEY], ask(now_h=0), [issue(0, 1.0, 2.0, 3.0)])
    cache.keep([KEY], ask(now_h=1), [issue(1, 20.0, 30.0, 40.0)])
    assert read(cache).values == (1.0, 20.0, 30.0, 40.0)
    assert [one.values for one in cache.issues(KEY)] == [(1.0, 2.0, 3.0), (20.0, 30.0, 40.0)]


def test_two_bases_are_never_mixed(cache):
    cache.keep([KEY], ask(now_h=0), [issue(0, 1.0, 2.0, basis="direct")])
    cache.keep([KEY], ask(now_h=1), [issue(1, 20.0)])
    assert read(cache).values == (20.0,)


def test_a_stretch_is_cut_out(cache):
    cache.keep([KEY], ask(), [issue(0, 1.0, 2.0, 3.0)])
    assert read(cache, 1, 2).values == (2.0,)
    assert read(cache, 5, 6) is None


@pytest.mark.parametrize(
    ("later_h", "asked", "lately"),
    [
        pytest.param(0.4, {}, True, id="soon"),
        pytest.param(0.9, {}, True, id="within its step"),
        pytest.param(1.1, {}, False, id="after its step"),
        pytest.param(0.5, {"begin_h": 0.5, "end_h": 24.5}, True, id="both moved with the clock"),
        pytest.param(0.5, {"end_h": 72}, False, id="much longer"),
        pytest.param(0.5, {"begin_h": -48}, False, id="much earlier"),
        pytest.param(0.5, {"begin_h": 3, "end_h": 5}, True, id="a part"),
        pytest.param(0.5, {"begin_h": -0.5}, False, id="a little earlier"),
        pytest.param(-5, {}, False, id="the clock was set back"),
    ],
)
def test_who_was_asked_lately_is_not_asked_again(cache, later_h, asked, lately):
    cache.keep([KEY], ask(), [issue(0, 1.0, 2.0)])
    assert cache.asked_lately(KEY, ask(now_h=later_h, **asked)) is lately


@pytest.mark.parametrize(
    ("step", "fresh"), [(300.0, 1800.0), (1800.0, 1800.0), (3600.0, 3600.0), (86400.0, 3600.0)]
)
def test_a_series_is_fresh_for_a_step_of_it(step, fresh):
    assert fresh_s((0.0, step, 2 * step)) == fresh


def test_what_was_not_answered_is_not_asked_again_either(cache):
    water = Key(provider="them", zone="DE", signal=Signal.WATER_HYDRO)
    cache.keep([KEY, water], ask(), [issue(0, 1.0)])
    assert cache.asked_lately(water, ask(now_h=0.4))
    assert not cache.asked_lately(water, ask(now_h=1.1))
    assert read(cache, key=water) is None


def test_issues_may_be_thinned_out(cache):
    for i in range(10):
        cache.keep([KEY], ask(now_h=i), [issue(i, float(i))])
    assert [one.values[0] for one in cache.issues(KEY, apart_s=3 * HOUR)] == [1.0, 4.0, 7.0, 9.0]
    assert [one.values[0] for one in cache.issues(KEY, apart_s=3 * HOUR, most=2)] == [7.0, 9.0]


def test_a_history_does_not_hide_the_forecast_of_the_same_hours(cache):
    """A planner asks for both, one after the other."""
    for i in range(3):
        cache.keep([KEY], ask(now_h=i), [issue(i, float(i))])
        came = replace(issue(-50, *[5.0] * 50), forecast_from_s=None)
        cache.keep([KEY], ask(now_h=i, begin_h=-50, end_h=0), [came])
    told = cache.issues(KEY, apart_s=3 * HOUR)
    assert [one.forecast_from_s is None for one in told].count(False) == 2
    assert read(cache, 2, 3).values == (2.0,)


def came(begin_h, *values):
    return replace(issue(begin_h, *values), forecast_from_s=None)


def test_what_came_is_one_series_that_grows(cache):
    """As with a plan that tells no more than the last day, so that ten days come together in ten days."""
    for i in range(0, 10 * 24, 6):
        cache.keep([KEY], ask(now_h=i, begin_h=i - 24, end_h=i), [came(i - 24, *range(i - 24 + 50, i + 50))])
    (only,) = cache.issues(KEY)
    assert only.values == tuple(range(26, 10 * 24 - 6 + 50))
    assert read(cache, 0, 200).values == tuple(range(50, 250))


def test_what_came_by_another_basis_is_another_series(cache):
    cache.keep([KEY], ask(), [came(-3, 1.0, 2.0)])
    cache.keep([KEY], ask(now_h=1), [replace(came(-3, 5.0, 6.0, 7.0), basis="")])
    assert sorted(one.values for one in cache.issues(KEY)) == [(1.0, 2.0), (5.0, 6.0, 7.0)]


def test_what_came_is_as_it_was_revised_last_and_kept_for_so_long(cache):
    cache.keep([KEY], ask(), [came(-3, 1.0, 2.0, 3.0)])
    cache.keep([KEY], ask(now_h=1), [came(-1, 30.0, 40.0)])
    assert read(cache, -3, 1).values == (1.0, 2.0, 30.0, 40.0)
    later_h = KEPT_S / HOUR
    cache.keep([KEY], ask(now_h=later_h), [came(later_h - 1, 5.0)])
    (only,) = cache.issues(KEY)
    assert (only.values[0], only.values[-1], len(only.values)) == (40.0, 5.0, 3)


def test_what_is_too_old_is_forgotten(cache):
    cache.keep([KEY], ask(now_h=0), [issue(0, 1.0)])
    cache.keep([KEY], ask(now_h=KEPT_S / HOUR + 1), [issue(5, 2.0)])
    assert [one.values for one in cache.issues(KEY)] == [(2.0,)]


# -- several at once -------------------------------------------------------------------


def test_several_processes_write_and_read_at_once(program, tmp_path):
    code = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from signals.test_cache import KEY, Cache, ask, issue, read
cache = Cache(Path(sys.argv[1]))
for i in range(25):
    cache.keep([KEY], ask(now_h=float(i)), [issue(0, float(i), float(sys.argv[2]))])
    assert read(cache) is not None
print(cache.flags)
"""
    path = tmp_path / "signals.sqlite"
    said = []
    tests = os.path.dirname(os.path.dirname(__file__))
    threads = [
        threading.Thread(target=lambda i=i: said.append(program(code, path, i, tests))) for i in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [(one.stdout, one.stderr) for one in said] == [("()\n", "")] * 4
    with sqlite3.connect(path) as database:
        assert database.execute("SELECT COUNT(*) FROM told").fetchone() == (100,)
    database.close()


# -- what happens to files -------------------------------------------------------------


def cut_in_half(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def overwrite(path):
    path.write_bytes(b"not a database at all, but long enough to be looked at" * 100)


def scribble(path):
    data = bytearray(path.read_bytes())
    data[4096 : 4096 + 2048] = b"\xa5" * 2048
    path.write_bytes(bytes(data))


def of_the_future(path):
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA user_version = 99")
    database.close()


def garbled(path):
    with sqlite3.connect(path) as database:
        database.execute("UPDATE told SET edges = x'00ff00', flags = '{'")
    database.close()


@pytest.mark.parametrize("damage", [cut_in_half, overwrite, scribble, of_the_future, garbled])
def test_a_damaged_file_is_set_aside_and_told(cache, damage):
    cache.keep([KEY], ask(), [issue(0, 1.0)])
    damage(cache.path)
    for end in ("-wal", "-shm"):
        if os.path.exists(f"{cache.path}{end}"):
            os.remove(f"{cache.path}{end}")
    after = Cache(cache.path)
    assert read(after) is None
    assert [flag.startswith("cache-damaged") for flag in after.flags] == [True]
    assert cache.path.with_name("signals.sqlite.damaged").exists()
    after.keep([KEY], ask(), [issue(0, 5.0)])
    assert read(Cache(cache.path)).values == (5.0,)


def test_a_damaged_file_does_not_eat_what_is_kept_next(cache):
    cache.path.parent.mkdir()
    overwrite(cache.path)
    cache.keep([KEY], ask(), [issue(0, 5.0)])
    assert read(cache).values == (5.0,)


def test_a_folder_that_cannot_be_made_is_done_without(tmp_path):
    (tmp_path / "file").write_text("")
    cache = Cache(tmp_path / "file" / "signals.sqlite")
    cache.keep([KEY], ask(), [issue(0, 1.0)])
    assert read(cache) is None
    assert [flag.startswith("cache: ") for flag in cache.flags] == [True]


def test_one_that_is_locked_for_long_is_done_without(cache, monkeypatch):
    monkeypatch.setattr("wattermark.signals.cache.BUSY_S", 0.05)
    cache.keep([KEY], ask(), [issue(0, 1.0)])
    holder = sqlite3.connect(cache.path, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    cache.keep([KEY], ask(), [issue(0, 2.0)])
    assert "locked" in cache.flags[0]
    holder.execute("ROLLBACK")
    holder.close()
    assert read(cache).values == (1.0,)
    assert not cache.path.with_name("signals.sqlite.damaged").exists()


# -- where it is, and how fast ------------------------------------------------------------


@pytest.mark.parametrize(
    ("environment", "system", "where"),
    [
        pytest.param({}, "linux", "{home}/.cache/wattermark/signals.sqlite", id="Linux"),
        pytest.param({"XDG_CACHE_HOME": "/c"}, "linux", "/c/wattermark/signals.sqlite", id="XDG"),
        pytest.param({"WATTERMARK_CACHE": "/x"}, "linux", "/x/signals.sqlite", id="named"),
        pytest.param({}, "darwin", "{home}/Library/Caches/wattermark/signals.sqlite", id="macOS"),
    ],
)
def test_where_it_lies(monkeypatch, tmp_path, environment, system, where):
    for name in ("XDG_CACHE_HOME", "WATTERMARK_CACHE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"HOME": str(tmp_path), **environment}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.platform", system)
    assert cache_file().as_posix() == where.format(home=tmp_path)


def test_a_read_takes_no_time(cache):
    """Of two months of issues, each of three days; the best of a few, as others use this machine, too."""
    asks = [ask(now_h=float(i)) for i in range(0, 60 * 24, 4)]
    values = [float(i) for i in range(96)]
    cache.keep([KEY], asks[-1], [issue((one.now_s - NOW) / HOUR - 24, *values) for one in asks])
    now_h = (asks[-1].now_s - NOW) / HOUR
    took = []
    for _ in range(5):
        begun = time.process_time()
        assert read(cache, now_h, now_h + 72) is not None
        took.append(time.process_time() - begun)
    assert min(took) < 0.02


def test_it_holds_what_was_told_and_no_more(cache):
    cache.keep([KEY], ask(), [issue(0, 1.0, flags=("told: x",))])
    with sqlite3.connect(cache.path) as database:
        (row,) = database.execute("SELECT * FROM told").fetchall()
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    texts = [one for one in row if isinstance(one, str)]
    assert texts == ["them", "DE", "carbon", "lifecycle", "deu", "them", json.dumps(["told: x"])]
