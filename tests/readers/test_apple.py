"""Apple silicon through a library of IOReport's interface whose energies are known."""

import ctypes
import itertools
import sys
import time

import pytest

import wattermark as wm
from readers.together import rows_of
from wattermark.errors import ReaderUnavailable
from wattermark.readers.apple import AppleReader, blocks_of

BY_HAND = 1e12  # a period that never ends: a counter shows its start, until the file says otherwise


@pytest.fixture
def chip(libs, tmp_path, monkeypatch):
    """The libraries, and what sets the channels: unit, watts, start, period, name."""
    return rows_of(libs / "libIOReport.so", tmp_path / "ioreport.spec", "FAKE_IOREPORT_SPEC", monkeypatch)


@pytest.fixture
def live(libs):
    """How many objects of Core Foundation are left."""
    return ctypes.CDLL(str(libs / "libIOReport.so")).fake_live


def named(*names, unit="mJ"):
    return {name: unit for name in names}


M1_MAX = named(
    "EACC_CPU0", "EACC_CPU", "EACC_CPM", "PACC0_CPU0", "PACC1_CPU", "CPU Energy", "GPU0", "GPU SRAM0",
    "ANE0", "DRAM0", "DCS0", "AMCC0", "PCIe Port 0 Energy",
) | named("GPU Energy", unit="nJ")  # fmt: skip
ULTRA = named(
    "DIE_0_EACC_CPU", "DIE_0_CPU Energy", "DIE_1_CPU Energy", "GPU0_0", "GPU SRAM0_0", "GPU Energy",
    "ANE0_0", "ANE0_1", "DRAM0_0", "DRAM0_1", "DCS0_0",
)  # fmt: skip


@pytest.mark.parametrize(
    ("channels", "read"),
    [
        pytest.param(
            M1_MAX, {"cpu": ["CPU Energy"], "gpu": ["GPU Energy", "ANE0"], "dram": ["DRAM0"]}, id="an M1 Max"
        ),
        pytest.param(
            named("ECPU0", "PCPU5", "PCPM", "CPU Energy", "GPU SRAM", "ANE", "DRAM", "GPU Energy"),
            {"cpu": ["CPU Energy"], "gpu": ["GPU Energy", "ANE"], "dram": ["DRAM"]},
            id="an M3 Pro numbers nothing",
        ),
        pytest.param(
            ULTRA,
            {
                "cpu": ["DIE_0_CPU Energy", "DIE_1_CPU Energy"],
                "gpu": ["GPU Energy", "ANE0_0", "ANE0_1"],
                "dram": ["DRAM0_0", "DRAM0_1"],
            },
            id="an Ultra tells its dies apart",
        ),
        pytest.param(
            ULTRA | named("CPU Energy", "ANE", "DRAM0"),
            {"cpu": ["CPU Energy"], "gpu": ["GPU Energy", "ANE"], "dram": ["DRAM0"]},
            id="dies beside the whole chip are not added to it",
        ),
        pytest.param(
            named("CPU Energy", "GPU SRAM0", "ANE0_SRAM", "ANE0DTL00", "DRAM0_SRAM", "MCPU Energy X"),
            {"cpu": ["CPU Energy"]},
            id="what only looks like a total",
        ),
        pytest.param(
            named("CPU Energy", unit="mW") | named("DRAM0", unit="24Mticks") | named("ANE", unit="uJ"),
            {"gpu": ["ANE"]},
            id="a unit that is none of energy",
        ),
        pytest.param({}, {}, id="nothing"),
    ],
)
def test_of_each_block_its_widest_total_is_read_and_nothing_that_lies_in_it(channels, read):
    chosen = blocks_of(channels)
    found = {block.part: [n for n, b in chosen.items() if b.part is block.part] for block in chosen.values()}
    assert found == read


SOME = (
    ("mJ", 12, 1000, 0, "CPU Energy"),
    ("mJ", 5, 1000, 0, "EACC_CPU"),
    ("nJ", 8, 7, 0, "GPU Energy"),
    ("mJ", 1, 7, 0, "GPU SRAM0"),
    ("uJ", 2, 9, 0, "DRAM0"),
    ("mJ", 0, 0, 0, "ANE0"),
)


def test_counters_count_in_the_unit_that_each_tells(chip):
    reader = AppleReader(chip(*SOME))
    assert [(c.name, c.part, c.unit, c.kind) for c in reader.channels] == [
        ("soc/cpu", "cpu", "mJ", "counter"),
        ("soc/gpu", "gpu", "nJ", "counter"),
        ("soc/ane0", "gpu", "mJ", "counter"),
        ("soc/dram0", "dram", "uJ", "counter"),
    ]
    began_s, first = time.monotonic(), reader.read()
    time.sleep(0.1)
    later_s, second = time.monotonic(), reader.read()
    joules = [(b - a) / per_j for a, b, per_j in zip(first, second, (1e3, 1e9, 1e3, 1e6), strict=True)]
    assert joules == pytest.approx([w * (later_s - began_s) for w in (12, 8, 0, 2)], rel=0.05, abs=0.002)
    assert reader.period_s(10) == 10


def test_nothing_is_kept_of_a_look_and_all_is_released_in_the_end(chip, live):
    before = live()
    reader = AppleReader(chip(*SOME))
    opened = live()
    for _ in range(200):
        reader.read()
    assert live() == opened > before
    reader.close()
    reader.close()
    assert live() == before
    assert reader.read() == [None] * 4


