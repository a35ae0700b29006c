"""Intel GPUs through Level Zero Sysman: the energy counter of each card.

The kernel's own sensor (``hwmon``: i915, xe) comes first; this is for cards that have none or whose sensor
may not be read, and the library is not even loaded where there is no such card.
The domain of the whole card is read, which holds those of its tiles; where there is none, one domain of
each tile. Sysman shows all devices whatever ``ZE_AFFINITY_MASK`` says, so the mask is applied here.

References: oneAPI Level Zero Specification, Sysman (zesInit; zes_device_properties_t, zes_pci_properties_t,
zes_power_properties_t, zes_power_energy_counter_t: microjoules) and Core Programming Guide, "Affinity Mask"
and "Device Hierarchy" (flat unless ``ZE_FLAT_DEVICE_HIERARCHY`` says COMPOSITE); intel/compute-runtime
issue 938 (a counter that falls to nearly 0 for a moment: it is a gap).
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wattermark.errors import ReaderAbsent, ReaderUnavailable
from wattermark.readers.library import handles, load_library
from wattermark.readers.pci import DRIVERS, INTEGRATED, devices_of
from wattermark.readers.sysman import DeviceProperties, EnergyCounter, PciProperties, PowerProperties
from wattermark.readers.visible import say_share, share_of, slices
from wattermark.values.kinds import Kind, Part
from wattermark.values.records import Channel

LIBRARY = "libze_loader.so.1"
NEEDS = ("zesInit", "zesDriverGet", "zesDeviceGet")
GPU = 1
LOST = 0x7000_0001
LARGEST = 2**63 - 1
INTEGRATED_FLAG = 1
GPU_MAX_W = 3000.0
REFRESH_S = 0.1


@dataclass(frozen=True, slots=True)
class _Card:
    """A card: its power domains, its PCI address, its name and how many tiles it has."""

    domains: tuple[ctypes.c_void_p, ...]
    place: str
    device: str
    tiles: int


class LevelZeroReader:
    """One energy counter for each card that the program may see and whose energy is told.

    Parameters
    ----------
    library : str, optional
        Level Zero's loader.
    environ : mapping of str to str, optional
        The environment: ``ZE_AFFINITY_MASK`` and ``ZE_FLAT_DEVICE_HIERARCHY``.

    drivers : Path
        Where the kernel's PCI drivers are.

    Raises
    ------
    ReaderUnavailable
        If there is no library or driver, or no card may be seen or tells its energy.
    """

    def __init__(
        self, library: str = LIBRARY, environ: Mapping[str, str] = os.environ, drivers: Path = DRIVERS
    ) -> None:
        if all(_has_sensor(device) for device in devices_of(drivers, "i915", "xe")):
            raise ReaderAbsent(
                "no Intel GPU here but those whose energy the kernel's sensors tell",
                fix="Nothing to do: hwmon reads these",
            )
        self._ze = load_library(
            (library,),
            problem="no Level Zero library here",
            fix="Install the driver if this machine has Intel GPUs; the kernel's sensors are read without it",
            needs=NEEDS,
        )
        if self._ze.zesInit(0) != 0:
            raise ReaderUnavailable(
                "Level Zero Sysman does not start", fix="See what 'xpu-smi discovery' says"
            )
        cards = list(_cards(self._ze))
        found = [(cards[i], held) for i, held in _seen(cards, environ).items() if _tells(self._ze, cards[i])]
        if not found:
            raise ReaderUnavailable(
                "no Intel GPU that may be seen tells its energy",
                fix="See ZE_AFFINITY_MASK; some counters may be read by root only",
            )
        self._domains = [card.domains for card, _ in found]
        self.channels: Sequence[Channel] = [_channel(card, held) for card, held in found]

    def period_s(self, interval_s: float) -> float:
        """The user's interval: counters remember. [s]"""
        return interval_s

    def read(self) -> Sequence[int | None]:
        """Microjoules since some start, a card each."""
        return [_energy(self._ze, domains) for domains in self._domains]

    def close(self) -> None:
        """Sysman stays initialised: another reader of this process may use it."""


