"""How long a batch script runs and what it takes, before it ran."""

import time

import pytest

from wattermark.errors import UsageError
from wattermark.ledger.plans import note
from wattermark.levers.sbatch_options import Asked, asked
from wattermark.verbs.slurm.needs import needs_of
from wattermark.verbs.track import track


def needs(ledger, *lines, name="job.sh", duration_s=None, it_energy_j=None):
    found = asked("\n".join(("#!/bin/sh", *lines)))
    return needs_of(found, name, ledger, duration_s=duration_s, it_energy_j=it_energy_j)


@pytest.mark.parametrize(
    ("lines", "power_w", "words"),
    [
        pytest.param(("#SBATCH -t 60 -n 8",), 8 * 3.5, "8 logical CPUs", id="CPUs"),
        pytest.param(("#SBATCH -t 60 --gpus=a100:2",), None, "2 a100", id="GPUs that are known"),
        pytest.param(("#SBATCH -t 60 --gpus=2",), 1.0, "have no name", id="GPUs of no name"),
        pytest.param(
            ("#SBATCH -t 60 --gpus=banana:2",), 1.0, "'banana' is known", id="GPUs that nobody knows"
        ),
    ],
)
def test_by_what_is_asked_for(ledger, lines, power_w, words):
    found = needs(ledger, *lines)
    assert found.duration_s == 3600 and words in " ".join(found.said)
    assert found.known is (power_w != 1.0)
    watts = found.it_energy_j / 3600
    assert watts == pytest.approx(power_w) if power_w else 400 < watts < 2000


def test_what_is_given_is_taken(ledger):
    found = needs(ledger, "#SBATCH -t 60", duration_s=600.0, it_energy_j=7.0)
    assert (found.duration_s, found.it_energy_j, found.known) == (600.0, 7.0, True)


def test_the_last_run_of_that_name_knows_better_than_the_limit(ledger):
    with track(name="other"):
        pass
    with track(name="job.sh", place="deu") as run:
        sum(range(10**6))
    found = needs(ledger, "#SBATCH -t 60")
    assert run.id in found.said[0] and found.duration_s < 30
    assert found.it_energy_j == pytest.approx(run.footprint().it_energy_j.best, rel=1e-6)


def test_what_was_suspended_did_not_work_meanwhile(ledger):
    """Its recorder was suspended with it, so that its plan alone knows."""
    with track(name="job.sh", tags={"plan": "p"}):
        time.sleep(0.3)
    note(ledger, "p", "plan")
    note(ledger, "p", "pause", at_s=100.0, by="suspend")
    note(ledger, "p", "resume", at_s=100.2)
    found = needs(ledger, "#SBATCH -t 60")
    assert 0.1 <= found.duration_s < 0.2


def test_no_job_runs_longer_than_its_limit(ledger):
    with track(name="job.sh"):
        sum(range(10**6))
    found = needs_of(Asked(limit_s=0.001), "job.sh", ledger, duration_s=None, it_energy_j=None)
    assert found.duration_s == 0.001


def test_a_run_that_failed_says_nothing(ledger):
    with pytest.raises(ZeroDivisionError), track(name="job.sh"):
        raise ZeroDivisionError
    assert needs(ledger, "#SBATCH -t 60").duration_s == 3600


@pytest.mark.parametrize("lines", [(), ("#SBATCH -t 0",), ("#SBATCH --time=UNLIMITED",)])
def test_a_length_that_nobody_knows_is_asked_for(ledger, lines):
    with pytest.raises(UsageError, match=r"how long job\.sh runs is not known.*Give --hours"):
        needs(ledger, *lines)