def test_only_what_is_read_is_asked_for(chip, libs):
    """A group has hundreds of channels, and each costs a look."""
    reader = AppleReader(chip(*SOME, *(("mJ", 1, 5, 0, f"PCPUDTL{i}") for i in range(300))))
    reader.read()
    assert ctypes.CDLL(str(libs / "libIOReport.so")).fake_sampled() == len(reader.channels) == 4


def test_what_cannot_be_used_leaves_nothing_behind(chip, live):
    before = live()
    with pytest.raises(ReaderUnavailable, match="tells no energy"):
        AppleReader(chip(("mJ", 5, 1000, 0, "EACC_CPU"), ("mJ", 0, 0, 0, "ANE0")))
    with pytest.raises(ReaderUnavailable, match="tells no energy"):
        AppleReader(chip())
    assert live() == before


@pytest.mark.parametrize(
    ("shown", "told"),
    [
        pytest.param([5, 5, 5], [5, None, None], id="nothing new: not even that it was nothing"),
        pytest.param([5, 5, 9, 9, 12], [5, None, 9, 9, 12], id="published now and then"),
        pytest.param([5, 9, 9, 9, 9, 9, 9, 9, 12], [5, 9, 9, 9, 9, 9, None, None, 12], id="none for long"),
    ],
)
def test_a_counter_that_stands_still_for_want_of_a_publication_tells_nothing(chip, shown, told):
    """Looks a second apart; the GPU's own counter stands still as well, and that is what it used."""

    def rows(value):
        gpu = ("nJ", 0, 77, BY_HAND, "GPU Energy")
        return gpu, ("mJ", 0, value, BY_HAND, "CPU Energy"), ("mJ", 0, 3, BY_HAND, "DRAM0")

    seconds = itertools.count()
    reader = AppleReader(chip(*rows(shown[0])), clock=lambda: float(next(seconds)))
    looks = []
    for value in shown:
        chip(*rows(value))
        looks.append(reader.read())
    assert [cpu for cpu, _, _ in looks] == told
    assert [dram for _, _, dram in looks] == [None if cpu is None else 3 for cpu in told]
    assert [gpu for _, gpu, _ in looks] == [77] * len(shown)


def test_a_counter_that_never_counted_is_not_there_but_the_neural_engine_may_rest(chip):
    reader = AppleReader(
        chip(
            ("mJ", 0, 900, BY_HAND, "CPU Energy"),
            *(("mJ", 0, 0, BY_HAND, name) for name in ("GPU Energy", "DRAM", "ANE")),
        )
    )
    assert [c.name for c in reader.channels] == ["soc/cpu", "soc/ane"]
    assert reader.read() == [900, 0]


def test_an_invalid_number_is_a_gap_and_the_others_are_not(chip):
    reader = AppleReader(chip(("mJ", 1, 900, 0, "CPU Energy"), ("mJ", 1, 900, 0, "DRAM0")))
    reader.read()
    chip(("mJ", 1, -1, 0, "CPU Energy"), ("mJ", 1, 900, 0, "DRAM0"))
    cpu, dram = reader.read()
    assert cpu is None and dram > 0
    chip(("mJ", 1, 900, 0, "DRAM0"))
    assert reader.read()[0] is None
    chip()
    assert reader.read() == [None, None]


def test_where_it_cannot_be_is_told(chip, libs):
    if sys.platform != "darwin":
        with pytest.raises(ReaderUnavailable, match="no Mac"):
            AppleReader()
    there, _ = chip(*SOME)
    for libraries in (("/nowhere/libIOReport.dylib", there), (there, str(libs / "libhlml.so"))):
        with pytest.raises(ReaderUnavailable, match="cannot be used"):
            AppleReader(libraries)


def test_what_it_reads_becomes_energy(chip, tmp_path):
    """12 W, 8 W and 2 W for as long as it took. No accelerator was made for it: the GPU is the chip's."""
    reader = AppleReader(chip(*SOME))
    with wm.track(readers={"apple": reader}, ledger=tmp_path / "runs", interval=0.02, scope="machine") as run:
        time.sleep(0.3)
    footprint = run.footprint()
    found = {part.name: part for part in footprint.components}
    watts = {"soc/cpu": 12, "soc/gpu": 8, "soc/dram0": 2, "soc/ane0": 0}
    for name, w in watts.items():
        assert found[name].energy_j.best == pytest.approx(w * footprint.duration_s, rel=0.02, abs=0.002)
        assert (found[name].quality, found[name].counted) == ("measured", True)
    assert footprint.it_energy_j.best == pytest.approx(22 * footprint.duration_s, rel=0.02)
    assert not [factor for factor in footprint.factors if factor.name.startswith("embodied_device")]
    assert {"meter_other"} == {f.name for f in footprint.factors if f.name.startswith("meter_")}


def test_a_run_between_two_publications_is_not_said_to_have_used_nothing(chip, tmp_path):
    reader = AppleReader(chip(("mJ", 12, 1000, 3600, "CPU Energy"), ("nJ", 8, 7, 0, "GPU Energy")))
    with wm.track(readers={"apple": reader}, ledger=tmp_path / "runs", interval=0.02, scope="machine") as run:
        time.sleep(0.1)
    found = {part.name: part for part in run.footprint().components}
    assert found["soc/cpu"].quality == "missing" and found["soc/cpu"].energy_j is None
    assert found["soc/gpu"].quality == "measured"
