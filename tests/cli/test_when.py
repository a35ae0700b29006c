"""``wattermark run --when`` as a person types it."""

import json
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

KNOWN = ("--hours", "2s", "--energy", "10Wh", "--within", "24h", "--place", "deu")


@pytest.fixture
def wm(home):
    def typed(*words):
        return subprocess.run(
            [sys.executable, "-m", "wattermark", *words],
            capture_output=True, text=True, timeout=60, check=False, cwd=home["HOME"], env=home,
        )  # fmt: skip

    return typed


@pytest.fixture
def plan(home):
    """The lines of the one plan."""

    def lines():
        (file,) = Path(home["WATTERMARK_LEDGER"]).glob("plans/*.plan")
        return file.stem, [json.loads(line) for line in file.read_text().splitlines()]

    return lines


GREENEST = ("--when", "greenest")
# fmt: off
BAD_INPUT = [
    pytest.param(GREENEST, "needs to know until when", id="no deadline"),
    pytest.param((*GREENEST, "--within", "24h"), "the energy of the job is not known", id="an unknown job"),
    pytest.param((*GREENEST, "--within", "24h", "--energy", "1kWh"), "the length of", id="no length"),
    pytest.param((*GREENEST, "--within", "1h", "--hours", "2", "--energy", "1kWh"),
                 "the deadline comes before the job could end", id="a deadline before the run's length"),
    pytest.param((*GREENEST, *KNOWN, "--energy", "lots"), "'lots'", id="an energy that is none"),
    pytest.param((*GREENEST, "--within", "soon"), "no length of time", id="a deadline that is none"),
    pytest.param(("--when", "greener", *KNOWN), "'greener' is no moment", id="a word that is none"),
    pytest.param(("--when", "2020-01-01T00:00"), "has passed", id="a moment that has passed"),
    pytest.param(("--when", "now", "--interruptible"), "no meaning without a plan", id="pauses, and no plan"),
    pytest.param((*GREENEST, *KNOWN, "--pause-by", "signal"), "--interruptible", id="a way, and no leave"),
    pytest.param((*GREENEST, *KNOWN, "--interruptible", "--pause-by", "magic"),
                 "auto, signal, cgroup, checkpoint", id="a way that is none"),
    pytest.param((*GREENEST, *KNOWN, "--resume", "last"), "do not go together", id="a resume"),
    pytest.param(("--within", "24h"), "--within needs --when", id="a deadline without --when"),
    pytest.param(("--interruptible",), "--interruptible needs --when", id="a leave without --when"),
    pytest.param(("--dry-run",), "--dry-run needs --when", id="nothing to show"),
]
# fmt: on


@pytest.mark.parametrize(("words", "says"), BAD_INPUT)
def test_bad_input_gets_one_sentence_exit_code_2_and_starts_nothing(wm, home, words, says):
    done = wm("run", *words, "--", "touch", "started")
    assert done.returncode == 2
    assert says in done.stderr and "Traceback" not in done.stderr
    assert not Path(home["HOME"], "started").exists()
    assert not list(Path(home["WATTERMARK_LEDGER"]).glob("*"))


def test_what_is_not_worth_waiting_for_starts_now_and_its_plan_is_kept(wm, plan, home):
    done = wm("run", "--when", "greenest", *KNOWN, "--", "echo", "hi")
    assert (done.stdout, done.returncode) == ("hi\n", 0), done.stderr
    assert "wattermark: starts now. Not worth waiting" in done.stderr
    plan_id, lines = plan()
    assert [line["kind"] for line in lines] == ["plan", "start", "end"]
    (spool,) = Path(home["WATTERMARK_LEDGER"]).glob("*/*.jsonl")
    assert json.loads(spool.read_text().splitlines()[0])["tags"] == {"plan": plan_id}
    assert lines[1]["run"] == spool.parent.name
    assert lines[0]["plan"]["job"]["duration_s"] == 2


