"""A real SLURM that this process talks to, fake meters for its jobs, and a sky that the test makes."""

import os
import time
from dataclasses import replace
from itertools import accumulate
from pathlib import Path

import pytest

from fakes.meters import Signal as Load
from fakes.meters import socket
from wattermark.values.plan import Stretch
from wattermark.values.series import Series, Signal
from wattermark.verbs import planning
from wattermark.verbs.outlook import Expected, expected
from wattermark.wiring.config import load_config

ROOT = Path(__file__).parents[3]
W_PACKAGE = 100.0
CLEAN, DIRTY = 20.0, 500.0


@pytest.fixture
def here(cluster, ledger, bench, home, monkeypatch):
    """This process is on a login node of the cluster; its jobs see fake meters."""
    bench.powercap(socket(0, Load.const(W_PACKAGE)))
    told = {**bench.env(home), "PYTHONPATH": f"{ROOT / 'src'}", "PYTHONWARNINGS": "default"}
    told = {
        name: value for name, value in told.items() if name not in ("HOME", "TMPDIR", "WATTERMARK_LEDGER")
    }
    libraries = f"{told.pop('LD_LIBRARY_PATH', '')}:{cluster.env['LD_LIBRARY_PATH']}"
    for name, value in {**told, **cluster.env, "LD_LIBRARY_PATH": libraries}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("WATTERMARK_PLACE", "deu")
    return cluster


@pytest.fixture
def sky(monkeypatch):
    """Says which carbon intensity comes, in pieces of (seconds, g/kWh) from now on."""

    def tell(*pieces, since_s=None, after=DIRTY):
        first_s = time.time() if since_s is None else since_s
        edges = (
            first_s,
            *accumulate((length_s for length_s, _ in (*pieces, (3600, after))), initial=first_s),
        )[1:]
        edges = (first_s - 3600, *edges[1:])
        values = (*(intensity for _, intensity in pieces), after)

        def told(asked, begin_s, end_s, **settings):
            real = expected(asked, begin_s, end_s, **settings)
            carbon = Series(
                signal=Signal.CARBON, place=asked, source="the test", edges_s=edges, values=values,
                basis="lifecycle",
            )  # fmt: skip
            return Expected(
                replace(real.outlook, series={Signal.CARBON: carbon}),
                {Signal.CARBON: real.doubts[Signal.CARBON]},
            )

        monkeypatch.setattr(planning, "expected", told)
        return edges

    return tell


def wait_until(true, timeout_s=40, every_s=0.25):
    """Until something holds; answers what it said."""
    until_s = time.monotonic() + timeout_s
    while time.monotonic() < until_s:
        if said := true():
            return said
        time.sleep(every_s)
    raise AssertionError(f"not within {timeout_s} s: {true}")


@pytest.fixture
def script(tmp_path):
    """A batch script in a folder with a space in its name."""

    def write(text, name="a job.sh"):
        folder = tmp_path / "with a space"
        folder.mkdir(exist_ok=True)
        path = folder / name
        path.write_text(text)
        return path

    return write


def cpu_ticks(needle):
    """Processor time of the processes whose command line holds a word. [ticks]"""
    total = 0
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if needle in (entry / "cmdline").read_bytes().decode(errors="replace"):
                    fields = (entry / "stat").read_bytes().rpartition(b")")[2].split()
                    total += int(fields[11]) + int(fields[12])
            except OSError:
                continue
    return total


def is_root():
    return os.geteuid() == 0


def keep(ledger, job, *stretches):
    """A plan in the ledger that runs a job in these stretches."""
    plan = planning.plan_job(job, ("deu",), config=load_config(), now_s=job.earliest_s)
    pieces = tuple(Stretch(begin_s=begin_s, end_s=end_s) for begin_s, end_s in stretches)
    return planning.keep_plan(ledger, replace(plan, best=replace(plan.best, stretches=pieces)))
