"""A script that measures itself does what it did before, with wattermark and without."""

import os
import shutil
import subprocess

import pytest

from wattermark.errors import UsageError
from wattermark.levers.batch_script import interpreter, is_shell, launches, measured

TEXT = """\
#!{0}
#SBATCH -t 5
# a word

echo "$# [$1] $LINENO ${{WATTERMARK_BATCH-none}} ${{WATTERMARK_JOB-none}} ${{WATTERMARK_STEPS_OF-none}}"
cat <<'END'
a\\n\tb $x
END
exit 7
"""
NODE = """\
#!/bin/sh
[ "$3" = config ] && exit {fault}
printf '%s|' "$WATTERMARK_JOB" "$@" > "{told}"
while [ "$1" != -- ]; do shift; done
shift
exec "$@"
"""


@pytest.fixture
def node(tmp_path):
    """Runs a script as slurmd would, with a program in the place of Python that tells its arguments."""

    def run(text, *arguments, fault=0, python=True, **environ):
        told, stub, copy = tmp_path / "told", tmp_path / "my python", tmp_path / "slurm_script"
        if python:
            stub.write_text(NODE.format(fault=fault, told=told))
            stub.chmod(0o755)
        copy.write_text(
            measured(text, python=str(stub), options=("--quiet",), mark="p-1", arguments=arguments)
        )
        copy.chmod(0o700)
        known = {"PATH": os.environ["PATH"], "SLURM_JOB_ID": "77", **environ}
        done = subprocess.run([copy], env=known, capture_output=True, text=True, check=False)
        return done, told.read_text().split("|")[:-1] if told.exists() else None

    return run


@pytest.mark.parametrize(
    "shell", ["/bin/sh", "/bin/bash", "/bin/bash -eu", "/usr/bin/env bash", "/usr/bin/zsh"]
)
def test_it_runs_inside_and_says_the_same(node, shell):
    if not shutil.which(shell.split()[0]):
        pytest.skip(f"no {shell} here")
    done, told = node(TEXT.format(shell), "two words", "it's")
    assert (done.returncode, done.stderr) == (7, "")
    assert done.stdout.startswith("2 [two words] ") and done.stdout.endswith("none none none\na\\n\tb $x\n")
    assert told[:5] == ["slurm:77", "-m", "wattermark", "run", "--quiet"] and told[-2:] == [
        "two words",
        "it's",
    ]


@pytest.mark.parametrize(
    ("case", "story"),
    [
        ({"python": False}, "no Python of that path on the node"),
        ({"fault": 2}, "settings cannot be read there"),
    ],
    ids=["no wattermark", "bad settings"],
)
def test_without_wattermark_it_runs_all_the_same(node, case, story):
    done, told = node(TEXT.format("/bin/bash"), "one", **case)
    assert (done.returncode, told) == (7, None), story
    assert done.stdout.startswith("1 [one] ") and done.stderr == ""


def test_a_task_of_an_array_has_the_arrays_number(node):
    _, told = node(TEXT.format("/bin/sh"), SLURM_ARRAY_JOB_ID="70", SLURM_ARRAY_TASK_ID="3")
    assert told[0] == "slurm:70_3"


@pytest.mark.parametrize(
    "ending", ["echo end", "echo end\n", "\n\n"], ids=["no line end", "one", "empty lines"]
)
def test_nothing_else_of_the_script_is_changed(ending):
    text = "#!/bin/sh\n#SBATCH -t 5\n\n" + ending
    lines = measured(text, python="python", options=(), mark="m").split("\n")
    ours = [line for line in lines if "wattermark slurm submit" in line]
    lines.remove(ours[0])
    assert len(ours) == 1 and "\n".join(lines).rstrip("\n") == text.rstrip("\n")


@pytest.mark.parametrize(
    ("line", "shell"),
    [
        ("#!/bin/bash -l", True),
        ("#! /usr/bin/env -S bash -e", True),
        ("#!/usr/bin/env python3", False),
        ("#!/usr/bin/python", False),
        ("#!/bin/tcsh", False),
        ("#!/usr/bin/env", False),
    ],
)
def test_shells_are_known(line, shell):
    assert is_shell(interpreter(f"{line}\necho")) is shell


@pytest.mark.parametrize(
    "text", ["echo", "", "\n#!/bin/sh\n", "#!/bin/sh\r\necho\r\n", "#!\n", "#!/bin/sh\n\0"]
)
def test_what_slurm_takes_for_no_script_is_refused(text):
    with pytest.raises(UsageError):
        interpreter(text)


@pytest.mark.parametrize(
    ("text", "yes"),
    [
        ("srun x", True),
        ("time mpirun -n 4 x", True),
        ("# srun x", False),
        ("echo srunning", False),
        ("", False),
    ],
)
def test_launchers_are_seen(text, yes):
    assert launches(f"#!/bin/sh\n{text}\n") is yes
