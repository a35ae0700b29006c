"""Intel GPUs through a library of Level Zero's interface, alone and after the kernel's sensors."""

import time
from pathlib import Path

import pytest

from fakes.tree import chip
from fakes.tree import driver as kernel
from readers.together import gpus, metered
from wattermark.errors import ReaderUnavailable
from wattermark.readers.hwmon import HwmonReader
from wattermark.readers.level_zero import LevelZeroReader

FIRST, SECOND, THIRD = (f"0000:0{i}:00.0" for i in (3, 4, 5))
USUAL = ("Arc", 1, "card", "counts")


@pytest.fixture
def driver(libs, tmp_path, monkeypatch):
    """The library, and what sets its devices: watts, PCI address, model, tiles, domains, counter."""
    spec = tmp_path / "ze.spec"
    monkeypatch.setenv("FAKE_ZE_SPEC", str(spec))

    def set_to(*rows):
        full = [(*row, *USUAL[len(row) - 2 :]) for row in rows]
        spec.write_text("".join(" ".join(map(str, row)) + "\n" for row in full))
        kernel(tmp_path, "xe", *(row[1] for row in full), FIRST)
        return str(libs / "libze_loader.so.1")

    return set_to


@pytest.fixture
def opened(driver, tmp_path):
    return lambda *rows, **environ: LevelZeroReader(driver(*rows), environ, tmp_path / "bus/pci/drivers")


def shares(reader):
    """The part of each card that is ours; of its slices it is the sum."""
    for channel in reader.channels:
        assert sum(channel.slices.values()) == (channel.share if channel.share < 1 else 0)
    return {c.name.removeprefix("gpu/"): c.share for c in reader.channels}


def power_w(reader):
    began_s, first = time.monotonic(), reader.read()
    time.sleep(0.1)
    later_s, second = time.monotonic(), reader.read()
    return [(b - a) / 1e6 / (later_s - began_s) for a, b in zip(first, second, strict=True)]


@pytest.mark.parametrize(
    ("device", "name"),
    [
        pytest.param((150, FIRST, "Arc-A770", 1, "card"), "Arc-A770", id="the card's own"),
        pytest.param((600, FIRST, "Max-1550", 2, "card"), "Max-1550", id="which holds its tiles'"),
        pytest.param((150, FIRST, "unknown", 1, "package"), "Intel GPU", id="one that is not a tile's"),
        pytest.param((600, FIRST, "Max-1550", 2, "tiles"), "Max-1550", id="else the first of each tile"),
    ],
)
def test_a_card_is_counted_whole_and_once(opened, device, name):
    reader = opened(device)
    (channel,) = reader.channels
    assert (channel.name, channel.covers, channel.unit) == (f"gpu/{FIRST}", f"gpu/{FIRST}", "uJ")
    assert channel.device == name
    assert power_w(reader) == [pytest.approx(device[0], rel=0.1)]
    assert reader.period_s(10) == 10


TILES = ((600, FIRST, "Max", 2), (600, SECOND, "Max", 2), (150, THIRD))


@pytest.mark.parametrize(
    ("mask", "hierarchy", "seen"),
    [
        pytest.param(None, None, {FIRST: 1, SECOND: 1, THIRD: 1}, id="no mask"),
        pytest.param("", None, {FIRST: 1, SECOND: 1, THIRD: 1}, id="an empty one"),
        pytest.param("4", None, {THIRD: 1}, id="flat: each tile has a number of its own"),
        pytest.param("0,1,2", "FLAT", {FIRST: 1, SECOND: 0.5}, id="flat, said"),
        pytest.param("3", "COMBINED", {SECOND: 0.5}, id="combined counts as flat does"),
        pytest.param("1", "COMPOSITE", {SECOND: 1}, id="composite: a card"),
        pytest.param("0.1, 2", "COMPOSITE", {FIRST: 0.5, THIRD: 1}, id="composite: a tile, and a card"),
        pytest.param("1,9,1", "COMPOSITE", {SECOND: 1}, id="one that is not there, one twice"),
    ],
)
def test_only_what_the_program_may_see_is_read(opened, mask, hierarchy, seen):
    environ = {"ZE_AFFINITY_MASK": mask, "ZE_FLAT_DEVICE_HIERARCHY": hierarchy}
    assert (
        shares(opened(*TILES, **{key: value for key, value in environ.items() if value is not None})) == seen
    )


@pytest.mark.parametrize(
    ("device", "why"),
    [
        pytest.param((10, FIRST, "NPU"), "no Intel GPU", id="no GPU"),
        pytest.param((10, FIRST, "UHD"), "no Intel GPU", id="it lies in the processor's package"),
        pytest.param((10, FIRST, "Iris", 1, "none"), "no Intel GPU", id="no power domain"),
        pytest.param((150, FIRST, "Arc", 1, "card", "none"), "no Intel GPU", id="no counter"),
        pytest.param((150, FIRST, "Arc", 1, "card", "denied"), "read by root only", id="not for us"),
    ],
)
def test_a_device_that_tells_nothing_is_left_out(opened, device, why):
    with pytest.raises(ReaderUnavailable, match=why):
        opened(device)
    assert shares(opened(device, (150, SECOND))) == {SECOND: 1}


