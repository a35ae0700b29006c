"""RAPL on plain folders: which zones are read, what they are called, and what happens when one is lost."""

import time
from contextlib import closing

import pytest

import wattermark as wm
from fakes.tree import AMD, INTEL, power_pmu, powercap_tree, set_energy, zone_folder
from wattermark.errors import ReaderUnavailable
from wattermark.readers.rapl import ALLOW, AMD_RANGE_UJ, DRAM_RANGE_UJ, USUAL_RANGE_UJ, RaplReader

MAX_UJ = 262_143_328_850
HYGON = "cpu:type:x86,ven0009fam0018mod0000:feature:"
PACKAGES = {"intel-rapl:0": ("package-0", 5, MAX_UJ), "intel-rapl:1": ("package-1", 7, MAX_UJ)}


def zones(**named):
    """``r0_1="dram"`` is intel-rapl:0:1; the counters show 0, 1, 2 ... in the order given."""
    place = {"r": "intel-rapl:", "m": "intel-rapl-mmio:"}
    return {
        place[key[0]] + key[1:].replace("_", ":"): (name.replace("_", "-"), i, MAX_UJ)
        for i, (key, name) in enumerate(named.items())
    }


def opened(tmp_path, tree):
    return closing(RaplReader(powercap_tree(tmp_path, tree)))


@pytest.mark.parametrize(
    ("tree", "shown"),
    [
        pytest.param(zones(r0="package-0"), {"cpu/package-0": 0}, id="one socket"),
        pytest.param(
            zones(r0="package-0", r0_0="core", r0_1="uncore"),
            {"cpu/package-0": 0},
            id="core and uncore lie inside their package",
        ),
        pytest.param(
            zones(r0="package-0", r0_0="dram", r1="package-1", r1_0="core", r1_1="dram"),
            {"cpu/package-0": 0, "cpu/package-1": 2, "dram/package-0": 1, "dram/package-1": 4},
            id="dram belongs to the package above it",
        ),
        pytest.param(
            zones(r0="psys", r1="package-0"),
            {"cpu/package-0": 1, "platform/psys": 0},
            id="the number says nothing: zone 0 is the whole board",
        ),
        pytest.param(
            zones(r0="package-1", r1="package-0"),
            {"cpu/package-0": 1, "cpu/package-1": 0},
            id="sockets are registered the wrong way round",
        ),
        pytest.param(
            zones(m0="package-0", r0="package-0", m0_0="dram", r0_0="dram"),
            {"cpu/package-0": 1, "dram/package-0": 3},
            id="the MMIO tree repeats the socket",
        ),
        pytest.param(
            zones(r0="package-0-die-0", r1="package-0-die-1"),
            {"cpu/package-0-die-0": 0, "cpu/package-0-die-1": 1},
            id="a zone for each die",
        ),
        pytest.param(
            zones(r0="package-0", r1="gadget-0"), {"cpu/package-0": 0}, id="a name that nobody knows"
        ),
        pytest.param(
            zones(**{f"r{i}": f"package-{i}" for i in (0, 1, 10, 11, 2, 3, 4, 5, 6, 7, 8, 9)}),
            {f"cpu/package-{i}": (0, 1, 4, 5, 6, 7, 8, 9, 10, 11, 2, 3)[i] for i in range(12)},
            id="twelve sockets in the order of their numbers",
        ),
    ],
)
def test_zones_are_told_apart_by_their_name(tmp_path, tree, shown):
    with opened(tmp_path, tree) as reader:
        names = [channel.name for channel in reader.channels]
        assert dict(zip(names, reader.read(), strict=True)) == shown
        assert names == list(shown)


def test_the_platform_is_read_and_not_counted(tmp_path):
    with opened(tmp_path, zones(r0="package-0", r0_0="dram", r1="psys")) as reader:
        assert {c.name: c.counted for c in reader.channels} == {
            "cpu/package-0": True,
            "dram/package-0": True,
            "platform/psys": False,
        }


def test_the_counter_starts_again_after_its_largest_value(tmp_path):
    with opened(tmp_path, {"intel-rapl:0": ("package-0", 5, 99)}) as reader:
        assert reader.channels[0].wrap == 100


def without_range(tmp_path, name, shown=0, text=None):
    """A tree whose one zone does not tell its range, or tells this of it."""
    root = powercap_tree(tmp_path, {"intel-rapl:0": (name, shown, MAX_UJ)})
    path = zone_folder(tmp_path, "intel-rapl:0") / "max_energy_range_uj"
    path.unlink() if text is None else path.write_text(text)
    return root


@pytest.mark.parametrize(
    "text", [None, "", "0\n", "-1\n", "soon\n", "²\n", "9" * 19, "9" * 5000], ids=lambda t: repr(t)[:22]
)
def test_a_range_that_cannot_be_read_is_the_usual_one_and_said_so(tmp_path, text):
    with closing(RaplReader(without_range(tmp_path, "package-0", text=text), tmp_path)) as reader:
        assert reader.channels[0].wrap == USUAL_RANGE_UJ + 1
        assert "usual one is assumed" in reader.channels[0].note


