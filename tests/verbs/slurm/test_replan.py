"""What is done about a job, by its state and its plan, as programs in the place of SLURM's are told it."""

import time

import pytest

from verbs.slurm.conftest import CLEAN, DIRTY, keep
from wattermark.errors import LeverStuck, SignalUnavailable
from wattermark.ledger.plans import note, plan_lines
from wattermark.levers.slurm import Slurm
from wattermark.values.plan import PlannedJob
from wattermark.verbs import planning
from wattermark.verbs.pausing import pauses
from wattermark.verbs.slurm import replanning
from wattermark.verbs.slurm.kept import submission
from wattermark.verbs.slurm.replanning import replan
from wattermark.verbs.slurm.submitting import Wish, prepare, submit
from wattermark.verbs.slurm.telling import collect, standing
from wattermark.wiring.config import load_config

SQUEUE = 'cat "$0.says"'
SCONTROL = """echo "scontrol $*" >> "$0.log"
case "$1" in suspend) sed -i s/RUNNING/SUSPENDED/ "$(dirname $0)/squeue.says" ;;
resume) sed -i s/SUSPENDED/RUNNING/ "$(dirname $0)/squeue.says" ;; esac"""
SCANCEL = (
    'echo "scancel $*" >> "$(dirname $0)/scontrol.log"; sed -i s/STOPPED/RUNNING/ "$(dirname $0)/squeue.says"'
)


@pytest.fixture
def now_s():
    return float(round(time.time()))


@pytest.fixture
def queue(tmp_path, monkeypatch, ledger):
    """A scheduler that says of job 77 what a test wants, and writes down what it is told."""
    folder = tmp_path / "programs"
    folder.mkdir()
    for name, code in (("squeue", SQUEUE), ("scontrol", SCONTROL), ("scancel", SCANCEL)):
        (folder / name).write_text(f"#!/bin/sh\n{code}\n")
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    monkeypatch.setenv("WATTERMARK_PLACE", "deu")
    monkeypatch.setattr(replanning, "OBEYS_S", 0.0)

    def says(state, begin_s="N/A", used="0:00", limit="UNLIMITED", reason="None"):
        begin = begin_s if isinstance(begin_s, str) else round(begin_s)
        (folder / "squeue.says").write_text(f"77|N/A|{state}|1|{begin}|N/A|{limit}|{used}|{reason}\n")

    says.told = lambda: (folder / "scontrol.log").read_text() if (folder / "scontrol.log").exists() else ""
    says.folder = folder
    return says


@pytest.fixture
def submitted(ledger, now_s):
    """A job of 100 s that was submitted, with stretches from now on. [s]"""

    def made(*stretches, deadline_s=1000.0, interruptible=False, requeue=False):
        job = PlannedJob(
            it_energy_j=36e5, duration_s=100.0, earliest_s=now_s - 300, deadline_s=now_s + deadline_s,
            name="j", interruptible=interruptible,
        )  # fmt: skip
        pieces = [(now_s + begin, now_s + end) for begin, end in stretches]
        plan_id = keep(ledger, job, *pieces)
        note(ledger, plan_id, "submit", at_s=now_s, job_id="77", requeue=requeue)
        return submission(ledger, plan_id)

    return made


def done_about(one, now_s):
    return replan(one, Slurm(), config=load_config(), now_s=now_s)


def test_a_waiting_job_moves(queue, submitted, sky, now_s, ledger):
    queue("PENDING", now_s + 600, reason="BeginTime")
    edges = sky((200, DIRTY), (200, CLEAN), (800, DIRTY), since_s=now_s)
    done = done_about(submitted((600, 700)), now_s)
    assert (done.act, queue.told()) == ("moved", f"scontrol update JobId=77 StartTime=uts{round(edges[1])}\n")
    again = submission(ledger, done.one.plan_id)
    assert (again.stretches[0].begin_s, again.moves) == (edges[1], 1)


