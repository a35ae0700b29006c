"""What a batch script asks of SLURM, as sbatch would read it."""

import pytest

from wattermark.errors import UsageError
from wattermark.levers.sbatch_options import Asked, array_size, asked


def script(*lines):
    return "\n".join(("#!/bin/bash", *lines, ""))


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        pytest.param((), Asked(), id="nothing"),
        pytest.param(("#SBATCH --time=2:00:00",), Asked(limit_s=7200), id="long, with ="),
        pytest.param(("#SBATCH --time 2:00:00",), Asked(limit_s=7200), id="long, the next word"),
        pytest.param(("#SBATCH -t 120",), Asked(limit_s=7200), id="short"),
        pytest.param(("#SBATCH -t120",), Asked(limit_s=7200), id="short, joined"),
        pytest.param(("#SBATCH -t 5 -t 10",), Asked(limit_s=600), id="the later one wins"),
        pytest.param(("#SBATCH -t 10 # -t 20",), Asked(limit_s=600), id="a comment behind it"),
        pytest.param(('#SBATCH -J "my job" # x',), Asked(name="my job"), id="quoted"),
        pytest.param((r"#SBATCH -J my\ job",), Asked(name="my job"), id="escaped"),
        pytest.param(("# SBATCH -t 5", "##SBATCH -t 6", "#SBATCHX -t 7"), Asked(), id="no such lines"),
        pytest.param(("", "# a word", "  ", "#SBATCH -t 5"), Asked(limit_s=300), id="after comments"),
        pytest.param(("set -e", "#SBATCH -t 5"), Asked(), id="after a command it is a comment"),
        pytest.param(("#SBATCH -n 4 -c 8",), Asked(cpus=32), id="tasks of several CPUs"),
        pytest.param(("#SBATCH -N 2 --ntasks-per-node=3",), Asked(nodes=2, cpus=6), id="tasks on each node"),
        pytest.param(("#SBATCH -N 2-4",), Asked(nodes=2, cpus=2), id="the least of a range of nodes"),
        pytest.param(("#SBATCH -HQ -n2",), Asked(hold=True, cpus=2), id="flags in one word"),
        pytest.param(("#SBATCH --hold --requeue",), Asked(hold=True, requeue=True), id="long flags"),
        pytest.param(("#SBATCH --requeue --no-requeue",), Asked(), id="no requeue after all"),
        pytest.param(("#SBATCH --begin=16:00",), Asked(begin="16:00"), id="begins by itself"),
        pytest.param(("#SBATCH -a 1-10%2",), Asked(tasks=10), id="an array"),
        pytest.param(
            ("#SBATCH --gres=gpu:a100:4 -N 2",), Asked(gpus=8, gpu="a100", nodes=2, cpus=2), id="gres"
        ),
        pytest.param(("#SBATCH --gres=craynetwork:1,gpu:2",), Asked(gpus=2), id="gres among others"),
        pytest.param(("#SBATCH --gres=gpu",), Asked(gpus=1), id="one GPU"),
        pytest.param(("#SBATCH --gres=gpu:h100:2(S:0)",), Asked(gpus=2, gpu="h100"), id="gres with sockets"),
        pytest.param(("#SBATCH -G v100",), Asked(gpus=1, gpu="v100"), id="a kind alone"),
        pytest.param(("#SBATCH --gpus-per-task=2 -n 3",), Asked(gpus=6, cpus=3), id="GPUs of each task"),
        pytest.param(
            ("#SBATCH --mail-user me@x -t 5",), Asked(limit_s=300), id="after an option that is passed over"
        ),
    ],
)
def test_a_script_asks(lines, expected):
    assert asked(script(*lines)) == expected


def test_the_command_line_wins_then_the_environment():
    text, environ = script("#SBATCH -t 5 -J a -n 2"), {"SBATCH_TIMELIMIT": "7", "SBATCH_JOB_NAME": "b"}
    assert asked(text, (), environ) == Asked(name="b", limit_s=420, cpus=2)
    assert asked(text, ("--time=9", "-J", "c"), environ) == Asked(name="c", limit_s=540, cpus=2)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        pytest.param("#SBATCH -t 5h", "'5h' cannot be read", id="a time"),
        pytest.param("#SBATCH -n many", "ntasks=many", id="a number"),
        pytest.param("#SBATCH -N 0", "nodes=0", id="no nodes"),
        pytest.param("#SBATCH -a x", "array 'x'", id="an array"),
        pytest.param("#SBATCH -a 5-1", "array '5-1'", id="an array backwards"),
        pytest.param('#SBATCH -J "open', "quotation", id="an open quote"),
        pytest.param("#SBATCH hetjob", "heterogeneous", id="several jobs in one"),
        pytest.param("#SBATCH -G a:b:2", "gpus=a:b:2", id="GPUs"),
    ],
)
def test_what_cannot_be_read_is_told(line, words):
    with pytest.raises(UsageError, match=words):
        asked(script(line))


@pytest.mark.parametrize(
    ("spec", "size"), [("0-15", 16), ("0-15:4", 4), ("1,3,7", 3), ("0-9%3", 10), ("5", 1)]
)
def test_sizes_of_arrays(spec, size):
    assert array_size(spec) == size
