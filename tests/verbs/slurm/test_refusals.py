"""What is refused before SLURM is asked; and what the ledger remembers of a job."""

import pytest

from verbs.slurm.conftest import keep
from wattermark.cli.main import main
from wattermark.errors import UsageError
from wattermark.ledger.plans import note
from wattermark.values.plan import PlannedJob, Stretch
from wattermark.values.records import RunHeader
from wattermark.verbs.beside import lies_inside
from wattermark.verbs.slurm.kept import find_submission, note_move, submission, submissions

GOOD = "#!/bin/sh\n#SBATCH -t 60\n"


@pytest.mark.parametrize(
    ("text", "words", "said"),
    [
        pytest.param(None, (), "cannot be read: No such file", id="no script"),
        pytest.param("echo", (), "has no first line such as #!/bin/bash", id="no first line"),
        pytest.param(
            GOOD + "#SBATCH --begin=now+1\n", (), "--begin=now+1). Leave that out", id="begins by itself"
        ),
        pytest.param("#!/bin/sh\n", (), "Give --hours", id="no length"),
        pytest.param(GOOD, ("--within", "30m"), "the deadline comes before", id="too little time"),
        pytest.param(GOOD, ("--requeue",), "add #SBATCH --requeue", id="cannot be queued again"),
        pytest.param(GOOD, ("--place", "atlantis"), "atlantis", id="no such place"),
        pytest.param(GOOD, ("--energy", "5"), "no energy", id="an energy without a unit"),
        pytest.param(GOOD + "#SBATCH -n x\n", (), "--ntasks=x cannot be read", id="an option"),
    ],
)
def test_what_cannot_be_meant_is_one_sentence(ledger, capsys, text, words, said):
    script = ledger.parent / "job.sh"
    if text is not None:
        script.write_text(text)
    assert main(["slurm", "submit", str(script), "--within", "5h", *words]) == 2
    told = capsys.readouterr().err
    assert said in told and told.count("\n") == 1
    assert not list(ledger.glob("plans/*"))