def test_a_plan_that_cannot_be_kept_is_followed_all_the_same(wm, home):
    """As any run goes on whose ledger cannot be written."""
    Path(home["WATTERMARK_LEDGER"]).parent.mkdir(parents=True, exist_ok=True)
    Path(home["WATTERMARK_LEDGER"]).write_text("a file where a folder should be")
    done = wm("run", "--when", "greenest", *KNOWN, "--within", "3s", "--", "sh", "-c", "echo it ran; exit 4")
    assert (done.returncode, done.stdout) == (4, "it ran\n"), done.stderr
    assert "the plan is not kept" in done.stderr


def test_it_takes_as_long_as_its_last_run_that_ended_well(wm, plan):
    sleeps = "import sys, time; time.sleep(float(sys.argv[1])); sys.exit(int(sys.argv[2]))"
    for seconds, code in (("0.8", "0"), ("0.1", "1")):
        wm("run", "--quiet", "--name", "it", "--", sys.executable, "-c", sleeps, seconds, code)
    done = wm("run", "--when", "greenest", "--within", "24h", "--name", "it", "--", "true")
    assert done.returncode == 0, done.stderr
    job = plan()[1][0]["plan"]["job"]
    assert job["duration_s"] == pytest.approx(0.9, abs=0.3)
    assert job["it_energy_j"] > 0


@pytest.mark.slow
def test_a_moment_needs_no_plan(wm, home):
    moment = datetime.now(UTC) + timedelta(seconds=2)
    done = wm(
        "run", "--when", moment.isoformat(), "--", sys.executable, "-c", "import time; print(time.time())"
    )
    assert done.returncode == 0, done.stderr
    assert moment.timestamp() <= float(done.stdout) < moment.timestamp() + 5
    assert "waits until" in done.stderr
    assert not (Path(home["WATTERMARK_LEDGER"]) / "plans").exists()


def test_a_dry_run_shows_the_plan_and_starts_nothing(wm, home):
    done = wm("run", "--when", "greenest", *KNOWN, "--dry-run", "--", "touch", "started")
    assert (done.returncode, "Not worth waiting" in done.stdout) == (0, True)
    told = wm("run", "--when", "greenest", *KNOWN, "--dry-run", "--json", "--", "touch", "started")
    assert json.loads(told.stdout)["plan"]["worth_it"] is False
    assert not Path(home["HOME"], "started").exists()
    assert not list(Path(home["WATTERMARK_LEDGER"]).glob("*"))


@pytest.mark.parametrize("quiet", ["--quiet", "--json"])
def test_quiet_says_nothing_of_the_plan(wm, quiet):
    done = wm("run", "--when", "greenest", *KNOWN, quiet, "--interruptible", "--", "echo", "hi")
    assert (done.stderr, done.returncode) == ("", 0)


@pytest.mark.parametrize(
    ("code", "returned"), [("exit(7)", 7), ("import os; os.kill(os.getpid(), 15)", -signal.SIGTERM)]
)
def test_it_ends_as_the_command_ends(wm, code, returned):
    words = ("run", "--when", "greenest", *KNOWN, "--interruptible", "--", sys.executable, "-c", code)
    assert wm(*words).returncode == returned


