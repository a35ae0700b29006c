"""Jobs of a real SLURM begin in their windows, move, pause, and are read back."""

import json
import os
import re
import shutil
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from verbs.slurm.conftest import CLEAN, DIRTY, W_PACKAGE, cpu_ticks, is_root, wait_until
from wattermark.cli.main import main
from wattermark.errors import LeverStuck
from wattermark.ledger.read import read_run
from wattermark.ledger.runs import find_run
from wattermark.levers.slurm import NotAllowed, Slurm
from wattermark.levers.slurm_times import limit_s
from wattermark.values.queued import QueueState
from wattermark.verbs.look import list_runs
from wattermark.verbs.slurm import guarding
from wattermark.verbs.slurm.kept import submission
from wattermark.verbs.slurm.watching import follow
from wattermark.wiring.config import load_config

pytestmark = pytest.mark.slow
SLURM = Slurm()


def said(capsys, *words):
    capsys.readouterr()
    code = main(["slurm", *words, "--json"])
    out, err = capsys.readouterr()
    assert code == 0, err
    return [json.loads(line) for line in out.splitlines()]


def acted(capsys, number):
    """Looks at a job until something is done about it."""
    return wait_until(lambda: [done["act"] for done in said(capsys, "replan", number) if done["act"]])


def ended(number):
    """The job, once it has ended."""
    return wait_until(lambda: (found := state_of(number)).state is QueueState.ENDED and found)


def state_of(number):
    (job,) = SLURM.jobs(number)
    return job


