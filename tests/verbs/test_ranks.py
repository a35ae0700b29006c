"""Jobs of many processes: the machine is counted once, each one's work once, and nobody is forgotten."""

import json
import time
from contextlib import closing

import pytest

import wattermark as wm
from fakes.meters import Gpu, Signal, socket
from wattermark.ledger.jobs import FOLDER
from wattermark.ledger.runs import runs
from wattermark.verbs.look import show

RANK = """
import json, os, sys, time
import wattermark as wm
burn_s, scope = float(sys.argv[1]), sys.argv[2]
with wm.track(name="job", place="deu", scope=scope, interval=0.1) as run:
    print(flush=True)
    with run.span("epoch", 1):
        sys.stdin.readline()
        began_s = time.process_time()
        while time.process_time() - began_s < burn_s:
            pass
        sys.stdin.readline()
print(run.id, flush=True)
"""
W_PACKAGE, W_GPU = 100.0, 300.0


@pytest.fixture
def job(bench, home, begin):
    """Ranks that begin, work and end together; answers the runs that they wrote to."""
    bench.powercap(socket(0, Signal.const(W_PACKAGE))).nvml(
        [Gpu(Signal.const(W_GPU)), Gpu(Signal.const(W_GPU))]
    )

    def run(ranks, *, burn_s=0.0, scope="machine", devices=None, of=None, **more):
        told = {"WORLD_SIZE": str(of or len(ranks)), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "1", **more}
        children = [
            begin(
                RANK, burn_s, scope,
                env=bench.env({**home, **told, "RANK": str(rank)})
                | ({"CUDA_VISIBLE_DEVICES": devices[rank]} if devices else {}),
            )
            for rank in ranks
        ]  # fmt: skip
        began_s = time.monotonic()
        for child in children:
            print(file=child.stdin, flush=True)
        time.sleep(0.5)
        for child in children:
            print(file=child.stdin, flush=True)
        found = {child.stdout.readline().strip() for child in children}
        for child in children:
            assert child.wait() == 0, child.stderr.read()
        return found, time.monotonic() - began_s

    return run


@pytest.fixture
def account(tmp_path):
    return lambda wanted="last", **options: wm.account(wanted, ledger=str(tmp_path / "runs"), **options)


def test_a_machine_with_four_ranks_is_counted_once(job, account, tmp_path):
    found, _ = job(range(4))
    (run,) = found
    assert [place.run for place in runs(tmp_path / "runs")] == [run]
    told = account()
    counted = [part for part in told.components if part.energy_j and part.counted]
    energy_j = {part.name: part.energy_j.best for part in counted}
    assert len(energy_j) == len(counted), "each once"
    assert energy_j["cpu/package-0"] == pytest.approx(W_PACKAGE * told.duration_s, rel=0.05)
    assert energy_j["gpu/0"] == pytest.approx(W_GPU * told.duration_s, rel=0.05)
    assert not [
        flag for flag in told.flags if flag.startswith(("overlaps", "inside", "holds", "ranks-missing"))
    ]
    assert [span.name for span in told.spans] == ["epoch"]


def test_gpus_of_the_ranks_are_united_by_uuid(job, account):
    job(range(2), devices=["0", "1"])
    told = account()
    gpus = [part for part in told.components if part.kind == "gpu"]
    assert sorted(part.name for part in gpus) == ["gpu/0", "gpu/1"]
    assert sum(part.energy_j.best for part in gpus) == pytest.approx(2 * W_GPU * told.duration_s, rel=0.1)


def test_the_work_of_all_ranks_is_charged_and_the_parts_add_up(job, account):
    job(range(2), burn_s=0.3, scope="process")
    told = account()
    (package,) = [part for part in told.components if part.name == "cpu/package-0"]
    parts_j = package.energy_j.best + package.others_energy_j + package.idle_energy_j
    assert parts_j == pytest.approx(package.machine_energy_j, rel=0.02)
    assert package.machine_energy_j == pytest.approx(W_PACKAGE * told.duration_s, rel=0.1)
    assert package.energy_j.best > 0