def test_nothing_to_see_is_told(opened):
    with pytest.raises(ReaderUnavailable, match="may be seen"):
        opened((150, FIRST), ZE_AFFINITY_MASK="7")


def test_the_library_is_not_loaded_where_the_kernel_tells_all(driver, tmp_path):
    """A card with a sensor, and the processor's own GPU beside it; without a driver there is no card."""
    library, drivers = driver((150, FIRST)), tmp_path / "bus/pci/drivers"
    kernel(tmp_path, "i915", "0000:00:02.0")
    chip(tmp_path, 0, "xe", FIRST, energy1_input=5)
    with pytest.raises(ReaderUnavailable, match="hwmon reads these"):
        LevelZeroReader(library, {}, drivers)
    with pytest.raises(ReaderUnavailable, match="hwmon reads these"):
        LevelZeroReader(library, {}, tmp_path / "nowhere")
    kernel(tmp_path, "xe", SECOND)
    assert shares(LevelZeroReader(library, {}, drivers)) == {FIRST: 1}


def test_no_driver_is_told(opened, libs, tmp_path):
    drivers = kernel(tmp_path, "xe", FIRST)
    with pytest.raises(ReaderUnavailable, match="no Level Zero library"):
        LevelZeroReader("/nowhere/libze_loader.so.1", drivers=drivers)
    with pytest.raises(ReaderUnavailable, match="does not start"):
        opened()
    with pytest.raises(ReaderUnavailable, match="too old: it has no zesInit"):
        LevelZeroReader(str(libs / "libhlml.so"), drivers=drivers)


def test_one_that_is_lost_is_a_gap_and_the_others_are_not(opened, driver):
    reader = opened((150, FIRST, "Arc", 1, "card", "lost"), (100, SECOND))
    lost, there = reader.read()
    assert lost is None and there > 0
    driver((150, FIRST), (100, SECOND))
    assert None not in reader.read()


def test_a_card_of_which_one_tile_is_lost_does_not_count_the_other_for_both(opened):
    assert opened((600, FIRST, "Max", 2, "tiles", "half")).read() == [None]


# ------------------------------------------------------------------ the energy of a run
@pytest.fixture
def measured(driver, tmp_path):
    """A run that the kernel's sensors meter, and Level Zero where these may not be read."""

    def run(*rows, between=lambda: None):
        library, root, drivers = driver(*rows), tmp_path / "class/hwmon", tmp_path / "bus/pci/drivers"
        openers = {
            "hwmon": lambda: HwmonReader(root),
            "level_zero": lambda: LevelZeroReader(library, {}, drivers),
        }
        return metered(openers, tmp_path / "runs", between)

    return run


def test_cards_add_up(measured):
    footprint = measured((150, FIRST), (100, SECOND), (600, THIRD, "Max", 2, "tiles"))
    found = gpus(footprint)
    assert list(found) == [FIRST, SECOND, THIRD]
    total_j = sum(one.energy_j.best for one in found.values())
    assert total_j == pytest.approx(850 * footprint.duration_s, rel=0.1)


def test_a_card_that_the_kernel_tells_is_not_counted_again(measured, tmp_path):
    """The second card's sensor may not be read: Level Zero tells it, once, and nothing is missing."""
    chip(tmp_path, 0, "xe", FIRST, energy1_input=5)
    (chip(tmp_path, 1, "xe", SECOND) / "energy1_input").mkdir()
    counter = tmp_path / "class/hwmon/hwmon0/energy1_input"
    footprint = measured((150, FIRST), (100, SECOND), between=lambda: counter.write_text("7000005\n"))
    cards = [one for one in footprint.components if one.kind == "gpu"]
    assert [one.name for one in cards] == [f"gpu/{FIRST}", f"gpu/{SECOND}"]
    found = gpus(footprint)
    assert found[FIRST].energy_j.best == pytest.approx(7)
    assert found[SECOND].energy_j.best == pytest.approx(100 * footprint.duration_s, rel=0.1)
    said = [flag for flag in footprint.flags if "gpu/" in flag and not flag.startswith("whole: ")]
    assert all(flag.startswith(f"disagree: gpu/{FIRST}") for flag in said)  # in a run that is long enough


def test_a_counter_that_falls_for_a_moment_misses_nothing(measured, driver):
    dips = ((150, FIRST, "Arc", 1, "card", "dip"),)
    footprint = measured(
        (150, FIRST),
        between=lambda: (driver(*dips), time.sleep(0.05), driver((150, FIRST))),
    )
    (card,) = gpus(footprint).values()
    assert card.energy_j.best == pytest.approx(150 * footprint.duration_s, rel=0.1)


def test_opening_and_reading_print_nothing(driver, program, home):
    library = driver((150, FIRST))
    drivers = Path(home["HOME"]) / "bus/pci/drivers"
    code = (
        "from pathlib import Path; from wattermark.readers.level_zero import LevelZeroReader; "
        f"LevelZeroReader({library!r}, drivers=Path({str(drivers)!r})).read()"
    )
    done = program(code, env={**home, "FAKE_ZE_SPEC": home["HOME"] + "/ze.spec"})
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
