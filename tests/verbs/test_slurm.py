"""Jobs of a real SLURM: its tasks are one run, and a job that it runs again goes on with it."""

import sys
import time

import pytest

from fakes.meters import Gpu, Signal, socket
from wattermark.ledger.runs import runs
from wattermark.verbs.look import show

pytestmark = pytest.mark.slow
W_PACKAGE = 100.0
TRAIN = """
import time
import wattermark as wm
with wm.track(name="train", place="deu", scope="machine", interval=0.1) as run:
    with run.span("epoch", 1):
        time.sleep(1)
"""


@pytest.fixture
def meters(bench, home):
    bench.powercap(socket(0, Signal.const(W_PACKAGE))).nvml([Gpu(Signal.const(300))])
    return {
        key: value for key, value in bench.env(home).items() if key not in ("PATH", "LD_LIBRARY_PATH")
    } | {"FAKES": bench.env(home)["LD_LIBRARY_PATH"]}


@pytest.fixture
def script(tmp_path):
    path = tmp_path / "train.py"
    path.write_text(TRAIN)
    return str(path)


def test_the_tasks_of_a_step_are_one_run_and_its_machine_is_counted_once(cluster, meters, script, tmp_path):
    cluster.call("srun", "-n", "4", sys.executable, script, env=meters)
    (place,) = runs(tmp_path / "runs")
    assert len(place.spools) == 4
    seen = show(tmp_path / "runs", "last")
    header = seen.recorded.header
    assert (header.rank, header.world_size) == (0, 4)
    energy_j = {part.name: part.energy_j.best for part in seen.footprint.components if part.energy_j}
    assert energy_j["cpu/package-0"] == pytest.approx(W_PACKAGE * seen.footprint.duration_s, rel=0.05)
    assert not [
        flag for flag in seen.footprint.flags if flag.startswith(("ranks-missing", "overlaps", "inside"))
    ]
    number = header.job.partition(":")[2].partition(".")[0]
    assert show(tmp_path / "runs", number).run == place.run


def test_a_command_is_measured_in_each_task(cluster, meters, tmp_path):
    words = (sys.executable, "-m", "wattermark", "run", "--quiet", "--place", "deu", "--", "sleep", "1")
    cluster.call("srun", "-n", "2", *words, env=meters)
    (place,) = runs(tmp_path / "runs")
    assert len(place.spools) == 2


def test_a_job_that_is_requeued_goes_on_with_its_run(cluster, meters, script, tmp_path):
    again = 'test "$SLURM_RESTART_COUNT" || scontrol requeue $SLURM_JOB_ID; sleep 2'
    batch = (
        "sbatch",
        "--parsable",
        "--requeue",
        "-n",
        "2",
        "--wrap",
        f"srun {sys.executable} {script}; {again}",
    )
    number = cluster.call(*batch, env=meters).strip()
    wait_for(cluster, number)
    (place,) = runs(tmp_path / "runs")
    flags = show(tmp_path / "runs", number).footprint.flags
    assert any(flag.startswith("resumed: the run has 2 parts") for flag in flags), (place.spools, flags)


def wait_for(cluster, number):
    until_s = time.monotonic() + 90
    while time.monotonic() < until_s:
        state = cluster.call("squeue", "-h", "-j", number, "-o", "%T %r").strip()
        if not state:
            return
        if "PENDING" in state:
            cluster.call("scontrol", "update", f"JobId={number}", "StartTime=now")  # else after 2 min
        time.sleep(0.5)
    raise AssertionError(f"the job {number} does not end: {state}")
