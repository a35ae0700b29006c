"""AMD GPUs through AMD SMI, the library of ROCm: the energy counter of each card.

Power is not read here: the kernel's hardware monitoring tells it (``hwmon``), and where both are read,
accounting compares them, as the counters of some cards and drivers are known to be wrong. A card without a
counter is left to ``hwmon``, and so is an APU (MI300A), whose counter holds the processor. A partitioned
card (MI300X in CPX or DPX) is one card: its first partition tells for all. The second die of an MI250X
counts nothing, as the first tells for both: that is a gap.

The accumulator counts 2^-16 J, which the library rounds to 15.3 uJ: it is kept as it is counted.

References: AMD SMI C library (amdsmi.h: amdsmi_get_energy_count, amdsmi_get_gpu_device_bdf, a socket is a
card and its processors are partitions); Linux drivers/gpu/drm/amd/include/kgd_pp_interface.h
(energy_accumulator: 15.259 uJ (2^-16) units; all ones where there is none), pm/swsmu/smu13/aldebaran_ppt.c
(power data of the primary die only); ROCm/amdsmi issues 22, 38, 115 (counters that stand still or fall).
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wattermark.errors import ReaderAbsent, ReaderUnavailable
from wattermark.readers.amdgpu import (
    GPU_MAX_W,
    amd_chips,
    hwmon_root,
    is_apu,
    place_of,
    product_of,
    rocr_name,
)
from wattermark.readers.library import handles, load_library
from wattermark.readers.pci import DRIVERS, devices_of
from wattermark.readers.visible import rocm_listed, say_share, share_of, slices
from wattermark.values.kinds import Kind, Part
from wattermark.values.records import Channel

LIBRARIES = ("/opt/rocm/lib/libamd_smi.so", "libamd_smi.so")
NEEDS = (
    "amdsmi_get_energy_count",
    "amdsmi_get_gpu_device_bdf",
    "amdsmi_get_gpu_device_uuid",
    "amdsmi_get_processor_handles",
)
GPUS_ONLY = ctypes.c_uint64(1 << 1)
NEVER = (2, 3)  # not supported, not yet implemented
LARGEST = 2**63 - 1  # all ones stand for none
MOST_LETTERS = 64
REFRESH_S = 0.1
RESOLUTIONS = (("2^-16 J", 1e6 / 2**16), ("uJ", 1.0), ("mJ", 1e3))
"""Units that an accumulator may count in, with the microjoules that the library tells for each."""
ROUNDED = 0.01
USUAL = "2^-16 J"


@dataclass(frozen=True, slots=True)
class _Card:
    """A card: the handle of its first partition, its PCI address, its chip, and which partitions are ours."""

    handle: ctypes.c_void_p
    place: str
    chip: Path | None
    held: Mapping[str, float]


class AmdReader:
    """One energy counter for each card that the program may see and that has one.

    Parameters
    ----------
    library : str, optional
        AMD SMI; its usual places by default.
    root : Path, optional
        Where the chips of hardware monitoring are; ``WATTERMARK_HWMON`` names another place.
    drivers : Path
        Where the kernel's PCI drivers are.

    Raises
    ------
    ReaderUnavailable
        If there is no library or driver, or no card with a counter may be seen.
    """

    def __init__(self, library: str | None = None, root: Path | None = None, drivers: Path = DRIVERS) -> None:
        if not devices_of(drivers, "amdgpu"):
            raise ReaderAbsent("no AMD GPU here", fix="Load the amdgpu driver if this machine has such a GPU")
        self._smi = load_library(
            (library,) if library else LIBRARIES,
            problem="no AMD SMI library here",
            fix="Install ROCm if this machine has AMD GPUs; the kernel's sensors are read without it",
            needs=NEEDS,
        )
        if self._smi.amdsmi_init(GPUS_ONLY) != 0:
            raise ReaderUnavailable("AMD SMI does not start", fix="See what 'amd-smi list' says")
        chips = {place_of(chip): chip for chip in amd_chips(hwmon_root(root))}
        found = [(card, _unit(_asked(self._smi, card.handle))) for card in _cards(self._smi, chips)]
        metered = [(card, unit) for card, unit in found if unit is not None]
        if not metered:
            raise ReaderUnavailable(
                "no AMD GPU that may be seen has an energy counter of its own",
                fix="Nothing to do if hwmon reads its power; see ROCR_VISIBLE_DEVICES",
            )
        self._handles = [card.handle for card, _ in metered]
        self.channels: Sequence[Channel] = [_channel(self._smi, card, unit) for card, unit in metered]

    def period_s(self, interval_s: float) -> float:
        """The user's interval: counters remember. [s]"""
        return interval_s

    def read(self) -> Sequence[int | None]:
        """What each accumulator shows, in its own unit, since the driver was loaded."""
        return [_asked(self._smi, handle).count for handle in self._handles]

    def close(self) -> None:
        """AMD SMI stays initialised: another reader of this process may use it."""