def test_ctrl_c_while_it_waits_starts_nothing(home):
    moment = (datetime.now(UTC) + timedelta(hours=5)).isoformat()
    child = subprocess.Popen(
        [sys.executable, "-m", "wattermark", "run", "--when", moment, "--", "touch", "started"],
        env=home, cwd=home["HOME"], stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    with child:
        assert "waits until" in child.stderr.readline()
        time.sleep(0.3)
        child.send_signal(signal.SIGINT)
        assert child.wait(10) == 130
    assert not Path(home["HOME"], "started").exists()


def test_a_system_that_pauses_nothing_runs_it_in_one_piece(home):
    """Windows, as far as Linux can look like it."""
    code = (
        "from other_system import become; become('win32')\n"
        "import sys; from wattermark.cli.main import main\n"
        "sys.exit(main(['run', '--when', 'greenest', *sys.argv[1:]]))"
    )
    tests = str(Path(__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-c", code, *KNOWN, "--interruptible", "--", sys.executable, "-c", "pass"],
        env={**home, "PYTHONPATH": f"{home['PYTHONPATH']}:{tests}"}, cwd=home["HOME"],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "a command cannot be paused on this system; it runs in one piece" in done.stderr


def test_a_run_without_a_plan_imports_nothing_of_it(home):
    """Each start would pay for it."""
    code = (
        "import sys; from wattermark.cli.main import main; code = main(['run', '--quiet', '--', 'true'])\n"
        "print(*[name for name in sys.modules if 'levers' in name or 'schedule' in name or 'acting' in name])"
    )
    done = subprocess.run([sys.executable, "-c", code], env=home, capture_output=True, text=True, check=True)
    assert done.stdout == "\n"


# -- hours that differ ----------------------------------------------------------------------

GRID = """
import json, sys, time
from dataclasses import replace
from wattermark.cli.main import main
from wattermark.science.foresight.expected import yearly
from wattermark.values.series import Series, Signal
from wattermark.verbs import planning
from wattermark.verbs.outlook import Expected
real, began_s, values = planning.expected, time.time() + 1, json.loads(sys.argv[1])
def expected(asked, begin_s, end_s, **more):
    edges = tuple(began_s + 1.5 * (i - 1) for i in range(len(values) + 1))
    told = Series(signal=Signal.CARBON, place=asked, source="made", edges_s=edges, values=tuple(values))
    found = real(asked, begin_s, end_s, **more).outlook
    return Expected(replace(found, series={Signal.CARBON: told}), {Signal.CARBON: yearly(told, found.pue)})
planning.expected = expected
sys.exit(main(["run", "--when", "greenest", "--place", "deu", "--energy", "1Wh", *sys.argv[2:]]))
"""
"""A grid whose intensity changes every second and a half, and whose level alone is in doubt; the values are
given from now on. [g/kWh]"""
WORKS = "import time; end = time.monotonic() + {}\nwhile time.monotonic() < end: pass"


@pytest.fixture
def on_grid(home):
    def typed(values, *words, code="pass"):
        return subprocess.run(
            [sys.executable, "-c", GRID, json.dumps(values), *words, "--", sys.executable, "-c", code],
            env=home, cwd=home["HOME"], capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip

    return typed


@pytest.mark.slow
def test_it_waits_pauses_and_goes_on_where_the_grid_is_clean(on_grid, plan):
    code = WORKS.format(4.5)  # of the clock: it ends in its last stretch
    words = ("--within", "20s", "--hours", "3s", "--interruptible", "--pause-by", "signal")
    done = on_grid([500, 500, 100, 500, 500, 50, *[600] * 20], *words, code=code)
    assert done.returncode == 0, done.stderr
    lines = plan()[1]
    assert [line["kind"] for line in lines] == ["plan", "start", "pause", "resume", "end"]
    edges_s = [edge for one in lines[0]["plan"]["best"]["stretches"] for edge in one.values()]
    acted_s = [line["at_s"] for line in lines[1:4]]
    assert acted_s == pytest.approx(edges_s[:3], abs=0.5)
    assert all(word in done.stderr for word in ("waits until", "paused", "goes on", "paused once, "))


def test_a_horizon_before_the_deadline_is_told(on_grid):
    done = on_grid([500] * 4, "--within", "1h", "--hours", "1s")
    assert done.returncode == 0
    assert "nothing is known of the last" in done.stderr


def test_without_a_signal_it_says_so_and_starts(on_grid, home):
    done = on_grid([None] * 9, "--within", "8s", "--hours", "1s", code="print('ran')")
    assert (done.stdout, done.returncode) == ("ran\n", 0), done.stderr
    assert "is not known" in done.stderr and "it starts without a plan" in done.stderr
    assert not (Path(home["WATTERMARK_LEDGER"]) / "plans").exists()
