"""Exporters as meters: pages made from the descriptions of DCGM's exporter and of Kepler."""

import time

import pytest

from fakes.web import Page, Server
from wattermark.errors import ReaderUnavailable
from wattermark.readers.choose import choose
from wattermark.readers.exporters import page_of
from wattermark.readers.prometheus import PrometheusReader
from wattermark.values.kinds import Kind, Part
from wattermark.values.records import Channel

A, B = "GPU-aaaa0000-74d7-3130-46f1-e93ed57f469a", "GPU-bbbb0000-74d7-3130-46f1-e93ed57f469a"


def dcgm(name, value, gpu=0, uuid=A, **more):
    labels = {
        "gpu": gpu,
        "UUID": uuid,
        "device": f"nvidia{gpu}",
        "modelName": "NVIDIA L40S",
        "Hostname": "n1",
        **more,
    }
    told = ",".join(f'{key}="{one}"' for key, one in labels.items())
    return f"DCGM_FI_DEV_{name}{{{told}}} {value}\n"


def energy(value, *whose, **more):
    return dcgm("TOTAL_ENERGY_CONSUMPTION", value, *whose, **more)


def power(value, *whose, **more):
    return dcgm("POWER_USAGE", value, *whose, **more)


def kepler(zone, joules, path="/sys/class/powercap/intel-rapl:0", node="n1"):
    return f'kepler_node_cpu_joules_total{{node_name="{node}",path="{path}",zone="{zone}"}} {joules}\n'


def old_kepler(zone, joules, mode, source):
    return (
        f'kepler_node_info{{components_power_source="{source}",platform_power_source="acpi"}} 1\n'
        f'kepler_node_{zone}_joules_total{{instance="n1",mode="{mode}",package="0",source="os"}} {joules}\n'
    )


TWO_GPUS = (
    "# HELP DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION Total energy consumption since boot (in mJ).\n"
    "# TYPE DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION counter\n"
    + energy(15152422938)
    + energy("5.551899580e+09", 1, B)
    + power("68.244000")
    + power("35.686000", 1, B)
)
NODE = kepler("package", "1234567.891234") + kepler("dram", 200) + kepler("core", 900) + kepler("psys", 2000)


@pytest.fixture
def exporter(monkeypatch):
    """Serves a page; opens a reader of it."""
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    opened = []
    with Server() as server:

        def serve(page, visible=None, also=""):
            server.pages["/metrics"] = page if isinstance(page, Page) else Page(page)
            reader = PrometheusReader(f"{server.address}/metrics {also}", visible)
            opened.append(reader)
            return reader

        yield serve
        for reader in opened:
            reader.close()


def names(reader):
    return [channel.name for channel in reader.channels]


def test_gpus_by_their_energy_and_a_node_by_its_zones(exporter):
    reader = exporter(TWO_GPUS + NODE)
    assert [(c.name, c.kind, c.unit, c.covers, c.counted) for c in reader.channels] == [
        ("gpu/0", "counter", "mJ", f"gpu/{A}", True),
        ("gpu/1", "counter", "mJ", f"gpu/{B}", True),
        ("cpu/kepler-package", "counter", "uJ", "cpu", True),
        ("dram/kepler-dram", "counter", "uJ", "dram", True),
        ("platform/kepler-psys", "counter", "uJ", "", False),
    ]
    assert reader.read() == [15152422938, 5551899580, 1234567891234, 200_000_000, 2_000_000_000]
    assert {c.device for c in reader.channels} == {"NVIDIA L40S", "Kepler"}
    assert not any(c.node for c in reader.channels)
    assert (reader.period_s(0.1), reader.period_s(5)) == (1.0, 5)


def test_power_where_no_energy_is_told(exporter):
    reader = exporter(power("68.244000"))
    assert [(c.kind, c.unit) for c in reader.channels] == [("power", "mW")]
    assert reader.read() == [68244]
    assert reader.period_s(60) == 1.0


@pytest.mark.parametrize(
    ("page", "told"),
    [
        pytest.param(
            kepler("package", 10, "a") + kepler("package", 20.5, "b"),
            {"cpu/kepler-package": 30_500_000},
            id="two sockets add up",
        ),
        pytest.param(
            old_kepler("package", 10, "idle", "rapl-sysfs")
            + old_kepler("package", 5, "dynamic", "rapl-sysfs"),
            {"cpu/kepler-package": 15_000_000},
            id="idle and dynamic, by the names before",
        ),
        pytest.param(
            old_kepler("dram", 10, "idle", "rapl-msr"),
            {"dram/kepler-dram": 10_000_000},
            id="memory, as before",
        ),
        pytest.param(
            energy(700, GPU_I_ID=1, GPU_I_PROFILE="1g.10gb")
            + energy(700, GPU_I_ID=2, GPU_I_PROFILE="1g.10gb"),
            {"gpu/0": 700},
            id="each slice of a GPU tells all of it",
        ),
        pytest.param(energy("NaN") + power(12), {"gpu/0": 12_000}, id="an energy that is no number"),
        pytest.param(energy(5) + energy("NaN", 1, B), {"gpu/0": 5}, id="one of two that tells nothing"),
        pytest.param(
            kepler("package", 10, "a") + kepler("package", "NaN", "b"),
            {"cpu/kepler-package": None},
            id="a socket that is not told leaves no half of the CPU",
        ),
        pytest.param(kepler("package", -5), {"cpu/kepler-package": None}, id="below zero"),
    ],
)
def test_what_a_page_means(exporter, page, told):
    reader = exporter(page)
    assert dict(zip(names(reader), reader.read(), strict=True)) == told