def _has_sensor(device: Path) -> bool:
    """Whether the kernel tells us its energy, or it is the processor's own and lies in its package."""
    sensors = device.glob("hwmon/hwmon*/energy[12]_input")
    return device.name == INTEGRATED or any(one.is_file() and os.access(one, os.R_OK) for one in sensors)


def _cards(ze: Any) -> Iterator[_Card]:
    """GPUs with a power domain, in the order of the PCI bus of each driver."""
    for driver in handles(ze.zesDriverGet):
        for device in handles(ze.zesDeviceGet, driver):
            told, pci = DeviceProperties(stype=DeviceProperties.TYPE), PciProperties(stype=PciProperties.TYPE)
            if ze.zesDeviceGetProperties(device, ctypes.byref(told)) != 0 or told.core.type != GPU:
                continue
            if ze.zesDevicePciGetProperties(device, ctypes.byref(pci)) == 0:
                domain, bus, slot, function = pci.address
                place = f"{domain:04x}:{bus:02x}:{slot:02x}.{function:x}"
                model = told.model.decode(errors="replace")
                name = model if model and model != "unknown" else "Intel GPU"
                inside = told.core.flags & INTEGRATED_FLAG  # it lies in the processor's package
                yield _Card(() if inside else _domains(ze, device), place, name, max(1, told.tiles))


def _domains(ze: Any, device: ctypes.c_void_p) -> tuple[ctypes.c_void_p, ...]:
    """The card's own domain; else one that is not a tile's; else the first of each tile."""
    card = ctypes.c_void_p()
    if ze.zesDeviceGetCardPowerDomain(device, ctypes.byref(card)) == 0 and card.value:
        return (card,)
    tiles: dict[int, ctypes.c_void_p] = {}
    for domain in handles(ze.zesDeviceEnumPowerDomains, device):
        told = PowerProperties(stype=PowerProperties.TYPE)
        if ze.zesPowerGetProperties(domain, ctypes.byref(told)) != 0:
            continue
        if not told.on_tile:
            return (domain,)
        tiles.setdefault(told.tile, domain)
    return tuple(tiles.values())


def _asked(ze: Any, domain: ctypes.c_void_p) -> tuple[int, int]:
    """What the library said, and the counter. [uJ]"""
    told = EnergyCounter()
    return ze.zesPowerGetEnergyCounter(domain, ctypes.byref(told)), told.energy_uj


def _energy(ze: Any, domains: Sequence[ctypes.c_void_p]) -> int | None:
    """Of all domains of a card together; None where one of them does not answer."""
    answers = [_asked(ze, domain) for domain in domains]
    total_uj = sum(energy_uj for _, energy_uj in answers)
    return total_uj if all(code == 0 for code, _ in answers) and total_uj <= LARGEST else None


def _tells(ze: Any, card: _Card) -> bool:
    """Whether a card has a counter that may be read; one that is lost has it when it is back."""
    codes = [_asked(ze, domain)[0] for domain in card.domains]
    return bool(codes) and all(code in (0, LOST) for code in codes)


def _seen(cards: Sequence[_Card], environ: Mapping[str, str]) -> dict[int, dict[str, float]]:
    """Which tiles of each card the mask shows; a card of which it shows nothing is left out."""
    tiles = [(i, tile) for i, card in enumerate(cards) for tile in range(card.tiles)]
    mask = environ.get("ZE_AFFINITY_MASK")
    flat = environ.get("ZE_FLAT_DEVICE_HIERARCHY", "FLAT").upper() != "COMPOSITE"
    chosen: list[int] = list(range(len(tiles))) if not mask else []
    for entry in (mask or "").split(","):
        device, _, tile = entry.strip().partition(".")
        for number, (card, own) in enumerate(tiles):
            named = device == str(number if flat else card) and (flat or tile in ("", str(own)))
            chosen += [number] if named and number not in chosen else []
    return slices([card for card, _ in tiles], chosen)


def _channel(card: _Card, held: Mapping[str, float]) -> Channel:
    share = share_of(held)
    return Channel(
        name=f"gpu/{card.place}", kind=Kind.COUNTER, part=Part.GPU, unit="uJ", covers=f"gpu/{card.place}",
        power_max_w=GPU_MAX_W, refresh_s=REFRESH_S, share=share, device=card.device,
        note=say_share(share, "tiles"), slices=held if share < 1 else {},
    )  # fmt: skip
