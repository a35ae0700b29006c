"""Structures of Level Zero Sysman that are read, laid out as its header has them.

References: oneAPI Level Zero, zes_api.h and ze_api.h (zes_device_properties_t, zes_pci_properties_t,
zes_power_properties_t, zes_power_energy_counter_t; zes_structure_type_t). ``ze_bool_t`` is one byte.
"""

from __future__ import annotations

import ctypes

_HEAD = (("stype", ctypes.c_int), ("next", ctypes.c_void_p))
_TEXT = ctypes.c_char * 64


class CoreProperties(ctypes.Structure):
    """Of a device, as the core of Level Zero has them."""

    _fields_ = (
        *_HEAD,
        *((name, ctypes.c_uint32) for name in ("type", "vendor", "device", "flags", "subdevice", "clock")),
        ("largest_allocation", ctypes.c_uint64),
        ("counts", ctypes.c_uint32 * 7),
        ("timer", ctypes.c_uint64),
        ("valid_bits", ctypes.c_uint32 * 2),
        ("uuid", ctypes.c_uint8 * 16),
        ("name", ctypes.c_char * 256),
    )


class DeviceProperties(ctypes.Structure):
    """Of a device: its type, how many tiles it has (0 if it is one), and its names."""

    TYPE = 0x1
    _fields_ = (
        *_HEAD,
        ("core", CoreProperties),
        ("tiles", ctypes.c_uint32),
        *((name, _TEXT) for name in ("serial", "board", "brand", "model", "vendor", "driver")),
    )


class PciProperties(ctypes.Structure):
    """Where a device is: domain, bus, device and function."""

    TYPE = 0x2
    _fields_ = (
        *_HEAD,
        ("address", ctypes.c_uint32 * 4),
        ("speed", ctypes.c_int32 * 2),
        ("bandwidth", ctypes.c_int64),
        ("counters", ctypes.c_uint8 * 3),
    )


class PowerProperties(ctypes.Structure):
    """Of a power domain: whether it is a tile's, and whose."""

    TYPE = 0xD
    _fields_ = (
        *_HEAD,
        ("on_tile", ctypes.c_uint8),
        ("tile", ctypes.c_uint32),
        ("can_control", ctypes.c_uint8),
        ("threshold", ctypes.c_uint8),
        ("limits_mw", ctypes.c_int32 * 3),
    )


class EnergyCounter(ctypes.Structure):
    """What a power domain counted."""

    _fields_ = (("energy_uj", ctypes.c_uint64), ("at_us", ctypes.c_uint64))
