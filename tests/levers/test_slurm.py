"""SLURM's programs that are missing, late, refuse or talk nonsense: one sentence, and in time."""

import time

import pytest

from wattermark.errors import LeverStuck, UsageError
from wattermark.levers.slurm import NotAllowed, Slurm, checked_id
from wattermark.values.queued import QueueState


@pytest.fixture
def stub(tmp_path, monkeypatch):
    """Programs that say what a test wants, in the place of SLURM's."""
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    def write(name, code):
        (tmp_path / name).write_text(f"#!/bin/sh\n{code}\n")
        (tmp_path / name).chmod(0o755)

    return write


def test_no_slurm(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LeverStuck, match=r"SLURM is not here: there is no program 'scontrol'\. Run this on"):
        Slurm().version()


@pytest.mark.parametrize(
    ("said", "version"),
    [("slurm-wlm 22.05.8", (22, 5, 8)), ("slurm 24.11.0-1", (24, 11, 0)), ("slurm 23.02-rc1", (23, 2, 0))],
)
def test_versions(stub, said, version):
    stub("scontrol", f"echo {said}")
    assert Slurm().version() == version


@pytest.mark.parametrize(
    ("code", "words"),
    [
        pytest.param("echo slurm 21.08.5", "older than 22.05", id="old"),
        pytest.param("echo hello", "makes no sense: 'hello'", id="nonsense"),
        pytest.param(
            "echo 'scontrol: error: bad conf' >&2; exit 1", "scontrol refused: bad conf", id="refuses"
        ),
        pytest.param("exit 3", "does not say why", id="says nothing"),
    ],
)
def test_what_is_wrong_is_told(stub, code, words):
    stub("scontrol", code)
    with pytest.raises(LeverStuck, match=words):
        Slurm().version()


def test_a_controller_that_does_not_answer_is_not_waited_for(stub):
    stub("sbatch", "exec sleep 20")
    begun = time.monotonic()
    with pytest.raises(LeverStuck, match=r"gave no answer in 0\.3 s.*look at squeue before you submit again"):
        Slurm(timeout_s=0.3).submit("#!/bin/sh\n")
    assert time.monotonic() - begun < 5


def test_a_submission_without_a_number_is_nonsense(stub):
    stub("sbatch", "echo Submitted batch job")
    with pytest.raises(LeverStuck, match="no sense"):
        Slurm().submit("#!/bin/sh\n")


def test_a_plugin_may_talk_before_the_number_and_a_cluster_behind_it(stub):
    stub("sbatch", "echo 'welcome to the queue'; echo '77;cluster'")
    assert Slurm().submit("#!/bin/sh\n") == "77"


def test_a_job_as_squeue_tells_it(stub):
    stub("squeue", "echo '77|N/A|PENDING|100|200|N/A|1:00:00|0:00|Resources | and |more'")
    (job,) = Slurm().jobs("77")
    assert (job.state, job.begin_s, job.end_s, job.limit_s) == (QueueState.PENDING, 200.0, None, 3600)
    assert job.reason == "Resources | and |more"


@pytest.mark.parametrize("line", ["77|PENDING", "no number|N/A|PENDING|1|2|3|4|5|x", "<html>"])
def test_an_answer_that_is_none(stub, line):
    stub("squeue", f"echo '{line}'")
    with pytest.raises(LeverStuck, match="no sense"):
        Slurm().jobs("77")


def test_a_state_of_a_later_slurm_is_unknown_and_told(stub):
    stub("squeue", "echo '77|N/A|DREAMING|1|2|N/A|N/A|N/A|None'")
    (job,) = Slurm().jobs("77")
    assert (job.state, job.word, job.used_s) == (QueueState.UNKNOWN, "DREAMING", None)


def test_who_may_not_is_told_apart(stub):
    stub("scontrol", "echo 'Access/permission denied for job 77' >&2; exit 1")
    with pytest.raises(NotAllowed):
        Slurm().suspend("77")


def test_a_signal_that_does_not_arrive_is_seen_though_scancel_ends_well(stub):
    stub("scancel", "echo 'scancel: error: Kill job error on job id 77: Invalid job id' >&2")
    with pytest.raises(LeverStuck, match="Invalid job id"):
        Slurm().stop("77")


@pytest.mark.parametrize(
    ("code", "energy_j"),
    [
        pytest.param("echo 1234", 1234.0, id="told"),
        pytest.param("echo 1234; echo 66", 1300.0, id="an array"),
        pytest.param("echo 0", None, id="zero is no meter"),
        pytest.param("echo", None, id="nothing"),
        pytest.param("echo 1.2K", None, id="no raw number"),
        pytest.param("echo disabled >&2; exit 1", None, id="no accounting"),
    ],
)
def test_energy_as_slurm_accounts_it(stub, code, energy_j):
    stub("sacct", code)
    assert Slurm().energy_j("77") == energy_j


@pytest.mark.parametrize("text", ["", "0", "-7", "7;rm", "7 8", "last", "77_", "\u0661"])
def test_what_is_no_number_of_a_job_reaches_no_program(text):
    with pytest.raises(UsageError):
        checked_id(text)


def test_no_shell_reads_what_is_submitted(stub, tmp_path):
    stub("sbatch", 'printf "%s\\n" "$@" > "$(dirname "$0")/told"; cat >> "$(dirname "$0")/told"; echo 1')
    Slurm().submit("#!/bin/sh\n$(boom)\n", begin_s=12.4, hold=True, options=("--job-name=$(boom) `x`",))
    said = (tmp_path / "told").read_text().splitlines()
    assert said == ["--parsable", "--job-name=$(boom) `x`", "--begin=uts12", "--hold", "#!/bin/sh", "$(boom)"]