def test_a_job_is_handed_in_with_the_begin_of_its_plan(queue, sky, now_s, tmp_path):
    (tmp_path / "job.sh").write_text("#!/bin/sh\nsleep 100\n")
    edges = sky((200, DIRTY), (200, CLEAN), (800, DIRTY), since_s=now_s)
    (queue.folder / "scontrol").write_text("#!/bin/sh\necho slurm 22.05.8\n")
    (queue.folder / "sbatch").write_text('#!/bin/sh\necho "$@" > "$0.told"; echo 77\n')
    (queue.folder / "sbatch").chmod(0o755)
    wish = Wish(script=tmp_path / "job.sh", within_s=1000.0, duration_s=100.0, it_energy_j=36e5)
    config = load_config()
    submit(prepare(wish, config=config, now_s=now_s), Slurm(), config=config, now_s=now_s)
    assert f"--begin=uts{round(edges[1])}" in (queue.folder / "sbatch.told").read_text().split()


@pytest.mark.parametrize(
    ("gain", "act"), [(0.015, ""), (0.03, "moved")], ids=["not worth a change", "worth it"]
)
def test_a_job_follows_no_forecast_that_is_nearly_the_same(queue, submitted, sky, now_s, *, gain, act):
    """Each forecast errs another way; a job that followed them all would never settle."""
    queue("PENDING", now_s + 600, reason="BeginTime")
    sky((400, DIRTY), (200, CLEAN), (200, CLEAN + gain * DIRTY), (800, DIRTY), since_s=now_s)
    assert done_about(submitted((600, 700)), now_s).act == act


def test_a_move_that_slurm_refuses_is_not_noted(queue, submitted, sky, now_s, ledger):
    queue("PENDING", now_s + 600, reason="BeginTime")
    sky((200, DIRTY), (200, CLEAN), (800, DIRTY), since_s=now_s)
    (queue.folder / "scontrol").write_text("#!/bin/sh\necho 'no' >&2; exit 1\n")
    one = submitted((600, 700))
    with pytest.raises(LeverStuck, match="scontrol refused: no"):
        done_about(one, now_s)
    assert submission(ledger, one.plan_id).moves == 0


@pytest.mark.parametrize(
    ("reason", "stretch", "deadline_s", "act", "words"),
    [
        pytest.param("Resources", (-50, 50), 1000, "", "waits for room: Resources", id="its time has come"),
        pytest.param("None", (-50, 50), 1000, "", "has not looked yet", id="nobody has looked"),
        pytest.param(
            "BeginTime", (600, 700), 90, "moved", "no time is left", id="the deadline has come near"
        ),
        pytest.param("Priority", (600, 700), 1000, "moved", "moved: begins", id="its time is still to come"),
        pytest.param(
            "JobHeldUser", (600, 700), 1000, "moved", "moved: begins", id="held, and moved all the same"
        ),
    ],
)
def test_a_job_that_waits(queue, submitted, sky, now_s, *, reason, stretch, deadline_s, act, words):
    queue("PENDING", now_s + 600, reason=reason)
    sky((200, DIRTY), (200, CLEAN), (800, DIRTY), since_s=now_s)
    done = done_about(submitted(stretch, deadline_s=deadline_s), now_s)
    assert done.act == act and words in done.told
    assert bool(queue.told()) is bool(act)


@pytest.mark.parametrize(
    ("state", "used", "deadline_s", "asked", "words"),
    [
        pytest.param(
            "RUNNING",
            "0:30",
            1000,
            "scontrol suspend 77\n",
            "paused for 4.17 min",
            id="between its stretches",
        ),
        pytest.param("RUNNING", "0:30", 65, "", "it runs", id="a pause would cost the deadline"),
        pytest.param("RUNNING", "1:45", 1000, "", "it runs", id="longer than was thought"),
        pytest.param("SUSPENDED", "0:30", 1000, "", "it pauses until", id="it pauses already"),
        pytest.param(
            "SUSPENDED", "0:30", 65, "scontrol resume 77\n", "resumed", id="its deadline comes near"
        ),
        pytest.param(
            "STOPPED",
            "0:30",
            65,
            "scancel --verbose --signal=CONT --full 77\n",
            "resumed",
            id="stopped by a signal",
        ),
        pytest.param("COMPLETED", "1:40", 1000, "", "it has ended: COMPLETED", id="over"),
        pytest.param("DREAMING", "0:30", 1000, "scontrol suspend 77\n", "", id="a state that nobody knows"),
    ],
)
def test_a_job_that_may_pause(
    queue, submitted, sky, now_s, monkeypatch, *, state, used, deadline_s, asked, words
):
    monkeypatch.setattr(replanning, "guard", lambda *_: None)
    queue(state, now_s - 50, used=used)
    sky((250, DIRTY), (200, CLEAN), (800, DIRTY), since_s=now_s)
    one = submitted((-50, -20), (250, 320), deadline_s=deadline_s, interruptible=True)
    if state == "DREAMING":
        with pytest.raises(LeverStuck, match="the job 77 is DREAMING and not"):
            done_about(one, now_s)
        return
    done = done_about(one, now_s)
    assert queue.told() == asked and words in done.told


