"""Which process of a job this is: what each launcher says."""

import pytest

from wattermark.wiring.ranks import Rank, rank_among

TORCHRUN = {"RANK": "3", "WORLD_SIZE": "8", "LOCAL_RANK": "3", "LOCAL_WORLD_SIZE": "8",
            "MASTER_ADDR": "a", "MASTER_PORT": "29500", "TORCHELASTIC_RUN_ID": "none",
            "TORCHELASTIC_RESTART_COUNT": "0"}  # fmt: skip
STEP = {"SLURM_JOB_ID": "77", "SLURM_STEP_ID": "0", "SLURM_PROCID": "5", "SLURM_STEP_NUM_TASKS": "16"}
MPI = {"OMPI_COMM_WORLD_RANK": "1", "OMPI_COMM_WORLD_SIZE": "4", "PMIX_NAMESPACE": "prterun-1@1"}


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        pytest.param({}, None, id="a program that nobody launched in several"),
        pytest.param({"RANK": "0", "WORLD_SIZE": "1"}, None, id="a job of one"),
        pytest.param(TORCHRUN, Rank("launcher:up", 3, 8), id="torchrun on one machine: known by its agent"),
        pytest.param(
            {**TORCHRUN, "LOCAL_WORLD_SIZE": "4"},
            Rank("master:a:29500", 3, 8),
            id="torchrun on two: by where they meet",
        ),
        pytest.param(
            {**TORCHRUN, "TORCHELASTIC_RUN_ID": "exp1", "TORCHELASTIC_RESTART_COUNT": "2"},
            Rank("torchrun:exp1", 3, 8, 2),
            id="torchrun with a name, started again twice",
        ),
        pytest.param(STEP, Rank("slurm:77.0", 5, 16), id="srun"),
        pytest.param({**STEP, "SLURM_RESTART_COUNT": "1"}, Rank("slurm:77.0", 5, 16, 1), id="requeued"),
        pytest.param(
            {**STEP, "SLURM_STEP_NUM_TASKS": "2", "SLURM_PROCID": "1", **TORCHRUN},
            Rank("slurm:77.0", 3, 8),
            id="torchrun under srun: its ranks, in SLURM's job",
        ),
        pytest.param(
            {"SLURM_JOB_ID": "77", "SLURM_PROCID": "0", "SLURM_NTASKS": "16"},
            None,
            id="the batch script itself is no rank",
        ),
        pytest.param(MPI, Rank("mpi:prterun-1@1", 1, 4), id="mpirun of Open MPI"),
        pytest.param({"PMI_RANK": "2", "PMI_SIZE": "3"}, Rank("launcher:up", 2, 3), id="mpiexec of MPICH"),
        pytest.param(
            {"RANK": "1", "WORLD_SIZE": "2", "MASTER_ADDR": "b", "MASTER_PORT": "1"},
            Rank("master:b:1", 1, 2),
            id="plain variables",
        ),
        pytest.param(
            {"WATTERMARK_JOB": "exp", "RANK": "1", "WORLD_SIZE": "2"}, Rank("job:exp", 1, 2), id="a named job"
        ),
        pytest.param({"WATTERMARK_JOB": "exp"}, Rank("job:exp"), id="a named job of nobody knows how many"),
        pytest.param(
            {"WATTERMARK_JOB": "e", "WATTERMARK_RANK": "0", "WATTERMARK_WORLD_SIZE": "2", **TORCHRUN},
            Rank("job:e", 0, 2),
            id="ours before all others",
        ),
        pytest.param({"RANK": "9", "WORLD_SIZE": "8"}, None, id="a rank beyond the last"),
        pytest.param({"RANK": "5", "WORLD_SIZE": "999999999"}, None, id="more than any job has"),
        pytest.param({"RANK": "-1", "WORLD_SIZE": "8"}, None, id="a negative one"),
        pytest.param({"RANK": "x", "WORLD_SIZE": ""}, None, id="no number"),
        pytest.param({"RANK": "٣", "WORLD_SIZE": "8"}, None, id="digits of another script"),
        pytest.param({"RANK": "0", "WORLD_SIZE": "9" * 5000}, None, id="a number of 5,000 digits"),
    ],
)
def test_a_rank_is_known_by_what_its_launcher_says(environ, expected):
    assert rank_among(environ, "up") == expected
