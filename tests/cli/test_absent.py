"""``wattermark run`` is as good as absent: whatever the streams and signals, the end is its own."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

WM = [sys.executable, "-m", "wattermark"]


def shell(home, text):
    """A line of shell in which $W is wattermark."""
    env = {**home, "W": " ".join(WM)}
    return subprocess.run(
        ["bash", "-c", f"{text}; exit $?"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=env,
        cwd=home["HOME"],
    )


@pytest.mark.parametrize(
    ("line", "code"),
    [
        pytest.param("$W run -- sh -c 'exit 3' 2>&-", 3, id="stderr is closed"),
        pytest.param("$W run -- sh -c 'exit 3' >&-", 3, id="stdout is closed"),
        pytest.param("$W run -- sh -c 'exit 3' <&-", 3, id="stdin is closed"),
        pytest.param("$W run -- sh -c 'exit 3' 2>/dev/full", 3, id="stderr is full"),
        pytest.param("$W run --json -- sh -c 'exit 3' >/dev/full", 3, id="stdout is full"),
        pytest.param("$W run -- bash -c 'kill -35 $$'", 128 + 35, id="a real-time signal"),
        pytest.param("$W run -- bash -c 'kill -SEGV $$'", 128 + 11, id="a crash"),
        pytest.param("trap '' CHLD; $W run -- sh -c 'exit 3'", 3, id="SIGCHLD is ignored"),
        pytest.param("trap '' HUP; $W run -- sh -c 'kill -HUP $$; exit 4'", 4, id="under nohup"),
    ],
)
def test_the_end_is_the_commands_own(home, line, code):
    done = shell(home, line)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr


def test_a_command_that_is_stopped_and_continued_stops_nobody_else(home):
    child = "import os, time; print(os.getpid(), flush=True); time.sleep(1); raise SystemExit(6)"
    words = [*WM, "run", "--quiet", "--", sys.executable, "-c", child]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=home)
    pid = int(process.stdout.readline())
    os.kill(pid, signal.SIGSTOP)
    time.sleep(0.2)
    os.kill(pid, signal.SIGCONT)
    process.communicate(timeout=20)
    assert process.returncode == 6


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(["bash", "-c", "API_KEY=sk-123 true train.py"], id="code with a script in it"),
        pytest.param(["bash", "-c", ": --token=sk-123.py"], id="an argument that looks like a script"),
        pytest.param(["sh", "-c", "exit 0", "--key", "sk-123"], id="an argument"),
    ],
)
def test_no_secret_of_a_command_line_is_kept_anywhere(home, tmp_path, command):
    done = subprocess.run([*WM, "run", "--", *command], capture_output=True, text=True, check=False, env=home)
    kept = "".join(f"{path} {path.read_text()}" for path in (tmp_path / "runs").glob("*/*.jsonl"))
    assert kept and "sk-123" not in kept + done.stdout + done.stderr


@pytest.mark.parametrize("words", ["runs", "show last", "places", "doctor"])
def test_a_full_output_is_one_sentence(home, words):
    shell(home, "$W run --quiet -- true")
    done = shell(home, f"$W {words} > /dev/full")
    assert done.returncode in (0, 1)
    assert "Traceback" not in done.stderr


def test_an_ascii_terminal_is_served_too(home):
    shell(home, "$W run --quiet --place deu -- true")
    done = shell(home, "PYTHONIOENCODING=ascii $W show last")
    assert done.returncode == 0, done.stderr


def channel(**fields):
    return {
        "kind": "reader",
        "name": "load",
        "channels": [{"name": "c", "kind": "gauge", "part": "load", **fields}],
    }


# fmt: off
DAMAGE = [
    pytest.param({"kind": "beat", "mono_ns": 10**25, "time_ns": 1, "load": [1] * 4}, id="a moment far away"),
    pytest.param({"kind": "beat", "mono_ns": 5, "time_ns": 1, "load": [1e30] * 4}, id="an endless number"),
    pytest.param(channel(unit="furlong"), id="a unit that is none"),
    pytest.param(channel(unit="B"), id="a load of other channels"),
]
# fmt: on


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_spool_hides_nothing_and_breaks_nothing(home, tmp_path, damage):
    shell(home, "$W run --quiet --name good -- true; $W run --quiet --name bad -- true")
    (spool,) = (tmp_path / "runs").glob("*-bad-*/*.jsonl")
    head, *rest = spool.read_text().splitlines(keepends=True)
    spool.write_text("".join([head, json.dumps(damage) + "\n", *rest]))
    listed, shown = shell(home, "$W runs"), shell(home, "$W show bad")
    assert "good" in listed.stdout and "bad" in listed.stdout
    assert "Traceback" not in listed.stderr + shown.stderr
    assert (listed.returncode, shown.returncode) == (0, 0)


def test_two_hundred_runs_of_one_second_have_two_hundred_names(home, tmp_path):
    code = "import wattermark as wm\nfor _ in range(200):\n    with wm.track(name='same'): pass"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=home)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(list((tmp_path / "runs").iterdir())) == 200
