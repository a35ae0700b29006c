"""How much power a logical CPU takes where no counter tells: by its processor's TDP, or as usual."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache

from wattermark.factors.table import named, number, table
from wattermark.values.factors import Factor
from wattermark.values.range import Range

LOADS = ("idle", "full")
USUAL = "default"
"""The key of what is taken for a processor that is not known."""
THREADS_PER_CORE = 2
"""Of every AMD server processor that a cloud lends; Intel's names do not tell their cores."""
_CORES = re.compile(r"\b(\d+)-cores?\b")
_NOT_OF_THE_NAME = re.compile(
    r"\((?:r|tm)\)|[®™]|@.*|\b\d+(?:st|nd|rd|th) gen\b|\b(?:cpu|processor)\b|\(oem only\)|\bx-series\b"
)
_SAMPLE_0 = re.compile(r" 0$")
"""Intel's first E5 call themselves ``E5-2670 0``."""


def plain_name(model: str) -> str:
    """A processor's name without what makers and systems put around its model number.

    Parameters
    ----------
    model : str
        As ``/proc/cpuinfo`` or a data sheet tells it.

    Examples
    --------
    >>> plain_name("Intel(R) Xeon(R) CPU E5-2670 0 @ 2.60GHz")
    'intel xeon e5-2670'
    >>> plain_name("AMD EPYC 7742 64-Core Processor")
    'amd epyc 7742'
    """
    text = _CORES.sub(" ", _NOT_OF_THE_NAME.sub(" ", model.lower()))
    return _SAMPLE_0.sub("", " ".join(text.split()))


def tdp_of(model: str) -> float | None:
    """Thermal design power of a processor of our table; None where its whole name is not there. [W]

    Nothing is guessed: a VM that says ``AMD EPYC`` alone has no row. Nor is a row taken where two of
    one name disagree.

    Parameters
    ----------
    model : str
        As the system tells it.
    """
    return _tdps().get(plain_name(model))


@cache
def _tdps() -> dict[str, float]:
    found: dict[str, set[float]] = {}
    for row in table("cpu_tdp"):
        found.setdefault(plain_name(row["name"]), set()).add(number(row, "tdp_w"))
    return {name: tdps.pop() for name, tdps in found.items() if len(tdps) == 1}


def cpu_power(model: str, *, sockets: int, virtual: bool, logical_cpus: int) -> tuple[Factor, Factor]:
    """Power of one logical CPU at rest and at full load. [W]

    Parameters
    ----------
    model : str
        The processor's name, as the system tells it.
    sockets : int
        Of the machine; 0 where they are not known.
    virtual : bool
        Whether they are those of a virtual machine, which say nothing of the real ones.
    logical_cpus : int
        Of the machine.

    Returns
    -------
    tuple of Factor
        From the TDP where the name is in our table, and sockets, or cores in the name, say how many
        logical CPUs share it.
        Else those of a usual cloud machine, key ``default``, with a wide interval.
    """
    tdp_w = tdp_of(model)
    shared = _of_one_tdp(model, 0 if virtual else sockets, logical_cpus)
    idle, full = (named("defaults", f"cpu_{load}_w_per_logical_cpu") for load in LOADS)
    if tdp_w is None or shared is None:
        return idle, full
    return _by_tdp(idle, "idle", model, tdp_w, shared), _by_tdp(full, "full", model, tdp_w, shared)


def _of_one_tdp(model: str, sockets: int, logical_cpus: int) -> float | None:
    """How many logical CPUs one package has."""
    if sockets > 0:
        return logical_cpus / sockets
    cores = _CORES.search(model.lower())
    return float(cores[1]) * THREADS_PER_CORE if cores else None


def _by_tdp(usual: Factor, load: str, model: str, tdp_w: float, shared: float) -> Factor:
    over_tdp = named("cpu_fit", f"cpu_{load}_over_tdp")
    low, best, high = (share * tdp_w / shared for share in over_tdp.value.ends)
    ends = ", ".join(f"{end:g}" for end in over_tdp.value.ends)
    return replace(
        usual,
        value=Range(low, best, high),
        key=f"{plain_name(model)}: {tdp_w:g} W, {shared:g} logical CPUs",
        year=over_tdp.year,
        basis=over_tdp.basis,
        source=over_tdp.source,
        note=f"{ends} times the TDP: {over_tdp.note}",
    )
