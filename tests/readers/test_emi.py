"""Windows' energy meters: their bytes, and a library of the calls that find and ask meters of known power."""

import ctypes
import struct
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

import wattermark as wm
from readers.together import rows_of
from wattermark.errors import ReaderUnavailable
from wattermark.readers.emi import EmiReader
from wattermark.readers.emi_layout import energies_of, names_of
from wattermark.readers.windows import devices_of
from wattermark.values.units import WRAP_64

J_PER_PWH = 3.6e-9
MAKER = "Contoso".encode("utf-16-le").ljust(32, b"\0") + "Meter".encode("utf-16-le").ljust(32, b"\0")


def text(name):
    return (name + "\0").encode("utf-16-le")


def alone(name, unit=0):
    """EMI_METADATA_V1, by hand."""
    return struct.pack("<i", unit) + MAKER + struct.pack("<HH", 1, len(text(name))) + text(name)


def several(*names, unit=0):
    """EMI_METADATA_V2, by hand: a channel follows the one before it at whatever byte that ends."""
    channels = (struct.pack("<iH", unit, len(text(name))) + text(name) for name in names)
    return MAKER + struct.pack("<HH", 1, len(names)) + b"".join(channels)


NAMES = st.lists(
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20), max_size=6
)


@given(NAMES, st.binary(max_size=8))
def test_names_come_back_in_order_whatever_they_are_and_whatever_follows(names, rest):
    assert names_of(several(*names) + rest, 2) == names
    for name in names:
        assert names_of(alone(name) + rest, 1) == [name]


@given(NAMES.filter(bool), st.data())
def test_a_byte_too_few_is_refused(names, data):
    for whole, version in ((several(*names), 2), (alone(names[0]), 1)):
        cut = data.draw(st.integers(0, len(whole) - 1))
        with pytest.raises(ValueError, match="are needed"):
            names_of(whole[:cut], version)


@pytest.mark.parametrize(
    ("metadata", "version", "says"),
    [
        pytest.param(alone("x", unit=1), 1, "unit 1", id="an unknown unit"),
        pytest.param(several("x", unit=7), 2, "unit 7", id="an unknown unit of a channel"),
        pytest.param(several("x"), 0, "version 0", id="no version"),
        pytest.param(several("x"), 3, "version 3", id="a version to come"),
    ],
)
def test_what_is_not_described_is_refused(metadata, version, says):
    with pytest.raises(ValueError, match=says):
        names_of(metadata, version)


@given(st.lists(st.integers(0, 2**64 - 1), max_size=8), st.integers(-3, 3).filter(bool))
def test_energies_are_whole_numbers_and_as_many_as_there_are_channels(energies, off):
    measured = b"".join(struct.pack("<QQ", energy, 123) for energy in energies)
    assert energies_of(measured, len(energies)) == energies
    with pytest.raises(ValueError, match="channels"):
        energies_of(measured, len(energies) + off)
    with pytest.raises(ValueError, match="channels"):
        energies_of(measured + b"x", len(energies))


@pytest.fixture
def windows(libs, tmp_path, monkeypatch):
    """The libraries, and what sets the channels: device, version, name, watts, start [J], state."""
    return rows_of(libs / "libemi.so", tmp_path / "emi.spec", "FAKE_EMI_SPEC", monkeypatch)


@pytest.fixture
def handles(libs):
    """How many devices are open."""
    return ctypes.CDLL(str(libs / "libemi.so")).fake_open_handles


def rail(device, name, watts=50, *, version=2, start=1000, state="ok"):
    return rf"\\?\ACPI#{device}", version, f"RAPL_{name}", watts, start, state


INTEL = tuple(
    rail("emi0", f"Package0_{part}", w) for part, w in (("PKG", 50), ("PP0", 30), ("PP1", 5), ("DRAM", 8))
)
AMD = (
    *(rail(f"core{i}", f"Package0_Core{i}_CORE", 4) for i in range(3)),
    rail("package", "Package0_PKG", 40),
)