def _cards(smi: Any, chips: dict[str, Path]) -> Iterator[_Card]:
    """Cards of which the program may see anything; an APU is none."""
    sockets = [
        handles(smi.amdsmi_get_processor_handles, one) for one in handles(smi.amdsmi_get_socket_handles)
    ]
    sockets = [parts for parts in sockets if parts]
    places = [_place(smi, parts[0]) for parts in sockets]
    known = [chips.get(place) for place in places]
    gpus = [i for i, chip in enumerate(known) if places[i] and (chip is None or not is_apu(chip))]
    owners = [i for i in gpus for _ in sockets[i]]
    names = [rocr_name(chip) if (chip := known[i]) else "" for i in owners]
    for i, held in slices(owners, rocm_listed(names, os.environ)).items():
        yield _Card(sockets[i][0], places[i], known[i], held)


def _place(smi: Any, handle: ctypes.c_void_p) -> str:
    """The PCI address: function in 3 bits, device in 5, bus in 8, the domain above them."""
    bits = ctypes.c_uint64()
    if smi.amdsmi_get_gpu_device_bdf(handle, ctypes.byref(bits)) != 0:
        return ""
    value = bits.value
    return f"{value >> 16:04x}:{value >> 8 & 0xFF:02x}:{value >> 3 & 0x1F:02x}.{value & 7:x}"


@dataclass(frozen=True, slots=True)
class _Answer:
    """What the library said, the accumulator, and the resolution that it told. [uJ]"""

    code: int
    shown: int
    resolution_uj: float

    @property
    def count(self) -> int | None:
        """The accumulator; none of a card that is lost, nor a 0, as an MI250X's second die shows it."""
        return self.shown if self.code == 0 and 0 < self.shown <= LARGEST else None


def _asked(smi: Any, handle: ctypes.c_void_p) -> _Answer:
    shown, resolution, at = ctypes.c_uint64(), ctypes.c_float(), ctypes.c_uint64()
    code = smi.amdsmi_get_energy_count(
        handle, ctypes.byref(shown), ctypes.byref(resolution), ctypes.byref(at)
    )
    return _Answer(code, shown.value, resolution.value)


def _unit(answer: _Answer) -> str | None:
    """The unit that a card counts in; None where it has no counter, or one in a unit that nobody knows."""
    if answer.code in NEVER or (answer.code == 0 and answer.shown > LARGEST):
        return None
    if answer.code != 0:
        return USUAL  # one that is lost has a counter when it is back
    told = answer.resolution_uj
    return next((unit for unit, uj in RESOLUTIONS if abs(told - uj) <= ROUNDED * uj), None)


def _channel(smi: Any, card: _Card, unit: str) -> Channel:
    share = share_of(card.held)
    return Channel(
        name=f"gpu/{card.place}", kind=Kind.COUNTER, part=Part.GPU, unit=unit, covers=f"gpu/{card.place}",
        power_max_w=GPU_MAX_W, refresh_s=REFRESH_S, share=share, uuid=_uuid(smi, card.handle),
        device=product_of(card.chip) if card.chip else "AMD GPU", note=say_share(share, "a partition"),
        slices=card.held if share < 1 else {},
    )  # fmt: skip


def _uuid(smi: Any, handle: ctypes.c_void_p) -> str:
    text, length = ctypes.create_string_buffer(MOST_LETTERS), ctypes.c_uint(MOST_LETTERS)
    code = smi.amdsmi_get_gpu_device_uuid(handle, ctypes.byref(length), text)
    return text.value.decode(errors="replace") if code == 0 else ""
