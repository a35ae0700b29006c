"""Meters that are asked over the net: only where they are named, holding nobody up, keeping secrets."""

import json

import pytest

from fakes.web import Page, Server, document

SECRET = "s3cret-of-the-bmc"
ROOT = "/redfish/v1/Chassis"

GUARD = """
import sys
met = []
guarded = ("socket.connect", "socket.getaddrinfo")
sys.addaudithook(lambda event, _: met.append(event) if event in guarded else None)
"""


def test_nothing_is_asked_where_nothing_is_named(program):
    done = program(
        GUARD
        + "import wattermark as wm\nfrom wattermark.verbs.doctor import examine\nfrom pathlib import Path\n"
        "with wm.track(): pass\n"
        "light = {'urllib.request', 'http.client', 'ssl'}.isdisjoint(sys.modules)\n"
        "told = {one.name: one for one in examine(Path('.'))}\n"
        "print(met, light, *(told[f'meter {name}'].fix for name in ('redfish', 'prometheus')))"
    )
    assert done.stdout.startswith("[] True"), done.stderr
    assert "WATTERMARK_REDFISH_URL=" in done.stdout and "WATTERMARK_PROMETHEUS_URL=" in done.stdout


def test_the_guard_sees_a_connection(program):
    done = program(
        GUARD + "import socket\ntry: socket.create_connection(('127.0.0.1', 9))\nexcept OSError: print(met)"
    )
    assert "socket.connect" in done.stdout


def named(home, server):
    return {
        **home,
        "WATTERMARK_REDFISH_URL": server.address,
        "WATTERMARK_REDFISH_USER": "admin",
        "WATTERMARK_REDFISH_PASSWORD": SECRET,
        "WATTERMARK_PROMETHEUS_URL": f"{server.address}/metrics",
    }


@pytest.mark.parametrize(
    ("address", "says"),
    [
        pytest.param("nonsense", "is no address of the web", id="nonsense"),
        pytest.param(f"http://127.0.0.1:1/{SECRET}?{SECRET}", "cannot be reached", id="nobody is there"),
    ],
)
@pytest.mark.parametrize("meter", ["redfish", "prometheus"])
def test_a_run_says_that_a_meter_that_was_named_does_not_answer(program, home, meter, address, says):
    done = program(
        "import wattermark as wm\nwith wm.track() as run: pass\n"
        "print(run.footprint().flags, run.spool.read_text())",
        env={**home, f"WATTERMARK_{meter.upper()}_URL": address},
    )
    told = done.stdout.partition(f"fault: {meter}: ")[2]
    assert says in told[:80], done.stderr
    assert SECRET not in done.stdout + done.stderr


def test_a_run_without_a_named_meter_has_no_fault(program, home):
    done = program(
        "import wattermark as wm\nwith wm.track() as run: pass\nprint(run.footprint().flags)", env=home
    )
    assert "modelled" in done.stdout and "fault" not in done.stdout


@pytest.mark.slow
def test_endpoints_that_hang_hold_nobody_up(program, home, spools):
    with Server() as server:
        server.pages = {path: Page(hangs=True) for path in (ROOT, "/metrics")}
        done = program(
            "import time, wattermark as wm\n"
            "moments = [time.monotonic()]\n"
            "run = wm.track().start(); moments.append(time.monotonic())\n"
            "time.sleep(0.2); moments.append(time.monotonic())\n"
            "run.stop(); moments.append(time.monotonic())\n"
            "print([b - a for a, b in zip(moments, moments[1:])])",
            env=named(home, server),
        )
    start_s, _, stop_s = json.loads(done.stdout)
    assert start_s < 3 and stop_s < 1
    (spool,) = spools()
    assert "does not answer" in spool.read_text() or "tells no energy" in spool.read_text()


@pytest.mark.slow
def test_a_run_with_a_meter_of_the_whole_node_tells_all_of_it_and_no_secret(program, home, spools):
    with Server(password=SECRET) as server:
        server.pages = {
            ROOT: document(Members=[{"@odata.id": f"{ROOT}/1"}]),
            f"{ROOT}/1": document(ChassisType="RackMount", Power={"@odata.id": f"{ROOT}/1/Power"}),
            f"{ROOT}/1/Power": document(PowerControl=[{"PowerConsumedWatts": 3440}]),
        }
        env = named(home, server)
        del env["WATTERMARK_PROMETHEUS_URL"]
        done = program(
            "import time, json, wattermark as wm\n"
            "with wm.track(scope='machine') as run: time.sleep(1.2)\n"
            "told = run.footprint()\n"
            "power_w = told.it_energy_j.best / told.duration_s\n"
            "rest = next(one for one in told.components if one.kind == 'other')\n"
            "print(json.dumps([power_w, rest.quality, rest.how, told.flags]))",
            env=env,
        )
    assert done.returncode == 0, done.stderr
    watts, quality, how, flags = json.loads(done.stdout)
    assert watts == pytest.approx(3440, rel=0.02)
    assert quality == "measured" and "platform/redfish-power" in how
    assert any(flag.startswith("whole-node") for flag in flags)
    assert SECRET not in done.stdout + done.stderr + "".join(path.read_text() for path in spools())


DOCTOR = """
from pathlib import Path
from wattermark.verbs.doctor import examine
for one in examine(Path('.')): print(one)
"""


def test_doctor_tells_what_a_controller_tells_and_no_secret(program, home):
    with Server(password=SECRET) as server:
        server.pages = {
            ROOT: document(Members=[{"@odata.id": f"{ROOT}/1"}]),
            f"{ROOT}/1": document(Power={"@odata.id": f"{ROOT}/1/Power"}),
            f"{ROOT}/1/Power": document(PowerControl=[{"PowerConsumedWatts": 344}]),
            "/metrics": Page("<html>"),
        }
        told = program(DOCTOR, env=named(home, server)).stdout
        wrong = program(DOCTOR, env=named(home, server) | {"WATTERMARK_REDFISH_USER": "nobody"}).stdout
    assert "'meter redfish', works=True" in told
    assert "no answer from platform/redfish-energy" in told and "one of the two" in told
    assert "answers 401" in told and "Correct or unset WATTERMARK_PROMETHEUS_URL" in told
    assert "'meter redfish', works=False" in wrong and "answers 401" in wrong
    assert SECRET not in told + wrong


STRANGE = """
class Reader:
    channels = ()
    def read(self):
        raise OSError("the meter went away")
    def close(self):
        print("closed")
"""


def test_doctor_outlives_a_meter_that_fails_when_it_is_read(program, home, tmp_path):
    info = tmp_path / "strange-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: strange\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[wattermark.readers]\nstrange = wm_strange:Reader\n")
    (tmp_path / "wm_strange.py").write_text(STRANGE)
    path = f"{home['PYTHONPATH']}:{tmp_path}"
    told = program(DOCTOR, env={**home, "PYTHONPATH": path, "WATTERMARK_READERS": "strange"}).stdout
    assert "'meter strange', works=False, says='the meter went away'" in told
    assert "closed" in told and "'place'" in told