@pytest.mark.parametrize(
    ("rows", "seen"),
    [
        pytest.param(INTEL, ["cpu/package-0", "dram/package-0"], id="the package holds cores and graphics"),
        pytest.param(AMD, ["cpu/package-0"], id="AMD: a device for each core, and one for the package"),
        pytest.param(
            [*INTEL, rail("emi1", "Package1_PKG", 60)],
            ["cpu/package-0", "dram/package-0", "cpu/package-1"],
            id="two sockets",
        ),
        pytest.param([rail("old", "Package0_PKG", version=1)], ["cpu/package-0"], id="version 1"),
        pytest.param(
            [rail("emi0", "Package0_PKG"), rail("emi0", "Package0_DRAM", state="zero")],
            ["cpu/package-0"],
            id="a rail that the processor has not stands at zero",
        ),
        pytest.param(
            [rail("emi0", "Package0_PKG"), rail("emi1", "Package0_PKG")],
            ["cpu/package-0"],
            id="once is enough",
        ),
        *(
            pytest.param(
                [rail("bad", "Package1_PKG", state=state), *AMD], ["cpu/package-0"], id=f"one that is {state}"
            )
            for state in ("denied", "lost", "short")
        ),
        pytest.param(
            [rail("new", "Package1_PKG", version=9), *AMD], ["cpu/package-0"], id="a version to come"
        ),
    ],
)
def test_packages_and_their_dram_are_read(windows, handles, rows, seen):
    before = handles()
    reader = EmiReader(windows(*rows))
    assert [c.name for c in reader.channels] == [c.covers for c in reader.channels] == seen
    assert None not in reader.read()
    assert handles() - before == len({name.rpartition("-")[2] for name in seen})  # a device a package
    reader.close()
    reader.close()
    assert handles() == before


def test_counters_count_picowatt_hours(windows):
    reader = EmiReader(windows(*INTEL))
    assert [(c.part, c.unit, c.kind) for c in reader.channels] == [
        ("cpu", "pWh", "counter"),
        ("dram", "pWh", "counter"),
    ]
    began_s, first = time.monotonic(), reader.read()
    time.sleep(0.1)
    later_s, second = time.monotonic(), reader.read()
    joules = [(b - a) * J_PER_PWH for a, b in zip(first, second, strict=True)]
    assert joules == pytest.approx([w * (later_s - began_s) for w in (50, 8)], rel=0.05)
    assert reader.period_s(10) == 10


def test_a_counter_beyond_what_is_kept_goes_round_and_its_difference_stays(windows):
    """At 2^62 picowatt-hours, after some years of a large server."""
    edge_j = WRAP_64 * J_PER_PWH
    reader = EmiReader(windows(rail("emi0", "Package0_PKG", 0, start=edge_j - 100)))
    below = reader.read()[0]
    windows(rail("emi0", "Package0_PKG", 0, start=edge_j + 100))
    above = reader.read()[0]
    assert 0 <= above < below < WRAP_64 == reader.channels[0].wrap
    assert (above - below) % WRAP_64 * J_PER_PWH == pytest.approx(200)


@pytest.mark.parametrize("state", ["lost", "short"])
def test_a_device_that_is_lost_is_a_gap_and_the_others_are_not(windows, state):
    second = rail("emi1", "Package1_PKG")
    reader = EmiReader(windows(*INTEL, second))
    windows(*((*row[:5], state) for row in INTEL), second)
    package, dram, other = reader.read()
    assert (package, dram) == (None, None) and other > 0
    windows(*INTEL, second)
    assert None not in reader.read()


def test_where_it_cannot_be_is_told(windows, libs):
    if sys.platform != "win32":
        with pytest.raises(ReaderUnavailable, match="no Windows"):
            EmiReader()
    for rows in ((), [rail("emi0", "Package0_PP0")], [rail("emi0", "Package0_PKG", state="denied")]):
        with pytest.raises(ReaderUnavailable, match="no energy meter"):
            EmiReader(windows(*rows))
    there, _ = windows(*INTEL)
    for libraries in (("/nowhere/cfgmgr32", there), (there, str(libs / "libhlml.so"))):
        with pytest.raises(ReaderUnavailable, match="cannot be used"):
            EmiReader(libraries)


def test_only_devices_of_the_kind_are_found(windows):
    assert devices_of("00000000-0000-0000-0000-000000000000", windows(*INTEL)) == []


def test_what_it_reads_becomes_energy(windows, tmp_path):
    """50 W of a package and 8 W of its DRAM for as long as it took; what lies in it is not added."""
    reader = EmiReader(windows(*INTEL))
    with wm.track(readers={"emi": reader}, ledger=tmp_path / "runs", interval=0.02, scope="machine") as run:
        time.sleep(0.3)
    footprint = run.footprint()
    found = {part.name: part for part in footprint.components}
    assert found["cpu/package-0"].energy_j.best == pytest.approx(50 * footprint.duration_s, rel=0.02)
    assert found["dram/package-0"].energy_j.best == pytest.approx(8 * footprint.duration_s, rel=0.02)
    assert footprint.it_energy_j.best == pytest.approx(58 * footprint.duration_s, rel=0.02)
    gains = {f.name for f in footprint.factors if f.name.startswith("meter_")}
    assert gains == {"meter_rapl_cpu", "meter_rapl_dram"}
