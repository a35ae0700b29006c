"""What several rooms share: the compiled fake meters, and programs that see nothing of the user's."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import settings

from fakes import meters
from wattermark.ledger.read import read_spool
from wattermark.verbs.measure import _stop_all

ROOT = Path(__file__).parents[1]

# Under nohup or in the background of a script these come to us ignored, and would to every program we start.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
signal.signal(signal.SIGQUIT, signal.SIG_DFL)

settings.register_profile("house", derandomize=True, deadline=None)  # the same examples on every machine
settings.load_profile("house")


@pytest.fixture(scope="session")
def libs(tmp_path_factory):
    """The compiled fakes, once for all workers of the session."""
    base = tmp_path_factory.getbasetemp()
    try:
        return meters.build((base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "compiled-fakes")
    except meters.NoCompiler as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """A certificate of this machine that nobody signed, with its key."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl to make a certificate with")
    path = tmp_path_factory.mktemp("tls") / "own.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3", "-subj", "/CN=here",
         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", path, "-out", f"{path}.crt"],
        check=True, capture_output=True,
    )  # fmt: skip
    with path.open("a") as file:
        file.write((path.parent / "own.pem.crt").read_text())
    return path


@pytest.fixture
def bench(tmp_path, libs):
    """Fake meters of known power; a program under ``bench.env()`` sees these and no others."""
    return meters.Bench(tmp_path / "bench", libs)


@pytest.fixture
def home(tmp_path):
    """An environment in which nothing of the user's is seen."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "TMPDIR": str(tmp_path),
        "WATTERMARK_LEDGER": str(tmp_path / "runs"),
        "TZ": "Etc/UTC",
        "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT / "tests")]),
        "PYTHONWARNINGS": "error",
    }


@pytest.fixture
def program(home):
    """Runs a program to its end and gives what it said; its return code is the caller's to judge."""

    def run(code, *arguments, env=None, timeout_s=60, **more):
        return subprocess.run(
            [sys.executable, "-c", code, *map(str, arguments)],
            env=env or home, capture_output=True, text=True, check=False,
            timeout=timeout_s, cwd=home["HOME"], **more,
        )  # fmt: skip

    return run


@pytest.fixture
def begin(home):
    """Starts a program that waits for a line on stdin; waits itself until the program says so."""
    begun = []

    def start(code, *arguments, env=None):
        pipe = subprocess.PIPE
        child = subprocess.Popen(
            [sys.executable, "-c", code, *map(str, arguments)],
            env=env or home, cwd=home["HOME"], stdin=pipe, stdout=pipe, stderr=pipe, text=True,
        )  # fmt: skip
        begun.append(child)
        assert child.stdout.readline(), child.communicate()[1]
        return child

    yield start
    for child in begun:
        child.kill()
        child.communicate()


@pytest.fixture
def spools(home):
    """All spools that were written below the program's home, the ledger's and others."""
    return lambda: sorted(Path(home["HOME"]).rglob("*.jsonl"))


@pytest.fixture
def told(spools):
    """The lines of the one spool there is, as dictionaries."""

    def lines():
        (spool,) = spools()
        return [json.loads(text) for text in spool.read_text().splitlines()]

    return lines


@pytest.fixture
def ledger(tmp_path, monkeypatch):
    """Where this process's runs are kept; a run that a failing test left ends with the test."""
    for name in [name for name in os.environ if name.startswith(("WATTERMARK_", "XDG_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("WATTERMARK_LEDGER", str(tmp_path / "runs"))
    monkeypatch.chdir(tmp_path)
    yield tmp_path / "runs"
    _stop_all()


@pytest.fixture
def kept(ledger):
    """What the ledger holds, the oldest first."""

    def runs():
        found = [read_spool(path) for path in ledger.glob("*/*.jsonl")]
        return sorted(found, key=lambda run: run.header.mono_ns)

    return runs
