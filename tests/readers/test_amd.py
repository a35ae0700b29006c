"""AMD GPUs through a library of AMD SMI's interface, alone and beside the kernel's sensors."""

import time
from pathlib import Path

import pytest

from fakes.tree import chip
from fakes.tree import driver as kernel
from readers.together import gpus, metered
from wattermark.errors import ReaderUnavailable
from wattermark.readers.amd import AmdReader
from wattermark.readers.hwmon import HwmonReader
from wattermark.values.units import BASE_PER_RAW

W = 1_000_000  # microwatts
TOLD = 15.3  # what the library says that one count is
FIRST, SECOND, THIRD = (f"0000:0{i}:00.0" for i in (3, 4, 5))
GPUS = ("ROCR_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "CUDA_VISIBLE_DEVICES")


@pytest.fixture
def driver(libs, tmp_path, monkeypatch):
    """The library, and what sets its processors: watts, PCI address, counter, resolution."""
    spec = tmp_path / "amdsmi.spec"
    monkeypatch.setenv("FAKE_AMDSMI_SPEC", str(spec))
    for variable in GPUS:
        monkeypatch.delenv(variable, raising=False)

    def set_to(*rows):
        full = [(*row, *("counts", TOLD)[len(row) - 2 :]) for row in rows]
        lines = [f"{w} {at} uuid-{i} {does} {told}\n" for i, (w, at, does, told) in enumerate(full)]
        spec.write_text("".join(lines))
        kernel(tmp_path, "amdgpu", FIRST)
        return str(libs / "libamd_smi.so")

    return set_to


@pytest.fixture
def opened(driver, tmp_path):
    return lambda *rows: AmdReader(driver(*rows), tmp_path / "class/hwmon", tmp_path / "bus/pci/drivers")


def sensor(tmp_path, number, place, watts, **files):
    """The kernel's sensor of the same card."""
    return chip(tmp_path, number, "amdgpu", place, power1_average=watts * W, **files)


def places(reader):
    return [c.name.removeprefix("gpu/") for c in reader.channels]


# ------------------------------------------------------------------ the reader
def test_what_a_card_counts_is_kept_as_it_is(opened):
    reader = opened((600, FIRST), (300, SECOND))
    assert [(c.name, c.covers, c.kind, c.unit, c.uuid) for c in reader.channels] == [
        (f"gpu/{FIRST}", f"gpu/{FIRST}", "counter", "2^-16 J", "uuid-0"),
        (f"gpu/{SECOND}", f"gpu/{SECOND}", "counter", "2^-16 J", "uuid-1"),
    ]
    began_s, first = time.monotonic(), reader.read()
    time.sleep(0.05)
    later_s, second = time.monotonic(), reader.read()
    for i, watts in enumerate((600, 300)):
        energy_j = (second[i] - first[i]) * BASE_PER_RAW["2^-16 J"]
        assert energy_j == pytest.approx(watts * (later_s - began_s), rel=0.1)
    assert reader.period_s(10) == 10


def test_counts_become_joules_without_a_rounding():
    """A year of a kilowatt, and one count more."""
    counts = 1000 * 31_536_000 * 2**16
    year_j = counts * BASE_PER_RAW["2^-16 J"]
    assert year_j == 31_536_000_000
    assert (counts + 1) * BASE_PER_RAW["2^-16 J"] - year_j == 1 / 65_536


@pytest.mark.parametrize("place", ["0000:c1:00.0", "0001:03:1f.7", "10000:81:10.0"])
def test_a_card_is_known_by_its_place_on_the_bus(opened, tmp_path, place):
    """As the kernel writes it, so that its sensor is found."""
    sensor(tmp_path, 0, place, 300, device__product_name="Instinct MI210")
    assert [(c.name, c.device) for c in opened((300, place)).channels] == [(f"gpu/{place}", "Instinct MI210")]


@pytest.mark.parametrize(
    ("told", "unit"),
    [
        pytest.param(15.3, "2^-16 J", id="rounded, as the library has it"),
        pytest.param(15.259, "2^-16 J", id="as the driver has it"),
        pytest.param(1.0, "uJ", id="microjoules"),
        pytest.param(1000.0, "mJ", id="millijoules"),
        pytest.param(15.9, None, id="something else"),
        pytest.param(0.0, None, id="nothing"),
    ],
)
def test_a_unit_that_nobody_knows_is_not_guessed(opened, told, unit):
    if unit:
        assert opened((600, FIRST, "counts", told)).channels[0].unit == unit
    else:
        with pytest.raises(ReaderUnavailable, match="no AMD GPU"):
            opened((600, FIRST, "counts", told))


@pytest.mark.parametrize("does", ["none", "ones"])
def test_a_card_without_a_counter_is_left_to_the_kernels_sensor(opened, does):
    assert places(opened((600, FIRST, does), (300, SECOND))) == [SECOND]
    with pytest.raises(ReaderUnavailable, match="energy counter of its own"):
        opened((600, FIRST, does))


def test_an_apu_is_left_to_the_kernels_sensor(opened, tmp_path):
    """An MI300A's counter holds processors; an MI300X beside it is a GPU, whole, and not half of a pair."""
    sensor(tmp_path, 0, FIRST, 550, device__device="0x74a0")
    sensor(tmp_path, 1, SECOND, 700, device__device="0x74a1", device__product_name="Instinct MI300X")
    sensor(tmp_path, 2, THIRD, 700, device__device="0x74a1")
    reader = opened((550, FIRST), (700, SECOND), (700, THIRD))
    assert places(reader) == [SECOND, THIRD]
    assert None not in reader.read()
    assert [(c.share, c.device) for c in reader.channels] == [(1.0, "Instinct MI300X"), (1.0, "AMD GPU")]


def test_the_second_die_of_a_pair_tells_nothing_not_none(opened):
    first, second = opened((500, FIRST), (0, SECOND, "zero")).read()
    assert first > 0 and second is None


def test_one_that_is_lost_is_a_gap_and_the_others_are_not(opened, driver):
    reader = opened((600, FIRST), (300, SECOND))
    driver((600, FIRST, "lost"), (300, SECOND))
    lost, there = reader.read()
    assert lost is None and there > 0
    driver((600, FIRST), (300, SECOND))
    assert None not in reader.read()


def test_one_that_is_lost_at_the_start_has_a_counter_when_it_is_back(opened, driver):
    reader = opened((600, FIRST, "lost"))
    assert reader.read() == [None]
    driver((600, FIRST))
    assert reader.channels[0].unit == "2^-16 J" and None not in reader.read()


PARTITIONS = (
    (750, FIRST),
    (750, "0000:03:00.1"),
    (750, "0000:03:00.2"),
    (750, "0000:03:00.3"),
    (700, SECOND),
)


@pytest.mark.parametrize(
    ("environ", "shares"),
    [
        pytest.param({}, {FIRST: 1, SECOND: 1}, id="four partitions of one card, counted once"),
        pytest.param({"ROCR_VISIBLE_DEVICES": "1,2"}, {FIRST: 0.5}, id="two of its partitions"),
        pytest.param({"ROCR_VISIBLE_DEVICES": "4,3"}, {SECOND: 1, FIRST: 0.25}, id="a card, and a partition"),
        pytest.param({"HIP_VISIBLE_DEVICES": "4"}, {SECOND: 1}, id="HIP's list"),
        pytest.param({"ROCR_VISIBLE_DEVICES": "GPU-feed"}, {SECOND: 1}, id="by its unique id"),
        pytest.param(
            {"ROCR_VISIBLE_DEVICES": "3,4", "CUDA_VISIBLE_DEVICES": "1"}, {SECOND: 1}, id="one of the other"
        ),
    ],
)
def test_only_what_the_program_may_see_is_read(opened, tmp_path, monkeypatch, environ, shares):
    sensor(tmp_path, 0, SECOND, 700, device__unique_id="feed")
    for variable, value in environ.items():
        monkeypatch.setenv(variable, value)
    channels = opened(*PARTITIONS).channels
    assert {c.name.removeprefix("gpu/"): c.share for c in channels} == shares
    assert [sum(c.slices.values()) for c in channels] == [0 if c.share == 1 else c.share for c in channels]


@pytest.mark.parametrize("value", ["", "-1", "7"])
def test_nothing_to_see_is_told(opened, monkeypatch, value):
    monkeypatch.setenv("ROCR_VISIBLE_DEVICES", value)
    with pytest.raises(ReaderUnavailable, match="may be seen"):
        opened((600, FIRST))


def test_no_driver_is_told(opened, libs, tmp_path):
    drivers = kernel(tmp_path, "amdgpu", FIRST)
    with pytest.raises(ReaderUnavailable, match="no AMD SMI library"):
        AmdReader("/nowhere/libamd_smi.so", drivers=drivers)
    with pytest.raises(ReaderUnavailable, match="does not start"):
        opened()
    with pytest.raises(ReaderUnavailable, match="too old: it has no amdsmi_get_energy_count"):
        AmdReader(str(libs / "libhlml.so"), drivers=drivers)


def test_the_library_is_not_loaded_where_no_driver_holds_an_amd_gpu(driver, tmp_path):
    """An image with ROCm on a machine without such a GPU; a driver that is loaded and holds none."""
    library = driver((600, FIRST))
    with pytest.raises(ReaderUnavailable, match="no AMD GPU here"):
        AmdReader(library, drivers=tmp_path)
    with pytest.raises(ReaderUnavailable, match="no AMD GPU here"):
        AmdReader(library, drivers=kernel(tmp_path / "other", "amdgpu"))


# ------------------------------------------------------------------ the energy of a run
@pytest.fixture
def measured(driver, tmp_path):
    """A run that AMD SMI and the kernel's sensors meter together, and its footprint."""

    def run(*rows, between=lambda: None):
        library, root, drivers = driver(*rows), tmp_path / "class/hwmon", tmp_path / "bus/pci/drivers"
        openers = {"amd": lambda: AmdReader(library, root, drivers), "hwmon": lambda: HwmonReader(root)}
        return metered(openers, tmp_path / "runs", between)

    return run


def flags(footprint, word):
    return [flag for flag in footprint.flags if flag.startswith(word)]


def test_cards_add_up_and_are_counted_once(measured, tmp_path):
    cards = [(100 * (i + 1), f"0000:{i + 1:02x}:00.0") for i in range(8)]
    for number, (watts, place) in enumerate(cards):
        sensor(tmp_path, number, place, watts)
    footprint = measured(*cards)
    found = gpus(footprint)
    assert list(found) == [place for _, place in cards]
    assert {one.how for one in found.values()} == {"energy counter"}
    total_j = sum(one.energy_j.best for one in found.values())
    assert total_j == pytest.approx(3600 * footprint.duration_s, rel=0.1)
    assert not flags(footprint, "counter-doubted")


@pytest.mark.parametrize("does", ["frozen", "slow", "zero", "lost"])
def test_a_counter_that_cannot_be_true_is_told_and_power_is_used(measured, tmp_path, does):
    sensor(tmp_path, 0, FIRST, 300)
    sensor(tmp_path, 1, SECOND, 200)
    footprint = measured((300, FIRST, does), (200, SECOND))
    found = gpus(footprint)
    assert found[FIRST].energy_j.best == pytest.approx(300 * footprint.duration_s, rel=0.1)
    assert found[FIRST].how == "power samples, each held until the next" and found[FIRST].counted
    assert found[SECOND].how == "energy counter"
    (told,) = flags(footprint, "counter-doubted")
    assert told.startswith(f"counter-doubted: gpu/{FIRST}: its energy counter ")


def test_one_that_is_lost_for_a_while_misses_nothing(measured, driver, tmp_path):
    sensor(tmp_path, 0, FIRST, 300)
    footprint = measured(
        (300, FIRST),
        between=lambda: (driver((300, FIRST, "lost")), time.sleep(0.1), driver((300, FIRST))),
    )
    (card,) = gpus(footprint).values()
    assert card.how == "energy counter"
    assert card.energy_j.best == pytest.approx(300 * footprint.duration_s, rel=0.1)


def test_the_second_die_of_a_pair_is_a_gap(measured, tmp_path):
    sensor(tmp_path, 0, FIRST, 500)
    sensor(tmp_path, 1, SECOND, 0)
    footprint = measured((500, FIRST), (0, SECOND, "zero"))
    found = gpus(footprint)
    assert found[FIRST].energy_j.best == pytest.approx(500 * footprint.duration_s, rel=0.1)
    assert found[SECOND].energy_j is None and found[SECOND].quality == "missing"


def test_a_partition_is_charged_with_its_part(measured, monkeypatch):
    monkeypatch.setenv("ROCR_VISIBLE_DEVICES", "1")
    footprint = measured(*PARTITIONS)
    (card,) = gpus(footprint).values()
    assert card.energy_j.best == pytest.approx(750 / 4 * footprint.duration_s, rel=0.1)
    assert flags(footprint, "note: ") == [f"note: gpu/{FIRST}: a partition: 25% of the GPU's energy is taken"]


def test_other_cards_are_read_by_the_kernels_sensor_all_the_same(measured, tmp_path):
    """AMD SMI counts one card, the kernel tells an old one's power and an Intel card's energy."""
    sensor(tmp_path, 0, FIRST, 300)
    sensor(tmp_path, 1, SECOND, 200)
    chip(tmp_path, 2, "xe", THIRD, energy1_input=5)
    counter = tmp_path / "class/hwmon/hwmon2/energy1_input"
    footprint = measured((300, FIRST), (200, SECOND, "none"), between=lambda: counter.write_text("7000005\n"))
    found = gpus(footprint)
    assert {place: one.how for place, one in found.items()} == {
        FIRST: "energy counter",
        SECOND: "power samples, each held until the next",
        THIRD: "energy counter",
    }
    assert found[SECOND].energy_j.best == pytest.approx(200 * footprint.duration_s, rel=0.1)
    assert found[THIRD].energy_j.best == pytest.approx(7)


def test_opening_and_reading_print_nothing(driver, program, home):
    library = driver((600, FIRST))
    drivers = kernel(Path(home["HOME"]), "amdgpu", FIRST)
    code = (
        "from pathlib import Path; from wattermark.readers.amd import AmdReader; "
        f"AmdReader({library!r}, drivers=Path({str(drivers)!r})).read()"
    )
    spec = home["HOME"] + "/amdsmi.spec"
    done = program(code, env={**home, "FAKE_AMDSMI_SPEC": spec})
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
