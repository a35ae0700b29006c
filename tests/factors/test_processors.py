"""A processor's power by its whole name, or else as usual: nothing near is ever taken for it."""

import pytest

from wattermark.factors.processors import USUAL, cpu_power, plain_name, tdp_of
from wattermark.factors.table import named, table


@pytest.mark.parametrize(
    ("model", "tdp_w"),
    [
        pytest.param("AMD EPYC 7742 64-Core Processor", 225, id="AMD, with its cores"),
        pytest.param("AMD EPYC 7R13 Processor", 225, id="AMD, a cloud's own"),
        pytest.param("AMD EPYC 7B12", 240, id="AMD, without anything behind"),
        pytest.param("AMD Opteron(tm) Processor 6276", 115, id="the word before the number"),
        pytest.param("AMD Ryzen Threadripper PRO 5995WX 64-Cores", 280, id="cores in the plural"),
        pytest.param("Intel(R) Xeon(R) Platinum 8280 CPU @ 2.70GHz", 205, id="Intel, with its clock"),
        pytest.param("Intel(R) Xeon(R) CPU E5-2699 v4 @ 2.20GHz", 145, id="Intel, a version is a part of it"),
        pytest.param("Intel(R) Xeon(R) CPU E5-2670 0 @ 2.60GHz", 115, id="the first E5 end in a nought"),
        pytest.param("Intel(R) Xeon(R) CPU           X5670  @ 2.93GHz", 95, id="blanks between"),
        pytest.param("INTEL(R) XEON(R) PLATINUM 8581V", 270, id="capitals"),
        pytest.param("13th Gen Intel(R) Core(TM) i9-13900K", 125, id="a generation before it"),
        pytest.param("Intel(R) Core(TM) i9-10900X X-series Processor", 165, id="a series behind it"),
        pytest.param("AMD EPYC", None, id="a virtual machine's AMD EPYC is no 7232P"),
        pytest.param("AMD EPYC Processor", None, id="nor is this"),
        pytest.param("Intel(R) Xeon(R) CPU @ 2.20GHz", None, id="a cloud's Xeon of no number"),
        pytest.param("Intel Xeon Processor (Skylake, IBRS)", None, id="QEMU's"),
        pytest.param("Intel(R) Xeon(R) CPU E5-2699 v5 @ 2.20GHz", None, id="a version that never was"),
        pytest.param(
            "Intel(R) Xeon(R) CPU E5-2699", None, id="no version, where the table has only versions"
        ),
        pytest.param("AMD EPYC 77", None, id="the beginning of a number"),
        pytest.param("AMD EPYC 77422", None, id="a number and more"),
        pytest.param("QEMU Virtual CPU version 2.5+", None, id="no processor"),
        pytest.param("", None, id="no name"),
    ],
)
def test_a_tdp_belongs_to_a_whole_name(model, tdp_w):
    assert tdp_of(model) == tdp_w


def test_every_name_of_the_table_finds_its_own_row():
    for row in table("cpu_tdp"):
        assert tdp_of(row["name"]) == float(row["tdp_w"]), row["name"]


@pytest.mark.parametrize("name", ["", "AMD", "amd epyc 7742"])
def test_a_plain_name_stays_as_it_is(name):
    assert plain_name(plain_name(name)) == name.lower()


EPYC, XEON = "AMD EPYC 7742 64-Core Processor", "Intel(R) Xeon(R) Platinum 8280 CPU @ 2.70GHz"


@pytest.mark.parametrize(
    ("model", "machine", "shared"),
    [
        pytest.param(EPYC, {"sockets": 2, "logical_cpus": 256}, 128, id="two sockets"),
        pytest.param(EPYC, {"sockets": 1, "logical_cpus": 64}, 64, id="without hyperthreads"),
        pytest.param(
            EPYC, {"sockets": 1, "virtual": True, "logical_cpus": 8}, 128,
            id="eight of a virtual machine: the name tells the cores",
        ),
        pytest.param(EPYC, {"sockets": 0, "logical_cpus": 8}, 128, id="a record that knew no sockets"),
        pytest.param(XEON, {"sockets": 2, "logical_cpus": 112}, 56, id="Intel on bare metal"),
        pytest.param(
            XEON, {"sockets": 1, "virtual": True, "logical_cpus": 8}, None,
            id="Intel in a virtual machine: nobody knows how many share it",
        ),
        pytest.param("AMD EPYC", {"sockets": 1, "logical_cpus": 8}, None, id="a name that is not known"),
        pytest.param("", {"sockets": 0, "logical_cpus": 1}, None, id="nothing is known"),
    ],
)  # fmt: skip
def test_logical_cpus_share_the_power_of_their_package(model, machine, shared):
    idle, full = cpu_power(model, **{"virtual": False, **machine})
    if shared is None:
        assert (idle.key, full.key) == (USUAL, USUAL)
        assert full == named("defaults", "cpu_full_w_per_logical_cpu")
        assert full.value.high >= 5 * full.value.low, "wide, as nothing is known"
        return
    for factor, load in ((idle, "idle"), (full, "full")):
        over_tdp = named("cpu_fit", f"cpu_{load}_over_tdp").value
        expected = [end * tdp_of(model) / shared for end in over_tdp.ends]
        assert list(factor.value.ends) == pytest.approx(expected)
        assert factor.name == f"cpu_{load}_w_per_logical_cpu"
        assert factor.source == "specpower+codecarbon+ours"
        assert plain_name(model) in factor.key and f"{shared} logical CPUs" in factor.key


def test_processors_that_differ_have_errors_of_their_own_and_one_of_a_kind_has_one():
    here = [cpu_power(EPYC, sockets=2, virtual=False, logical_cpus=256)[1] for _ in range(2)]
    other = cpu_power(XEON, sockets=2, virtual=False, logical_cpus=112)[1]
    assert here[0].identity == here[1].identity != other.identity


def test_what_is_known_lies_within_what_is_taken_for_the_unknown():
    """The usual interval must hold most real processors, or falling back would be falling short."""
    usual = named("defaults", "cpu_full_w_per_logical_cpu").value
    servers = {"AMD EPYC 7742": 64, "AMD EPYC 9654": 96, "Intel Xeon Platinum 8280": 28}
    for model, cores in servers.items():
        full = cpu_power(model, sockets=1, virtual=False, logical_cpus=2 * cores)[1]
        assert usual.low <= full.value.best <= usual.high
