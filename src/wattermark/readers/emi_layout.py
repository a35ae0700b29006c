"""How Windows' energy meters lay out what they tell: from bytes to names and counts, and nothing else.

References: ``emi.h`` of the Windows SDK and of MinGW (EMI_METADATA_V1, EMI_METADATA_V2, EMI_CHANNEL_V2,
EMI_CHANNEL_MEASUREMENT_DATA; EMI_CHANNEL_V2_NEXT_CHANNEL steps by the length alone, so that a channel may
begin at any byte).
"""

from __future__ import annotations

import struct

PICOWATT_HOURS = 0
MEASURED = struct.Struct("<QQ")  # energy, time in 100 ns
_ALONE = struct.Struct(
    "<i32s32sHH"
)  # version 1: unit, maker, model, revision, bytes of the name that follows
_SEVERAL = struct.Struct("<32s32sHH")  # version 2: maker, model, revision, channels that follow
_CHANNEL = struct.Struct("<iH")  # unit, bytes of the name that follows


def names_of(metadata: bytes, version: int) -> list[str]:
    """The name of each channel of a device, in the order in which they are measured.

    Parameters
    ----------
    metadata : bytes
        As the device tells it; it may be longer than what it holds.
    version : int
        Of the interface: 1 or 2.

    Raises
    ------
    ValueError
        If it is shorter than it says, counts in an unknown unit, or is of a version that nobody knows.
    """
    if version == 1:
        unit, _, _, _, name_b = _unpacked(_ALONE, metadata, 0)
        return [_name(metadata, _ALONE.size, name_b, unit)]
    if version != 2:
        raise ValueError(f"version {version} of the energy meter interface")
    *_, count = _unpacked(_SEVERAL, metadata, 0)
    names, at = [], _SEVERAL.size
    for _ in range(count):
        unit, name_b = _unpacked(_CHANNEL, metadata, at)
        names.append(_name(metadata, at + _CHANNEL.size, name_b, unit))
        at += _CHANNEL.size + name_b
    return names


def energies_of(measured: bytes, count: int) -> list[int]:
    """What each channel of a device has counted. [pWh]

    Parameters
    ----------
    measured : bytes
        As the device tells it: energy and time of each channel.
    count : int
        How many channels it has.

    Raises
    ------
    ValueError
        If it tells of more or fewer.
    """
    if len(measured) != count * MEASURED.size:
        raise ValueError(f"{len(measured)} bytes for {count} channels")
    return [energy_pwh for energy_pwh, _ in MEASURED.iter_unpack(measured)]


def _unpacked(layout: struct.Struct, data: bytes, at: int) -> tuple[int, ...]:
    if len(data) < at + layout.size:
        raise ValueError(f"{len(data)} bytes where {at + layout.size} are needed")
    return layout.unpack_from(data, at)


def _name(metadata: bytes, at: int, name_b: int, unit: int) -> str:
    if unit != PICOWATT_HOURS:
        raise ValueError(f"unit {unit} of the energy meter interface")
    if len(metadata) < at + name_b:
        raise ValueError(f"{len(metadata)} bytes where {at + name_b} are needed")
    return metadata[at : at + name_b].decode("utf-16-le").partition("\0")[0]