@pytest.mark.parametrize(
    ("page", "says"),
    [
        pytest.param(Page("<!DOCTYPE html><p>Sign in"), "tells no metrics: line 1 is no metric", id="HTML"),
        pytest.param(Page("up 1\n"), "tells no energy that we know", id="other metrics"),
        pytest.param(Page(""), "tells no energy that we know", id="an empty page"),
        pytest.param(Page(b"\xff\xfe"), "not UTF-8", id="bytes"),
        pytest.param(Page("no", 503), "answers 503", id="an error"),
        pytest.param(Page(energy("lots")), "no value that can be meant", id="a word for a number"),
        pytest.param(
            Page(energy(1) + energy(2, 0, B, Hostname="n2")),
            "it tells of 2 machines",
            id="two machines at once",
        ),
        pytest.param(
            Page(old_kepler("package", 10, "idle", "estimator")),
            "no energy that we know",
            id="a model, no meter",
        ),
        pytest.param(Page(kepler("core", 10)), "no energy that we know", id="a part of the package only"),
    ],
)
def test_what_tells_no_energy_is_said_and_mended(exporter, page, says):
    with pytest.raises(ReaderUnavailable, match=says) as told:
        exporter(page)
    assert "WATTERMARK_PROMETHEUS_URL" in told.value.fix


@pytest.mark.parametrize(
    ("visible", "seen"),
    [
        pytest.param(None, [0, 1], id="all"),
        pytest.param("1", [1], id="by index"),
        pytest.param("1,0", [1, 0], id="in its own order"),
        pytest.param("0,0", [0], id="one, twice"),
        pytest.param(f"{B}", [1], id="by UUID"),
        pytest.param("GPU-aa", [0], id="by the beginning of a UUID"),
        pytest.param("0,7,1", [0], id="the list ends where it names none"),
    ],
)
def test_gpus_that_the_program_may_not_see_are_not_its_own(exporter, visible, seen):
    reader = exporter(TWO_GPUS, visible)
    assert names(reader) == [f"gpu/{i}" for i in seen]
    assert {c.hidden for c in reader.channels} == {2 - len(seen)}


@pytest.mark.parametrize("visible", ["", "-1", "GPU-", "MIG-41b3359c-e721-56e5-8009-12e5797ed514", "GPU-cc"])
def test_none_that_may_be_seen_leaves_the_cpu(exporter, visible):
    assert names(exporter(TWO_GPUS + NODE, visible)) == [
        "cpu/kepler-package",
        "dram/kepler-dram",
        "platform/kepler-psys",
    ]


class Local:
    """A meter of this machine."""

    def __init__(self, part, covers):
        self.channels = [Channel(name=covers, kind=Kind.COUNTER, part=part, unit="uJ", covers=covers)]

    def close(self):
        """Nothing to give back."""


def test_what_is_read_here_is_not_read_there(exporter):
    chosen = choose(
        {
            "rapl": lambda: Local(Part.CPU, "cpu/package-0"),
            "nvml": lambda: Local(Part.GPU, f"gpu/{A}"),
            "prometheus": lambda: exporter(TWO_GPUS + NODE),
        }
    )
    rest = chosen.readers["prometheus"]
    assert names(rest) == ["gpu/0", "gpu/1", "cpu/kepler-package", "dram/kepler-dram", "platform/kepler-psys"]
    assert [channel.name for channel in rest.channels if channel.counted] == ["gpu/1", "dram/kepler-dram"]
    assert None not in rest.read()


def test_several_exporters_and_one_of_them_silent(exporter):
    with Server() as other:
        other.pages["/"] = Page(NODE)
        reader = exporter(TWO_GPUS, also=f"{other.address}/ http://127.0.0.1:9/")
        assert names(reader)[:3] == ["gpu/0", "gpu/1", "cpu/kepler-package"]
        assert None not in reader.read()


def test_a_page_that_turns_to_junk_is_a_gap_then_tells_why_and_comes_back(exporter, monkeypatch):
    monkeypatch.setattr("wattermark.readers.web.PERIOD_S", 0.01)
    reader = exporter(TWO_GPUS)
    assert reader.read() == [15152422938, 5551899580]

    def until(wanted):
        end_s = time.monotonic() + 5
        while time.monotonic() < end_s:
            try:
                if wanted(reader.read()):
                    return True
            except OSError as error:
                if wanted(str(error)):
                    return True
            time.sleep(0.01)
        return False

    with pytest.raises(ReaderUnavailable):  # opening one more changes the page for all
        exporter("<html>")
    assert until(lambda told: isinstance(told, str) and "tells no metrics" in told)
    exporter(energy(7) + energy(8, 1, B)).close()
    assert until(lambda told: told == [7, 8])


@pytest.mark.parametrize("named", ["", "   "])
def test_nothing_named_asks_nothing(named):
    with pytest.raises(ReaderUnavailable, match="no exporter is named") as told:
        PrometheusReader(named)
    assert "WATTERMARK_PROMETHEUS_URL=" in told.value.fix


def test_pages_are_pure():
    """The same page, the same rows: no clock and no memory is in them."""
    assert page_of(NODE.encode()) == page_of(NODE.encode())