def test_without_slurm_a_plan_is_shown_and_nothing_is_submitted(ledger, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    script = tmp_path / "job.sh"
    script.write_text(GOOD)
    assert main(["slurm", "submit", str(script), "--within", "5h", "--place", "deu", "--dry-run"]) == 0
    assert "job.sh would begin" in capsys.readouterr().out
    assert main(["slurm", "submit", str(script), "--within", "5h", "--place", "deu"]) == 1
    assert "SLURM is not here" in capsys.readouterr().err
    assert not list(ledger.glob("plans/*"))


@pytest.mark.parametrize(
    ("text", "words", "said"),
    [
        pytest.param("#!/usr/bin/env python3\n#SBATCH -t 60\n", (), "nothing measures it", id="no shell"),
        pytest.param(GOOD + "#SBATCH -N 2\nsrun x\n", (), "other nodes", id="several nodes"),
        pytest.param(GOOD + "#SBATCH -a 0-3\n", (), "an array of 4 jobs", id="an array"),
        pytest.param(GOOD, ("--hold",), "scontrol release", id="held"),
        pytest.param(
            GOOD, ("--interruptible",), "replan --all --watch", id="it pauses while somebody watches"
        ),
        pytest.param(
            GOOD + "#SBATCH --begin=now\n", ("--force",), "as its --time says", id="its begin is overruled"
        ),
    ],
)
def test_what_the_user_should_know_is_told_before(ledger, capsys, text, words, said):
    script = ledger.parent / "job.sh"
    script.write_text(text)
    options = ("--within", "5h", "--place", "deu", "--dry-run", "--json", "--energy", "1kWh")
    assert main(["slurm", "submit", str(script), *options, *words]) == 0
    assert said in capsys.readouterr().out


@pytest.mark.parametrize("words", [("replan",), ("replan", "77"), ("status", "77"), ("collect", "nothing")])
def test_a_job_that_nobody_submitted(ledger, capsys, words):
    assert main(["slurm", *words]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def a_plan(ledger, **told):
    job = PlannedJob(it_energy_j=36e5, duration_s=100.0, earliest_s=0.0, deadline_s=1000.0, name="j", **told)
    return keep(ledger, job, (500.0, 600.0))


def test_what_was_done_is_read_back(ledger):
    plan_id = a_plan(ledger, interruptible=True)
    assert submission(ledger, plan_id) is None
    note(ledger, plan_id, "submit", at_s=1.0, job_id="77", requeue=False)
    one = find_submission(ledger, "77")
    assert (one.plan_id, one.place, one.weights, one.ended) == (plan_id, "deu", {"carbon": 1.0}, False)
    note_move(
        ledger, one, 2.0, [Stretch(begin_s=10.0, end_s=60.0), Stretch(begin_s=80.0, end_s=130.0)], "better"
    )
    note(ledger, plan_id, "pause", at_s=60.0, by="signal", until_s=80.0, ran_s=50.0)
    note(ledger, plan_id, "resume", at_s=81.0)
    note(ledger, plan_id, "pause", at_s=90.0, by="signal", until_s=95.0, ran_s=59.0)
    again = find_submission(ledger, plan_id[:20])
    assert [stretch.begin_s for stretch in again.stretches] == [10.0, 80.0] and again.moves == 1
    assert again.stops == ((60.0, 81.0), (90.0, None))
    note(ledger, plan_id, "end", at_s=200.0, status="COMPLETED")
    assert submission(ledger, plan_id).ended and len(list(submissions(ledger))) == 1


def test_work_done_before_it_was_queued_again_counts(ledger):
    plan_id = a_plan(ledger)
    note(ledger, plan_id, "submit", at_s=1.0, job_id="77", requeue=True)
    note(ledger, plan_id, "pause", at_s=60.0, by="requeue", until_s=80.0, ran_s=50.0)
    one = submission(ledger, plan_id)
    assert (one.before_s, one.restarts, one.requeue, one.stops) == (50.0, 1, True, ())


@pytest.mark.parametrize(
    "line",
    ['{"kind":"move"}', '{"kind":"pause","by":"signal"}', '{"kind":"move","stretches":[[1]]}', "[]", "{}"],
)
def test_a_damaged_plan_hides_no_other(ledger, line):
    good, bad = a_plan(ledger), a_plan(ledger)
    for plan_id, number in ((good, "77"), (bad, "78")):
        note(ledger, plan_id, "submit", at_s=1.0, job_id=number)
    with (ledger / "plans" / f"{bad}.plan").open("a") as file:
        file.write(f"{line}\n")
    assert "77" in [one.job_id for one in submissions(ledger)]


def test_a_number_that_came_again_is_the_newest(ledger):
    first, second = a_plan(ledger), a_plan(ledger)
    for plan_id in (first, second):
        note(ledger, plan_id, "submit", at_s=1.0, job_id="77")
    assert find_submission(ledger, "77").plan_id == max(first, second)
    with pytest.raises(UsageError, match="no job '78' was submitted"):
        find_submission(ledger, "78")


@pytest.mark.parametrize(
    ("inner", "outer", "inside"),
    [
        pytest.param("slurm:77.0", "job:slurm:77", True, id="a step of a job that was submitted here"),
        pytest.param("slurm:77.0", "job:slurm:7", False, id="a number that begins alike"),
        pytest.param("slurm:77.0", "slurm:77.1", False, id="two steps"),
        pytest.param("slurm:77.0", "", False, id="no job"),
        pytest.param("", "job:slurm:77", False, id="no step"),
    ],
)
def test_a_step_lies_inside_its_jobs_run(inner, outer, inside):
    runs = [
        RunHeader(run=name, name="n", host="h", pid=i, started_ns=i, mono_ns=i, interval_s=1.0, job=job)
        for i, (name, job) in enumerate((("outer", outer), ("inner", inner)))
    ]
    assert lies_inside(runs[1], runs[0]) is inside and not lies_inside(runs[0], runs[1])