def test_a_job_that_somebody_else_resumed_pauses_no_longer(queue, submitted, sky, now_s, ledger):
    """What it is stopped is counted, in its plan and against what it has worked, and that has an end."""
    queue("RUNNING", now_s - 50, used="0:50")
    sky((250, CLEAN), (800, DIRTY), since_s=now_s)
    one = submitted((-50, 70), (250, 320), interruptible=True)
    note(ledger, one.plan_id, "pause", at_s=now_s - 30, by="signal")
    done = done_about(submission(ledger, one.plan_id), now_s)
    again = submission(ledger, done.one.plan_id)
    assert done.told == "it runs"
    assert (again.paused, again.stops) == (False, ((now_s - 30, now_s),))
    assert pauses(plan_lines(ledger, one.plan_id)) == [(now_s - 30, now_s)]


def test_a_job_that_may_not_pause_runs(queue, submitted, sky, now_s):
    queue("RUNNING", now_s - 50, used="0:30")
    assert done_about(submitted((-50, 50)), now_s).told == "it runs"
    assert queue.told() == ""


def test_what_slurm_has_forgotten_is_told_and_closed(queue, submitted, now_s, ledger):
    (queue.folder / "squeue").write_text("#!/bin/sh\necho 'Invalid job id specified' >&2; exit 1\n")
    one = submitted((0, 100))
    assert done_about(one, now_s).told == "SLURM knows it no more"
    assert collect(one, Slurm(), ledger=ledger, now_s=now_s).status == "forgotten by SLURM"
    assert submission(ledger, one.plan_id).ended


def test_without_a_forecast_the_plan_stands_and_that_is_told(queue, submitted, now_s, monkeypatch):
    def silent(*_asked, **_settings):
        raise SignalUnavailable("the provider does not answer", fix="Try later")

    one = submitted((600, 700))
    monkeypatch.setattr(planning, "expected", silent)
    queue("PENDING", now_s + 600, reason="BeginTime")
    done = done_about(one, now_s)
    assert done.act == "" and "(not asked again: the provider does not answer)" in done.told


def test_a_forecast_that_does_not_reach_the_plan_moves_nothing(queue, submitted, sky, now_s):
    queue("PENDING", now_s + 600, reason="BeginTime")
    sky((200, DIRTY), (200, CLEAN), since_s=now_s, after=None)
    done = done_about(submitted((600, 700)), now_s)
    assert done.act == "" and "does not reach it" in done.told


@pytest.mark.parametrize(
    ("state", "begin", "reason", "late_s", "words"),
    [
        pytest.param("RUNNING", -100, "None", 400, "there was no room before", id="began late"),
        pytest.param("PENDING", 600, "Resources", 500, "it waits for room (Resources)", id="waits still"),
        pytest.param("PENDING", 600, "JobHeldUser", 0, "scontrol release", id="held"),
        pytest.param("RUNNING", -480, "None", 0, "", id="in time"),
    ],
)
def test_where_a_job_stands(queue, submitted, now_s, *, state, begin, reason, late_s, words):
    queue(state, now_s + begin, reason=reason)
    found = standing(submitted((-500, -400)), Slurm(), now_s=now_s)
    assert found.late_s == late_s and words in " ".join(found.remarks)
