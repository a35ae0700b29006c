"""A run that is watched from outside while it lasts."""

import json
import shutil
import subprocess
import sys

import pytest
from prometheus_client.parser import text_string_to_metric_families

from science.build import account, counter, cpu, recorded
from wattermark.cli.live import line
from wattermark.report.exposition import COUNTERS, exposition
from wattermark.science.running import Running, so_far
from wattermark.values.records import RunHeader
from wattermark.verbs.live import Moment

TRAIN = """
import sys, time
import wattermark as wm
with wm.track(name='odd "name"\\\\', place="deu", interval=0.05) as run:
    for epoch in range(3):
        with run.span("epoch", epoch, of=6):
            time.sleep(0.1)
    time.sleep(0.1)
    print(flush=True)
    sys.stdin.readline()
"""
HEADER = RunHeader(run="r", name="n", host="h", pid=1, started_ns=0, mono_ns=0, interval_s=1)


def watch(home, *words, **more):
    words = [sys.executable, "-m", "wattermark", "watch", *words]
    return subprocess.Popen(
        words, env=home, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more
    )


def families(text):
    return {family.name: family for family in text_string_to_metric_families(text)}


@pytest.fixture
def training(begin, home):
    return begin(TRAIN, env=home)


@pytest.mark.slow
def test_lines_come_while_it_lasts_and_end_with_it(training, home):
    with watch(home, "last", "--every", "0.2") as watching:
        first = watching.stdout.readline()
        print(file=training.stdin, flush=True)
        _, said = watching.communicate(timeout=20)
    assert "| epoch 3/6" in first and "left" in first
    assert watching.returncode == 0 and not said


@pytest.mark.slow
def test_counters_for_prometheus_only_rise(training, home, tmp_path):
    file = tmp_path / "train.prom"
    seen = []
    with watch(home, "last", "--every", "0.1", "--textfile", str(file)) as watching:
        while len(seen) < 5:
            if file.exists():
                seen.append(families(file.read_text()))
        print(file=training.stdin, flush=True)
        watching.communicate(timeout=20)
    last = families(file.read_text())
    assert {f"{name}_total" for name in last} == set(COUNTERS)
    assert all(family.type == "counter" for family in last.values())
    for name, family in last.items():
        values = [one[name].samples[0].value for one in [*seen, last] if name in one]
        assert values == sorted(values) and values[-1] > 0
        assert family.samples[0].labels["name"] == 'odd "name"\\'
    assert [path.name for path in tmp_path.glob("*.prom*")] == ["train.prom"]


@pytest.mark.slow
def test_programs_get_documents(training, home):
    print(file=training.stdin, flush=True)
    training.wait()
    with watch(home, "last", "--json") as watching:
        told = json.loads(watching.communicate(timeout=20)[0])
    assert told["over"] is True and told["so_far"]["it_energy_j"] > 0 and told["forecast"] is None


@pytest.mark.parametrize("every", ["0", "-1", "x", "nan", "1e9"])
def test_a_time_that_cannot_be_meant_is_refused(home, every):
    with watch(home, "last", f"--every={every}") as watching:
        assert "give 0.1 to 86400 seconds" in watching.communicate(timeout=20)[1]
    assert watching.returncode == 2


def test_what_was_not_seen_is_absent_and_no_zero():
    assert set(families(exposition(HEADER, Running(elapsed_s=3.0)))) == {"wattermark_run_seconds"}


def test_counters_are_in_base_units_and_say_whose_they_are():
    """As promtool asks: ``_total``, no milli and no kilo, a help and a type, no empty label."""
    told = exposition(HEADER, Running(3.0, 10.0, 5.0, 1.0, 1.0))
    units = {name.rsplit("_", 2)[1] for name in COUNTERS}
    assert units == {"seconds", "joules", "grams", "liters"}
    for name in COUNTERS:
        assert f"# HELP {name} " in told and f"# TYPE {name} counter" in told
    for family in families(told).values():
        (sample,) = family.samples
        assert sample.name.endswith("_total") and set(sample.labels) == {"run", "name", "host"}
        assert all(sample.labels.values())


COMMA = """
import json, locale, sys
locale.setlocale(locale.LC_ALL, "de_DE.UTF-8")
assert locale.str(1.5) == "1,5"
import wattermark as wm
from wattermark.ledger.read import read_header
from wattermark.report.exposition import exposition
from wattermark.science.running import Running
with wm.track(name="t", place="deu", interval=0.25, pue=1.25) as run: pass
header = read_header(run.spool)
print(exposition(header, Running(1234.5, 1e-7, 5.0, 1.5, 2.5)))
print(json.dumps([header.interval_s, header.pue]))
"""


def test_a_decimal_comma_of_the_user_changes_no_number(program, home, tmp_path):
    make = shutil.which("localedef")
    if (
        make is None
        or subprocess.run(
            [make, "-i", "de_DE", "-f", "UTF-8", tmp_path / "de_DE.UTF-8"], capture_output=True, check=False
        ).returncode
        > 1
    ):
        pytest.skip("no locale with a decimal comma can be made here")
    *text, header = program(COMMA, env={**home, "LOCPATH": str(tmp_path)}).stdout.splitlines()
    told = {name: family.samples[0].value for name, family in families("\n".join(text)).items()}
    assert list(told.values()) == [1234.5, 1e-7, 1.5, 2.5]
    assert json.loads(header) == [0.25, 1.25]


def test_a_sum_that_would_fall_stays():
    before = Running(2.0, 10.0, 5.0, 1.0, 1.0)
    after = Running(3.0, 9.0, 4.0, 2.0, 0.5).no_less_than(before)
    assert (after.elapsed_s, after.it_energy_j, after.power_w, after.carbon_g, after.water_l) == (
        3,
        10,
        4,
        2,
        1,
    )


def test_where_no_meter_spoke_since_the_power_is_what_it_was():
    seen = account(recorded(cpu(counter(100.0))))
    before = so_far(seen, Running())
    assert before.power_w > 0 and so_far(seen, before) == before


def test_a_document_and_a_line_tell_no_zero_for_what_was_not_seen():
    moment = Moment(HEADER, Running(elapsed_s=3.0), None, over=False)
    told = moment.document["so_far"]
    assert told.pop("elapsed_s") == 3.0
    assert set(told.values()) == {None}
    assert line(moment.so_far, 3.0) == "3 s  nothing seen yet"


@pytest.mark.parametrize("path", ["/", ".", "..", ""])
def test_a_folder_is_no_file_for_counters(training, home, tmp_path, path):
    with watch(home, "last", "--textfile", path, cwd=tmp_path) as watching:
        assert "is a folder. Name a file in it" in watching.communicate(timeout=20)[1]
    assert watching.returncode == 2 and not list(tmp_path.glob(".*.*"))


def test_a_file_that_cannot_be_written_is_told(training, home):
    with watch(home, "last", "--textfile", "/nowhere/x.prom") as watching:
        assert "cannot be written" in watching.communicate(timeout=20)[1]
    assert watching.returncode == 2