@pytest.mark.usefixtures("here")
def test_a_job_begins_in_its_window_and_its_energy_is_one_run(sky, script, capsys, tmp_path):
    job = script('#!/bin/bash -e\n#SBATCH --job-name="my job"\n#SBATCH -o out.txt\necho "$# $1"; sleep 2\n')
    edges = sky((3, DIRTY), (20, CLEAN))
    (one,) = said(capsys, "submit", str(job), "--within", "60s", "--hours", "3s", "--arg", "two words")
    assert one["plan"]["worth_it"] and one["plan"]["best"]["begin_s"] == pytest.approx(edges[1])
    seen = ended(one["job"])
    assert edges[1] - 1 <= seen.begin_s <= edges[1] + 5
    assert (tmp_path / "out.txt").read_text() == "1 two words\n"
    (told,) = said(capsys, "collect")
    (done,) = told["jobs"]
    (run,) = done["runs"]
    assert (done["status"], run["run"]["name"], run["run"]["status"]) == ("COMPLETED", "my job", "ok")
    assert run["run"]["tags"] == {"plan": one["id"]}
    parts = {part["name"]: part for part in run["components"]}
    assert parts["cpu/package-0"]["machine_energy_j"] == pytest.approx(
        W_PACKAGE * run["run"]["duration_s"], rel=0.1
    )
    assert main(["show", one["job"], "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["run"]["run"] == run["run"]["run"]


BURN = """#!/bin/bash
#SBATCH -o out.txt
end=$((SECONDS + {0}))
while [ $SECONDS -lt $end ]; do :; done
"""
COUNT = "#!/bin/bash\n#SBATCH -o out.txt\nfor i in $(seq {0}); do sleep 0.5; echo $i; done\n"
"""Works for a number of half seconds, however often it is stopped."""


def test_a_waiting_job_moves_where_a_newer_forecast_is_better(here, sky, script, capsys, ledger):
    job = script("#!/bin/sh\n#SBATCH -t 1 -o out.txt\nsleep 1\n")
    far = sky((40, DIRTY), (60, CLEAN))
    (one,) = said(capsys, "submit", str(job), "--within", "2m", "--hours", "2s")
    assert state_of(one["job"]).begin_s == pytest.approx(far[1], abs=1)
    (stays,) = said(capsys, "replan", "--all")
    assert stays["act"] == ""
    sky((40, DIRTY * 1.005), (60, CLEAN), since_s=far[1] - 40)  # nearly the same: it is not worth a change
    assert said(capsys, "replan", one["job"])[0]["act"] == ""
    near = sky((3, DIRTY), (10, CLEAN), (90, DIRTY))
    (moved,) = said(capsys, "replan", one["job"])
    assert moved["act"] == "moved"
    assert state_of(one["job"]).begin_s == pytest.approx(near[1], abs=1)
    seen = ended(one["job"])
    assert near[1] - 1 <= seen.begin_s <= near[1] + 5
    (told,) = said(capsys, "status")
    assert told["jobs"][0]["moves"] == 1 and told["jobs"][0]["late_s"] == 0


def test_no_forecast_moves_a_job_beyond_its_deadline(here, sky, script, capsys):
    job = script("#!/bin/sh\n#SBATCH -o out.txt\nsleep 1\n")
    sky((20, DIRTY), (60, CLEAN))
    (one,) = said(capsys, "submit", str(job), "--within", "40s", "--hours", "10s")
    latest_s = one["plan"]["job"]["deadline_s"] - 10
    sky((30, DIRTY * 2), (600, CLEAN / 10))
    said(capsys, "replan", one["job"])
    assert state_of(one["job"]).begin_s <= latest_s + 1
    SLURM.cancel(one["job"])
    (done,) = said(capsys, "collect", one["job"])[0]["jobs"]
    assert (done["status"], done["runs"]) == ("CANCELLED", [])
    assert "not measured, or never ran" in done["remarks"][0]


def test_an_interruptible_job_is_suspended_between_its_stretches(here, sky, script, capsys, tmp_path):
    """It takes no processor time meanwhile, and goes on where it was."""
    job = script(COUNT.format(12))
    sky((4, CLEAN), (6, DIRTY * 4), (30, CLEAN))
    (one,) = said(capsys, "submit", str(job), "--within", "60s", "--hours", "7s", "--interruptible")
    assert len(one["plan"]["best"]["stretches"]) == 2
    number = one["job"]
    wait_until(lambda: state_of(number).state is QueueState.RUNNING)
    acts = acted(capsys, number)
    assert acts == ["paused"] and state_of(number).state is QueueState.SUSPENDED
    before, lines = cpu_ticks(f"job{int(number):05}"), len((tmp_path / "out.txt").read_text().split())
    time.sleep(1.2)
    assert cpu_ticks(f"job{int(number):05}") == before
    assert len((tmp_path / "out.txt").read_text().split()) == lines < 12
    acts = acted(capsys, number)
    assert acts == ["resumed"]
    seen = ended(number)
    assert seen.word == "COMPLETED" and seen.used_s < seen.end_s - seen.begin_s - 2
    assert (tmp_path / "out.txt").read_text().split() == [str(i) for i in range(1, 13)]
    capsys.readouterr()
    main(["saved", number, "--json"])
    assert json.loads(capsys.readouterr().out)["claims"][0]["realised"] > 0


SAVES = """#!/bin/bash
#SBATCH -o out.txt --open-mode=append --requeue
begun=$(cat saved 2>/dev/null || echo 0)
for i in $(seq $((begun + 1)) 10); do
    sleep 0.5; echo $i > saved; echo "$i of life ${SLURM_RESTART_COUNT:-0}"
done
"""


@pytest.mark.usefixtures("here")
def test_a_job_that_saves_its_work_waits_in_the_queue_between_its_stretches(sky, script, capsys, tmp_path):
    """It gives all back meanwhile; both its lives are one run."""
    sky((4, CLEAN), (6, DIRTY * 4), (30, CLEAN))
    words = ("--within", "60s", "--hours", "6s", "--requeue")
    (one,) = said(capsys, "submit", str(script(SAVES)), *words)
    number = one["job"]
    wait_until(lambda: state_of(number).state is QueueState.RUNNING)
    acts = acted(capsys, number)
    waits = state_of(number)
    assert acts == ["paused"] and waits.state is QueueState.PENDING and not waits.held
    assert waits.begin_s == pytest.approx(one["plan"]["best"]["stretches"][1]["begin_s"], abs=2)
    seen = ended(number)
    lines = (tmp_path / "out.txt").read_text().splitlines()
    assert seen.word == "COMPLETED" and lines[-1] == "10 of life 1" and "1 of life 0" in lines
    (run,) = said(capsys, "collect", number)[0]["jobs"][0]["runs"]
    assert any(flag.startswith("resumed: the run has 2 parts") for flag in run["flags"])


@pytest.fixture
def as_nobody(here, tmp_path, monkeypatch):
    """SLURM's programs as a plain user runs them, who may suspend nothing."""
    if not is_root() or not shutil.which("setpriv"):
        pytest.skip("only root can become somebody else")
    folder = tmp_path / "programs"
    folder.mkdir()
    for name in ("sbatch", "scontrol", "squeue", "scancel"):
        drop = "setpriv --reuid 65534 --regid 65534 --clear-groups"
        (folder / name).write_text(f'#!/bin/sh\nexec {drop} {shutil.which(name)} "$@"\n')
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)


@pytest.mark.usefixtures("as_nobody")
def test_who_is_no_operator_stops_a_job_by_signals_and_nobody_leaves_it_frozen(
    sky, script, capsys, monkeypatch
):
    """The process that is left behind by whoever paused it resumes it."""
    monkeypatch.setattr(guarding, "GRACE_S", 1.0)
    sky((4, CLEAN), (5, DIRTY * 4), (30, CLEAN))
    words = ("--sbatch=--chdir=/", "--sbatch=--output=/dev/null", "--interruptible")
    (one,) = said(capsys, "submit", str(script(COUNT.format(12))), "--within", "60s", "--hours", "7s", *words)
    number = one["job"]
    with pytest.raises(NotAllowed):
        wait_until(lambda: state_of(number).state is QueueState.RUNNING) and SLURM.suspend(number)
    acted(capsys, number)
    assert state_of(number).state is QueueState.STOPPED
    before = cpu_ticks(f"job{int(number):05}")
    time.sleep(1.2)
    assert cpu_ticks(f"job{int(number):05}") == before
    seen = ended(number)
    assert seen.word == "COMPLETED"


@pytest.mark.usefixtures("as_nobody")
def test_a_job_is_not_stopped_where_its_time_limit_would_end_it(sky, script, capsys):
    """A scheduler counts a stopped job's time on."""
    sky((4, CLEAN), (70, DIRTY * 4), (30, CLEAN))
    text = BURN.format(8).replace("-o out.txt", "-t 1 -o /dev/null")
    words = ("--sbatch=--chdir=/", "--interruptible")
    (one,) = said(capsys, "submit", str(script(text)), "--within", "2m", "--hours", "8s", *words)
    wait_until(lambda: state_of(one["job"]).state is QueueState.RUNNING)
    wait_until(lambda: time.time() > one["plan"]["best"]["stretches"][0]["end_s"] + 0.5)
    (done,) = said(capsys, "replan", one["job"])
    assert done["act"] == "" and "time limit" in done["told"]
    SLURM.cancel(one["job"])


def test_an_array_moves_as_one_and_each_of_its_jobs_is_a_run(here, sky, script, capsys):
    sky((60, DIRTY), (60, CLEAN))
    text = "#!/bin/bash\n#SBATCH --array=0-1 -o out_%a.txt\nsleep 1\n"
    (one,) = said(capsys, "submit", str(script(text)), "--within", "3m", "--hours", "2s")
    assert any("array of 2 jobs" in line for line in one["said"])
    sky((1, CLEAN), (170, DIRTY))
    assert said(capsys, "replan", one["job"])[0]["act"] == "moved"
    wait_until(lambda: {job.state for job in SLURM.jobs(one["job"])} == {QueueState.ENDED})
    (done,) = said(capsys, "collect", one["job"])[0]["jobs"]
    assert sorted(run["run"]["job"] for run in done["runs"]) == [
        f"job:slurm:{one['job']}_{i}" for i in (0, 1)
    ]


def test_a_job_that_is_held_begins_only_when_it_is_released(here, sky, script, capsys):
    sky((1, DIRTY), (30, CLEAN))
    text = "#!/bin/sh\n#SBATCH -o out.txt\nsleep 1\n"
    (one,) = said(capsys, "submit", str(script(text)), "--within", "30s", "--hours", "2s", "--hold")
    time.sleep(3)
    (job,) = said(capsys, "status", one["job"])[0]["jobs"]
    assert job["state"] == "PENDING" and "scontrol release" in job["remarks"][0]
    SLURM.release(one["job"])
    assert ended(one["job"]).word == "COMPLETED"
    (again,) = said(capsys, "submit", str(script(text)), "--within", "30s", "--hours", "2s", "--hold")
    SLURM.cancel(again["job"])
    (done,) = said(capsys, "collect", again["job"])[0]["jobs"]
    assert (done["status"], done["runs"]) == ("CANCELLED", [])


SPANS = ("90", "90:30", "1:30:00", "1-2", "1-2:3", "1-2:03:04", "0", "UNLIMITED", "0:45", "2-", "0:0:30")
NO_SPANS = ("1e3", "5m", "+5", "-5", "1:2:3:4")


@pytest.mark.parametrize("text", SPANS + NO_SPANS)
def test_a_time_limit_is_read_as_slurm_reads_it(here, tmp_path, text):
    try:
        number = SLURM.submit("#!/bin/sh\n", hold=True, options=(f"--time={text}", "--output=/dev/null"))
    except LeverStuck:
        assert limit_s(text) is None and text in NO_SPANS
        return
    assert limit_s(text) == state_of(number).limit_s
    SLURM.cancel(number)


def test_slurm_says_no(here, script, capsys):
    with pytest.raises(LeverStuck, match=r"sbatch refused: .*invalid partition"):
        SLURM.submit("#!/bin/sh\n", options=("--partition=nowhere",))
    assert SLURM.jobs("4000000") == ()
    with pytest.raises(LeverStuck, match="Invalid job id"):
        SLURM.release("4000000")
    with pytest.raises(LeverStuck):
        SLURM.go_on("4000000")
    assert SLURM.energy_j("1") is None  # no accounting here
    assert SLURM.version() >= (22, 5)


def test_a_controller_that_is_down_is_told_in_time(here, tmp_path, monkeypatch):
    """SLURM's programs try for long; nothing of ours waits for them."""
    text = Path(os.environ["SLURM_CONF"]).read_text()
    (tmp_path / "down.conf").write_text(re.sub(r"SlurmctldPort=\d+", "SlurmctldPort=1", text))
    monkeypatch.setenv("SLURM_CONF", str(tmp_path / "down.conf"))
    begun = time.monotonic()
    with pytest.raises(LeverStuck, match="gave no answer in 2 s"):
        Slurm(timeout_s=2).jobs("1")
    assert time.monotonic() - begun < 5


@pytest.mark.parametrize("leave", ["closed", "SIGTERM"])
def test_who_watches_and_leaves_wakes_what_is_paused(here, sky, script, capsys, leave):
    sky((4, CLEAN), (15, DIRTY * 4), (30, CLEAN))
    words = ("--within", "2m", "--hours", "6s", "--interruptible")
    (one,) = said(capsys, "submit", str(script(COUNT.format(20))), *words)
    looks = follow([one["id"]], SLURM, config=load_config(), every_s=0.5)
    for done in looks:
        if done.act == "paused":
            break
    assert state_of(one["job"]).state is QueueState.SUSPENDED
    if leave == "closed":
        looks.close()
    else:
        threading.Timer(1, os.kill, (os.getpid(), signal.SIGTERM)).start()
        with pytest.raises(KeyboardInterrupt):
            list(looks)
    assert state_of(one["job"]).state is QueueState.RUNNING
    SLURM.cancel(one["job"])


def test_a_watch_ends_with_its_jobs_and_has_collected_them(here, sky, script, ledger, capsys):
    sky((2, DIRTY), (60, CLEAN))
    text = "#!/bin/sh\n#SBATCH -o out.txt\nsleep 1\n"
    (one,) = said(capsys, "submit", str(script(text)), "--within", "60s", "--hours", "2s")
    told = [done.told for done in follow([one["id"]], SLURM, config=load_config(), every_s=0.5)]
    assert told[-1] == "it has ended: COMPLETED" and len(told) == len(set(told))
    assert len(submission(ledger, one["id"]).end["runs"]) == 1


TRAIN = """
import time
import wattermark as wm
end = time.monotonic() + 4
with wm.track(name="train", place="deu", interval=0.1):
    while time.monotonic() < end:
        pass
print(time.process_time())
"""


@pytest.mark.usefixtures("here")
def test_the_tasks_of_a_step_count_as_the_jobs_and_have_a_run_of_their_own_in_it(
    sky, script, ledger, capsys, tmp_path
):
    """SLURM starts them outside of the script's processes; the number of the job is the whole job's."""
    (tmp_path / "train.py").write_text(TRAIN)
    sky((1, CLEAN), (60, DIRTY))
    text = f"#!/bin/bash\n#SBATCH -o out.txt -n 2\nsrun {sys.executable} {tmp_path}/train.py\n"
    (one,) = said(capsys, "submit", str(script(text)), "--within", "60s", "--hours", "2s")
    assert ended(one["job"]).word == "COMPLETED", (tmp_path / "out.txt").read_text()
    (run,) = said(capsys, "collect")[0]["jobs"][0]["runs"]
    took_s = sum(map(float, (tmp_path / "out.txt").read_text().split()))
    (record,) = read_run(find_run(ledger, one["job"]).spools)
    (column,) = [i for i, one in enumerate(record.logs["load"].channels) if one.name == "load/run_cpu"]
    assert 0.4 * took_s < record.logs["load"].values[-1][column] / 1e9 < 1.3 * took_s + 2  # the script: 0.1 s
    inner, outer = list_runs(ledger, most=9)
    assert (outer.run, inner.inside) == (find_run(ledger, one["job"]).run, run["run"]["run"])
    assert inner.run == find_run(ledger, f"{one['job']}.0").run and outer.run == inner.inside


TWICE_S = (1825565400, 1825569000)
"""2027-11-07 01:30 in New York, before and after the clocks go back."""


@pytest.mark.parametrize("zone", ["America/New_York", "Etc/UTC"])
@pytest.mark.parametrize("begin_s", TWICE_S)
def test_a_moment_is_the_same_in_each_zone_and_hour(here, monkeypatch, zone, begin_s):
    monkeypatch.setenv("TZ", zone)
    number = SLURM.submit("#!/bin/sh\n", begin_s=begin_s, options=("--output=/dev/null",))
    assert state_of(number).begin_s == begin_s
    SLURM.move(number, begin_s + 60)
    assert state_of(number).begin_s == begin_s + 60
    SLURM.cancel(number)


def test_a_signal_to_the_batch_script_reaches_it(here, sky, script, capsys, tmp_path):
    """As of ``#SBATCH --signal=B:USR1@60``: many scripts save their work then."""
    sky((60, CLEAN))
    work = "trap 'echo saved; exit 3' USR1\necho on\nwhile :; do sleep 0.1; done\n"
    text = f"#!/bin/bash\n#SBATCH -o out.txt\n{work}"
    (one,) = said(capsys, "submit", str(script(text)), "--within", "60s", "--hours", "30s")
    wait_until(lambda: (tmp_path / "out.txt").exists() and "on" in (tmp_path / "out.txt").read_text())
    here.call("scancel", "--signal=USR1", "--batch", one["job"])
    assert ended(one["job"]).word == "FAILED"
    assert (tmp_path / "out.txt").read_text() == "on\nsaved\n"
    (run,) = said(capsys, "collect")[0]["jobs"][0]["runs"]
    assert (run["run"]["status"], run["run"]["detail"]) == ("failed", "exit code 3")