@pytest.mark.parametrize(
    ("ranks", "of", "missing"),
    [([0, 1, 3], 4, "(2)"), ([1], 12, "(0, 2, 3, 4, 5, 6, 7, 8, ...)")],
    ids=["one", "most"],
)
def test_a_rank_without_a_record_is_told(job, account, ranks, of, missing):
    job(ranks, of=of)
    (flag,) = [flag for flag in account().flags if flag.startswith("ranks-missing")]
    assert missing in flag and f"of {of}" in flag


def test_where_the_ranks_cannot_find_each_other_each_is_a_run_in_the_ledger(ledger, monkeypatch, caplog):
    ledger.mkdir(parents=True, exist_ok=True)
    (ledger / FOLDER).touch()
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "2")
    with wm.track(name="job") as run:
        pass
    assert run.spool.parent.parent == ledger
    assert f"{FOLDER} cannot be written" in caplog.text and "a run of its own" in caplog.text
    assert any(flag.startswith("ranks-missing: 1 of 2") for flag in run.footprint().flags)


@pytest.mark.slow
def test_the_next_job_of_the_same_launcher_is_a_run_of_its_own(job, tmp_path):
    first, _ = job(range(2))
    second, _ = job(range(2))
    assert len(first) == len(second) == 1 and first != second


@pytest.mark.slow
def test_a_job_that_its_launcher_starts_again_is_one_run_with_a_gap(job, account):
    slurm = {"SLURM_JOB_ID": "77", "SLURM_STEP_ID": "0"}
    first, _ = job(range(2), **slurm)
    second, _ = job(range(2), **slurm, SLURM_RESTART_COUNT="1")
    assert first == second
    told = account("77")
    assert any(flag.startswith("resumed: the run has 2 parts") for flag in told.flags)
    assert [span.number for span in told.spans] == [1, 2]
    assert told.spans[1].begin_s > told.spans[0].begin_s + told.spans[0].duration_s


def test_two_machines_are_summed_and_each_is_named(job, account, spools):
    job(range(4))
    alone = account()
    for spool in spools()[2:]:  # the same, as a second machine would have told it
        head, rest = spool.read_text().split("\n", 1)
        spool.write_text(json.dumps({**json.loads(head), "host": "other", "machine": "m2"}) + "\n" + rest)
    both = account()
    energy_j = {part.name: part.energy_j.best for part in both.components if part.counted and part.energy_j}
    assert both.it_energy_j.best == pytest.approx(sum(energy_j.values()))
    for one in ("cpu/package-0", "gpu/0", "gpu/1"):
        (here, there) = (energy_j[name] for name in energy_j if name.endswith(f": {one}"))
        assert 0 < here <= there * 3 and 0 < there <= here * 3
    assert "other: cpu/package-0" in energy_j
    assert both.duration_s <= alone.duration_s * 1.001
    (span,), (before,) = both.spans, alone.spans
    assert before.it_energy_j < span.it_energy_j < 2.001 * before.it_energy_j


def test_a_file_that_is_damaged_hides_no_other_rank(job, account, spools):
    job(range(2))
    spools()[0].write_bytes(b"\x00\xff" * 100)
    told = account()
    assert told.it_energy_j.best > 0
    assert any("does not begin with a run" in flag for flag in told.flags)


def test_the_job_stands_in_the_list_as_one(job, tmp_path, capsys):
    from wattermark.cli.main import main

    job(range(3))
    with closing(open("/dev/null")):
        assert main(["runs", "--json", "--ledger", str(tmp_path / "runs")]) == 0
    (one,) = json.loads(capsys.readouterr().out)["runs"]
    assert one["run"]["status"] == "ok"
    assert show(tmp_path / "runs", "last").footprint.it_energy_j.best > 0