@pytest.mark.parametrize(
    ("name", "modalias", "shown", "range_uj"),
    [
        pytest.param("package-0", INTEL, 5, USUAL_RANGE_UJ, id="a package of Intel"),
        pytest.param("package-0", AMD, 5, AMD_RANGE_UJ, id="a package of AMD counts in smaller steps"),
        pytest.param("package-0", HYGON, 5, AMD_RANGE_UJ, id="so does Hygon's"),
        pytest.param("dram", INTEL, 5, DRAM_RANGE_UJ, id="so does the memory of a server"),
        pytest.param("dram", INTEL, DRAM_RANGE_UJ + 1, USUAL_RANGE_UJ, id="it shows more: a client's"),
        pytest.param("psys", INTEL, 5, USUAL_RANGE_UJ, id="a board"),
    ],
)
def test_the_range_that_is_assumed_is_that_of_such_a_counter(tmp_path, name, modalias, shown, range_uj):
    power_pmu(tmp_path, {0: (0, 0)}, [], modalias=modalias)
    with closing(RaplReader(without_range(tmp_path, name, shown), tmp_path)) as reader:
        assert reader.channels[0].wrap == range_uj + 1


@pytest.mark.parametrize("told", [True, False], ids=["its range is told", "its range cannot be read"])
def test_a_wrap_between_the_only_two_looks_loses_nothing(tmp_path, told):
    """A joule below the end of its range, and four above zero: five joules, up to the energy of a run."""
    root = without_range(tmp_path, "package-0", USUAL_RANGE_UJ - 1_000_000)
    if told:
        (zone_folder(tmp_path, "intel-rapl:0") / "max_energy_range_uj").write_text(f"{USUAL_RANGE_UJ}\n")
    with (
        closing(RaplReader(root, tmp_path)) as reader,
        wm.track(
            readers={"rapl": reader}, ledger=tmp_path / "runs", interval=60, scope="machine", place="deu"
        ) as run,
    ):
        time.sleep(0.05)
        set_energy(tmp_path, "intel-rapl:0", 3_999_999)
    footprint = run.footprint()
    (package,) = [part for part in footprint.components if part.name == "cpu/package-0"]
    assert package.energy_j.best == pytest.approx(5, abs=1e-6)
    assumed = [flag for flag in footprint.flags if "the usual one is assumed" in flag]
    assert len(assumed) == (not told)


def deny(tmp_path, *places):
    """What cannot be read even by root: a folder in place of the file."""
    for place in places:
        path = zone_folder(tmp_path, place) / "energy_uj"
        path.unlink()
        path.mkdir()


def test_all_denied_gives_the_command_that_opens_them(tmp_path):
    root = powercap_tree(tmp_path, PACKAGES)
    deny(tmp_path, *PACKAGES)
    with pytest.raises(ReaderUnavailable) as caught:
        RaplReader(root)
    assert ALLOW in caught.value.fix
    assert ALLOW.startswith("sudo chmod a+r /sys/devices/virtual/powercap/")


@pytest.mark.parametrize("tree", [{}, zones(r0="gadget-0")], ids=["an empty tree", "nothing we know"])
def test_no_zone_says_what_to_load(tmp_path, tree):
    with pytest.raises(ReaderUnavailable) as caught:
        RaplReader(powercap_tree(tmp_path, tree))
    assert "sudo modprobe intel_rapl_msr" in caught.value.fix


def test_no_tree_at_all_is_unavailable(tmp_path):
    with pytest.raises(ReaderUnavailable, match="no RAPL zone"):
        RaplReader(tmp_path / "nowhere")


def test_the_container_names_its_own_tree(tmp_path, monkeypatch):
    monkeypatch.setenv("WATTERMARK_POWERCAP", str(powercap_tree(tmp_path, PACKAGES)))
    with closing(RaplReader()) as reader:
        assert reader.read() == [5, 7]


def test_one_denied_zone_is_a_gap_and_stops_no_other(tmp_path):
    root = powercap_tree(tmp_path, PACKAGES)
    deny(tmp_path, "intel-rapl:0")
    with closing(RaplReader(root)) as reader:
        assert reader.read() == [None, 7]
        assert len(reader.channels) == 2


def test_a_zone_that_fails_is_a_gap_until_it_is_back(tmp_path):
    path = zone_folder(tmp_path, "intel-rapl:0") / "energy_uj"
    with opened(tmp_path, PACKAGES) as reader:
        path.write_text("")
        assert reader.read() == [None, 7]
        deny(tmp_path, "intel-rapl:0")
        assert reader.read() == [None, 7]
        path.rmdir()
        path.write_text("500\n")
        set_energy(tmp_path, "intel-rapl:1", 8)
        assert reader.read() == [500, 8]


@pytest.mark.parametrize(
    ("max_uj", "interval_s", "period_s"),
    [
        pytest.param(MAX_UJ, 1.0, 1.0, id="the usual range lasts for minutes"),
        pytest.param(64_999_999, 1.0, 0.0325, id="a range of 65 J, half of 65 ms at 1 kW"),
        pytest.param(64_999_999, 0.01, 0.01, id="the user looks more often than needed"),
        pytest.param(MAX_UJ, 3600.0, 131.07, id="an hour is too long for any range"),
    ],
)
def test_the_counter_is_read_twice_before_it_can_wrap(tmp_path, max_uj, interval_s, period_s):
    with opened(tmp_path, {"intel-rapl:0": ("package-0", 5, max_uj)}) as reader:
        assert reader.period_s(interval_s) == pytest.approx(period_s, rel=1e-3)


def test_a_counter_denied_by_the_kernel_is_told_with_the_way_out(bench, home, program):
    """Through the fake kernel: the file is there, and opening it says EACCES even to root."""
    from fakes.meters import SCENARIOS

    code = "from wattermark.readers.rapl import RaplReader; RaplReader()"
    done = program(code, env=SCENARIOS["denied"](bench).env(home))
    assert "ReaderUnavailable" in done.stderr
    assert "run: sudo chmod a+r" in done.stderr
