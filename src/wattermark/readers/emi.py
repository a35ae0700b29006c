"""RAPL counters as Windows tells them: the Energy Meter Interface, which asks for no administrator.

A device has one channel (version 1) or several (version 2). Processors call theirs ``RAPL_Package0_PKG``,
``_DRAM``, ``_PP0``, ``_PP1``, and AMD's ``RAPL_Package0_Core3_CORE``, often each on a device of its own.
The package holds its cores and its graphics, so packages and DRAM are read and nothing else. A channel
that stands at zero is a rail that the processor has not.

References: Windows driver documentation, "Energy Meter Interface" (control codes; picowatt-hours); names
of channels as in Firefox's profiler, CodeCarbon, and recorded performance counters ("Energy Meter").
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from wattermark.errors import ReaderAbsent
from wattermark.readers.emi_layout import MEASURED, energies_of, names_of
from wattermark.readers.windows import Device, devices_of
from wattermark.values.kinds import Kind, Part
from wattermark.values.records import Channel
from wattermark.values.units import WRAP_64

ENERGY_METER = "45bd8344-7ed6-49cf-a440-c276c933b053"
VERSION, METADATA_SIZE, METADATA, MEASUREMENT = 0x224000, 0x224004, 0x224008, 0x22400C
MOST_METADATA_B = 65536
PACKAGE_MAX_W, DRAM_MAX_W = 1000.0, 400.0
REFRESH_S = 0.1  # a driver may count at each look, or on a timer of its own
_RAIL = re.compile(r"RAPL_Package(\d+)_(PKG|DRAM)")


@dataclass(frozen=True, slots=True)
class _Meter:
    """A device, how many channels it has, and which of them are read."""

    device: Device
    count: int
    rails: dict[int, Channel]


class EmiReader:
    """One counter for each package and its DRAM.

    Parameters
    ----------
    libraries : tuple of str, optional
        ``cfgmgr32`` and ``kernel32``; those of Windows by default.

    Raises
    ------
    ReaderUnavailable
        If this is no Windows, or no processor tells its energy there.
    """

    def __init__(self, libraries: tuple[str, str] | None = None) -> None:
        if libraries is None and sys.platform != "win32":
            raise ReaderAbsent("this is no Windows", fix="Nothing to do")
        self._meters = list(_meters(devices_of(ENERGY_METER, libraries)))
        if not self._meters:
            raise ReaderAbsent(
                "Windows has no energy meter of a processor here",
                fix="Nothing to do: it needs Windows 11, or a late 10, on bare metal; "
                "the CPU is then modelled from its load",
            )
        self.channels: Sequence[Channel] = [
            channel for meter in self._meters for channel in meter.rails.values()
        ]

    def period_s(self, interval_s: float) -> float:
        """The user's interval: these are counters of 64 bits. [s]"""
        return interval_s

    def read(self) -> Sequence[int | None]:
        """Picowatt-hours since some start, a rail each."""
        return [value for meter in self._meters for value in _look(meter)]

    def close(self) -> None:
        for meter in self._meters:
            meter.device.close()


def _meters(devices: Sequence[Device]) -> Iterator[_Meter]:
    """The devices that have a rail to be read; the others are given back."""
    met: set[str] = set()
    for device in devices:
        try:
            names = _names(device)
            counted = energies_of(device.ask(MEASUREMENT, len(names) * MEASURED.size), len(names))
        except (OSError, ValueError):  # one that does not answer, or not as described, hides no other
            names, counted = [], []
        rails = {
            i: channel for i, name in enumerate(names) if counted[i] and (channel := _channel(name, met))
        }
        if rails:
            yield _Meter(device, len(names), rails)
        else:
            device.close()


def _names(device: Device) -> list[str]:
    version = int.from_bytes(device.ask(VERSION, 2), "little")
    size_b = int.from_bytes(device.ask(METADATA_SIZE, 4), "little")
    return names_of(device.ask(METADATA, min(size_b, MOST_METADATA_B)), version)


def _look(meter: _Meter) -> list[int | None]:
    try:
        energies = energies_of(meter.device.ask(MEASUREMENT, meter.count * MEASURED.size), meter.count)
    except (OSError, ValueError):
        return [None] * len(meter.rails)
    return [energies[i] % WRAP_64 for i in meter.rails]


def _channel(name: str, met: set[str]) -> Channel | None:
    rail = _RAIL.fullmatch(name)
    if rail is None or name in met:
        return None
    met.add(name)
    package = rail[2] == "PKG"
    own_name = f"{'cpu' if package else 'dram'}/package-{rail[1]}"
    return Channel(
        name=own_name, kind=Kind.COUNTER, part=Part.CPU if package else Part.DRAM, unit="pWh",
        covers=own_name, wrap=WRAP_64, refresh_s=REFRESH_S,
        power_max_w=PACKAGE_MAX_W if package else DRAM_MAX_W,
    )  # fmt: skip
