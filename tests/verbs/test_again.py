"""What was recorded is accounted again: by the face, and while it lasts."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

import wattermark as wm
from wattermark.errors import UsageError
from wattermark.ledger.spool import line, reader_line, run_line
from wattermark.science.running import Running
from wattermark.values.kinds import Kind, Node, Part, Scope
from wattermark.values.records import Channel, RunHeader
from wattermark.verbs.live import watch
from wattermark.verbs.look import seen

HEADER = RunHeader(
    run="20260101-000000-x-00000000", name="x", host="h", pid=1, started_ns=0, mono_ns=0, interval_s=1.0,
    place="deu", logical_cpus=4, memory_b=8 * 10**9,
)  # fmt: skip
PACKAGE = Channel(
    name="cpu/package-0", kind=Kind.COUNTER, part=Part.CPU, unit="uJ", covers="cpu/package-0", wrap=10**12
)
LOAD = [
    Channel(name=f"load/{name}", kind=kind, part=Part.LOAD, unit=unit)
    for name, kind, unit in [
        ("cpu_busy", Kind.COUNTER, "ns"), ("run_cpu", Kind.COUNTER, "ns"),
        ("memory_used", Kind.GAUGE, "B"), ("run_memory", Kind.GAUGE, "B"),
    ]
]  # fmt: skip


def lines(seconds=20, scope=Scope.PROCESS):
    """A package of 50 W each second, a load of one CPU in four every second one; the run takes half of it."""
    yield run_line(replace(HEADER, scope=scope))
    yield reader_line("rapl", [PACKAGE]) + reader_line("load", LOAD)
    for s in range(seconds + 1):
        load = {"load": [s * 10**9, s * 5 * 10**8, 4 * 10**9, 10**9]} if s % 2 == 0 else {}
        yield line("beat", mono_ns=s * 10**9, time_ns=s * 10**9, rapl=[s * 50_000_000], **load)
    yield line("stop", mono_ns=seconds * 10**9, time_ns=seconds * 10**9, status="ok")


@pytest.fixture
def spool(tmp_path) -> Path:
    folder = tmp_path / HEADER.run
    folder.mkdir()
    (folder / "h-1.jsonl").write_text("".join(lines()))
    return folder / "h-1.jsonl"


@pytest.mark.parametrize("scope", Scope)
def test_the_live_line_ends_where_the_summary_does(spool, scope):
    """A stretch without a look at the load must not be charged as if nobody knew whose it was."""
    spool.write_text("")
    stretches, last = watch(spool), Running()
    for text in lines(scope=scope):
        with spool.open("a") as file:
            file.write(text)
        last = next(stretches)
    final = seen(spool).footprint
    assert last.elapsed_s == pytest.approx(final.duration_s)
    assert last.it_energy_j == pytest.approx(final.it_energy_j.best)
    assert last.carbon_g == pytest.approx(final.carbon_g.best)
    assert last.water_l == pytest.approx(final.water_l.best)


def test_the_live_line_waits_for_a_slow_exporter_before_it_takes_the_rest_for_granted(spool):
    """A CPU of 50 W, told every five seconds, and a node of 60 W, told every second: never 110 W."""
    slow = replace(PACKAGE, name="cpu/kepler-package", refresh_s=5.0)
    node = Channel(
        name="platform/ipmi", kind=Kind.POWER, part=Part.PLATFORM, unit="W", counted=False, node=Node.INSIDE
    )
    stretches = watch(spool)
    spool.write_text(run_line(replace(HEADER, scope=Scope.MACHINE)) + reader_line("slow", [slow, node]))
    for s in range(121):
        told = [s // 5 * 250_000_000, 60]
        with spool.open("a") as file:
            file.write(line("beat", mono_ns=s * 10**9, time_ns=s * 10**9, slow=told))
        last = next(stretches)
        assert last.it_energy_j <= 1.2 * 60 * max(s, 20) + 40
    assert last.it_energy_j == pytest.approx(seen(spool).footprint.it_energy_j.best, rel=0.05)


def test_the_live_line_waits_for_a_counter_of_the_node_that_moves_in_large_steps(spool):
    """Hundredths of a kWh, at a kilowatt: it tells after twelve minutes, and then of all of them.

    Of what came since, it tells the parts, until it moved as often again.
    """
    node = Channel(
        name="platform/redfish", kind=Kind.COUNTER, part=Part.PLATFORM, unit="mJ", counted=False,
        node=Node.INPUT, power_max_w=20_000,
    )  # fmt: skip
    step_mj, stretches = 36_000_000, watch(spool)
    spool.write_text(run_line(replace(HEADER, scope=Scope.MACHINE)) + reader_line("both", [PACKAGE, node]))
    for s in range(0, 1201, 10):
        told = [s * 50_000_000, s * 1_000_000 // step_mj * step_mj]
        with spool.open("a") as file:
            file.write(line("beat", mono_ns=s * 10**9, time_ns=s * 10**9, both=told))
        last = next(stretches)
        if s == 720:
            assert last.it_energy_j == pytest.approx(seen(spool).footprint.it_energy_j.best)
    assert last.it_energy_j == pytest.approx(720 * 1000 + 480 * 50)


def test_a_run_is_accounted_again_by_file_by_name_and_elsewhere(spool):
    ledger = str(spool.parent.parent)
    here = wm.account(spool)
    assert wm.account("last", ledger=ledger).it_energy_j == here.it_energy_j
    assert wm.account("x", ledger=ledger, place="nor").carbon_g.best < here.carbon_g.best
    whole = wm.account(spool, scope="machine")
    assert whole.boundary.scope is Scope.MACHINE
    assert whole.it_energy_j.best > here.it_energy_j.best
    assert wm.account(spool, at="2019").factors != here.factors


@pytest.mark.parametrize(
    "options",
    [
        {"pue": 0.5},
        {"wue": -5.0},
        {"scope": "junk"},
        {"place": "nowhere"},
        {"at": "\u00b2\u2070\u00b2\u2074"},
    ],
    ids=lambda options: next(iter(options)),
)
def test_an_option_that_cannot_be_meant_is_refused(spool, options):
    with pytest.raises(UsageError):
        wm.account(spool, **options)


def test_what_could_not_be_kept_is_unknown_and_never_zero(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "file" / "no"))
    with wm.track(ledger=tmp_path / "file" / "runs", place="deu") as run:
        footprint = run.footprint()
    assert set(footprint.quantities().values()) == {None}
    assert any(flag.startswith("not-recorded") for flag in footprint.flags)


def test_the_footprint_of_a_run_whose_folder_was_taken_away_says_so(tmp_path):
    with wm.track(ledger=tmp_path, place="deu") as run:
        run.spool.unlink()
        assert any(flag.startswith("not-recorded") for flag in run.footprint().flags)


def test_a_spool_is_plain_json_lines(spool):
    kinds = [json.loads(text)["kind"] for text in spool.read_text().splitlines()]
    assert kinds[:3] == ["run", "reader", "reader"] and kinds[-1] == "stop"
